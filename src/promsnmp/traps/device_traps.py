"""The traps of each device, for its page: how many of each name, and when the last one came. Bounded per device."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from math import inf

from promsnmp.traps.naming import OTHER

MAX_NAMES = 32
"""Names of traps of one device; further ones count as ``other``."""
MAX_STATES = 64
"""Objects of one device whose state is on its page."""
TOTAL, LAST = "snmp_trap_total", "snmp_trap_last_timestamp_seconds"
STATE, STATE_AT = "snmp_trap_object_state", "snmp_trap_object_timestamp_seconds"
_TOTAL_HELP = "Traps and informs of the device that PromSNMP has received since it began to poll it, by name."
_LAST_HELP = "When the last such trap was received, in Unix seconds."
_STATE_HELP = (
    "What the device answered about an object after a trap; on the page until a poll that began later has ended."
)
_STATE_AT_HELP = "When the device answered, in Unix seconds."

Samples = list[tuple[Mapping[str, str], float]]


@dataclass(frozen=True, slots=True)
class ObjectState:
    """A value that the device returned after a trap. ``at``: Unix seconds; ``until``: a poll that began then or later
    (seconds, monotonic) has a newer one."""

    value: float
    at: float
    until: float


@dataclass(slots=True)
class _Seen:
    count: int = 0
    last: float = 0.0


class DeviceTraps:
    """Counts by device id and name of the trap. For the event loop's thread, except ``families``."""

    def __init__(self) -> None:
        self._devices: dict[str, dict[str, _Seen]] = {}
        self._states: dict[str, dict[tuple[str, str], ObjectState]] = {}
        """By device id, name of the object and row."""

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

    def set_states(self, device_id: str, states: Mapping[tuple[str, str], ObjectState]) -> None:
        """What a device has answered, by name of the object and row."""
        known = {**self._states.get(device_id, {}), **states}
        self._states[device_id] = dict(list(known.items())[-MAX_STATES:])

    def on_polled(self, device_id: str, began: float) -> None:
        """A poll that ``began`` then (seconds, monotonic) has a page."""
        known = self._states.get(device_id)
        if known is None:
            return
        left = {key: one for key, one in known.items() if one.until > began}
        if left:
            self._states[device_id] = left
        else:
            del self._states[device_id]

    def retain(self, device_ids: Container[str]) -> None:
        """Forgets devices that are not in the inventory any more."""
        for gone in [one for one in self._devices if one not in device_ids]:
            del self._devices[gone]
        for gone in [one for one in self._states if one not in device_ids]:
            del self._states[gone]

    def families(self, device_id: str, began: float = -inf) -> list[tuple[str, str, str, Samples]]:
        """Name, type, help and samples of the families on the page of a poll of a device that ``began`` then (seconds,
        monotonic); nothing without traps."""
        names = self._devices.get(device_id)
        if not names:
            return []
        seen = sorted(names.copy().items())
        totals: Samples = [({"trap": name}, float(one.count)) for name, one in seen]
        last: Samples = [({"trap": name}, round(one.last, 3)) for name, one in seen]
        return [
            (TOTAL, "counter", _TOTAL_HELP, totals),
            (LAST, "gauge", _LAST_HELP, last),
            *self._state_families(device_id, began),
        ]

    def _state_families(self, device_id: str, began: float) -> list[tuple[str, str, str, Samples]]:
        states = sorted(self._states.get(device_id, {}).items())
        found = [({"object": name, "index": row}, one) for (name, row), one in states if one.until > began]
        if not found:
            return []
        values: Samples = [(labels, one.value) for labels, one in found]
        times: Samples = [(labels, round(one.at, 3)) for labels, one in found]
        return [(STATE, "gauge", _STATE_HELP, values), (STATE_AT, "gauge", _STATE_AT_HELP, times)]
