"""What a source says: its devices, and the entries that it has but that are no usable devices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from promsnmp.inventory.model import NO_OVERRIDES, AgentEndpoint, PollOverrides
from promsnmp.snmp.credentials import Credentials

MAX_DEVICES = 100_000
"""Devices of one source, at most."""
MAX_OCTETS = 64 * 1024 * 1024
"""Bytes of everything that is read from one source, at most."""


@dataclass(frozen=True, slots=True)
class SourceDevice:
    """A device as its source describes it; what is empty or None the source does not say."""

    key: str
    """What the source calls it: the same when its name or address changes, where the source has such a thing."""
    endpoint: AgentEndpoint
    name: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    modules: tuple[str, ...] = ()
    credentials_name: str = ""
    """Named credentials of the inventory."""
    credentials: Credentials | None = field(default=None, repr=False)
    """Its own, where it names none."""
    overrides: PollOverrides = NO_OVERRIDES
    timeout: int | None = None
    """Milliseconds."""
    retries: int | None = None

    def __str__(self) -> str:
        return f"{self.name} ({self.endpoint})" if self.name else str(self.endpoint)


@dataclass(frozen=True, slots=True)
class Unusable:
    """An entry that is no usable device. A device that it stands for stays as it is."""

    key: str
    """Empty when nobody knows which device it is: then no device of the source is removed."""
    reason: str


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything that a source said at one moment."""

    devices: tuple[SourceDevice, ...] = ()
    unusable: tuple[Unusable, ...] = ()


class SourceReader(Protocol):
    """Reads one source."""

    async def read(self) -> Reading:
        """What the source says now. Raises SourceError when it cannot be read as a whole."""

    async def has_changed(self) -> bool:
        """Whether it is known, without reading, that the source has changed since it was read."""

    async def close(self) -> None:
        """Frees connections."""


@dataclass(frozen=True, slots=True)
class SourceRules:
    """What a source may do to the inventory."""

    name: str
    adopt: bool = False
    """Whether it takes over devices with its addresses that have no source."""
    max_removals: int = 5
    max_removal_percent: int = 20
    """It may remove more than the one, or more than the other, but not both at once."""

    def holds(self, removals: int, devices: int) -> bool:
        """Whether the removal of so many of its ``devices`` waits for somebody who confirms it."""
        return removals > self.max_removals and removals * 100 > devices * self.max_removal_percent


@dataclass(frozen=True, slots=True)
class SourceInput:
    """One source for a reconciliation; ``reading`` is None while it has not been read."""

    rules: SourceRules
    reading: Reading | None
    confirmed: int = 0
    """Removals that have been confirmed, at most."""


@dataclass(frozen=True, slots=True)
class SourceResult:
    """What a reconciliation made of one source."""

    added: int = 0
    changed: int = 0
    removed: int = 0
    devices: int = 0
    """Devices of the inventory that come from it, afterwards."""
    held: tuple[str, ...] = ()
    """Ids of devices that it does not have any more, and whose removal is held back."""
    held_why: str = ""
    conflicts: tuple[str, ...] = ()
    """Devices that it may not add or change, and why."""
    problems: tuple[str, ...] = ()
    """Entries that cannot be used, and why."""


def counted_lines(lines: Sequence[str], most: int) -> list[str]:
    """The first lines, and how many more there are."""
    return [*lines[:most], *([f"and {len(lines) - most} more"] if len(lines) > most else [])]
