"""The leader is killed, stopped or paused, with each election backend: another replica follows, and never two lead."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.support.cluster.api_server import ApiServer
from tests.support.failures.faults import outages
from tests.support.failures.fleet import scenarios, searches
from tests.support.failures.fleet.fleets import replicas_with_lease, replicas_with_redis
from tests.support.failures.fleet.harness import BUSY, Fleet

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("failures")]
REDIS, LEASE = "redis", "lease"
redis_only = pytest.mark.parametrize("fleet_and_server", [REDIS], indirect=True)
lease_only = pytest.mark.parametrize("fleet_and_server", [LEASE], indirect=True)


@pytest.fixture(scope="module", params=[REDIS, LEASE])
def fleet_and_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Fleet, Any]]:
    """Three replicas, and what controls their election backend (FailingRedis or ApiServer)."""
    folder: Path = tmp_path_factory.mktemp(request.param)
    replicas: AbstractContextManager[tuple[Fleet, Any]] = (
        replicas_with_redis(folder) if request.param == REDIS else replicas_with_lease(folder)
    )
    with replicas as fleet_and_server:
        yield fleet_and_server


@pytest.fixture
def fleet(fleet_and_server: tuple[Fleet, Any]) -> Fleet:
    return fleet_and_server[0]


@pytest.fixture
def api_server(fleet_and_server: tuple[Fleet, Any]) -> ApiServer:
    assert isinstance(fleet_and_server[1], ApiServer)
    return fleet_and_server[1]


def test_a_killed_leader_has_a_successor_in_time_and_no_scrape_fails(fleet: Fleet) -> None:
    print(figures := scenarios.leader_killed(fleet, slack=BUSY))
    assert figures.scrapes


def test_a_stopped_leader_has_a_successor_within_seconds_and_no_scrape_fails(fleet: Fleet) -> None:
    print(figures := scenarios.leader_ended(fleet, slack=BUSY))
    assert figures.scrapes


def test_a_paused_leader_wakes_as_a_follower_and_writes_nothing(fleet: Fleet) -> None:
    print(figures := scenarios.leader_paused(fleet, slack=BUSY))
    assert figures.done


@redis_only
def test_a_leader_paused_in_a_write_has_a_successor_when_it_is_killed(fleet: Fleet) -> None:
    print(figures := scenarios.leader_paused_in_a_write(fleet, slack=BUSY))
    assert figures.done


@redis_only
def test_writers_get_correct_responses_while_leaders_fail(fleet: Fleet) -> None:
    print(figures := scenarios.writers_and_changing_leaders(fleet, slack=BUSY, writers=60))
    assert figures.done


@lease_only
def test_a_replaced_token_and_conflicts_do_not_change_the_leader(fleet: Fleet, api_server: ApiServer) -> None:
    print(scenarios.lease_is_disturbed(fleet, api_server, slack=BUSY))


@lease_only
def test_polls_and_scrapes_go_on_while_the_api_server_fails_and_changes_wait(
    fleet: Fleet, api_server: ApiServer
) -> None:
    faults = [partial(api_server.failing, hang=True), partial(api_server.failing, drop="after")]
    print(figures := outages.backend_fails(fleet, faults, slack=BUSY))
    assert figures.scrapes


@redis_only
def test_a_search_goes_on_at_the_successor_of_a_killed_leader(fleet: Fleet) -> None:
    print(figures := searches.search_outlives_its_leader(fleet, slack=BUSY))
    assert figures.done == searches.DEVICES
