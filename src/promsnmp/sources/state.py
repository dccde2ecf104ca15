"""What is known of one source: its last reading, what became of it, and what people should know."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from promsnmp.inventory.index import display_name
from promsnmp.inventory.model import Device
from promsnmp.sources.model import Reading, SourceInput, SourceResult, SourceRules, counted_lines

SHOWN = 100
"""Devices, conflicts and problems of a source that are shown."""


@dataclass(slots=True)
class SourceState:
    """The state of one source on the leader."""

    rules: SourceRules
    kind: str
    interval: float
    """Seconds."""
    accept_after: int = 0
    reading: Reading | None = None
    """The last one that succeeded."""
    result: SourceResult = field(default_factory=SourceResult)
    error: str = ""
    """Why the last reading, or the write after it, failed."""
    read_at: float = 0.0
    """Unix time of the last attempt; 0: never."""
    succeeded_at: float = 0.0
    held_readings: int = 0
    """Readings in a row after which the same removals were held."""
    outcomes: dict[str, int] = field(default_factory=lambda: {"success": 0, "failure": 0})
    changes: dict[str, int] = field(default_factory=lambda: {"added": 0, "changed": 0, "removed": 0})

    def forget(self) -> None:
        """Another replica leads: what was read is no longer ours to use."""
        self.reading, self.result, self.error, self.held_readings = None, SourceResult(), "", 0
        self.read_at = self.succeeded_at = 0.0

    def note_reading(self, reading: Reading) -> None:
        self.read_at = self.succeeded_at = time.time()
        self.reading, self.error = reading, ""
        self.outcomes["success"] += 1

    def note_failure(self, error: str) -> None:
        self.read_at = time.time()
        self.error = error
        self.outcomes["failure"] += 1

    def note_result(self, result: SourceResult, *, is_own: bool) -> None:
        """``is_own``: the reconciliation followed a reading of this source."""
        if is_own:
            same = bool(result.held) and set(result.held) == set(self.result.held)
            self.held_readings = self.held_readings + 1 if same else bool(result.held)
        for name in self.changes:
            self.changes[name] += getattr(result, name)
        self.result = result

    @property
    def is_due(self) -> bool:
        """Whether held removals were the same often enough to be done."""
        return bool(self.accept_after and self.result.held) and self.held_readings >= self.accept_after

    def input(self, confirmed: int = 0) -> SourceInput:
        return SourceInput(self.rules, self.reading, confirmed)

    @property
    def problem(self) -> str:
        """What people should know of; empty when all is well."""
        if self.error:
            return self.error
        if self.result.held:
            return f"{len(self.result.held)} removals are held back: {self.result.held_why}"
        return ""

    def document(self, devices: Mapping[str, Device]) -> dict[str, object]:
        """The source as JSON; ``devices`` are those of the inventory, by id."""
        result = self.result
        names = [display_name(devices[one]) for one in result.held if one in devices]
        return {
            "name": self.rules.name,
            "type": self.kind,
            "interval": round(self.interval * 1000),
            "error": self.error,
            **({"lastRead": _instant(self.read_at)} if self.read_at else {}),
            **({"lastSuccess": _instant(self.succeeded_at)} if self.succeeded_at else {}),
            "read": len(self.reading.devices) if self.reading is not None else 0,
            "devices": result.devices,
            "added": self.changes["added"],
            "changed": self.changes["changed"],
            "removed": self.changes["removed"],
            "held": len(result.held),
            "heldWhy": result.held_why,
            "heldDevices": counted_lines(names, SHOWN),
            "conflicts": counted_lines(result.conflicts, SHOWN),
            "problems": counted_lines(result.problems, SHOWN),
        }


def _instant(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
