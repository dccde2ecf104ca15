"""The rows of a table of a definition: which columns they take their values from, and these values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from promsnmp.exposition.health.columns import (
    ColumnSource,
    Index,
    Rows,
    interface_columns,
    label_names,
    template_names,
    value_names,
)
from promsnmp.modules.health.expression import Expression, Value, index_name, number_of, text_of
from promsnmp.modules.health.model import Column, Definition, InfoSource, Reading, Table
from promsnmp.snmp.text_encodings import decode

MOST_ROWS = 10_000
"""Rows of a table that become readings."""
SCALAR: Index = (0,)
"""The index of the only row of a table of scalars."""


class RowPlan:
    """Which columns the rows of a table need.

    ``fixed`` columns are names, limits and units; the others change from poll to poll.
    """

    def __init__(self, columns: Mapping[str, Column], values: Iterable[str], others: Iterable[str]) -> None:
        """``values`` are the names of the columns that make the rows."""
        used = {name: columns[name] for name in sorted({*values, *others}) if name in columns}
        needed_by_at = {name for column in used.values() if column.at for name in column.at.names}
        used |= {name: columns[name] for name in needed_by_at}
        self.row_columns = [column for name in values if (column := columns[name]).at is None]
        moving = {name for name in values if name in used}
        moving |= {name for name, column in used.items() if column.at and column.at.names & moving}
        self.moving = [(name, column) for name, column in used.items() if name in moving]
        self.fixed = [(name, column) for name, column in used.items() if name not in moving]
        self.named = [(name, column.names) for name, column in used.items() if column.names]

    def reader(self, source: ColumnSource, encoding: str = "") -> RowReader:
        """The rows of a device whose texts have this ``encoding``; empty: UTF-8."""
        return RowReader(self, source, encoding)


class RowReader:
    """The rows of a table of one device."""

    def __init__(self, plan: RowPlan, source: ColumnSource, encoding: str) -> None:
        self._plan = plan
        self._encoding = encoding
        self._rows: dict[str, Rows] = {column.oid: source(column.oid) for _, column in (*plan.fixed, *plan.moving)}

    def indexes(self) -> list[Index]:
        """The indexes of all rows, in order."""
        own = [self._rows[column.oid] for column in self._plan.row_columns]
        if not own:
            return [SCALAR]
        if len(own) == 1 or all(rows.keys() == own[0].keys() for rows in own[1:]):
            return sorted(own[0])
        return sorted(set().union(*own))

    def fixed_values(self, index: Index) -> dict[str, Value]:
        """The parts of the index, and the values of the fixed columns of a row."""
        values: dict[str, Value] = {index_name(at): part for at, part in enumerate(index, 1)}
        self._add(values, self._plan.fixed, index)
        return values

    def values(self, index: Index, fixed: Mapping[str, Value]) -> dict[str, Value]:
        """All values of a row, given the ``fixed`` ones."""
        values = dict(fixed)
        self._add(values, self._plan.moving, index)
        return values

    def moving(self, values: Mapping[str, Value]) -> tuple[Value, ...]:
        """Those of ``values`` that may change from poll to poll."""
        return tuple([values[name] for name, _ in self._plan.moving])

    def _add(self, values: dict[str, Value], columns: Sequence[tuple[str, Column]], index: Index) -> None:
        for name, column in columns:
            if column.at is None:
                values[name] = _extracted(column, self._rows[column.oid].get(index))
        for name, column in columns:
            if column.at is not None:
                place = column.at.subids(values, index)
                found = None if place is None else self._rows[column.oid].get(place)
                values[name] = _extracted(column, found)

    def texts(self, values: Mapping[str, Value]) -> Mapping[str, Value]:
        """``values`` for templates: numbers that have names are these, and texts are in UTF-8."""
        if self._encoding:
            values = {
                name: decode(value, self._encoding).encode() if isinstance(value, bytes) else value
                for name, value in values.items()
            }
        named = {
            name: names.get(int(number), values[name])
            for name, names in self._plan.named
            if (number := number_of(values[name])) is not None
        }
        return {**values, **named} if named else values


def _extracted(column: Column, value: Value) -> Value:
    if column.extract is None or value is None:
        return value
    match = column.extract.search(text_of(value))
    return None if match is None else (match.group(1 if column.extract.groups else 0) or "").encode()


@dataclass(frozen=True, slots=True, eq=False)
class TablePlan:
    """A table, and what its rows need."""

    definition: str
    table: Table
    rows: RowPlan
    moving_oids: tuple[str, ...]
    """Columns that may change at every poll."""
    fixed_oids: tuple[str, ...]
    """Columns that seldom change."""
    origins: tuple[tuple[str, ...], ...]
    """By reading: the OIDs that its values come from."""
    varying: frozenset[int]
    """The readings whose labels contain values that may change at every poll."""
    steady: frozenset[int]
    """The readings whose condition looks at columns that seldom change."""
    is_steady: bool
    """Whether the table's condition does."""


@dataclass(frozen=True, slots=True, eq=False)
class InfoPlan:
    """A source of device information, and what its rows need."""

    source: InfoSource
    rows: RowPlan
    oids: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class DefinitionPlan:
    """A definition, prepared for being evaluated."""

    definition: Definition
    tables: tuple[TablePlan, ...]
    info: tuple[InfoPlan, ...]


def plan_definition(definition: Definition) -> DefinitionPlan:
    """Prepares a definition."""
    tables = tuple(_plan_table(definition.name, table) for table in definition.tables)
    return DefinitionPlan(definition, tables, tuple(map(_plan_info, definition.info)))


def _plan_table(definition: str, table: Table) -> TablePlan:
    values = sorted(set[str]().union(*map(value_names, table.readings)))
    others = set(table.where.names) if table.where is not None else set[str]()
    for reading in table.readings:
        others.update(label_names(reading))
    rows = RowPlan(table.columns, values, others)
    moving = {name for name, _ in rows.moving}
    return TablePlan(
        definition,
        table,
        rows,
        moving_oids=_oids(rows.moving),
        fixed_oids=(*_oids(rows.fixed), *interface_columns(table)),
        origins=tuple(_origin(table, reading) for reading in table.readings),
        varying=frozenset(at for at, one in enumerate(table.readings) if template_names(one) & moving),
        steady=frozenset(at for at, one in enumerate(table.readings) if not _looks_at(one.where, moving)),
        is_steady=not _looks_at(table.where, moving),
    )


def _looks_at(condition: Expression | None, names: AbstractSet[str]) -> bool:
    return condition is not None and bool(condition.names & names)


def _plan_info(source: InfoSource) -> InfoPlan:
    names = sorted(set[str]().union(*(label.names for label in source.labels.values())))
    rows = RowPlan(source.columns, names, source.where.names if source.where is not None else ())
    return InfoPlan(source, rows, (*_oids(rows.moving), *_oids(rows.fixed)))


def _oids(columns: Iterable[tuple[str, Column]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(column.oid for _, column in columns))


def _origin(table: Table, reading: Reading) -> tuple[str, ...]:
    return tuple(sorted({table.columns[name].oid for name in value_names(reading)}))
