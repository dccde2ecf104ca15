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


def requested_modules(device: Device, configured: Sequence[str]) -> tuple[str, ...]:
    """What the operator wants of a device: its own ``modules``, else ``configured``. ``AUTO`` may be among them."""
    return device.modules or tuple(configured)


def resolve_modules(requested: Sequence[str], detected: Sequence[str]) -> tuple[str, ...]:
    """``requested`` with ``AUTO`` replaced by the modules ``detected``, or by ``FALLBACK`` when there are none."""
    if AUTO not in requested:
        return tuple(requested)
    suitable = detected or FALLBACK
    return tuple(dict.fromkeys(name for one in requested for name in (suitable if one == AUTO else (one,))))


def effective_modules(device: Device, configured: Sequence[str]) -> tuple[str, ...]:
    """The modules that a device is polled with, as far as the inventory knows: see ``requested_modules`` and
    ``resolve_modules``."""
    return resolve_modules(requested_modules(device, configured), device.detected_modules)
