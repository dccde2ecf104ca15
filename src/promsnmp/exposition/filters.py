"""Applies the ``filters`` of a module: they choose the rows to ask for by the values of another column.

The rules are those of snmp_exporter's main branch: several filters on one target must all let a row through, targets
are compared with ``walk`` as a whole and with ``get`` as text. A row is its whole index, of several parts where the
table has them; snmp_exporter takes the last sub-identifier, and so finds no rows of such tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from promsnmp.exposition import values
from promsnmp.modules import regex
from promsnmp.modules.model import Filter, Module
from promsnmp.modules.types import MetricType
from promsnmp.snmp import ber, oid


@dataclass(frozen=True, slots=True)
class FilteredOids:
    """What a module asks for after its filters: OIDs to walk and objects to get."""

    walk: tuple[str, ...]
    get: tuple[str, ...]


def filtered_oids(module: Module, columns: Mapping[bytes, bytes], *, encoding: str = "") -> FilteredOids:
    """What ``module`` asks for, given the varbinds under each filter's OID (content octets).

    ``encoding`` is that of the device's texts, as for ``values.text_of``. A filter whose OID is not in ``columns``,
    because it could not be walked, changes nothing.
    """
    rows_of: dict[str, list[str]] = {}
    for row_filter in module.filters:
        column = columns.get(oid.encode(row_filter.oid))
        if column is None:
            continue
        rows = matching_rows(row_filter, column, encoding=encoding)
        for target in row_filter.targets:
            allowed = set(rows)
            rows_of[target] = [row for row in rows_of.get(target, rows) if row in allowed]
    walk = tuple(root for root in module.walk if root not in rows_of)
    get = [name for name in module.get if not name.startswith(tuple(rows_of))]
    get += [f"{target}.{row}" for target, rows in rows_of.items() for row in rows]
    return FilteredOids(walk, tuple(dict.fromkeys(get)))


def matching_rows(row_filter: Filter, column: bytes, *, encoding: str = "") -> list[str]:
    """The indexes, as dotted text, of the rows whose value, as text, matches one of the filter's expressions.

    A filter may name a single object: then the index is its last sub-identifier.
    """
    patterns = [regex.compile_regex(value) for value in row_filter.values]
    root = oid.encode(row_filter.oid)
    index, row_values = ber.values(column, len(root))
    rows = []
    for suffix, (tag, content) in zip(ber.suffixes(index), row_values, strict=True):
        text = values.text_of(tag, content, MetricType.DISPLAY_STRING, encoding=encoding)
        if any(pattern.search(text) for pattern in patterns):
            subids = oid.decode_subids(suffix) or oid.decode_subids(root)[-1:]
            rows.append(".".join(map(str, subids)))
    return rows
