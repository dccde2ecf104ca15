"""Decides which device owns an address or a name when an agent answers there.

``identity.compare`` compares identifiers, wherever a device was seen. The rules here add where that was, and what an
operator entered by hand.
"""

from __future__ import annotations

from promsnmp.discovery.reconcile.distinctive import is_distinctive
from promsnmp.discovery.reconcile.identity import Facts, Traits, Verdict, compare, known_traits
from promsnmp.inventory.index import name_key
from promsnmp.inventory.model import NO_OVERRIDES, Device


def is_still_there(owner: Device, new: Traits, *, is_elsewhere: bool) -> bool:
    """Whether the agent at the address of ``owner`` counts as ``owner``; ``is_elsewhere``: it matches a known device.

    A device that was never seen was entered by somebody who knew what is there. Otherwise the identifiers decide. Where
    they do not, it is still ``owner``, unless it matches another device and has another name.
    """
    if owner.last_seen is None:
        return True
    known = known_traits(owner)
    verdict = compare(known, new)
    return verdict is Verdict.SAME or (verdict is Verdict.UNKNOWN and not (is_elsewhere and known.name != new.name))


def replaces_owner(owner: Device, new: Traits) -> bool:
    """Whether an unknown device at an address of ``owner`` replaces it: it has the name of ``owner``, or the entry is
    for the address, because it has no name, or a name that an operator gave.
    """
    return (
        not owner.sys_name
        or is_named_by_hand(owner)
        or (name_key(owner.sys_name) == new.name and is_distinctive(new.name))
    )


def is_named_by_hand(device: Device) -> bool:
    """Whether the inventory has another name for the device than its own sysName at the last sighting; so it counts for
    a device that was never seen."""
    said = device.identifiers.sys_name
    if device.last_seen is None:
        return True
    return bool(said and device.sys_name) and name_key(said) != name_key(device.sys_name)


def has_no_manual_data(device: Device, keeper: Device) -> bool:
    """Whether ``keeper`` can replace ``device`` without losing what an operator entered."""
    return (
        not device.extra
        and not is_named_by_hand(device)
        and set(device.labels) <= set(keeper.labels)
        and device.modules in ((), keeper.modules)
        and device.overrides in (NO_OVERRIDES, keeper.overrides)
    )


def name_of(device: Device, facts: Facts) -> str:
    """The device's own sysName, unless an operator gave it another name, which stays."""
    said = (facts.sys_name or "").strip()
    keeps = not said or (device.sys_name and is_named_by_hand(device) and name_key(said) != name_key(device.sys_name))
    return device.sys_name if keeps else said
