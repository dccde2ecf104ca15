"""Scenarios that cut one replica off: each checks what must hold and returns figures.

The tests run them with leases of seconds, ``make soak`` with the default ones.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from math import inf
from pathlib import Path

from promsnmp.cluster.election.rules import Timing, lease_clock
from tests.support.cluster.redis_server import RedisServer
from tests.support.cluster.replica import Replica
from tests.support.failures.faults.network import AGENTS, REDIS, Network, PacketLoss
from tests.support.failures.faults.outages import add_device_at, backend_up, make_changes
from tests.support.failures.fleet.harness import SHORT_TIMING, Fleet, overlaps
from tests.support.failures.load.polls import longest_gap, owners, pollers
from tests.support.failures.load.scrapes import Scrapes
from tests.support.tools import wait_until

DEVICES = 18
"""Enough devices for each replica to poll some."""
TIMED_OUT = 'promsnmp_polls_total{outcome="timeout"}'
NOTICED_BY = 5
"""Polls that must fail before a replica considers itself cut off."""
SETTINGS = {"API_ALLOW_ANONYMOUS": "true", "COLLECTION_BACKOFF_MAX": "2000"}


@dataclass(frozen=True, slots=True)
class Partition:
    """``noticed``: seconds until the fleet had reacted to the cut; ``gap``: the longest time without a poll of a device
    that another replica polls."""

    noticed: float
    healed: float
    gap: float
    scrapes: int
    slowest_scrape: float


@contextmanager
def separated_replicas(
    folder: Path, timing: Timing = SHORT_TIMING, interval: float = 1.0
) -> Iterator[tuple[Fleet, Network]]:
    """Three replicas, each in a network namespace of its own."""
    with (
        Network(folder, 3) as network,
        RedisServer(folder, address=REDIS) as redis,
        Fleet(folder, {**redis.env, **SETTINGS}, timing, interval, device_address=AGENTS) as fleet,
    ):

        def start(number: int) -> None:
            address = network.address_of(number)
            own = {"SERVER_ADDRESS": address, "SNMP_SOURCE_ADDRESS": address}
            fleet.start(f"pod-{number}", env=own, prefix=network.nodes[number].prefix)

        with ThreadPoolExecutor(3) as pool:
            list(pool.map(start, range(3)))
        fleet.settle()
        fleet.add_devices(DEVICES)
        yield fleet, network


def cut_off_from_redis(
    fleet: Fleet, network: Network, lost: PacketLoss, *, slack: float, lasting: float = 0.0
) -> Partition:
    """Cuts the leader off: it stops leading before another replica leads, and is a follower afterwards."""
    leader = fleet.leader()
    before = owners(fleet.devices)
    begun = lease_clock()
    with Scrapes(fleet.replicas, fleet.targets) as scrapes:
        with network.cut(number_of(leader), [REDIS], lost):
            period = fleet.lead_period_after(begun, within=fleet.timing.duration + fleet.timing.renew + slack)
            assert period.name != leader.name
            wait_until(
                lambda: leader_at(leader) == period.name,
                deadline=slack,
                what="the replica that is cut off to know the new leader",
            )
            make_changes(fleet, patience=slack)
            time.sleep(lasting)
            assert all(replica.knows(3) for replica in fleet.replicas)
        ended = lease_clock()
        wait_until(lambda: backend_up(leader), deadline=slack, what="the earlier leader to reach Redis again")
        healed = lease_clock() - ended
        fleet.settle()
    gap = longest_gap(fleet.devices, begun, ended)
    assert gap < 2 * fleet.interval + slack, f"a device was not polled for {gap:.1f} s"
    for device in fleet.devices:
        sources = pollers(device, begun, ended)
        assert sources == before[device.name], f"{device.name} was polled from other addresses than before: {sources}"
    return _checked(fleet, scrapes, Partition(period.begin - begun, healed, gap, scrapes.count, scrapes.slowest))


def cut_off_from_others(
    fleet: Fleet, network: Network, lost: PacketLoss, *, slack: float, lasting: float = 0.0
) -> Partition:
    """Cuts the leader off from the others: it keeps leading, and the others refuse writes until they reach it again."""
    leader, others = fleet.leader(), fleet.followers()
    addresses = [network.address_of(number_of(replica)) for replica in others]
    begun = lease_clock()
    with Scrapes(fleet.replicas, fleet.targets) as scrapes:
        with network.cut(number_of(leader), addresses, lost):
            with ThreadPoolExecutor(2) as pool:
                for response in pool.map(lambda replica: add_device_at(replica, "refused"), others):
                    assert (response.status_code, response.headers.get("retry-after")) == (503, "5"), response.text
            noticed = lease_clock() - begun
            added = add_device_at(leader, "added")
            assert added.status_code == 201, added.text
            assert leader.client.delete(added.headers["location"]).status_code == 204
            time.sleep(lasting)
            assert all(replica.knows(3) for replica in fleet.replicas)
        ended = lease_clock()
        make_changes(fleet, patience=slack)
        healed = lease_clock() - ended
        fleet.settle()
    assert fleet.leader() is leader
    gap = longest_gap(fleet.devices, begun, ended)
    assert gap < 2 * fleet.interval + slack, f"a device was not polled for {gap:.1f} s"
    return _checked(fleet, scrapes, Partition(noticed, healed, gap, scrapes.count, scrapes.slowest))


def cut_off_from_devices(
    fleet: Fleet, network: Network, lost: PacketLoss, *, slack: float, lasting: float = 0.0
) -> Partition:
    """Cuts a replica off from its devices: once it notices, another replica polls them for every scrape."""
    cut_off = fleet.leader()
    own = network.address_of(number_of(cut_off))
    before = owners(fleet.devices)
    own_devices = [device for device in fleet.devices if own in before[device.name]]
    assert own_devices
    begun = lease_clock()
    with network.cut(number_of(cut_off), [AGENTS], lost):
        failed = cut_off.metric(TIMED_OUT)
        wait_until(lambda: cut_off.metric(TIMED_OUT) >= failed + NOTICED_BY, deadline=60, what="failed polls")
        noticed = lease_clock() - begun
        with Scrapes(fleet.replicas, [device.name for device in own_devices]) as scrapes:
            time.sleep(max(lasting, 2.0))
        ended = lease_clock()
    wait_until(
        lambda: all(own in pollers(device, ended, inf) for device in own_devices),
        deadline=60,
        what="the replica to poll its devices again",
    )
    healed = lease_clock() - ended
    gap = longest_gap([device for device in fleet.devices if device not in own_devices], begun, ended)
    assert gap < 2 * fleet.interval + slack, f"a device was not polled for {gap:.1f} s"
    return _checked(fleet, scrapes, Partition(noticed, healed, gap, scrapes.count, scrapes.slowest))


def number_of(replica: Replica) -> int:
    return int(replica.name.rpartition("-")[2])


def leader_at(replica: Replica) -> str:
    """The name of the leader, as a replica knows it; empty when it knows none."""
    leader = replica.leadership.get("leader")
    return str(leader["name"]) if isinstance(leader, dict) else ""


def _checked(fleet: Fleet, scrapes: Scrapes, partition: Partition) -> Partition:
    assert not (pairs := overlaps(fleet.lead_periods())), f"two leaders at once: {pairs}"
    assert not scrapes.failures, f"{len(scrapes.failures)} of {scrapes.count}: {scrapes.failures[:5]}"
    assert scrapes.count
    return partition
