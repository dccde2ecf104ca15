"""What a device returned and nobody wanted, gathered into columns; pure, and without any MIB.

Modules that know an object tell its column. For the rest the shape has to do: a scalar ends in 0, and a table is a node
whose one child, 1, is the row, under which several columns have the same indexes (RFC 2578 section 7.1.12).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from promsnmp.modules.catalogue import Catalogue
from promsnmp.snmp import ber, oid

SubIds = tuple[int, ...]
SHALLOWEST_TABLE = 7
"""Sub-identifiers above the entry of a table, at least: 1.3.6.1.2.1.2.2.1 has 8 of them, some vendors' fewer."""
MAX_CANDIDATES = 16
"""Places in one OID that are tried as a table's entry."""


@dataclass(frozen=True, slots=True)
class Unclaimed:
    """A column, or a scalar, that no metric and no look-up wants."""

    oid: str
    count: int
    example: ber.VarBind
    """Its first value."""
    known_as: tuple[tuple[str, str], ...]
    """(module, metric) pairs that would take it."""


Known = Mapping[bytes, list[tuple[str, str]]]


def known_columns(catalogue: Catalogue) -> Known:
    """The columns of all modules: OID (content octets) -> (module, metric) pairs."""
    found: defaultdict[bytes, list[tuple[str, str]]] = defaultdict(list)
    for module in catalogue.modules.values():
        for metric in module.metrics:
            if not metric.oid.startswith("."):
                found[oid.encode(metric.oid)].append((module.name, metric.name))
    return found


def gather(varbinds: Iterable[ber.VarBind], known: Known) -> tuple[Unclaimed, ...]:
    """Unwanted varbinds by column, in the order in which they came."""
    left = list(varbinds)
    entries = _entries(oid.decode(one.oid) for one in left if not _known_column(one.oid, known))
    found: dict[bytes, list[ber.VarBind]] = {}
    for one in left:
        column = _known_column(one.oid, known) or oid.encode(_column(oid.decode(one.oid), entries))
        found.setdefault(column, []).append(one)
    return tuple(
        Unclaimed(oid.to_text(column), len(rows), rows[0], tuple(known.get(column, ())))
        for column, rows in found.items()
    )


def _known_column(name: bytes, known: Known) -> bytes:
    for size in range(len(name), 0, -1):
        if name[:size] in known:
            return name[:size]
    return b""


def _places(subids: SubIds) -> list[int]:
    """Where a table's entry, the sub-identifier 1, may stand: a column and an index follow it."""
    inside = range(SHALLOWEST_TABLE, len(subids) - 2)
    return [at for at in inside if subids[at] == 1][:MAX_CANDIDATES]


def _is_scalar(subids: SubIds) -> bool:
    return subids[-1] == 0


def _entries(names: Iterable[SubIds]) -> Counter[SubIds]:
    """How many columns under each possible entry have an index that another column there has too."""
    columns: defaultdict[tuple[SubIds, SubIds], set[int]] = defaultdict(set)
    for subids in names:
        for at in _places(subids):
            columns[subids[: at + 1], subids[at + 2 :]].add(subids[at + 1])
    alike: defaultdict[SubIds, set[int]] = defaultdict(set)
    for (entry, _), numbers in columns.items():
        if len(numbers) > 1:
            alike[entry] |= numbers
    return Counter({entry: len(numbers) for entry, numbers in alike.items()})


def _column(subids: SubIds, entries: Mapping[SubIds, int]) -> SubIds:
    places = _places(subids)
    best = max(places, key=lambda at: (entries.get(subids[: at + 1], 0), at), default=-1)
    if best >= 0 and (entries.get(subids[: best + 1]) or not _is_scalar(subids)):
        return subids[: best + 2]
    return subids[:-1] if len(subids) > 2 else subids
