"""Chooses the label columns that are read at every poll, so that no counter stands under the name of another row.

A device may give an index to another interface at any time, and few devices signal it. A column of names whose values
are all different reveals it: its content changes when two rows change places, and when a row gets another name. So
of the columns that share an index, one such column is read at every poll (the *key*), and while it is unchanged, the
others still belong to the same rows. Where no column tells its rows apart, all of them are read at every poll.

That is so for tables with counters, such as those of interfaces: a counter under a wrong name shows traffic that never
was. Tables of gauges alone (sensors) have no keys: reading their names each time would cost more than it is worth.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from promsnmp.exposition import values
from promsnmp.exposition.partial_plan import RESTART_COST, ColumnSize, edge_columns
from promsnmp.exposition.plan import MetricPlan, Plan
from promsnmp.modules.types import MetricType
from promsnmp.snmp import ber
from promsnmp.support.compression import pack, unpack
from promsnmp.support.steps import Steps

LabelGroup = frozenset[int]
"""Label columns (positions in ``Plan.columns``) that look-ups of one table find by the same index."""


@dataclass(frozen=True, slots=True)
class LabelColumn:
    """A label column as it was read last, compressed."""

    packed: bytes
    digest: int
    """The hash of its octets."""
    size: ColumnSize
    index: bytes
    """The OID suffixes of its rows, as ``ber.values`` gives them."""
    is_distinct: bool
    """Whether all of its values are different."""

    @classmethod
    def of(cls, octets: bytes, name: bytes) -> Steps[LabelColumn]:
        """The column ``name`` (an OID) with the content ``octets``."""
        indexes: list[bytes] = []
        distinct: set[tuple[int, bytes]] = set()
        count = 0
        for piece in ber.pieces(octets):
            index, rows = ber.values(piece, len(name))
            indexes.append(index)
            count += len(rows)
            distinct.update(rows)
            yield
        size = ColumnSize(count, len(octets))
        return cls(pack(octets), hash(octets), size, b"".join(indexes), len(distinct) == count)

    @property
    def octets(self) -> bytes:
        """The encoded varbinds."""
        return unpack(self.packed)

    def has(self, octets: bytes) -> bool:
        """Whether these are its encoded varbinds: by a hash of 64 bits, which strangers cannot guess."""
        return len(octets) == self.size.octets and hash(octets) == self.digest

    def covers(self, other: LabelColumn) -> bool:
        """Whether each row of ``other`` is a row here."""
        return other.index == self.index or set(ber.suffixes(other.index)) <= set(ber.suffixes(self.index))


class LabelKeys:
    """The groups of a plan's label columns, and the choice of a key for each."""

    def __init__(self, plan: Plan) -> None:
        metrics = [metric for module in plan.modules for metric in module.metrics]
        tables = {one.table: one for one in metrics if one.metric.type == MetricType.COUNTER}
        groups = (group for metric in tables.values() for group in _groups_of(metric, plan))
        self._groups: list[LabelGroup] = list(dict.fromkeys(filter(None, groups)))
        self._edges = edge_columns(plan)

    def choose(self, columns: Mapping[int, LabelColumn]) -> frozenset[int]:
        """The positions of the keys; ``columns`` are all label columns of the plan."""
        keys: set[int] = set()
        for group in self._groups:
            members = {at: columns[at] for at in group}
            candidates = [
                at for at, column in members.items() if column.is_distinct and all(map(column.covers, members.values()))
            ]
            if candidates:
                keys.add(min(candidates, key=lambda at: (at not in keys, self._savings(at, columns[at]), at)))
            else:
                keys |= group
        return frozenset(keys)

    def _savings(self, at: int, column: LabelColumn) -> float:
        """The packets that it would save to omit a column, about."""
        return max(0.0, column.size.packets(column.size.rows) - (0.0 if at in self._edges else RESTART_COST))


def _groups_of(metric: MetricPlan, plan: Plan) -> Iterable[LabelGroup]:
    groups: dict[tuple[str, ...], set[int]] = {}
    for lookup in metric.spec.lookups:
        if lookup.oid and lookup.labels:
            names = filter(None, (lookup.oid, values.type_column(lookup.type, lookup.oid)))
            groups.setdefault(lookup.labels, set()).update(plan.by_oid[name].at for name in names)
    return [frozenset(group & plan.label_columns.keys()) for group in groups.values()]
