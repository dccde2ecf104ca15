"""Handovers between replicas in simulated time: histograms go on at the new owner, unless others may have owned the
device meanwhile. More of them are in ``tests/cluster/read_leases/test_simulation.py``."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.support.reads.replicas import INTERVAL, MEMBER_TIMEOUT, SimulatedReplica, Site, target_of
from tests.support.reads.world import World

DEVICE_COUNT = 6


@pytest.fixture
def site() -> Iterator[Site]:
    """Two replicas that have polled all devices several times."""
    world = World(1)
    with world.in_charge_of_time():
        made = Site(world, [f"device-{number}" for number in range(DEVICE_COUNT)])
        for name in ("pod-0", "pod-1"):
            made.start(name)
        world.run(5 * INTERVAL)
        yield made
        assert not [error for process in world.processes for error in process.loop.errors]


def observations(replica: SimulatedReplica, device: str) -> int:
    """Of the histogram that a replica has for a device."""
    utilization = replica.collector.states.of(target_of(device)).render_state.utilization
    found = re.search(rb"_count\S* (\d+)", b"".join(utilization.samples()))
    return int(found[1]) if found else 0


def moving(site: Site) -> tuple[SimulatedReplica, SimulatedReplica, list[str]]:
    """The replica that is going to stop, the other one, and the devices of the first."""
    first, second = site.replicas
    devices = [one for one in site.devices if first.members.ring.is_mine(one)]
    assert devices
    assert all(observations(first, one) >= 3 for one in devices)
    return first, second, devices


def test_histograms_go_on_at_the_other_replica_when_one_stops(site: Site) -> None:
    first, second, devices = moving(site)
    before = {one: observations(first, one) for one in devices}
    first.stop()
    site.world.run(site.world.now + 3.0)
    assert all(observations(second, one) >= before[one] for one in devices)


def test_a_handover_that_waited_while_the_replica_slept_is_too_old(site: Site) -> None:
    """Meanwhile a third one may have owned the devices, and come and gone."""
    first, second, devices = moving(site)
    second.process.asleep_until = site.world.now + MEMBER_TIMEOUT + 2.0
    site.world.run(site.world.now + 1.0)
    first.stop()
    site.world.run(site.world.now + MEMBER_TIMEOUT + 3.0)
    assert second.members.ring.is_mine(devices[0])
    assert all(observations(second, one) < 3 for one in devices)
