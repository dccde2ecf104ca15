"""Marks devices that a search did not find: first as missed, later as lost; removes them only on request.

A device that answers at one address loses its other addresses that were asked and did not answer. Without I/O.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime

from promsnmp.discovery.reconcile.merge import instant
from promsnmp.inventory.model import STALE, AgentEndpoint, Device, Inventory


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchCoverage:
    """Which addresses a completed search asked, and which answered."""

    asked: Callable[[AgentEndpoint], bool]
    """Whether the search asked this endpoint."""
    answered: AbstractSet[AgentEndpoint]
    """Endpoints that speak SNMP, with accepted credentials or not."""
    ended: float
    """Unix time."""


@dataclass(frozen=True, slots=True)
class StaleDevices:
    """The number of missed devices, and the devices newly marked as lost, or removed."""

    silent: int = 0
    stale: tuple[Device, ...] = ()
    removed: tuple[Device, ...] = ()


def mark_stale(
    inventory: Inventory, coverage: SearchCoverage, *, stale_after: float, remove: bool
) -> tuple[Inventory, StaleDevices]:
    """The inventory with missed devices marked.

    A device is missed when its primary address was asked and none of its addresses answered; after ``stale_after``
    seconds it is lost, or removed with ``remove``. A search without any answer marks nothing: more likely, PromSNMP
    itself was cut off from the network.
    """
    if not coverage.answered:
        return inventory, StaleDevices()
    devices: list[Device] = []
    silent = 0
    stale: list[Device] = []
    removed: list[Device] = []
    for device in inventory.devices:
        if any(agent.endpoint in coverage.answered for agent in device.agents):
            devices.append(_without_silent(device, coverage))
            continue
        if not _is_missed(device, coverage):
            devices.append(device)
            continue
        silent += 1
        since = device.missed_since or instant(coverage.ended)
        gone = coverage.ended - datetime.fromisoformat(since).timestamp() >= stale_after
        if gone and remove:
            removed.append(device)
            continue
        marked = replace(device, missed_since=since, status=STALE if gone else device.status)
        devices.append(marked)
        if gone and device.status != STALE:
            stale.append(marked)
    if devices == list(inventory.devices):
        return inventory, StaleDevices(silent)
    return replace(inventory, devices=tuple(devices)), StaleDevices(silent, tuple(stale), tuple(removed))


def _is_missed(device: Device, coverage: SearchCoverage) -> bool:
    """A device whose address was taken over by another one is missed until it is found elsewhere."""
    if device.primary is None:
        return device.missed_since is not None
    return coverage.asked(device.primary.endpoint)


def _without_silent(device: Device, coverage: SearchCoverage) -> Device:
    """A device that answered, without its addresses that were asked and did not answer."""
    agents = tuple(
        one for one in device.agents if one.endpoint in coverage.answered or not coverage.asked(one.endpoint)
    )
    if len(agents) == len(device.agents):
        return device
    heard = next(agent for agent in agents if agent.endpoint in coverage.answered)
    return replace(device, agents=agents, primary=device.primary if device.primary in agents else heard)


def count_stale(inventory: Inventory) -> int:
    """How many devices of the inventory are stale."""
    return sum(device.status == STALE for device in inventory.devices)
