"""The leader is killed, stopped or paused: another one follows soon, and there are never two."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.failures.fleet import scenarios
from tests.support.failures.fleet.fleets import electing_in_redis
from tests.support.failures.fleet.harness import BUSY, Fleet

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("failures")]


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    with electing_in_redis(tmp_path_factory.mktemp("fleet")) as (made, _):
        yield made


def test_a_killed_leader_has_a_successor_in_time_and_no_scrape_fails(fleet: Fleet) -> None:
    print(figures := scenarios.leader_killed(fleet, slack=BUSY))
    assert figures.scrapes


def test_a_stopped_leader_has_a_successor_within_seconds_and_no_scrape_fails(fleet: Fleet) -> None:
    print(figures := scenarios.leader_ended(fleet, slack=BUSY))
    assert figures.scrapes


def test_a_paused_leader_wakes_as_a_follower_and_writes_nothing(fleet: Fleet) -> None:
    print(figures := scenarios.leader_paused(fleet, slack=BUSY))
    assert figures.done


def test_200_writers_get_true_answers_while_leaders_fail(fleet: Fleet) -> None:
    print(figures := scenarios.writers_and_changing_leaders(fleet, slack=BUSY))
    assert figures.done
