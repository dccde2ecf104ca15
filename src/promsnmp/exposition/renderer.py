"""Renders the columns of a device into samples: the step between the scanner and the text of a page.

There are two paths. Columns of numbers are most of a page and change at every poll: one compiled loop writes their
samples (``ber.number_lines``) as long as the rows of a table are those for which labels exist. Everything else (text,
enumerations, bits, dates) seldom changes: it is rendered row by row in plain Python, and cached until its column or its
labels change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from promsnmp.exposition.deviations import sizes
from promsnmp.exposition.families import Exposition, blocks
from promsnmp.exposition.formats import text
from promsnmp.exposition.label_table import LabelTable, LabelTexts
from promsnmp.exposition.labels import ColumnRows
from promsnmp.exposition.plan import Column, MetricPlan, Plan
from promsnmp.exposition.rows import row_samples
from promsnmp.exposition.utilization.histogram import Utilization
from promsnmp.snmp import ber
from promsnmp.support.compression import pack, unpack
from promsnmp.support.steps import Steps, run_steps

_ROWS_PER_STEP = 64
"""Rows of text, dates or states that are rendered in one step: each takes up to a tenth of a millisecond."""
_STEP_OCTETS = 8192
"""A column of so many octets is a step of its own."""
_LINES_OCTETS = 16 * 1024
"""Octets of a column whose samples are written at a time: some 900 rows, 100 KB of text."""
_ROWS_AT_ONCE = 20_000
"""Rows that are put into a dictionary by one call."""
_NONE: Mapping[str, int] = MappingProxyType({})


@dataclass(slots=True)
class CachedSamples:
    """The cached samples of one metric, and what they were made from."""

    columns: tuple[int, ...]
    """Hashes of the content."""
    index: int
    """The hash of the index."""
    generation: int
    families: Sequence[tuple[str, str, str, Sequence[bytes]]]
    """Name, type, help, and the samples in compressed blocks: a tenth of their memory."""
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
        self.plan = plan
        self._cached_columns = {} if cached_columns is None else cached_columns
        self._scanner = scanner
        self._state = state
        self._wrap = wrap
        self._zeros = zeros
        self._unsigned_sizes = unsigned_sizes
        self._column_octets: dict[int, bytes] = {}
        self._octets: dict[bytes, bytes] = {}
        self._rows: dict[str, ColumnRows] = {}
        self._suffixes: dict[bytes, list[bytes]] = {}
        self._indexes: dict[bytes, bytes] = {}
        self._done: set[tuple[str, bytes]] = set()
        self._refreshed: dict[int, LabelTable] = {}

    def octets(self, column: Column) -> bytes:
        """The encoded varbinds of a column."""
        octets = self._octets.get(column.oid)
        if octets is None:
            octets = self.column_octets(column.at)
            if column.part:
                octets = b"".join([ber.below(piece, column.oid) for piece in ber.pieces(octets)])
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
        found = self._rows.get(name)
        if found is None:
            rows: dict[bytes, tuple[int, bytes]] = {}
            column = self.plan.by_oid.get(name)
            if column is not None:
                for piece in ber.pieces(self.octets(column)):
                    index, values = ber.values(piece, len(column.oid))
                    rows.update(zip(ber.suffixes(index), values, strict=True))
            found = self._rows[name] = rows
        return found

    def numbers(self, name: str) -> tuple[bytes, list[bytes]]:
        """The index and the values of a column, as ``ber.numbers`` (not reduced modulo 2^53)."""
        column = self.plan.by_oid.get(name)
        if column is None:
            return b"", []
        index, values, _ = _numbers(self.octets(column), len(column.oid), wrap=False)
        self._indexes[column.oid] = index
        return index, values

    def integers(self, name: str) -> dict[bytes, int]:
        """The whole numbers of a column by OID suffix, as the device sent them (not reduced modulo 2^53)."""
        index, numbers = self.numbers(name)
        rows = self._split(index)
        found: dict[bytes, int] = {}
        try:
            for at in range(0, len(rows), _ROWS_AT_ONCE):
                part = slice(at, at + _ROWS_AT_ONCE)
                found.update(zip(rows[part], map(int, numbers[part]), strict=True))
        except ValueError:  # some are fractions
            return {row: int(number) for row, number in zip(rows, numbers, strict=True) if number.isdigit()}
        return found

    def row_index(self, name: str) -> bytes:
        """The index of the rows of a column that have numbers."""
        column = self.plan.by_oid.get(name)
        if column is None:
            return b""
        index = self._indexes.get(column.oid)
        return self.numbers(name)[0] if index is None else index

    def suffixes(self, name: str) -> list[bytes]:
        """The OID suffixes of the rows of a column that have numbers."""
        return self._split(self.row_index(name))

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
            read = [self.octets(one) for one in plan.sources if one.at not in self.plan.label_columns]
            table.refresh([self.octets(one) for one in plan.sources], read)
            self._refreshed[plan.table] = table
        return table

    def changed_tables(self) -> set[int]:
        """The numbers of the label tables whose rows differ from those of the last poll; call it after all modules."""
        return {number for number, table in self._refreshed.items() if table.rows_changed()}

    def module(self, metrics: Iterable[MetricPlan]) -> None:
        """Adds the samples of one module's metrics; a metric that an earlier module has is skipped."""
        run_steps(self.module_steps(metrics))

    def module_steps(self, metrics: Iterable[MetricPlan]) -> Steps[None]:
        """``module``, in steps."""
        for metric in metrics:
            key = metric.metric.name, metric.column.oid
            if key not in self._done:
                self._done.add(key)
                octets = self.octets(metric.column)
                if octets:
                    rest = (self._add_numbers if metric.numeric else self._add_others)(metric, octets)
                    if rest is not None:
                        yield from rest
                    if len(octets) > _STEP_OCTETS:
                        yield

    def close(self) -> None:
        """Ends the poll: what the next one needs takes little memory until then."""
        for table in self._refreshed.values():
            table.close()

    def release(self) -> Steps[None]:
        """Drops everything, a container at a time: of a large device that takes longer than an event loop can wait."""
        for family in self.exposition.families.values():
            family.parts.clear()
            yield
        for container in (self._rows, self._suffixes, self._octets, self._column_octets, self._refreshed):
            while container:
                container.popitem()
                yield
        for at in range(len(self.plan.columns)):
            self._scanner.drop(at)
            yield

    def _add_numbers(self, plan: MetricPlan, octets: bytes) -> Steps[None] | None:
        """Adds the samples of a column of numbers; returns what is left to do if its labels have to be made."""
        metric = plan.metric
        if not (metric.scale or metric.offset or (plan.is_size and self._unsigned_sizes)) and self._add_lines(
            plan, octets
        ):
            return None
        index, values, dropped = _numbers(octets, len(plan.column.oid), wrap=self._wrap, zeros=self._zeros)
        if dropped:
            self.exposition.drop("not_a_number", dropped)
        if not values:
            return None
        if plan.is_size and self._unsigned_sizes:
            values = sizes.unsigned(values)
        if metric.scale or metric.offset:
            factor = metric.scale or 1.0
            values = [ber.float_text(float(one) * factor + metric.offset) for one in values]
        table = self.table(plan)
        texts = table.known_texts(index)
        if texts is None:
            return self._add_with_new_labels(plan, index, values)
        self._add_samples(plan, texts, values)
        self.exposition.drop("invalid_index", table.invalid_rows(index))
        return None

    def _add_lines(self, plan: MetricPlan, octets: bytes) -> bool:
        """Adds the samples of a column of numbers in one pass, if it has the same rows as the column before it."""
        table = self.table(plan)
        known = table.latest
        if known is None or known.repeated or not known.texts:
            return False
        lines, row, at, dropped = [], 0, 0, 0
        skip, texts = len(plan.column.oid), known.texts
        for piece in (octets,) if len(octets) <= _LINES_OCTETS else ber.pieces(octets, _LINES_OCTETS):
            part = ber.number_lines(piece, skip, self._wrap, self._zeros, plan.name, known.rows, texts, row, at)
            if part is None:
                return False
            lines.append(part[0])
            _, row, at, more = part
            dropped += more
        if row != len(texts):
            return False
        table.known_texts(known.rows)
        if not self._zeros:
            self._indexes[plan.column.oid] = known.rows
        self._family(plan).extend(lines)
        self.exposition.drop("not_a_number", dropped)
        self.exposition.drop("invalid_index", table.invalid_rows(known.rows))
        return True

    def _add_with_new_labels(self, plan: MetricPlan, index: bytes, values: list[bytes]) -> Steps[None]:
        table = self.table(plan)
        texts = yield from table.texts(index, self.rows)
        self._add_samples(plan, texts, values)
        self.exposition.drop("invalid_index", table.invalid_rows(index))

    def _add_samples(self, plan: MetricPlan, texts: LabelTexts, values: list[bytes]) -> None:
        _, labels, repeated = texts
        if repeated:
            self.exposition.drop("duplicate", len(repeated))
            labels, values = _without(labels, repeated), _without(values, repeated)
        text.samples(self._family(plan), plan.name, labels, values)

    def _family(self, plan: MetricPlan) -> list[bytes]:
        """The pieces of the family of a metric of numbers."""
        kind = "counter" if plan.metric.type == "counter" else "gauge"
        return self.exposition.family(plan.family, kind, plan.metric.help)

    def _add_others(self, plan: MetricPlan, octets: bytes) -> Steps[None] | None:
        """Adds the samples of any other column; returns what is left to do if they have to be made."""
        table = self.table(plan)
        columns = [octets, *map(self.octets, plan.type_columns)]
        cached = self._state.cached_samples.get((plan.metric.name, plan.column.oid))
        if cached is None or cached.columns != tuple(map(hash, columns)) or cached.generation != table.generation:
            return self._add_new_samples(plan, table, columns, None if cached is None else cached.index)
        self._add_cached(cached)
        return None

    def _add_new_samples(
        self, plan: MetricPlan, table: LabelTable, columns: list[bytes], before: int | None
    ) -> Steps[None]:
        cached = yield from self._build(plan, columns, table.generation)
        self._state.cached_samples[plan.metric.name, plan.column.oid] = cached
        table.changed = table.changed or cached.index != before
        self._add_cached(cached)

    def _add_cached(self, cached: CachedSamples) -> None:
        for name, kind, help_text, samples in cached.families:
            self.exposition.family(name, kind, help_text).extend(map(unpack, samples))
        for reason, count in cached.dropped.items():
            self.exposition.drop(reason, count)

    def _build(self, plan: MetricPlan, columns: list[bytes], generation: int) -> Steps[CachedSamples]:
        exposition = Exposition()
        indexes: list[bytes] = []
        encoding = plan.spec.encoding
        for piece in ber.pieces(columns[0]):
            index, values = ber.values(piece, len(plan.column.oid))
            indexes.append(index)
            for number, (suffix, (tag, content)) in enumerate(zip(ber.suffixes(index), values, strict=True)):
                row = plan.spec.decode(suffix)
                exposition.drop("invalid_index", not row.valid)
                labels = plan.spec.labels_of(row, self.rows)
                row_samples(
                    plan.metric,
                    labels,
                    suffix,
                    tag,
                    content,
                    self.rows,
                    exposition,
                    zeros=self._zeros,
                    encoding=encoding,
                )
                if not number % _ROWS_PER_STEP:
                    yield
        for family in exposition.families.values():
            family.shared = True
        exposition.deduplicate()
        families = []
        for family in exposition.families.values():
            packed = []
            for block in blocks(family.parts):
                packed.append(pack(block))
                yield
            families.append((family.name, family.kind, family.help, tuple(packed)))
        hashes = tuple(map(hash, columns))
        return CachedSamples(hashes, hash(b"".join(indexes)), generation, tuple(families), exposition.dropped or _NONE)


def _numbers(octets: bytes, skip: int, *, wrap: bool, zeros: bool = False) -> tuple[bytes, list[bytes], int]:
    """``ber.numbers`` of a column; of a large one in pieces, between which other threads may run."""
    if len(octets) <= ber.PIECE:
        return ber.numbers(octets, skip, wrap, zeros)
    decoded = [ber.numbers(piece, skip, wrap, zeros) for piece in ber.pieces(octets)]
    values = [value for _, some, _ in decoded for value in some]
    return b"".join([index for index, _, _ in decoded]), values, sum(dropped for _, _, dropped in decoded)


def _without(pieces: list[bytes], positions: tuple[int, ...]) -> list[bytes]:
    dropped = set(positions)
    return [piece for at, piece in enumerate(pieces) if at not in dropped]
