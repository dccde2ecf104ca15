"""Owners of devices sleep, crash and move, and clocks are wrong: time never goes back on the pages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.failures.faults import owners
from tests.support.failures.fleet.harness import Fleet

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("failures")]
RATE = 40.0
"""Scrapes per second: three of each device in an interval."""


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Three replicas whose clocks differ by ten minutes."""
    with owners.reading_replicas(tmp_path_factory.mktemp("owners"), shifts=(0, 600, -600)) as made:
        yield made


def test_no_scrape_shows_an_older_reading_after_a_newer_one_while_owners_sleep(fleet: Fleet) -> None:
    print(owners.owners_sleep(fleet, scrapes=160, asleep=2.0, rest=1.0, rate=RATE))


def test_no_scrape_shows_an_older_reading_after_a_newer_one_when_owners_crash(fleet: Fleet) -> None:
    print(owners.owners_crash(fleet, scrapes=120, rest=0.5, rate=RATE))


def test_histograms_go_on_when_a_replica_is_replaced(fleet: Fleet) -> None:
    print(owners.owners_are_replaced(fleet, scrapes=40, rest=0.5, rate=RATE))
