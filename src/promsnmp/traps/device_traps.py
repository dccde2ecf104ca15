"""The traps of each device, for its page: how many of each name, and when the last one came. Bounded per device."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass

from promsnmp.traps.naming import OTHER

MAX_NAMES = 32
"""Names of traps of one device; further ones count as ``other``."""
TOTAL, LAST = "snmp_trap_total", "snmp_trap_last_timestamp_seconds"
_TOTAL_HELP = "Traps and informs of the device that PromSNMP has received since it began to poll it, by name."
_LAST_HELP = "When the last such trap was received, in Unix seconds."

Samples = list[tuple[Mapping[str, str], float]]


@dataclass(slots=True)
class _Seen:
    count: int = 0
    last: float = 0.0


class DeviceTraps:
    """Counts by device id and name of the trap. For the event loop's thread, except ``families``."""

    def __init__(self) -> None:
        self._devices: dict[str, dict[str, _Seen]] = {}

    def __len__(self) -> int:
        return len(self._devices)

    def add(self, device_id: str, name: str, at: float) -> None:
        """Counts a trap of a device of the inventory; ``name`` is "" for an unknown one, ``at`` Unix seconds."""
        names = self._devices.setdefault(device_id, {})
        name = name or OTHER
        if name not in names and len(names) >= MAX_NAMES:
            name = OTHER
        seen = names.setdefault(name, _Seen())
        seen.count += 1
        seen.last = max(seen.last, at)

    def retain(self, device_ids: Container[str]) -> None:
        """Forgets devices that are not in the inventory any more."""
        for gone in [one for one in self._devices if one not in device_ids]:
            del self._devices[gone]

    def families(self, device_id: str) -> list[tuple[str, str, str, Samples]]:
        """Name, type, help and samples of the families on the page of a device; nothing without traps."""
        names = self._devices.get(device_id)
        if not names:
            return []
        seen = sorted(names.copy().items())
        totals: Samples = [({"trap": name}, float(one.count)) for name, one in seen]
        last: Samples = [({"trap": name}, round(one.last, 3)) for name, one in seen]
        return [(TOTAL, "counter", _TOTAL_HELP, totals), (LAST, "gauge", _LAST_HELP, last)]
