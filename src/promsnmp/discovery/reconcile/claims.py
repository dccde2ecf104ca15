"""Whose an address is, and whose a name: what known devices and operators have a claim to when somebody answers.

``identity.compare`` says what the marks say, wherever a device was seen. Here it counts where that was, and what an
operator wrote down by hand.
"""

from __future__ import annotations

from promsnmp.discovery.reconcile.identity import Facts, Traits, Verdict, compare, is_distinctive, known_traits
from promsnmp.inventory.index import name_key
from promsnmp.inventory.model import Device


def is_still_there(owner: Device, new: Traits, *, is_elsewhere: bool) -> bool:
    """Whether who answers at the address of ``owner`` is taken for it; ``is_elsewhere``: it is a device that we know.

    What was never seen was written down by somebody who knew what is there. Else the marks decide, and where they do
    not, it is still there, unless it is another device by its marks, and goes by another name.
    """
    if owner.last_seen is None:
        return True
    known = known_traits(owner)
    verdict = compare(known, new)
    return verdict is Verdict.SAME or (verdict is Verdict.UNKNOWN and not (is_elsewhere and known.name != new.name))


def replaces_owner(owner: Device, new: Traits) -> bool:
    """Whether a stranger at a device's address has its part: it goes by its name, or the entry is for the address.

    It is that when it has no name, or one that the device does not call itself.
    """
    return (
        not owner.sys_name
        or is_named_by_hand(owner)
        or (name_key(owner.sys_name) == new.name and is_distinctive(new.name))
    )


def is_named_by_hand(device: Device) -> bool:
    """Whether the inventory calls a device otherwise than it called itself when it was seen last."""
    said = device.identifiers.sys_name
    return bool(device.sys_name) and name_key(said) != name_key(device.sys_name) if said else device.last_seen is None


def has_no_manual_data(device: Device, keeper: Device) -> bool:
    """Whether nothing is lost of what an operator wrote when ``keeper`` takes the place of ``device``."""
    return (
        not device.extra
        and not is_named_by_hand(device)
        and set(device.labels) <= set(keeper.labels)
        and device.modules in ((), keeper.modules)
    )


def name_of(device: Device, facts: Facts) -> str:
    """The sysName follows the device, unless somebody gave the inventory another one: that one stays."""
    said = (facts.sys_name or "").strip()
    keeps = not said or (device.sys_name and is_named_by_hand(device) and name_key(said) != name_key(device.sys_name))
    return device.sys_name if keeps else said
