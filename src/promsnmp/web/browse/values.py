"""Varbinds as rows for people: names, indexes and values as the modules that are loaded know them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from promsnmp.exposition import values
from promsnmp.exposition.indexes import decode_index
from promsnmp.modules.model import Index
from promsnmp.modules.types import MetricType
from promsnmp.snmp import ber, oid
from promsnmp.snmp.varbind_text import duration, type_and_value
from promsnmp.web.browse.names import Column, Names, unit_of
from promsnmp.web.text import timestamp

_ENUMERATED = frozenset((MetricType.GAUGE, MetricType.ENUM_AS_INFO, MetricType.ENUM_AS_STATE_SET))


@dataclass(frozen=True, slots=True)
class ObjectRow:
    """One object: its OID, the name of its column (empty: unknown), its index, and its value."""

    oid: str
    name: str
    index: str
    value: str
    type: str
    unit: str


def object_rows(varbinds: Sequence[ber.VarBind], names: Names) -> Iterator[ObjectRow]:
    """The rows, in order."""
    for one in varbinds:
        key = names.column(one.oid)
        column = names.columns.get(key)
        rest = oid.decode_subids(one.oid[len(key) :]) if key else ()
        kind, _ = type_and_value(one)
        yield ObjectRow(
            oid.to_text(one.oid),
            column.name if column else "",
            index_text(rest, column.indexes) if column else "",
            value_text(one, column),
            kind,
            unit_of(column),
        )


def index_text(rest: Sequence[int], indexes: Sequence[Index]) -> str:
    """The index of a row: ``ifIndex 3``, or numbers where its parts are not known."""
    if not indexes:
        return ".".join(map(str, rest)) if tuple(rest) != (0,) else ""
    left, parts = tuple(rest), []
    for one in indexes:
        try:
            text, _, left = decode_index(
                left, one.type, fixed_size=one.fixed_size, implied=one.implied, enum=dict(one.enum_values)
            )
        except ValueError:
            return ".".join(map(str, rest))
        parts.append(f"{one.labelname} {text}")
    return ", ".join(parts)


def value_text(one: ber.VarBind, column: Column | None) -> str:
    """The value: enumerations by name, octets by their type, times as durations and dates."""
    plain = type_and_value(one)[1]
    number = ber.integer_value(one.tag, one.value)
    if one.tag == ber.TIME_TICKS and number is not None:
        return f"{duration(number)} ({number})"
    if column is None:
        return str(plain)
    if number is not None:
        name = dict(column.enum_values).get(number)
        if name is not None:
            return f"{name} ({number})"
        return (
            values.text_of(one.tag, one.value, column.type, column.display_hint) if column.display_hint else str(number)
        )
    if one.tag == ber.OCTET_STRING:
        return _octets_text(one.value, column) or str(plain)
    return str(plain)


def _octets_text(content: bytes, column: Column) -> str:
    match column.type:
        case MetricType.BITS:
            names = [name for bit, name in column.enum_values if values.bit_is_set(content, bit)]
            return f"{', '.join(names) or 'none'} ({values.hexadecimal(content)})"
        case MetricType.DATE_AND_TIME:
            at = values.date_and_time(content)
            return "" if at is None or not 0 < at < 32_503_680_000 else timestamp(at)
        case MetricType.INET_ADDRESS | MetricType.INET_ADDRESS_MISSING_SIZE:
            return values.address_text(content)
        case MetricType.OCTET_STRING if not column.display_hint:
            return ""
        case MetricType.LLDP_PORT_ID:
            return ""
        case _ if column.type in _ENUMERATED:
            return ""
        case _:
            return values.octets_text(content, column.type, column.display_hint)
