"""``filters`` of a module: which rows are asked for, by the values of another column.

The rules are snmp_exporter's, odd ones included, so that the same file asks for the same rows: the last sub-identifier
is the row, targets are compared with ``walk`` as a whole and with ``get`` as text, and a later filter drops what an
earlier one chose of its targets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from promsnmp.exposition import values
from promsnmp.modules import regex
from promsnmp.modules.model import Filter, MetricType, Module
from promsnmp.snmp import ber, oid


@dataclass(frozen=True, slots=True)
class Asked:
    """What a module asks for once its filters are settled: OIDs to walk and objects to get."""

    walk: tuple[str, ...]
    get: tuple[str, ...]


def settle(module: Module, columns: Mapping[bytes, bytes]) -> Asked:
    """What ``module`` asks for, by the varbinds that were found under each filter's OID (content octets).

    A filter whose OID is not in ``columns``, because it could not be walked, changes nothing.
    """
    asked = Asked(module.walk, module.get)
    for one in module.filters:
        column = columns.get(oid.encode(one.oid))
        if column is not None:
            asked = _narrowed(asked, one, rows_that_match(one, column))
    return asked


def _narrowed(asked: Asked, one: Filter, rows: Sequence[str]) -> Asked:
    walk = tuple(root for root in asked.walk if root not in one.targets)
    get = [name for name in asked.get if not name.startswith(one.targets)]
    get += [f"{target}.{row}" for target in one.targets for row in rows]
    return Asked(walk, tuple(get))


def rows_that_match(one: Filter, column: bytes) -> list[str]:
    """The last sub-identifiers of the rows whose value, as text, one of the filter's expressions finds something in."""
    patterns = [regex.compiled(value) for value in one.values]
    index, found = ber.values(column, 0)
    rows = []
    for name, (tag, content) in zip(ber.suffixes(index), found, strict=True):
        text = values.text_of(tag, content, MetricType.DISPLAY_STRING)
        if any(pattern.search(text) for pattern in patterns):
            rows.append(str(oid.decode_subids(name)[-1]))
    return rows
