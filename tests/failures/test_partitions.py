"""A replica is cut off from Redis, from the others, or from the devices, and scrapes are answered everywhere."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.failures.faults import partitions
from tests.support.failures.faults.network import Network, PacketLoss
from tests.support.failures.fleet.harness import BUSY, Fleet

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("failures")]


@pytest.fixture(scope="module")
def separated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Fleet, Network]]:
    with partitions.separated_replicas(tmp_path_factory.mktemp("separated")) as fleet_and_network:
        yield fleet_and_network


def test_a_leader_cut_off_from_redis_has_a_successor_and_becomes_a_follower(separated: tuple[Fleet, Network]) -> None:
    print(partitions.cut_off_from_redis(*separated, PacketLoss.RECEIVED, slack=BUSY))


def test_a_leader_cut_off_from_the_other_replicas_keeps_leading(separated: tuple[Fleet, Network]) -> None:
    print(partitions.cut_off_from_others(*separated, PacketLoss.SENT, slack=BUSY))


def test_devices_that_their_owner_cannot_reach_are_polled_by_others(separated: tuple[Fleet, Network]) -> None:
    print(partitions.cut_off_from_devices(*separated, PacketLoss.ALL, slack=BUSY))
