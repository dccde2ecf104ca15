"""Which replicas polled the devices, and how regularly, between two moments of ``lease_clock``."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import inf

from promsnmp.cluster.election.rules import lease_clock
from tests.support.failures.fleet.harness import CountedDevice
from tests.support.tools import wait_until


def pollers(device: CountedDevice, begin: float, end: float) -> set[str]:
    """The addresses that a device was polled from."""
    return {address for at, address in list(device.polls) if begin <= at <= end}


def polls_by_others(device: CountedDevice, owner: set[str], begin: float, end: float) -> int:
    """How often a device was polled from other addresses than its owner's."""
    return sum(address not in owner for at, address in list(device.polls) if begin <= at <= end)


def owners(devices: Sequence[CountedDevice]) -> dict[str, set[str]]:
    """The address from which each device is polled now; the caller must not scrape meanwhile."""
    begun = lease_clock()
    wait_until(
        lambda: all(pollers(device, begun, inf) for device in devices), deadline=90, what="a poll of each device"
    )
    return {device.name: pollers(device, begun, inf) for device in devices}


def longest_gap(devices: Sequence[CountedDevice], begin: float, end: float) -> float:
    """The longest time in seconds that any device was not polled."""
    return max(_longest(device, begin, end) for device in devices)


def surplus(devices: Sequence[CountedDevice], begin: float, end: float, *, interval: float) -> float:
    """Polls beyond one per device and interval, as a share of those; negative when there were fewer."""
    polls = sum(begin <= at <= end for device in devices for at, _ in list(device.polls))
    return polls / (len(devices) * (end - begin) / interval) - 1


def _longest(device: CountedDevice, begin: float, end: float) -> float:
    moments = [begin, *(at for at, _ in list(device.polls) if begin <= at <= end), end]
    return max(after - before for before, after in pairwise(moments))
