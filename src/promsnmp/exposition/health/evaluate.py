"""Computes the readings of health definitions from the columns of a device."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, replace

from promsnmp.exposition.formats.text import sample_prefix
from promsnmp.exposition.health.columns import ColumnSource, Index, Rows
from promsnmp.exposition.health.interfaces import Interfaces
from promsnmp.exposition.health.numbers import Number, reading_numbers
from promsnmp.exposition.health.rows import MOST_ROWS, SCALAR, DefinitionPlan, InfoPlan, RowReader, TablePlan
from promsnmp.exposition.labels import label_text
from promsnmp.modules.health.expression import Value
from promsnmp.modules.health.families import Kind
from promsnmp.modules.health.model import Definition, Reading, Table
from promsnmp.modules.health.template import Template
from promsnmp.support.steps import Steps

NAME_LENGTH = 200
"""Characters of a name in a label."""
_ROWS_PER_STEP, _TABLES_PER_STEP = 32, 8
"""A small device is one step: each look at the clock costs as much as some rows."""
_FREED_PER_STEP = 500
_ROW_OCTETS, _SAMPLE_OCTETS = 1000, 500
"""Bytes of memory of a row and of a sample besides its text, about."""

_Origin = tuple[object, ...]
"""What tells readings apart: kind, OIDs, index, id."""
_Row = tuple[Index, str]
"""Index and id of a reading."""
_Line = tuple[int | str, ...]
"""What tells the samples of a row apart: position of the reading, family, values of own labels."""


@dataclass(frozen=True, slots=True)
class HealthSample:
    """One sample, and where it comes from. Its labels are those of the row and its own (``hw_state``, ``limit_type``).

    A large device has a hundred thousand of them, so they share what they can.
    """

    kind: Kind
    family: str
    row_labels: Mapping[str, str]
    own_labels: Mapping[str, str]
    value: float
    definition: str
    reading: Reading
    table: Table
    index: Index
    text: bytes = field(repr=False)
    """The sample as on the page, up to its value."""

    @property
    def labels(self) -> dict[str, str]:
        """All labels."""
        return {**self.row_labels, **self.own_labels}


@dataclass(frozen=True, slots=True)
class Health:
    """The samples of a device, and the labels of ``snmp_device_info``."""

    samples: list[HealthSample]
    info: Mapping[str, str]
    left_out: int = 0
    """Rows of tables that have too many."""

    def release(self) -> Steps[None]:
        """Frees the samples in pieces: at once, that would stop the event loop for too long."""
        while self.samples:
            del self.samples[-_FREED_PER_STEP:]
            yield


@dataclass(slots=True)
class HealthMemory:
    """What evaluating one device keeps from one time to the next; it belongs to one sequence of plans."""

    tables: dict[int, _TableMemory] = field(default_factory=dict)
    """By position among all tables."""
    info_columns: Sequence[Rows] = ()
    info: Mapping[str, str] = field(default_factory=dict)

    @property
    def octets(self) -> int:
        """Bytes of memory, about."""
        return sum(one.octets for one in self.tables.values())

    def release(self) -> Steps[None]:
        """Frees everything in pieces: at once, that would stop the event loop for too long."""
        for one in self.tables.values():
            yield from one.release()
        self.tables.clear()
        self.info_columns = ()


def evaluate(
    plans: Sequence[DefinitionPlan],
    source: ColumnSource,
    info: Mapping[str, str],
    memory: HealthMemory | None = None,
    *,
    encoding: str = "",
) -> Steps[Health]:
    """The readings of a device. ``info`` has what is known of it otherwise; definitions know better.

    ``encoding`` is that of the device's texts; empty: UTF-8. With ``memory``, tables whose columns are the same objects
    as the last time are not evaluated again.
    """
    memory = HealthMemory() if memory is None else memory
    interfaces = Interfaces(source)
    found: list[tuple[Definition, HealthSample]] = []
    seen: set[tuple[object, ...]] = set()
    tables = [(plan.definition, table) for plan in plans for table in plan.tables]
    for number, (definition, table) in enumerate(tables):
        known = memory.tables.get(number)
        if known is None or known.plan is not table:
            known = memory.tables[number] = _TableMemory(table)
        yield from known.refresh(source, interfaces, encoding)
        if number % _TABLES_PER_STEP == _TABLES_PER_STEP - 1:
            yield
        for origin, samples in known.samples:
            if origin not in seen:  # else another definition has this reading already
                seen.add(origin)
                found.extend((definition, sample) for sample in samples)
    samples = _with_unique_names(_without_fallbacks(found), [table.table for _, table in tables])
    left_out = sum(one.left_out for one in memory.tables.values())
    return Health(samples, _info(plans, source, info, memory, encoding), left_out)


def _without_fallbacks(found: Sequence[tuple[Definition, HealthSample]]) -> list[HealthSample]:
    """Leaves out readings of kinds that a definition brings as a fallback where another one has some: one that has them
    not as a fallback, or else the first of the fallbacks."""
    brings: dict[str, str] = {}
    for definition, sample in sorted(found, key=lambda one: one[1].kind.key in one[0].fallback):  # stable
        brings.setdefault(sample.kind.key, definition.name if sample.kind.key in definition.fallback else "")
    return [
        sample
        for definition, sample in found
        if sample.kind.key not in definition.fallback or brings[sample.kind.key] == definition.name
    ]


def _with_unique_names(samples: Sequence[HealthSample], tables: Sequence[Table]) -> list[HealthSample]:
    """Adds the index to names of processors, memory and file systems that several rows have, in all families alike; and
    the name of the definition to the ``hw_id`` of what another definition has under the same ``hw_id``."""
    rows: dict[tuple[str, str], dict[_Row, set[tuple[str, str]]]] = {}
    for one in samples:
        if not one.kind.is_hardware:
            of_name = rows.setdefault(_name(one), {})
            of_name.setdefault(_row(one), set()).add((one.definition, one.table.name))
    repeated = {name: found for name, found in rows.items() if sum(map(len, found.values())) > 1}
    names = Counter(one.name for one in tables)
    shared = frozenset(name for name, count in names.items() if count > 1)
    unique = [
        _with_index(one, is_enough=len(repeated[_name(one)][_row(one)]) == 1)
        if not one.kind.is_hardware and _name(one) in repeated
        else one
        for one in samples
    ]
    return _with_unique_ids(unique, shared) if shared else unique


def _name(sample: HealthSample) -> tuple[str, str]:
    return sample.kind.key, sample.row_labels.get(sample.kind.label, "")


def _row(sample: HealthSample) -> _Row:
    return sample.index, sample.reading.id


def _with_index(sample: HealthSample, *, is_enough: bool) -> HealthSample:
    """Adds the index to the name, and the table's name where the index ``is_enough`` not."""
    name = sample.row_labels.get(sample.kind.label, sample.table.name)
    index = ".".join(filter(None, (".".join(map(str, sample.index)), sample.reading.id)))
    more = index if is_enough else f"{sample.table.name} {index}"
    labels = {**sample.row_labels, sample.kind.label: f"{name} ({more})"}
    return replace(sample, row_labels=labels, text=_text_of(sample.family, {**labels, **sample.own_labels}))


