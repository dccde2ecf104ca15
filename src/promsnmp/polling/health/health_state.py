"""What is remembered of a device's health between polls: its definitions, and the columns that were read for them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from promsnmp.exposition.health.columns import Index, NeededColumns, Rows, decode_steps
from promsnmp.exposition.health.evaluate import HealthMemory
from promsnmp.modules.health.expression import Value
from promsnmp.polling.health.health_changes import ChangeWatch
from promsnmp.support.steps import Steps

REDETECT_SECONDS = 6 * 3600.0
"""Seconds until it is found out again which definitions suit a device."""
RETRY_SECONDS = 60.0
"""The same after an attempt that failed while others are in use."""
RESTART_SECONDS = 600.0
"""The least between two detections because the device has restarted."""
MOST_OCTETS = 16 * 1024 * 1024
"""Bytes of memory that are kept of a device; one that returns more is read and evaluated whole at every poll."""
_ROW_OCTETS = 200
"""Bytes of memory of a row of a column besides its value, about."""


@dataclass(slots=True)
class HealthState:
    """The health of one target, from poll to poll. Times are seconds of one monotonic clock."""

    names: tuple[str, ...] = ()
    """The definitions that suit the device."""
    generation: int = -1
    """Of the catalogue that they were chosen from."""
    object_id: str = ""
    """Its sysObjectID when they were chosen."""
    detected: float = 0.0
    """When they were chosen."""
    due: float = 0.0
    """When it is time to choose them again."""
    present: frozenset[str] = frozenset()
    """The columns, among those that no module reads, that the device has."""
    rows: dict[str, dict[Index, Value]] = field(default_factory=dict)
    """The columns that were read for health alone."""
    polls: int = 0
    """Polls since all of them were read."""
    is_stale: bool = True
    """Whether all of them have to be read: never read yet, or not completely, or the rows were others the last time."""
    is_missing_rows: bool = False
    """Whether single objects did not come."""
    has_unreliable_gets: bool = False
    """Whether the device does not return as single objects what it returns in walks."""
    watch: ChangeWatch = field(default_factory=ChangeWatch)
    memory: HealthMemory = field(default_factory=HealthMemory)
    """What evaluating the definitions keeps."""
    octets: int = 0
    """Bytes of memory that are kept, about."""
    _decoded: dict[str, tuple[bytes, Rows]] = field(default_factory=dict)
    """Columns that modules read, with the octets that they were decoded from."""

    @property
    def has_to_walk(self) -> bool:
        """Whether single objects are not enough."""
        return self.is_stale or self.has_unreliable_gets

    def reset(self) -> None:
        """Forgets everything: the next poll finds out which definitions suit the device."""
        self.due, self.generation = 0.0, -1
        self.names, self.present = (), frozenset()
        self.has_unreliable_gets = False
        self.watch = ChangeWatch()
        self.forget()

    def forget(self) -> None:
        """Forgets what was read: the next poll reads everything."""
        self.is_stale, self.is_missing_rows, self.rows = True, False, {}
        self._decoded, self.memory, self.octets = {}, HealthMemory(), 0

    def drop(self, columns: Collection[str]) -> None:
        """Forgets names that may be those of other rows now. After a restart, other definitions may suit the device."""
        self.rows = {one: rows for one, rows in self.rows.items() if one not in columns}
        if self.watch.is_restarted:
            self.due = min(self.due, self.detected + RESTART_SECONDS)

    def has_rows_of(self, before: Mapping[str, Rows], columns: NeededColumns) -> bool:
        """Whether the columns of values have the same rows as in ``before``."""
        return all(self.rows.get(one, {}).keys() == before.get(one, {}).keys() for one in columns.values)

    def decoded(self, oid: str, octets: bytes, skip: int) -> Steps[Rows]:
        """The rows of a column that a module reads; decoded again only when it has changed."""
        known = self._decoded.get(oid)
        if known is None or known[0] != octets:
            rows = yield from decode_steps(octets, skip)
            known = self._decoded[oid] = octets, rows
        return known[1]

    def replace(self, rows: Mapping[str, dict[Index, Value]]) -> None:
        """Makes ``rows`` the columns; equal ones stay the same object."""
        before = self.rows
        self.rows = {column: before[column] if before.get(column) == found else found for column, found in rows.items()}

    def is_steady(self, before: Mapping[str, Rows], columns: NeededColumns) -> bool:
        """Whether rows and names are the same as ``before``."""
        return self.has_rows_of(before, columns) and all(self.rows.get(one) is before.get(one) for one in columns.names)

    def take(self, rows: Mapping[str, dict[Index, Value]]) -> None:
        """Takes the values that came; the rows of others are gone."""
        before = self.rows
        self.is_missing_rows = any(len(found) < len(before.get(column, ())) for column, found in rows.items())
        self.rows = before | {column: found for column, found in rows.items() if before.get(column) != found}

    def end_walk(self, columns: NeededColumns, before: Mapping[str, Rows], *, is_complete: bool) -> None:
        """After a walk: decides whether the next poll has to walk again, because rows or names are not steady."""
        self.polls, self.is_stale = 0, not is_complete or bool(before and not self.is_steady(before, columns))
        self.is_missing_rows = False

    def trim(self) -> Steps[None]:
        """Counts what is kept, and forgets all of a device that has too much, in steps."""
        octets = memory_of(self.rows) + self.memory.octets
        octets += sum(len(one) + _ROW_OCTETS * len(rows) for one, rows in self._decoded.values())
        self.octets = octets
        if octets > MOST_OCTETS:
            memory, rows = self.memory, self.rows
            self.forget()
            yield from memory.release()
            while rows:
                rows.popitem()
                yield


def memory_of(rows: Mapping[str, Rows]) -> int:
    """Bytes of memory of columns, about."""
    return sum(
        _ROW_OCTETS * len(values) + sum([len(one) for one in values.values() if isinstance(one, bytes | str)])
        for values in rows.values()
    )
