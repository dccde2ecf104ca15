"""Redis, or something before it, gives wrong answers: no write, no scrape and no order of readings is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.failures.faults import lying_redis

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("failures")]


def test_a_redis_that_lies_costs_no_write_and_no_scrape_and_makes_no_two_leaders_in_one_term(tmp_path: Path) -> None:
    with lying_redis.replicas_with_liar(tmp_path) as (fleet, liar):
        print(figures := lying_redis.redis_lies(fleet, liar, scrapes=200, asleep=2.0, rest=1.0, rate=40.0))
    assert figures.told
    assert figures.done