def _with_unique_ids(samples: Sequence[HealthSample], shared: Container[str]) -> list[HealthSample]:
    """``shared`` are the names of tables that several definitions have."""
    owners: dict[tuple[str, str, str], str] = {}
    found = []
    for one in samples:
        if one.kind.is_hardware and one.table.name in shared:
            identifier = one.row_labels["hw_id"]
            owner = owners.setdefault((one.kind.key, one.reading.direction, identifier), one.definition)
            if owner != one.definition:
                labels = {**one.row_labels, "hw_id": f"{identifier}.{one.definition}"}
                text = _text_of(one.family, {**labels, **one.own_labels})
                one = replace(one, row_labels=labels, text=text)
        found.append(one)
    return found


def _text_of(family: str, labels: Mapping[str, str]) -> bytes:
    return sample_prefix(family) + label_text(labels)


@dataclass(slots=True)
class _RowMemory:
    """A row as it was evaluated last."""

    fixed: dict[str, Value]
    """The values of columns that seldom change, and the parts of the index."""
    readings: Sequence[int] = ()
    """The readings that it may have: others are not for it, by what seldom changes."""
    moving: tuple[Value, ...] | None = None
    """The values of the others; None: not evaluated yet."""
    samples: Sequence[tuple[_Origin, Sequence[HealthSample]]] = ()
    """The samples of each reading, with what they come from."""
    labels: dict[int, Mapping[str, str]] = field(default_factory=dict)
    """By position of the reading."""
    texts: dict[_Line, tuple[Mapping[str, str], bytes]] = field(default_factory=dict)
    """By sample: the labels of its own, and its text."""


