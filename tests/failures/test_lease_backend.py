"""Elections in Kubernetes: leaders go, and the API server fails."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest

from tests.support.cluster.api_server import ApiServer
from tests.support.failures.faults import outages
from tests.support.failures.fleet import scenarios
from tests.support.failures.fleet.fleets import electing_in_a_lease
from tests.support.failures.fleet.harness import BUSY, Fleet

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("failures")]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Fleet, ApiServer]]:
    with electing_in_a_lease(tmp_path_factory.mktemp("fleet")) as made:
        yield made


@pytest.fixture
def fleet(both: tuple[Fleet, ApiServer]) -> Fleet:
    return both[0]


@pytest.fixture
def server(both: tuple[Fleet, ApiServer]) -> ApiServer:
    return both[1]


def test_a_killed_leader_has_a_successor_in_time_and_no_scrape_fails(fleet: Fleet) -> None:
    print(figures := scenarios.leader_killed(fleet, slack=BUSY))
    assert figures.scrapes


def test_a_stopped_leader_has_a_successor_within_seconds_and_no_scrape_fails(fleet: Fleet) -> None:
    print(figures := scenarios.leader_ended(fleet, slack=BUSY))
    assert figures.scrapes


def test_a_paused_leader_wakes_as_a_follower_and_writes_nothing(fleet: Fleet) -> None:
    print(figures := scenarios.leader_paused(fleet, slack=BUSY))
    assert figures.done


def test_a_replaced_token_and_conflicts_do_not_change_the_leader(fleet: Fleet, server: ApiServer) -> None:
    print(scenarios.lease_is_disturbed(fleet, server, slack=BUSY))


def test_polls_and_scrapes_go_on_while_the_api_server_fails_and_changes_wait(fleet: Fleet, server: ApiServer) -> None:
    faults = [partial(server.failing, hang=True), partial(server.failing, drop="after")]
    print(figures := outages.backend_fails(fleet, faults, slack=BUSY))
    assert figures.scrapes
