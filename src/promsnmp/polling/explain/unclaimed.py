"""Groups the objects that a device returned but no metric uses into columns. Pure: no I/O, no MIB.

Where a module knows an object, its column is known. For the rest the shape of the OIDs decides: a table is a node whose
only child, 1, is the row, and whose columns share indexes (RFC 2578 section 7.1.12); anything else is a scalar.
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
DEEPEST_TABLE = 24


@dataclass(frozen=True, slots=True)
class UnclaimedColumn:
    """A column or scalar that no metric and no look-up uses."""

    oid: str
    count: int
    example: ber.VarBind
    """Its first value."""
    known_as: tuple[tuple[str, str], ...]
    """(module, metric or label) pairs that would use it."""


KnownColumns = Mapping[bytes, list[tuple[str, str]]]


def known_columns(catalogue: Catalogue) -> KnownColumns:
    """The columns of all modules: OID (content octets) -> (module, metric or label) pairs."""
    found: defaultdict[bytes, list[tuple[str, str]]] = defaultdict(list)
    for module in catalogue.modules.values():
        for metric in module.metrics:
            if not metric.oid.startswith("."):
                found[oid.encode(metric.oid)].append((module.name, metric.name))
        lookups = {(one.oid, one.labelname) for metric in module.metrics for one in metric.lookups if one.labels}
        for column, label in sorted(lookups):
            found[oid.encode(column)].append((module.name, f"label {label}"))
    return found


def group_by_column(varbinds: Iterable[ber.VarBind], known: KnownColumns) -> tuple[UnclaimedColumn, ...]:
    """Unused varbinds by column, in the order in which they came."""
    unclaimed = list(varbinds)
    shape = _Shape(oid.decode(one.oid) for one in unclaimed if not _known_column(one.oid, known))
    found: dict[bytes, list[ber.VarBind]] = {}
    for one in unclaimed:
        column = _known_column(one.oid, known) or oid.encode(shape.column(oid.decode(one.oid)))
        found.setdefault(column, []).append(one)
    return tuple(
        UnclaimedColumn(oid.to_text(column), len(rows), rows[0], tuple(known.get(column, ())))
        for column, rows in found.items()
    )


def _known_column(name: bytes, known: KnownColumns) -> bytes:
    for size in range(len(name), 0, -1):
        if name[:size] in known:
            return name[:size]
    return b""


def _places(subids: SubIds) -> list[int]:
    """Positions that may be a table's entry: sub-identifier 1, followed by a column and an index."""
    return [at for at in range(SHALLOWEST_TABLE, min(len(subids) - 2, DEEPEST_TABLE)) if subids[at] == 1]


class _Shape:
    """Some OIDs, and where the tables in them seem to be."""

    def __init__(self, names: Iterable[SubIds]) -> None:
        self._rows: Counter[SubIds] = Counter()
        self._branched: set[SubIds] = set()
        columns: defaultdict[tuple[SubIds, SubIds], set[int]] = defaultdict(set)
        for subids in names:
            for at in range(SHALLOWEST_TABLE, min(len(subids), DEEPEST_TABLE)):
                if subids[at] != 1:
                    self._branched.add(subids[:at])
            for at in _places(subids):
                self._rows[subids[: at + 2]] += 1
                columns[subids[: at + 1], subids[at + 2 :]].add(subids[at + 1])
        alike: defaultdict[SubIds, set[int]] = defaultdict(set)
        for (entry, _), numbers in columns.items():
            if len(numbers) > 1:
                alike[entry] |= numbers
        self._alike = {entry: len(numbers) for entry, numbers in alike.items()}

    def column(self, subids: SubIds) -> SubIds:
        """The column of an OID: in the likeliest of its possible tables, which has rows and the most columns."""
        places = [at for at in _places(subids) if subids[:at] not in self._branched]
        if places:
            best = max(places, key=lambda at: self._likeness(subids, at))
            if self._likeness(subids, best) > (False, 0, False, best) or subids[-1]:
                return subids[: best + 2]
        return subids[:-1] if len(subids) > 2 else subids

    def _likeness(self, subids: SubIds, at: int) -> tuple[bool, int, bool, int]:
        alike, has_rows = self._alike.get(subids[: at + 1], 0), self._rows[subids[: at + 2]] > 1
        return alike > 0 and has_rows, alike, has_rows, at