class _TableMemory:
    """The rows of one table of one device as they were evaluated last."""

    __slots__ = ("_fixed_columns", "_moving_columns", "_rows", "left_out", "octets", "plan", "samples")

    def __init__(self, plan: TablePlan) -> None:
        self.plan = plan
        self.samples: list[tuple[_Origin, Sequence[HealthSample]]] = []
        """The samples of each reading of each row, with what they come from."""
        self.octets = 0
        """Bytes of memory, about."""
        self.left_out = 0
        """Rows beyond ``MOST_ROWS``."""
        self._moving_columns: Sequence[Rows] = ()
        self._fixed_columns: Sequence[Rows] = ()
        self._rows: dict[Index, _RowMemory] = {}

    def refresh(self, source: ColumnSource, interfaces: Interfaces, encoding: str) -> Steps[None]:
        """Evaluates the rows again if their columns have changed."""
        plan = self.plan
        values = [source(oid) for oid in plan.moving_oids]
        fixed = [source(oid) for oid in plan.fixed_oids]
        is_fixed = _same(fixed, self._fixed_columns)
        if is_fixed and _same(values, self._moving_columns):
            return
        before = self._rows if is_fixed else {}
        self._fixed_columns, self._moving_columns, self.samples, self._rows, self.octets = (), (), [], {}, 0
        rows = plan.rows.reader(source, encoding)
        indexes = rows.indexes()
        self.left_out = max(0, len(indexes) - MOST_ROWS)
        for number, index in enumerate(indexes[:MOST_ROWS]):
            row = before.pop(index) if index in before else self._new_row(rows.fixed_values(index))
            self._rows[index] = row
            self._evaluate(row, rows, index, interfaces)
            self.samples += row.samples
            self.octets += _ROW_OCTETS + sum(_SAMPLE_OCTETS + len(text) for _, text in row.texts.values())
            if number % _ROWS_PER_STEP == _ROWS_PER_STEP - 1:
                yield
        self._fixed_columns, self._moving_columns = fixed, values

    def release(self) -> Steps[None]:
        """Frees everything in pieces."""
        self._fixed_columns = self._moving_columns = ()
        for rest in (self.samples, self._rows):
            while rest:
                for _ in range(min(len(rest), _FREED_PER_STEP)):
                    rest.pop() if isinstance(rest, list) else rest.popitem()
                yield

    def _new_row(self, fixed: dict[str, Value]) -> _RowMemory:
        table, plan = self.plan.table, self.plan
        if plan.is_steady and table.where is not None and not table.where.holds(fixed):
            return _RowMemory(fixed)
        readings = [
            at
            for at, one in enumerate(table.readings)
            if at not in plan.steady or one.where is None or one.where.holds(fixed)
        ]
        return _RowMemory(fixed, readings)

    def _evaluate(self, row: _RowMemory, rows: RowReader, index: Index, interfaces: Interfaces) -> None:
        if not row.readings:
            return
        values = rows.values(index, row.fixed)
        moving = rows.moving(values)
        if moving == row.moving:
            return
        row.moving, row.samples, table = moving, (), self.plan.table
        if not self.plan.is_steady and table.where is not None and not table.where.holds(values):
            return
        found: list[tuple[_Origin, Sequence[HealthSample]]] = []
        for at in row.readings:
            reading = table.readings[at]
            if at not in self.plan.steady and reading.where is not None and not reading.where.holds(values):
                continue
            if numbers := reading_numbers(reading, values):
                labels = row.labels.get(at)
                if labels is None or at in self.plan.varying:
                    labels = row.labels[at] = _labels(table, reading, rows.texts(values), index, interfaces)
                    for line in [one for one in row.texts if one[0] == at]:
                        del row.texts[line]
                origin = reading.kind.key, self.plan.origins[at], index, reading.id
                found.append((origin, [self._sample(row, at, labels, index, number) for number in numbers]))
        row.samples = found

    def _sample(
        self, row: _RowMemory, at: int, labels: Mapping[str, str], index: Index, number: Number
    ) -> HealthSample:
        family, own, value = number
        line: _Line = (at, family, *own.values())
        known = row.texts.get(line)
        if known is None:
            known = row.texts[line] = own, _text_of(family, {**labels, **own} if own else labels)
        own, text = known
        reading, table = self.plan.table.readings[at], self.plan.table
        return HealthSample(reading.kind, family, labels, own, value, self.plan.definition, reading, table, index, text)


