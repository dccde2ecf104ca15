"""What is remembered of a device's health between polls: its definitions, and the columns that were read for them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from promsnmp.exposition.health.columns import Index, Rows, decode_rows
from promsnmp.exposition.health.evaluate import HealthMemory
from promsnmp.modules.health.expression import Value

REDETECT_SECONDS = 6 * 3600.0
"""Seconds until it is found out again which definitions suit a device."""
RETRY_SECONDS = 60.0
"""The same after an attempt that failed."""
MOST_OCTETS = 4 * 1024 * 1024
"""Octets of values that are kept of a device; one that returns more is read whole at every poll."""
_ROW_OCTETS = 200
"""Bytes of memory of a row besides its value, about."""


@dataclass(slots=True)
class HealthState:
    """The health of one target, from poll to poll. Times are seconds of one monotonic clock."""

    names: tuple[str, ...] = ()
    """The definitions that suit the device."""
    generation: int = -1
    """Of the catalogue that they were chosen from."""
    object_id: str = ""
    """Its sysObjectID when they were chosen."""
    due: float = 0.0
    """When it is time to choose them again."""
    present: frozenset[str] = frozenset()
    """The columns, among those that no module reads, that the device has."""
    rows: dict[str, dict[Index, Value]] = field(default_factory=dict)
    """The columns that were read for health alone."""
    polls: int = 0
    """Polls since all of them were read."""
    is_stale: bool = True
    """Whether all of them have to be read: never read yet, or a row is missing."""
    memory: HealthMemory = field(default_factory=HealthMemory)
    """What evaluating the definitions keeps."""
    _decoded: dict[str, tuple[bytes, Rows]] = field(default_factory=dict)
    """Columns that modules read, with the octets that they were decoded from."""

    def reset(self) -> None:
        """Forgets everything: the next poll finds out which definitions suit the device."""
        self.due, self.is_stale = 0.0, True
        self.names, self.present = (), frozenset()
        self.rows.clear()
        self._decoded.clear()
        self.memory = HealthMemory()

    def decoded(self, oid: str, octets: bytes, skip: int) -> Rows:
        """The rows of a column that a module reads; decoded again only when it has changed."""
        known = self._decoded.get(oid)
        if known is None or known[0] != octets:
            known = self._decoded[oid] = octets, decode_rows(octets, skip)
        return known[1]

    def instances(self, columns: Iterable[str]) -> Iterator[tuple[str, Index]]:
        """The objects of the columns that the device has."""
        for column in columns:
            for index in self.rows.get(column, ()):
                yield column, index

    @property
    def octets(self) -> int:
        """Bytes of memory of what is kept, about."""
        own = sum(
            _ROW_OCTETS + (len(value) if isinstance(value, bytes | str) else 0)
            for rows in self.rows.values()
            for value in rows.values()
        )
        return own + sum(len(octets) + _ROW_OCTETS * len(rows) for octets, rows in self._decoded.values())

    def trim(self) -> None:
        """Forgets the values of a device that has too many."""
        if self.octets > MOST_OCTETS:
            self.rows.clear()
            self._decoded.clear()
            self.memory = HealthMemory()
            self.is_stale = True
