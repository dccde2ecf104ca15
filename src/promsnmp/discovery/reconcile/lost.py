"""Marks devices that a search did not find: first as missed, later as lost; removes them only on request.

A device that answers at one address loses its other addresses that were asked and did not answer. Without I/O.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime

from promsnmp.discovery.reconcile.merge import instant
from promsnmp.inventory.model import LOST, AgentEndpoint, Device, Inventory


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
class MissedDevices:
    """How many devices a search missed; which of them it newly marked as lost, and which it removed."""

    count: int = 0
    lost: tuple[Device, ...] = ()
    removed: tuple[Device, ...] = ()


def mark_lost(
    inventory: Inventory, coverage: SearchCoverage, *, lost_after: float, remove: bool
) -> tuple[Inventory, MissedDevices]:
    """The inventory with missed devices marked.

    A device is missed when its primary address was asked and none of its addresses answered; after ``lost_after``
    seconds it is lost, or removed with ``remove``. A search without any answer marks nothing: more likely, PromSNMP
    itself was cut off from the network.
    """
    if not coverage.answered:
        return inventory, MissedDevices()
    devices: list[Device] = []
    missed = 0
    lost: list[Device] = []
    removed: list[Device] = []
    for device in inventory.devices:
        if any(agent.endpoint in coverage.answered for agent in device.agents):
            devices.append(_without_unanswered(device, coverage))
            continue
        if not _is_missed(device, coverage):
            devices.append(device)
            continue
        missed += 1
        since = device.missed_since or instant(coverage.ended)
        gone = coverage.ended - datetime.fromisoformat(since).timestamp() >= lost_after
        if gone and remove:
            removed.append(device)
            continue
        marked = replace(device, missed_since=since, status=LOST if gone else device.status)
        devices.append(marked)
        if gone and device.status != LOST:
            lost.append(marked)
    if devices == list(inventory.devices):
        return inventory, MissedDevices(missed)
    return replace(inventory, devices=tuple(devices)), MissedDevices(missed, tuple(lost), tuple(removed))


def _is_missed(device: Device, coverage: SearchCoverage) -> bool:
    """A device whose address was taken over by another one is missed until it is found elsewhere."""
    if device.primary is None:
        return device.missed_since is not None
    return coverage.asked(device.primary.endpoint)


def _without_unanswered(device: Device, coverage: SearchCoverage) -> Device:
    """A device that answered, without its addresses that were asked and did not answer."""
    agents = tuple(
        one for one in device.agents if one.endpoint in coverage.answered or not coverage.asked(one.endpoint)
    )
    if len(agents) == len(device.agents):
        return device
    heard = next(agent for agent in agents if agent.endpoint in coverage.answered)
    return replace(device, agents=agents, primary=device.primary if device.primary in agents else heard)


def count_lost(inventory: Inventory) -> int:
    """How many devices of the inventory are lost."""
    return sum(device.status == LOST for device in inventory.devices)