def _same(columns: Sequence[Rows], before: Sequence[Rows]) -> bool:
    return len(columns) == len(before) and all(one is other for one, other in zip(columns, before, strict=True))


# --------------------------------------------------------------------------------------------------------------- labels


def hw_id(table: Table, reading: Reading, index: Index) -> str:
    """The ``hw_id`` of a row: the name of the table, the index, and the reading's id, if it has one."""
    parts = (table.name, "" if index == SCALAR else ".".join(map(str, index)), reading.id)
    return ".".join(filter(None, parts))


def _labels(
    table: Table, reading: Reading, values: Mapping[str, Value], index: Index, interfaces: Interfaces
) -> dict[str, str]:
    kind, labels = reading.kind, dict[str, str]()
    name = _text(reading.name, values, index)
    if kind.is_hardware:
        labels["hw_id"] = hw_id(table, reading, index)
        labels["hw_name"] = name or labels["hw_id"]
    elif name or index != SCALAR:
        labels[kind.label] = name or ".".join(map(str, index))
    if reading.direction:
        labels["direction"] = reading.direction
    for label, template in (("hw_sensor_location", reading.location), ("hw_parent", reading.parent)):
        if text := _text(template, values, index):
            labels[label] = text
    if reading.interface is not None:
        labels |= interfaces.labels(reading.interface, values, index, labels.get("hw_name", ""))
    return labels


def _text(template: Template | None, values: Mapping[str, Value], index: Index) -> str:
    return "" if template is None else template.fill(values, index)[:NAME_LENGTH]


def _info(
    plans: Sequence[DefinitionPlan], source: ColumnSource, known: Mapping[str, str], memory: HealthMemory, encoding: str
) -> Mapping[str, str]:
    """The labels of ``snmp_device_info``: of each the first text that a definition has for it."""
    columns = [source(oid) for plan in plans for one in plan.info for oid in one.oids]
    if not _same(columns, memory.info_columns) or not memory.info:
        memory.info_columns, memory.info = columns, {}
        for plan in plans:
            for one in plan.info:
                memory.info = {**_first_texts(one, source, memory.info, encoding), **memory.info}
    return {**{label: text for label, text in known.items() if text}, **memory.info}


def _first_texts(plan: InfoPlan, source: ColumnSource, known: Mapping[str, str], encoding: str) -> dict[str, str]:
    """The labels that a source has and that are not ``known``."""
    wanted = {label: template for label, template in plan.source.labels.items() if label not in known}
    found: dict[str, str] = {}
    rows = plan.rows.reader(source, encoding)
    for index in rows.indexes()[:MOST_ROWS] if wanted else ():
        values = rows.values(index, rows.fixed_values(index))
        if plan.source.where is not None and not plan.source.where.holds(values):
            continue
        texts = rows.texts(values)
        for label, template in wanted.items():
            if label not in found and (filled := template.fill(texts, index)[:NAME_LENGTH]):
                found[label] = filled
        if len(found) == len(wanted):
            break
    return found
