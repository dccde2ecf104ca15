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
from promsnmp.inventory.model import LOST, Device, Endpoint, Inventory


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """Who was asked by a search that came to its end, and who answered; the others were silent."""

    asked: Callable[[Endpoint], bool]
    """Whether it asked there."""
    answered: AbstractSet[Endpoint]
    """Where somebody speaks SNMP, let in or not."""
    ended: float
    """Unix time."""


@dataclass(frozen=True, slots=True)
class Missed:
    """How many devices were missed, and which are lost since now, or were removed."""

    missed: int = 0
    lost: tuple[Device, ...] = ()
    removed: tuple[Device, ...] = ()


def settle(inventory: Inventory, silence: Silence, *, lost_after: float, remove: bool) -> tuple[Inventory, Missed]:
    """The inventory after a silence.

    Devices whose primary address was asked and that answered nowhere are missed; after ``lost_after`` seconds of that
    they are lost, or with ``remove`` are no longer there. A search that heard nobody at all says nothing of anybody:
    it is more likely that PromSNMP was cut off.
    """
    if not silence.answered:
        return inventory, Missed()
    devices: list[Device] = []
    missed = 0
    lost: list[Device] = []
    removed: list[Device] = []
    for device in inventory.devices:
        if any(agent.endpoint in silence.answered for agent in device.agents):
            devices.append(_without_silent(device, silence))
            continue
        if not _is_missed(device, silence):
            devices.append(device)
            continue
        missed += 1
        since = device.missed_since or instant(silence.ended)
        gone = silence.ended - datetime.fromisoformat(since).timestamp() >= lost_after
        if gone and remove:
            removed.append(device)
            continue
        marked = replace(device, missed_since=since, status=LOST if gone else device.status)
        devices.append(marked)
        if gone and device.status != LOST:
            lost.append(marked)
    if devices == list(inventory.devices):
        return inventory, Missed(missed)
    return replace(inventory, devices=tuple(devices)), Missed(missed, tuple(lost), tuple(removed))


def _is_missed(device: Device, silence: Silence) -> bool:
    """One that has no address any more, because another device took it, is missed until it is found elsewhere."""
    if device.primary is None:
        return device.missed_since is not None
    return silence.asked(device.primary.endpoint)


def _without_silent(device: Device, silence: Silence) -> Device:
    """A device that answered, without its addresses that were asked and did not."""
    agents = tuple(one for one in device.agents if one.endpoint in silence.answered or not silence.asked(one.endpoint))
    if len(agents) == len(device.agents):
        return device
    heard = next(agent for agent in agents if agent.endpoint in silence.answered)
    return replace(device, agents=agents, primary=device.primary if device.primary in agents else heard)
