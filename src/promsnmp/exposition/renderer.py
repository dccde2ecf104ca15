"""Renders the columns of a device into samples: the step between the scanner and the text of a page.

There are two paths. Columns of numbers are most of a page and change at every poll: they take the fast path, where only
the two compiled loops work per row. Everything else (text, enumerations, bits, dates) seldom changes: it is rendered
row by row in plain Python, and cached until its column or its labels change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from promsnmp.exposition.deviations import sizes
from promsnmp.exposition.families import Exposition
from promsnmp.exposition.formats import text
from promsnmp.exposition.label_table import LabelTable
from promsnmp.exposition.labels import ColumnRows
from promsnmp.exposition.plan import Column, MetricPlan, Plan
from promsnmp.exposition.rows import row_samples
from promsnmp.exposition.utilization.histogram import Utilization
from promsnmp.snmp import ber


@dataclass(slots=True)
class CachedSamples:
    """The cached samples of one metric, and the content that they were made from."""

    columns: list[bytes]
    index: bytes
    generation: int
    families: list[tuple[str, str, str, bytes]]
    dropped: Mapping[str, int]


@dataclass(slots=True)
class RenderState:
    """What rendering keeps of one device between polls."""

    tables: dict[int, LabelTable] = field(default_factory=dict)
    """By ``MetricPlan.table``: a state belongs to one plan."""
    cached_samples: dict[tuple[str, bytes], CachedSamples] = field(default_factory=dict)
    utilization: Utilization = field(default_factory=Utilization)


class Renderer:
    """Renders one poll of one device into an ``Exposition``."""

    def __init__(
        self,
        plan: Plan,
        scanner: ber.Scanner,
        state: RenderState,
        *,
        wrap: bool = True,
        zeros: bool = False,
        unsigned_sizes: bool = False,
        cached_columns: Mapping[int, bytes] | None = None,
    ) -> None:
        """``wrap`` and ``zeros`` as for ``ber.numbers``; ``unsigned_sizes``: negative sizes as in ``sizes.unsigned``.

        ``cached_columns`` are columns of the plan that an earlier poll read; they replace what the scanner has of them.
        """
        self.exposition = Exposition()
        self._cached_columns = {} if cached_columns is None else cached_columns
        self._plan = plan
        self._scanner = scanner
        self._state = state
        self._wrap = wrap
        self._zeros = zeros
        self._unsigned_sizes = unsigned_sizes
        self._column_octets: dict[int, bytes] = {}
        self._octets: dict[bytes, bytes] = {}
        self._rows: dict[str, ColumnRows] = {}
        self._suffixes: dict[bytes, list[bytes]] = {}
        self._done: set[tuple[str, bytes]] = set()
        self._refreshed: dict[int, LabelTable] = {}

    def octets(self, column: Column) -> bytes:
        """The encoded varbinds of a column."""
        octets = self._octets.get(column.oid)
        if octets is None:
            octets = self.column_octets(column.at)
            if column.part:
                octets = ber.below(octets, column.oid)
            self._octets[column.oid] = octets
        return octets

    def column_octets(self, at: int) -> bytes:
        """The encoded varbinds of a column of the scanner."""
        octets = self._cached_columns.get(at)
        if octets is None:
            octets = self._column_octets.get(at)
            if octets is None:
                octets = self._column_octets[at] = self._scanner.column(at)
        return octets

    def rows(self, name: str) -> ColumnRows:
        """The rows of a column by OID suffix; none when the plan does not have the column."""
        rows = self._rows.get(name)
        if rows is None:
            column = self._plan.by_oid.get(name)
            if column is None:
                rows = {}
            else:
                index, values = ber.values(self.octets(column), len(column.oid))
                rows = dict(zip(ber.suffixes(index), values, strict=True))
            self._rows[name] = rows
        return rows

    def integers(self, name: str) -> dict[bytes, int]:
        """The whole numbers of a column by OID suffix, as the device sent them (not reduced modulo 2^53)."""
        column = self._plan.by_oid.get(name)
        if column is None:
            return {}
        index, numbers, _ = ber.numbers(self.octets(column), len(column.oid), False)
        rows = self._split(index)
        try:
            return dict(zip(rows, map(int, numbers), strict=True))
        except ValueError:  # some are fractions
            return {row: int(number) for row, number in zip(rows, numbers, strict=True) if number.isdigit()}

    def suffixes(self, name: str) -> list[bytes]:
        """The OID suffixes of the rows of a column that have numbers."""
        column = self._plan.by_oid.get(name)
        return [] if column is None else self._split(ber.numbers(self.octets(column), len(column.oid), False)[0])

    def _split(self, index: bytes) -> list[bytes]:
        rows = self._suffixes.get(index)
        if rows is None:
            rows = self._suffixes[index] = ber.suffixes(index)
        return rows

    def table(self, plan: MetricPlan) -> LabelTable:
        """The label table of a metric, updated once per page."""
        table = self._refreshed.get(plan.table)
        if table is None:
            table = self._state.tables.get(plan.table)
            if table is None:
                table = self._state.tables[plan.table] = LabelTable(plan.spec)
            read = [self.octets(one) for one in plan.sources if one.at not in self._plan.label_columns]
            table.refresh([self.octets(one) for one in plan.sources], read)
            self._refreshed[plan.table] = table
        return table

    def changed_tables(self) -> set[int]:
        """The numbers of the label tables whose rows differ from those of the last poll; call it after all modules."""
        return {number for number, table in self._refreshed.items() if table.rows_changed()}

    def module(self, metrics: Iterable[MetricPlan]) -> None:
        """Adds the samples of one module's metrics; a metric that an earlier module has is skipped."""
        for metric in metrics:
            key = metric.metric.name, metric.column.oid
            if key not in self._done:
                self._done.add(key)
                octets = self.octets(metric.column)
                if octets:
                    (self._numbers if metric.numeric else self._other_values)(metric, octets)

    def _numbers(self, plan: MetricPlan, octets: bytes) -> None:
        metric = plan.metric
        index, values, dropped = ber.numbers(octets, len(plan.column.oid), self._wrap, self._zeros)
        self.exposition.drop("not_a_number", dropped)
        if not values:
            return
        if plan.is_size and self._unsigned_sizes:
            values = sizes.unsigned(values)
        if metric.scale or metric.offset:
            factor = metric.scale or 1.0
            values = [ber.float_text(float(one) * factor + metric.offset) for one in values]
        table = self.table(plan)
        labels, repeated = table.texts(index, self.rows)
        self.exposition.drop("invalid_index", table.invalid_rows(index))
        if repeated:
            self.exposition.drop("duplicate", len(repeated))
            labels, values = _without(labels, repeated), _without(values, repeated)
        kind = "counter" if metric.type == "counter" else "gauge"
        parts = self.exposition.family(plan.family, kind, metric.help)
        text.samples(parts, plan.name, labels, values)

    def _other_values(self, plan: MetricPlan, octets: bytes) -> None:
        table = self.table(plan)
        key = plan.metric.name, plan.column.oid
        columns = [octets, *map(self.octets, plan.type_columns)]
        cached = self._state.cached_samples.get(key)
        if cached is None or cached.columns != columns or cached.generation != table.generation:
            before = None if cached is None else cached.index
            cached = self._state.cached_samples[key] = self._build(plan, columns, table.generation)
            table.changed = table.changed or cached.index != before
        for name, kind, help_text, samples in cached.families:
            self.exposition.family(name, kind, help_text).append(samples)
        for reason, count in cached.dropped.items():
            self.exposition.drop(reason, count)

    def _build(self, plan: MetricPlan, columns: list[bytes], generation: int) -> CachedSamples:
        exposition = Exposition()
        index, values = ber.values(columns[0], len(plan.column.oid))
        for suffix, (tag, content) in zip(ber.suffixes(index), values, strict=True):
            row = plan.spec.decode(suffix)
            exposition.drop("invalid_index", not row.valid)
            labels = plan.spec.labels_of(row, self.rows)
            row_samples(plan.metric, labels, suffix, tag, content, self.rows, exposition, zeros=self._zeros)
        for family in exposition.families.values():
            family.shared = True
        exposition.deduplicate()
        families = [(one.name, one.kind, one.help, b"".join(one.parts)) for one in exposition.families.values()]
        return CachedSamples(columns, index, generation, families, exposition.dropped)


def _without(pieces: list[bytes], positions: tuple[int, ...]) -> list[bytes]:
    dropped = set(positions)
    return [piece for at, piece in enumerate(pieces) if at not in dropped]
