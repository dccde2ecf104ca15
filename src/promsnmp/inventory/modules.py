"""Chooses the modules of a device: combines the operator's list with the detected modules.

The operator's list is the device's own, else COLLECTION_MODULES. The name ``auto`` in it stands for the modules that
were detected from the device's fingerprint: those in the inventory, else those that the collector detected, else
``FALLBACK``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from promsnmp.errors import did_you_mean
from promsnmp.inventory.model import Device

KnownModules = Callable[[], Collection[str]]
"""The names of the modules that are loaded now."""

AUTO = "auto"
"""The name in a list of modules that stands for the detected ones."""
HEALTH = "health"
"""The name in a list of modules that stands for the device's health, by the health definitions."""
RESERVED = frozenset({AUTO, HEALTH})
"""Names that stand for something else than a module, unless a file has a module of that name."""
FALLBACK = ("system", "if_mib")
"""Modules that suit nearly every agent."""


def requested_modules(device: Device, configured: Sequence[str]) -> tuple[str, ...]:
    """The operator's list for a device: its own ``modules``, else ``configured``; it may contain ``AUTO``."""
    return device.modules or tuple(configured)


def resolve_modules(requested: Sequence[str], detected: Sequence[str]) -> tuple[str, ...]:
    """``requested`` with ``AUTO`` replaced by the modules ``detected``, or by ``FALLBACK`` without detected ones."""
    if AUTO not in requested:
        return tuple(requested)
    suitable = detected or FALLBACK
    return tuple(dict.fromkeys(name for one in requested for name in (suitable if one == AUTO else (one,))))


def with_health(modules: tuple[str, ...] | None, own: tuple[str, ...]) -> bool:
    """Whether a scrape for ``modules`` (None: it names none) gets the health of a device as well, where that is on.

    So it is for ``AUTO``, and for what the background polls the device for, its ``own`` modules; not for a scrape in
    the way of snmp_exporter, which names other ones.
    """
    return modules is None or AUTO in modules or modules == own


def effective_modules(device: Device, configured: Sequence[str]) -> tuple[str, ...]:
    """The modules that a device is polled with, as far as the inventory knows: see ``requested_modules`` and
    ``resolve_modules``."""
    return resolve_modules(requested_modules(device, configured), device.detected_modules)


def unknown_modules(names: Iterable[str], known: KnownModules) -> list[str]:
    """A problem for each name that is no module, with the nearest one that is. ``known`` is only called if needed."""
    wanted = [name for name in names if name not in RESERVED]
    loaded = known() if wanted else ()
    return [
        f"modules: unknown module {name!r}{did_you_mean(name, loaded) or ';'} 'promsnmp modules list' lists all"
        for name in wanted
        if name not in loaded
    ]
