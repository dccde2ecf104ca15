"""A module for snmp.yml, made of the columns that a walk found: known ones as modules have them, others by their shape.

Without a MIB nothing says what an unknown column means, so its name is its OID, and its index are numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import yaml

from promsnmp.modules.generator.output import to_yaml
from promsnmp.modules.model import Index, Metric, Module
from promsnmp.modules.types import IndexType, MetricType
from promsnmp.snmp import ber, oid
from promsnmp.web.browse.names import Names

MOST_COLUMNS = 200
MOST_INDEXES = 8
"""Numbers in the index of an unknown column."""
_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]{0,62}")
_TYPES = {
    ber.COUNTER32: MetricType.COUNTER,
    ber.COUNTER64: MetricType.COUNTER,
    ber.OCTET_STRING: MetricType.OCTET_STRING,
    ber.IP_ADDRESS: MetricType.INET_ADDRESS_IPV4,
    ber.OBJECT_IDENTIFIER: MetricType.OCTET_STRING,
}


@dataclass(frozen=True, slots=True)
class WantedColumn:
    """A column: its OID, the tag of its values, how many numbers its indexes have (-1: different ones; 0: it is a
    scalar), and whether its octets are text."""

    oid: str
    tag: int
    index_size: int
    is_text: bool = False

    def __str__(self) -> str:
        return f"{self.oid} {self.tag} {self.index_size} {int(self.is_text)}"


def read_wanted(text: str) -> WantedColumn:
    """What ``str`` of a column made. Raises ValueError."""
    parts = text.split()
    if len(parts) != 4 or not all(part.lstrip("-").isdigit() and len(part) < 6 for part in parts[1:]):
        raise ValueError(f"{text[:80]!r} is not a column")
    oid.encode(parts[0])
    return WantedColumn(parts[0], int(parts[1]), int(parts[2]), parts[3] == "1")


def module_text(name: str, wanted: Iterable[WantedColumn], names: Names) -> str:
    """The file. Raises ValueError for a wrong name, or without columns; ModuleError when it would be too long."""
    columns = _checked(name, wanted)
    metrics = [_metric(one, names) for one in columns if one.index_size >= 0]
    walk = [one.oid for one in columns if one.index_size]
    get = [f"{one.oid}.0" for one in columns if not one.index_size]
    looked_up = [lookup.oid for metric in metrics for lookup in metric.lookups if lookup.oid]
    walk = _without_covered([*walk, *looked_up])
    left_out = [one.oid for one in columns if one.index_size < 0]
    comment = "".join(
        f"# {one}: its rows have indexes of different lengths, which only its MIB explains.\n" for one in left_out
    )
    return comment + to_yaml([Module(name, tuple(walk), tuple(get), tuple(metrics))])


def generator_text(name: str, wanted: Iterable[WantedColumn]) -> str:
    """A generator.yml for the same module, from which snmp_exporter's generator and ``promsnmp modules build`` make it
    with MIB files. Raises ValueError as ``module_text`` does."""
    made = yaml.safe_dump({"modules": {name: {"walk": mib_objects(name, wanted)}}}, sort_keys=False)
    return f"# promsnmp modules build --mibs FOLDER --generator generator.yml -o snmp.yml\n{made}"


def mib_objects(name: str, wanted: Iterable[WantedColumn]) -> list[str]:
    """The OIDs of which a module is built from MIB files. Raises ValueError as ``module_text`` does."""
    return list(dict.fromkeys(one.oid for one in _checked(name, wanted)))


def _checked(name: str, wanted: Iterable[WantedColumn]) -> Sequence[WantedColumn]:
    if not _NAME.fullmatch(name):
        raise ValueError("the name of a module has letters, digits and underscores, and begins with a letter")
    columns = list(wanted)[:MOST_COLUMNS]
    if not columns:
        raise ValueError("choose at least one column")
    return columns


def _metric(one: WantedColumn, names: Names) -> Metric:
    known = names.columns.get(oid.encode(one.oid))
    if known is not None and known.metric is not None:
        return known.metric
    kind = (known.type if known is not None else "") or _TYPES.get(one.tag, MetricType.GAUGE)
    if one.is_text and kind == MetricType.OCTET_STRING:
        kind = MetricType.DISPLAY_STRING
    name = known.name if known is not None else f"oid_{one.oid.replace('.', '_')}"
    indexes = tuple(Index(f"index{at + 1}", IndexType.GAUGE) for at in range(min(one.index_size, MOST_INDEXES)))
    return Metric(name, one.oid, kind, f"{name} - {one.oid}", indexes=indexes)


def _without_covered(oids: Sequence[str]) -> list[str]:
    """OIDs to walk, each once, without those below another one."""
    known = set(oids)
    kept = []
    for one in sorted(known, key=oid.parse):
        parts = one.split(".")
        if not any(".".join(parts[:size]) in known for size in range(1, len(parts))):
            kept.append(one)
    return kept
