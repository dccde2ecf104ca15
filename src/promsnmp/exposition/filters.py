"""Applies the ``filters`` of a module: they choose the rows to ask for by the values of another column.

The rules are those of snmp_exporter, odd ones included, so that the same file reads the same rows: the last
sub-identifier is the row, targets are compared with ``walk`` as a whole and with ``get`` as text, and a later filter
drops what an earlier one chose of its targets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


def filtered_oids(module: Module, columns: Mapping[bytes, bytes]) -> FilteredOids:
    """What ``module`` asks for, given the varbinds under each filter's OID (content octets).

    A filter whose OID is not in ``columns``, because it could not be walked, changes nothing.
    """
    oids = FilteredOids(module.walk, module.get)
    for row_filter in module.filters:
        column = columns.get(oid.encode(row_filter.oid))
        if column is not None:
            oids = _apply_filter(oids, row_filter, matching_rows(row_filter, column))
    return oids


def _apply_filter(oids: FilteredOids, row_filter: Filter, rows: Sequence[str]) -> FilteredOids:
    walk = tuple(root for root in oids.walk if root not in row_filter.targets)
    get = [name for name in oids.get if not name.startswith(row_filter.targets)]
    get += [f"{target}.{row}" for target in row_filter.targets for row in rows]
    return FilteredOids(walk, tuple(get))


def matching_rows(row_filter: Filter, column: bytes) -> list[str]:
    """The last sub-identifiers of the rows whose value, as text, matches one of the filter's expressions."""
    patterns = [regex.compile_regex(value) for value in row_filter.values]
    index, row_values = ber.values(column, 0)
    rows = []
    for name, (tag, content) in zip(ber.suffixes(index), row_values, strict=True):
        text = values.text_of(tag, content, MetricType.DISPLAY_STRING)
        if any(pattern.search(text) for pattern in patterns):
            rows.append(str(oid.decode_subids(name)[-1]))
    return rows
