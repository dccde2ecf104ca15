"""Which modules a device is polled with: the one place where the operator's wish and what was found out meet.

A wish is a list of module names, the device's own or else that of COLLECTION_MODULES. The name ``auto`` in it stands
for the modules that the device's fingerprint calls for. Those are the inventory's, which discovery found, or else what
the collector found out by itself; until anybody has, they are ``FALLBACK``.
"""

from __future__ import annotations

from collections.abc import Sequence

from promsnmp.inventory.model import Device

AUTO = "auto"
"""Stands in a list of modules for those that suit the device."""
FALLBACK = ("system", "if_mib")
"""What nearly every agent has."""


def wanted_modules(device: Device, configured: Sequence[str]) -> tuple[str, ...]:
    """What the operator wants of a device: its own ``modules``, else ``configured``. ``AUTO`` may be among them."""
    return device.modules or tuple(configured)


def settled_modules(wanted: Sequence[str], *found: Sequence[str]) -> tuple[str, ...]:
    """``wanted`` with ``AUTO`` replaced by the first of ``found`` that is not empty, or else by ``FALLBACK``."""
    if AUTO not in wanted:
        return tuple(wanted)
    known = next(filter(None, found), FALLBACK)
    return tuple(dict.fromkeys(name for one in wanted for name in (known if one == AUTO else (one,))))


def modules_of(device: Device, configured: Sequence[str], *found: Sequence[str]) -> tuple[str, ...]:
    """The modules that a device is polled with: the operator's, then the detected ones of the inventory, then ``found``
    (what a collector found out), then ``FALLBACK``."""
    return settled_modules(wanted_modules(device, configured), device.detected_modules, *found)
