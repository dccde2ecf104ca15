"""What becomes of devices that a search looked for and did not find.

They are marked, first with the time since when they are missed, then as lost; nothing is removed unless the operator
says so. An address of a device that is silent while the device answers at another one is no longer its own. Pure.
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
    """Who was asked by a search that came to its end, and who answered; the others were silent."""

    asked: Callable[[AgentEndpoint], bool]
    """Whether it asked there."""
    answered: AbstractSet[AgentEndpoint]
    """Where somebody speaks SNMP, let in or not."""
    ended: float
    """Unix time."""


@dataclass(frozen=True, slots=True)
class StaleDevices:
    """How many devices were missed, and which are lost since now, or were removed."""

    silent: int = 0
    stale: tuple[Device, ...] = ()
    removed: tuple[Device, ...] = ()


def mark_stale(
    inventory: Inventory, coverage: SearchCoverage, *, stale_after: float, remove: bool
) -> tuple[Inventory, StaleDevices]:
    """The inventory after a silence.

    Devices whose primary address was asked and that answered nowhere are missed; after ``stale_after`` seconds of that
    they are lost, or with ``remove`` are no longer there. A search that heard nobody at all says nothing of anybody:
    it is more likely that PromSNMP was cut off.
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
    """One that has no address any more, because another device took it, is missed until it is found elsewhere."""
    if device.primary is None:
        return device.missed_since is not None
    return coverage.asked(device.primary.endpoint)


def _without_silent(device: Device, coverage: SearchCoverage) -> Device:
    """A device that answered, without its addresses that were asked and did not."""
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
