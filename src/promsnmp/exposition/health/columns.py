"""Which columns health definitions need, and the values in them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from promsnmp.modules.health.expression import Value
from promsnmp.modules.health.model import Column, InfoSource, Reading, Table
from promsnmp.snmp import ber, oid
from promsnmp.support.steps import Steps, run_steps

Index = tuple[int, ...]
Rows = Mapping[Index, Value]
"""A column: values by index."""
ColumnSource = Callable[[str], Rows]
"""The rows of a column by its OID; none for one that the device does not have."""
IF_NAME, IF_DESCR = "1.3.6.1.2.1.31.1.1.1.1", "1.3.6.1.2.1.2.2.1.2"
CONTAINED_IN, ALIAS_MAPPING = "1.3.6.1.2.1.47.1.1.1.1.4", "1.3.6.1.2.1.47.1.3.2.1.2"
ENTITY = "entity"
"""``interface: entity``: the interface of the port that the component (``i1``, entPhysicalIndex) is in or at."""


@dataclass(frozen=True, slots=True)
class NeededColumns:
    """OIDs of columns by how often they change."""

    values: frozenset[str]
    """Read at every poll."""
    labels: frozenset[str]
    """Names, limits, units: read seldom."""
    names: frozenset[str] = frozenset()
    """Those of ``labels`` that tell the rows of a table apart: its names, or else what its conditions look at."""

    @staticmethod
    def union(every: Iterable[NeededColumns]) -> NeededColumns:
        """The columns of several."""
        parts = list(every)
        values = frozenset[str]().union(*(one.values for one in parts))
        labels = frozenset[str]().union(*(one.labels for one in parts))
        return NeededColumns(values, labels - values, frozenset[str]().union(*(one.names for one in parts)) - values)


def value_names(reading: Reading) -> frozenset[str]:
    """The columns that the values of a reading are computed from."""
    return frozenset[str]().union(*(one.names for one in reading.values.values()))


def label_names(reading: Reading) -> Iterator[str]:
    """The columns that the conditions, limits and names of a reading use."""
    for expression in (reading.where, reading.valid, *reading.limits.values()):
        yield from expression.names - {"value"} if expression is not None else ()
    yield from template_names(reading)


def template_names(reading: Reading) -> frozenset[str]:
    """The columns that the names of a reading use."""
    templates = (reading.name, reading.location, reading.parent, reading.interface)
    return frozenset[str]().union(*(one.names for one in templates if one is not None))


def interface_columns(table: Table) -> tuple[str, ...]:
    """The OIDs of the columns that say to which interfaces the readings of a table belong."""
    interfaces = [one.interface.text for one in table.readings if one.interface is not None]
    if not interfaces:
        return ()
    return (IF_NAME, IF_DESCR, CONTAINED_IN, ALIAS_MAPPING) if ENTITY in interfaces else (IF_NAME, IF_DESCR)


def table_columns(table: Table) -> NeededColumns:
    """The columns that the readings of a table use."""
    values: set[str] = set()
    labels: set[str] = set(table.where.names) if table.where is not None else set()
    names: set[str] = set()
    for reading in table.readings:
        values |= value_names(reading)
        labels.update(label_names(reading))
        names |= template_names(reading)
    labels |= _needed_by_at(table.columns, values | labels)
    own = {one for one in labels - values if one in table.columns and table.columns[one].at is None}
    return NeededColumns(
        _oids(table.columns, values),
        _oids(table.columns, labels - values) | frozenset(interface_columns(table)),
        _oids(table.columns, own & names or own),
    )


def info_columns(source: InfoSource) -> NeededColumns:
    """The columns that a source of device information uses: none of them changes often."""
    names = set(source.where.names) if source.where is not None else set()
    for template in source.labels.values():
        names |= template.names
    names |= _needed_by_at(source.columns, names)
    return NeededColumns(frozenset(), _oids(source.columns, names))


def _needed_by_at(columns: Mapping[str, Column], names: Iterable[str]) -> set[str]:
    return {one for name in names if name in columns and (at := columns[name].at) for one in at.names}


def _oids(columns: Mapping[str, Column], names: Iterable[str]) -> frozenset[str]:
    return frozenset(columns[name].oid for name in names if name in columns)


# --------------------------------------------------------------------------------------------------------------- values

_PIECE = 8 * 1024
"""Octets of a column that are decoded in one step."""
_NULL_TAGS = frozenset({5, 0x80, 0x81, 0x82})
"""NULL and the exceptions of v2c (RFC 3416 section 3)."""


def decode_value(tag: int, content: bytes) -> Value:
    """The value of a varbind, as definitions see it: numbers, floats inside Opaque, octets, OIDs in dotted form."""
    if tag == ber.OCTET_STRING:
        return content
    if tag == ber.OBJECT_IDENTIFIER:
        try:
            return oid.to_text(content)
        except (ValueError, IndexError):
            return None
    if tag in _NULL_TAGS:
        return None
    number = ber.integer_value(tag, content)
    if number is not None:
        return number
    if tag == ber.OPAQUE:
        return ber.opaque_float(content)
    return content


def decode_rows(octets: bytes, skip: int) -> dict[Index, Value]:
    """The rows of a column, given its encoded varbinds and the length of its OID."""
    return run_steps(decode_steps(octets, skip))


def decode_steps(octets: bytes, skip: int) -> Steps[dict[Index, Value]]:
    """``decode_rows`` in steps."""
    rows: dict[Index, Value] = {}
    for number, piece in enumerate(ber.pieces(octets, _PIECE)):
        if number:
            yield
        index, values = ber.values(piece, skip)
        for suffix, (tag, content) in zip(ber.suffixes(index), values, strict=True):
            value = decode_value(tag, content)
            if value is not None:
                rows[oid.decode_subids(suffix)] = value
    return rows
