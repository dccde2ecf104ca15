"""The volume fails on one node, or on all: a replica that can write leads, if there is one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.failures.faults import nodes
from tests.support.failures.fleet.harness import BUSY, Fleet

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("failures")]


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    with nodes.fleet_of_nodes(tmp_path_factory.mktemp("nodes")) as made:
        yield made


def test_a_leader_that_cannot_write_is_followed_by_a_replica_that_can(fleet: Fleet) -> None:
    print(figures := nodes.leader_cannot_write(fleet, slack=BUSY))
    assert figures.scrapes


def test_the_leader_stays_when_nobody_can_write(fleet: Fleet) -> None:
    print(figures := nodes.nobody_can_write(fleet, slack=BUSY))
    assert figures.scrapes
