"""Estimates missed traps: interfaces that a poll found up or down although no trap said so.

Only devices that have sent a link trap count: others may not be configured to send any. The time of a trap is compared
with the beginning of the poll before the one that found the change: what came later can be about it.
"""

from __future__ import annotations

from collections.abc import Container, Mapping

from promsnmp.traps.confirm.object_states import DOWN, UP

MAX_ROWS = 1000
"""Interfaces of a device whose last trap is remembered."""


class MissedTraps:
    """Remembers the link traps of each device, by interface. All times in seconds, monotonic."""

    def __init__(self) -> None:
        self._traps: dict[str, dict[bytes, float]] = {}
        self._polled_at: dict[str, float] = {}
        """When the last poll of a device that is in ``_traps`` began."""

    def add(self, device_id: str, row: bytes, at: float) -> None:
        """A link trap of a device has come."""
        rows = self._traps.setdefault(device_id, {})
        if row in rows or len(rows) < MAX_ROWS:
            rows[row] = at

    def on_polled(self, device_id: str, began: float, changes: Mapping[bytes, int]) -> int:
        """How many of the changes of interfaces (the new state by row) that a poll found no trap has reported."""
        rows = self._traps.get(device_id)
        if rows is None:
            return 0
        before = self._polled_at.get(device_id)
        self._polled_at[device_id] = began
        if before is None:  # the first poll since the device was seen to send traps
            return 0
        return sum(state in (UP, DOWN) and rows.get(row, -1.0) < before for row, state in changes.items())

    def retain(self, device_ids: Container[str]) -> None:
        """Forgets devices that are not in the inventory any more."""
        for gone in [one for one in self._traps if one not in device_ids]:
            del self._traps[gone]
            self._polled_at.pop(gone, None)
