"""Scenarios in which replicas come and go under load: each checks what must hold and returns figures.

The tests run them for seconds, ``make soak`` with the default intervals.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from promsnmp.cluster.election.rules import lease_clock
from tests.support.failures.fleet.harness import Fleet, overlaps
from tests.support.failures.fleet.service import Service
from tests.support.failures.load.polls import longest_gap, surplus
from tests.support.tools import wait_until

RATE = 200.0
"""Scrapes per second."""


@dataclass(frozen=True, slots=True)
class ReplicaChanges:
    """``gap``: the longest time without a poll of a device; ``surplus``: polls beyond one per device and interval, as a
    share of these."""

    seconds: float
    gap: float
    surplus: float
    scrapes: int
    slowest_scrape: float


def rolling_restart(fleet: Fleet, *, slack: float, rest: float = 0.0, rate: float = RATE) -> ReplicaChanges:
    """Replaces every replica, one at a time: the new replica is ready before the old one stops."""
    begun = lease_clock()
    with Service(fleet.replicas, fleet.targets, rate=rate) as service:
        time.sleep(rest)
        for old in list(fleet.replicas):
            (new,) = fleet.start(fleet.fresh_name())
            service.add(new)
            service.end(fleet, old)
            time.sleep(rest)
        _settle(fleet, service, rate)
    return _checked(fleet, service, begun, slack)


def scaling(fleet: Fleet, *, most: int, slack: float, rest: float = 0.0) -> ReplicaChanges:
    """Adds replicas up to ``most``, all at once, and then goes back to the earlier number."""
    begun, few = lease_clock(), len(fleet.replicas)
    with Service(fleet.replicas, fleet.targets, rate=RATE) as service:
        time.sleep(rest)
        for new in fleet.start(*(fleet.fresh_name(after=number) for number in range(most - few))):
            service.add(new)
        _settle(fleet, service, RATE)
        time.sleep(rest)
        for old in fleet.replicas[: most - few]:
            service.end(fleet, old)
        _settle(fleet, service, RATE)
        time.sleep(rest)
    return _checked(fleet, service, begun, slack)


def _settle(fleet: Fleet, service: Service, rate: float) -> None:
    fleet.settle()
    count = service.count
    wait_until(lambda: service.count >= count + rate, deadline=60, what="scrapes to continue")


def _checked(fleet: Fleet, service: Service, begun: float, slack: float) -> ReplicaChanges:
    ended = lease_clock()
    assert not service.failures, f"{len(service.failures)} of {service.count}: {service.failures[:5]}"
    gap = longest_gap(fleet.devices, begun, ended)
    assert gap < 2 * fleet.interval + slack, f"a device was not polled for {gap:.1f} s"
    assert not (pairs := overlaps(fleet.lead_periods())), f"two leaders at once: {pairs}"
    share = surplus(fleet.devices, begun, ended, interval=fleet.interval)
    return ReplicaChanges(ended - begun, gap, share, service.count, service.slowest)
