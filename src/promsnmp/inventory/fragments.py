"""Keeps what was rendered from each device, so that a change of one device does not cost the work of thousands."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from promsnmp.inventory.model import Device


class Fragments:
    """Bytes per device, rendered when a device is first seen and again when it was replaced by another value."""

    def __init__(self, render: Callable[[Device], bytes]) -> None:
        self._render = render
        self._known: dict[str, tuple[Device, bytes]] = {}

    def of(self, devices: Sequence[Device]) -> list[bytes]:
        """One fragment per device, in order; what belongs to devices that are gone is forgotten."""
        known = self._known
        kept: dict[str, tuple[Device, bytes]] = {}
        for device in devices:
            entry = known.get(device.id)
            if entry is None or entry[0] is not device:
                entry = (device, self._render(device))
            kept[device.id] = entry
        self._known = kept
        return [kept[device.id][1] for device in devices]
