"""Makes a plan that omits label columns which need not be read this time, and the plan that reads them after all.

Only columns that serve as nothing but labels (``Plan.label_columns``) are omitted, and only if an earlier poll read
them. A walk of nothing else is left out. Within a larger walk a column is skipped where that saves packets: the walk
stops before it and starts again after it, which costs half a packet.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from promsnmp.exposition.plan import ModulePlan, Plan
from promsnmp.snmp import oid
from promsnmp.snmp.operations.walk import Subtree

RESPONSE_OCTETS = 1400
"""Octets of varbinds in a full response, about: agents keep to the size of an Ethernet frame."""
RESTART_COST = 0.5
"""Additional packets of a walk that stops and starts again."""


@dataclass(frozen=True, slots=True)
class ColumnSize:
    """How large a column was when it was read last."""

    rows: int
    octets: int

    def packets(self, batch_size: int) -> float:
        """Packets that it takes to read the column with at most ``batch_size`` rows in each."""
        return max(self.rows / max(batch_size, 1), self.octets / RESPONSE_OCTETS)


@dataclass(frozen=True, slots=True)
class PartialPlan:
    """The rest of a plan, the columns (positions in ``Plan.columns``) that it omits, and the packets that it saves."""

    plan: Plan
    omitted: frozenset[int]
    packets: float


def make_partial_plan(plan: Plan, sizes: Mapping[int, ColumnSize], *, batch_size: int = 0) -> PartialPlan:
    """``plan`` without as many as possible of the columns that have ``sizes``.

    Objects that are read by GET stay. ``batch_size`` is the largest number of rows that the agent returns in one
    response; 0: as many as requested.
    """
    fetched = [at for at in sizes if any(one.startswith(plan.columns[at]) for one in plan.gets)]
    sizes = {at: size for at, size in sizes.items() if at not in fetched}
    trees: list[Subtree] = []
    omitted, packets = set(sizes), 0.0
    for tree in plan.subtrees:
        limit = min(tree.max_repetitions, batch_size or tree.max_repetitions)
        part = _partial_walk(plan, tree, sizes, limit)
        if part is None:
            omitted_here = _columns_in(plan, tree)
            packets += max(1.0, sum(sizes[at].packets(limit) for at in omitted_here))
        else:
            trees.append(part)
            omitted -= _not_skipped(plan, part, sizes)
            omitted_here = [at for at in _columns_in(plan, tree) if at in omitted]
            packets += sum(sizes[at].packets(limit) for at in omitted_here) - RESTART_COST * max(len(part.gaps) - 1, 0)
    walked_roots = {tree.root for tree in trees}
    modules = tuple(
        replace(one, roots=tuple(root for root in one.roots if root in walked_roots)) for one in plan.modules
    )
    return PartialPlan(replace(plan, modules=modules, subtrees=tuple(trees)), frozenset(omitted), packets)


def plan_for_columns(plan: Plan, columns: Collection[int]) -> Plan:
    """The part of ``plan`` that reads these columns and nothing else."""
    trees: dict[bytes, Subtree] = {}
    roots: dict[bytes, list[bytes]] = {}
    requested = [plan.columns[at] for at in columns]
    for tree in plan.subtrees:
        columns_in_tree = (
            [tree.root] if _is_within(tree.root, requested) else [one for one in requested if one.startswith(tree.root)]
        )
        roots[tree.root] = columns_in_tree
        trees.update({root: replace(tree, root=root) for root in columns_in_tree})
    modules = tuple(
        replace(one, roots=tuple(inner for root in one.roots for inner in roots.get(root, ()))) for one in plan.modules
    )
    return replace(plan, modules=modules, subtrees=tuple(trees.values()), gets=())


def merged_plan(first: Plan, second: Plan) -> Plan:
    """The union of ``first`` and ``second``, parts of one plan."""

    def both(one: ModulePlan, other: ModulePlan) -> ModulePlan:
        return replace(one, roots=(*one.roots, *other.roots))

    modules = tuple(both(*pair) for pair in zip(first.modules, second.modules, strict=True))
    return replace(first, modules=modules, subtrees=(*first.subtrees, *second.subtrees))


def edge_columns(plan: Plan) -> frozenset[int]:
    """The columns that are first or last in their walk, so that omitting them does not interrupt it."""
    walks = [_columns_in(plan, tree) for tree in plan.subtrees]
    return frozenset(at for columns in walks if columns for at in (columns[0], columns[-1]))


def _is_within(name: bytes, columns: Sequence[bytes]) -> bool:
    return any(name.startswith(one) for one in columns)


def _columns_in(plan: Plan, tree: Subtree) -> list[int]:
    """The columns that a walk reads, in MIB order."""
    columns = [at for at, column in enumerate(plan.columns) if column.startswith(tree.root)]
    return sorted(columns, key=lambda at: oid.decode_subids(plan.columns[at]))


def _partial_walk(plan: Plan, tree: Subtree, sizes: Mapping[int, ColumnSize], batch_size: int) -> Subtree | None:
    """The rest of a walk; None when nothing is left."""
    columns_in_tree = _columns_in(plan, tree)
    if _is_within(tree.root, [plan.columns[at] for at in sizes]) or (
        columns_in_tree and all(at in sizes for at in columns_in_tree)
    ):
        return None
    return replace(tree, gaps=tuple(_gaps(plan, tree, columns_in_tree, sizes, batch_size))) if tree.ordered else tree


def _gaps(
    plan: Plan, tree: Subtree, columns_in_tree: Sequence[int], sizes: Mapping[int, ColumnSize], batch_size: int
) -> Iterator[tuple[bytes, bytes]]:
    """Runs of adjacent columns to skip, where that saves packets: at either end of the walk it always does."""
    runs = [(is_omitted, list(run)) for is_omitted, run in groupby(columns_in_tree, key=lambda at: at in sizes)]
    for number, (is_omitted, run) in enumerate(runs):
        is_first, is_last = number == 0, number == len(runs) - 1
        if is_omitted and (is_first or is_last or sum(sizes[at].packets(batch_size) for at in run) > RESTART_COST):
            after = b"" if is_last else plan.columns[runs[number + 1][1][0]]
            yield (tree.root if is_first else plan.columns[run[0]]), after


def _not_skipped(plan: Plan, tree: Subtree, sizes: Mapping[int, ColumnSize]) -> set[int]:
    """The columns that a walk could omit but reads, because no gap contains them."""
    columns_in_tree = [at for at in _columns_in(plan, tree) if at in sizes]
    return {at for at in columns_in_tree if not any(_in_gap(plan.columns[at], gap) for gap in tree.gaps)}


def _in_gap(column: bytes, gap: tuple[bytes, bytes]) -> bool:
    start, after = map(oid.decode_subids, gap)
    return start <= oid.decode_subids(column) and (not after or oid.decode_subids(column) < after)
