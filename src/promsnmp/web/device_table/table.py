"""All devices at one moment: rows, counts, and what stands out. Pure.

A table is made of the one before: only the rows whose device or poll has changed are looked at again. Tables that are
shown do not change.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import itemgetter
from typing import Any

from cachetools import LRUCache

from promsnmp.inventory.model import Device, Inventory
from promsnmp.inventory.query import DeviceSelector, Query
from promsnmp.polling.health.summary import NO_SUMMARY
from promsnmp.polling.pages.poll_status import PollStatus
from promsnmp.web.device_table.rows import RANKS, Badness, Row, by_address, by_name, found_since, row_of
from promsnmp.web.rates import PollRates

MOST_READINGS = 5
MOST_ROWS = 20
"""Devices, or components, in each list of what is worst."""
MOST_SELECTIONS = 16
"""Queries whose devices are kept."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A reading that stands out, and its device."""

    row: Row
    name: str
    value: float


@dataclass(slots=True)
class DeviceTable:
    """All devices at one moment."""

    inventory: Inventory
    rows: list[Row]
    """In the order of the inventory."""
    made_at: float = 0.0
    """Seconds, monotonic."""
    reviewed_at: float = 0.0
    """When all rows were made together."""
    lifetime: float = 0.0
    """Seconds for which it is shown."""
    counts: Counter[str] = field(default_factory=Counter)
    """By state; also ``new``, ``stale``, ``lost``, ``failed`` and ``degraded`` (devices with such components)."""
    components: Counter[str] = field(default_factory=Counter)
    """``failed`` and ``degraded`` components."""
    worst: Sequence[Row] = ()
    hottest: Sequence[Reading] = ()
    fullest: Sequence[Reading] = ()
    changed: Sequence[Row] = ()
    """Devices at whose address another one answers."""
    refused: Sequence[Row] = ()
    """Devices that refuse their credentials."""
    peer_problems: Mapping[str, str] = field(default_factory=dict)
    """Why another replica does not say what it knows, by its name."""
    peer_rates: Sequence[PollRates] = ()
    """Of the other replicas."""
    owned: Counter[str] = field(default_factory=Counter)
    """Devices by the replica that polls them."""
    standouts: _StandOuts = field(default_factory=lambda: _StandOuts())
    _orders: dict[str, list[Row]] = field(default_factory=dict)
    device_orders: dict[str, list[int]] = field(default_factory=dict)
    """Places in the inventory, in orders that depend on the inventory only; kept while that is the same."""
    selections: LRUCache[Query, frozenset[str]] = field(default_factory=lambda: LRUCache(MOST_SELECTIONS))
    """Ids of the devices that a query selects; kept in the same way: pages and orders of one search follow each
    other."""

    def ordered(self, column: str) -> list[Row]:
        """All rows in the order of one of COLUMNS; sorted once, since many look at one order."""
        if column not in self._orders:
            rows = self.rows
            places = self._places(column if column in _DEVICE_KEYS else "name")
            by_column = [rows[at] for at in places]
            if column in _ROW_KEYS:
                by_column.sort(key=_ROW_KEYS[column])  # stable: those that are equal stay sorted by name
            self._orders[column] = by_column
        return self._orders[column]

    def selected(self, query: Query, selector: DeviceSelector) -> frozenset[str]:
        """The ids of the devices that a query selects."""
        found = self.selections.get(query)
        if found is None:
            found = frozenset(device.id for device in selector.select(query, self.inventory.devices))
            self.selections[query] = found
        return found

    def _places(self, column: str) -> list[int]:
        if column not in self.device_orders:
            keys = [_DEVICE_KEYS[column](row.device) for row in self.rows]
            self.device_orders[column] = sorted(range(len(keys)), key=keys.__getitem__)
        return self.device_orders[column]

    def later(self, statuses: Sequence[PollStatus], *, now: float, interval: float) -> DeviceTable:
        """The table with other ``statuses`` of the same devices, in order; ``now`` and ``interval`` as ``row_of``."""
        places = [at for at, (row, one) in enumerate(zip(self.rows, statuses, strict=True)) if row.status is not one]
        made = replace(
            self,
            rows=self.rows.copy() if places else self.rows,
            counts=self.counts.copy(),
            components=self.components.copy(),
            standouts=self.standouts.copy(),
            _orders={} if places else self._orders,
        )
        new_since = found_since(now)
        for at in places:
            before = self.rows[at]
            after = row_of(before.device, statuses[at], now=now, interval=interval, new_since=new_since)
            made.rows[at] = after
            made.standouts.set(at, before, after)
            _count(made, before, -1)
            _count(made, after, 1)
        if places:
            _show_standouts(made)
        return made


