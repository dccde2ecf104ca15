"""Computes the readings of health definitions from the columns of a device."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from promsnmp.exposition.health.columns import ColumnSource, Index, Rows, value_names
from promsnmp.exposition.health.interfaces import Interfaces
from promsnmp.modules.health.expression import Value, index_name, number_of, text_of
from promsnmp.modules.health.families import ROUNDING, Kind
from promsnmp.modules.health.model import ABSENT, STATES, Column, Definition, InfoSource, Reading, StatusValues, Table
from promsnmp.modules.health.template import Template
from promsnmp.support.steps import Steps

MOST_ROWS = 10_000
"""Rows of a table that become readings."""
NAME_LENGTH = 200
"""Characters of a name in a label."""
_ROWS_PER_STEP = 32
_DIGITS = 12
"""Significant digits of a value: a scale of 0.1 must not make 23.200000000000003 of 232."""
_SCALAR: Index = (0,)


@dataclass(frozen=True, slots=True)
class HealthSample:
    """One sample, and where it comes from."""

    kind: Kind
    family: str
    labels: Mapping[str, str]
    value: float
    definition: str
    reading: Reading
    table: Table
    index: Index


@dataclass(frozen=True, slots=True)
class Health:
    """The samples of a device, and the labels of ``snmp_device_info``."""

    samples: Sequence[HealthSample]
    info: Mapping[str, str]


def evaluate(definitions: Sequence[Definition], source: ColumnSource, info: Mapping[str, str]) -> Steps[Health]:
    """The readings of a device. ``info`` has what is known of it otherwise; definitions know better."""
    interfaces = Interfaces(source)
    found: list[tuple[Definition, HealthSample]] = []
    seen: set[tuple[object, ...]] = set()
    for definition in definitions:
        for table in definition.tables:
            rows = _TableRows(table, source)
            for number, index in enumerate(rows.indexes()):
                row = _row_samples(definition, table, rows, index, interfaces, seen)
                found.extend((definition, sample) for sample in row)
                if not number % _ROWS_PER_STEP:
                    yield
    samples = _without_fallbacks(found)
    return Health(_with_unique_names(samples), _info(definitions, source, info))


def _without_fallbacks(found: Iterable[tuple[Definition, HealthSample]]) -> list[HealthSample]:
    """Leaves out readings of kinds that a definition brings as a fallback where another one has some: one that has them
    not as a fallback, or else the first of the fallbacks."""
    found = list(found)
    brings = dict[str, str]()
    for definition, sample in sorted(found, key=lambda one: one[1].kind.key in one[0].fallback):  # stable
        brings.setdefault(sample.kind.key, "" if sample.kind.key not in definition.fallback else definition.name)
    return [
        sample
        for definition, sample in found
        if sample.kind.key not in definition.fallback or brings[sample.kind.key] == definition.name
    ]


def _with_unique_names(samples: Sequence[HealthSample]) -> list[HealthSample]:
    """Adds the index to names of processors, memory and file systems that several rows have."""
    keys = Counter((one.family, tuple(sorted(one.labels.items()))) for one in samples if not one.kind.is_hardware)
    unique = []
    for one in samples:
        if not one.kind.is_hardware and keys[one.family, tuple(sorted(one.labels.items()))] > 1:
            name = one.labels.get(one.kind.label, one.table.name)
            index = ".".join(map(str, one.index))
            suffix = f".{one.reading.id}" if one.reading.id else ""
            one = replace(one, labels={**one.labels, one.kind.label: f"{name} ({index}{suffix})"})
        unique.append(one)
    return unique


class _TableRows:
    """The rows of a table: values by column, with those of other tables looked up."""

    def __init__(self, table: Table | InfoSource, source: ColumnSource) -> None:
        self._table = table
        self._source = source
        self._columns: dict[str, Rows] = {}

    def _rows(self, column: Column) -> Rows:
        rows = self._columns.get(column.oid)
        if rows is None:
            rows = self._columns[column.oid] = self._source(column.oid)
        return rows

    def indexes(self) -> list[Index]:
        """The indexes of all rows, in order."""
        columns = [self._table.columns[name] for name in self._row_names()]
        own = [column for column in columns if column.at is None]
        if not own:
            return [_SCALAR]
        return sorted(set().union(*(self._rows(column) for column in own)))[:MOST_ROWS]

    def _row_names(self) -> set[str]:
        if isinstance(self._table, Table):
            return set[str]().union(*(value_names(reading) for reading in self._table.readings))
        return set[str]().union(*(label.names for label in self._table.labels.values()))

    def values(self, index: Index) -> dict[str, Value]:
        """The values of one row, by column."""
        values: dict[str, Value] = {index_name(at): part for at, part in enumerate(index, 1)}
        elsewhere = []
        for name, column in self._table.columns.items():
            if column.at is None:
                values[name] = _extracted(column, self._rows(column).get(index))
            else:
                elsewhere.append((name, column, column.at))
        for name, column, at in elsewhere:
            place = at.subids(values, index)
            values[name] = None if place is None else _extracted(column, self._rows(column).get(place))
        return values

    def texts(self, values: Mapping[str, Value]) -> Mapping[str, Value]:
        """``values`` for templates: numbers that have names are these."""
        named = {
            name: column.names.get(int(number), values[name])
            for name, column in self._table.columns.items()
            if column.names and (number := number_of(values[name])) is not None
        }
        return {**values, **named} if named else values


def _extracted(column: Column, value: Value) -> Value:
    if column.extract is None or value is None:
        return value
    match = column.extract.search(text_of(value))
    return None if match is None else (match.group(1 if column.extract.groups else 0) or "").encode()


# ------------------------------------------------------------------------------------------------------------- readings


def _row_samples(
    definition: Definition,
    table: Table,
    rows: _TableRows,
    index: Index,
    interfaces: Interfaces,
    seen: set[tuple[object, ...]],
) -> Iterator[HealthSample]:
    values = rows.values(index)
    if table.where is not None and not table.where.holds(values):
        return
    for reading in table.readings:
        if reading.where is not None and not reading.where.holds(values):
            continue
        numbers = _numbers(reading, values)
        if not numbers:
            continue
        origin = (
            reading.kind.key,
            tuple(sorted({table.columns[name].oid for name in value_names(reading)})),
            index,
            reading.id,
        )
        if origin in seen:  # another definition has this reading already
            continue
        seen.add(origin)
        labels = _labels(table, reading, rows.texts(values), index, interfaces)
        for family, more, number in numbers:
            yield HealthSample(reading.kind, family, {**labels, **more}, number, definition.name, reading, table, index)


_Numbers = list[tuple[str, Mapping[str, str], float]]


def _numbers(reading: Reading, values: Mapping[str, Value]) -> _Numbers:
    """Families, labels and values of a reading of one row; none where the device has no value."""
    kind = reading.kind
    if reading.status is not None:
        return _states(reading, reading.status, values)
    if "value" not in kind.families:
        return _usage(reading, values)
    number = reading.values["value"].number(values)
    if number is None or not kind.low <= number <= kind.high:
        return []
    if reading.valid is not None and not reading.valid.holds({**values, "value": number}):
        return []
    if kind.high == ROUNDING:
        number = min(number, 1.0)
    numbers: _Numbers = [(kind.families["value"], {}, _rounded(number))]
    for limit_type, expression in reading.limits.items():
        limit = expression.number(values)
        if limit is not None and kind.low <= limit <= kind.high:
            numbers.append((kind.limit, {"limit_type": limit_type}, _rounded(limit)))
    return numbers


def _states(reading: Reading, status: StatusValues, values: Mapping[str, Value]) -> _Numbers:
    state = _state(status, reading.values["value"].evaluate(values))
    if state is None or state == ABSENT:
        return []
    family = reading.kind.families["value"]
    return [(family, {"hw_state": one, "hw_type": reading.component}, float(one == state)) for one in STATES]


def _state(status: StatusValues, value: Value) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        value = int(value)
    if status.texts and isinstance(value, bytes | str):
        text = text_of(value).lower()
        if text in status.texts:
            return status.texts[text]
    number = number_of(value)
    return status.default if number is None else status.numbers.get(int(number), status.default)


def _usage(reading: Reading, values: Mapping[str, Value]) -> _Numbers:
    used, free, limit, ratio = (
        expression.number(values) if (expression := reading.values.get(part)) else None
        for part in ("used", "free", "limit", "ratio")
    )
    if used is None and free is not None and limit is not None:
        used = limit - free
    if limit is None and free is not None and used is not None:
        limit = used + free
    if limit is not None and limit <= 0:
        if ratio is None:
            return []
        used, limit = None, None
    if used is not None and (used < 0 or (limit is not None and used > limit * ROUNDING)):
        used = None
    if ratio is None and used is not None and limit is not None:
        ratio = used / limit
    if ratio is not None and not 0 <= ratio <= ROUNDING:
        ratio = None
    if used is None and ratio is None:
        return []
    if reading.valid is not None and not reading.valid.holds({**values, "value": ratio if used is None else used}):
        return []
    kind, numbers = reading.kind, dict[str, float | None](used=used, limit=limit, ratio=ratio and min(ratio, 1.0))
    return [
        (kind.families[part], kind.labels.get(part, {}), _rounded(number))
        for part, number in numbers.items()
        if number is not None
    ]


def _rounded(number: float) -> float:
    return float(f"{number:.{_DIGITS}g}") if math.isfinite(number) else number


# --------------------------------------------------------------------------------------------------------------- labels


def hw_id(table: Table, reading: Reading, index: Index) -> str:
    """The ``hw_id`` of a row: the name of the table, the index, and the reading's id, if it has one."""
    parts = (table.name, "" if index == _SCALAR else ".".join(map(str, index)), reading.id)
    return ".".join(filter(None, parts))


def _labels(
    table: Table, reading: Reading, values: Mapping[str, Value], index: Index, interfaces: Interfaces
) -> dict[str, str]:
    kind, labels = reading.kind, dict[str, str]()
    name = _text(reading.name, values, index)
    if kind.is_hardware:
        labels["hw_id"] = hw_id(table, reading, index)
        labels["hw_name"] = name or labels["hw_id"]
    elif name or index != _SCALAR:
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


def _info(definitions: Sequence[Definition], source: ColumnSource, known: Mapping[str, str]) -> dict[str, str]:
    """The labels of ``snmp_device_info``: of each the first text that a definition has for it."""
    info: dict[str, str] = {}
    for definition in definitions:
        for one in definition.info:
            rows = _TableRows(one, source)
            for index in rows.indexes():
                if all(label in info for label in one.labels):
                    break
                values = rows.values(index)
                if one.where is not None and not one.where.holds(values):
                    continue
                texts = rows.texts(values)
                for label, template in one.labels.items():
                    text = template.fill(texts, index)[:NAME_LENGTH]
                    if text and label not in info:
                        info[label] = text
    return {**{label: text for label, text in known.items() if text}, **info}
