"""Replicas come and go while 200 scrapes per second are answered."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.failures.fleet.fleets import replicas_with_redis
from tests.support.failures.fleet.harness import BUSY
from tests.support.failures.load import changing

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("failures")]


def test_no_scrape_fails_while_all_replicas_are_replaced(tmp_path: Path) -> None:
    with replicas_with_redis(tmp_path) as (fleet, _):
        print(changing.rolling_restart(fleet, slack=BUSY, rate=50.0))