def whole_table(
    inventory: Inventory,
    statuses: Sequence[PollStatus],
    before: DeviceTable | None,
    *,
    now: float,
    interval: float,
) -> DeviceTable:
    """The table with all rows looked at; rows of ``before`` that are the same stay the same objects."""
    devices, new_since = inventory.devices, found_since(now)
    known: Sequence[Row | None] = before.rows if before is not None and len(before.rows) == len(devices) else ()
    rows = []
    for device, status, last in zip(devices, statuses, known or [None] * len(devices), strict=True):
        row = row_of(device, status, now=now, interval=interval, new_since=new_since)
        is_same = last is not None and last.device is device and last.status is status
        if is_same and last is not None and (last.is_new, last.is_stale) == (row.is_new, row.is_stale):
            rows.append(last)  # many new objects would cause a collection of garbage
        else:
            rows.append(row)
    table = DeviceTable(inventory, rows)
    if before is not None and before.inventory.devices is devices:
        table.device_orders, table.selections = before.device_orders, before.selections
    for at, row in enumerate(rows):
        _count(table, row, 1)
        table.standouts.set(at, None, row)
    _show_standouts(table)
    return table


class _StandOuts:
    """The rows that may stand out, by their place: bad ones by how bad they are, and readings."""

    def __init__(self) -> None:
        self.bad: dict[int, Badness] = {}
        self.hot: dict[int, float] = {}
        self.full: dict[int, float] = {}
        self.changed: set[int] = set()
        self.refused: set[int] = set()

    def copy(self) -> _StandOuts:
        made = _StandOuts()
        made.bad, made.hot, made.full = self.bad.copy(), self.hot.copy(), self.full.copy()
        made.changed, made.refused = self.changed.copy(), self.refused.copy()
        return made

    def set(self, at: int, before: Row | None, row: Row) -> None:
        """Notes a row, which was ``before``."""
        if row.is_bad:
            self.bad[at] = row.badness
        elif before is not None:
            self.bad.pop(at, None)
        health = row.status.health
        for values, reading in ((self.hot, health.hottest), (self.full, health.fullest)):
            if reading is not None:
                values[at] = reading.value
            elif before is not None:
                values.pop(at, None)
        for places, is_in in (
            (self.changed, row.device.identity_change is not None),
            (self.refused, row.status.outcome == "authentication"),
        ):
            if is_in:
                places.add(at)
            elif before is not None:
                places.discard(at)


def _count(table: DeviceTable, row: Row, sign: int) -> None:
    counts = table.counts
    counts[row.status.state] += sign
    if row.is_new:
        counts["new"] += sign
    if row.is_stale:
        counts["stale"] += sign
    if row.is_lost:
        counts["lost"] += sign
    health = row.status.health
    if health is not NO_SUMMARY:
        for state, number in (("failed", health.failed), ("degraded", health.degraded)):
            if number:
                counts[state] += sign
                table.components[state] += sign * number


def _show_standouts(table: DeviceTable) -> None:
    found, rows = table.standouts, table.rows
    table.worst = [rows[at] for at, _ in heapq.nsmallest(MOST_ROWS, found.bad.items(), key=itemgetter(1))]
    hottest = ((rows[at], rows[at].status.health.hottest) for at in _highest(found.hot))
    fullest = ((rows[at], rows[at].status.health.fullest) for at in _highest(found.full))
    table.hottest = [Reading(row, one.name, one.value) for row, one in hottest if one is not None]
    table.fullest = [Reading(row, one.name, one.value) for row, one in fullest if one is not None]
    table.changed = [rows[at] for at in heapq.nsmallest(MOST_ROWS, found.changed)]
    table.refused = [rows[at] for at in heapq.nsmallest(MOST_ROWS, found.refused)]


def _highest(values: Mapping[int, float]) -> list[int]:
    """The places of the highest values; of equal ones the first."""
    best = heapq.nlargest(MOST_READINGS, values.values())
    found = [at for at, value in values.items() if value >= best[-1]]
    return heapq.nsmallest(MOST_READINGS, found, key=lambda at: (-values[at], at))


_DEVICE_KEYS: dict[str, Callable[[Device], Any]] = {"name": by_name, "address": by_address}
_ROW_KEYS: dict[str, Callable[[Row], Any]] = {
    "state": lambda row: (RANKS[row.status.state], not row.status.health.failed),
    "vendor": lambda row: (not row.vendor, row.vendor.casefold(), row.model.casefold()),
    "polled": lambda row: row.status.at,
    "duration": lambda row: row.status.seconds,
    "samples": lambda row: row.status.samples,
}
COLUMNS = ("state", "name", "address", "vendor", "polled", "duration", "samples")
"""Columns by which devices are sorted."""
