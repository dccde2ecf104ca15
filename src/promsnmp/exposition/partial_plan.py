"""A plan without columns that need not be read this time, and the plan that reads them after all.

What is left out is what serves for labels only (``Plan.label_columns``) and is kept from an earlier poll. A walk that
holds nothing else is not made. Within a larger walk a column is passed over where that saves packets: the walk is
broken off there and begun again behind it, which costs half a packet.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from promsnmp.exposition.plan import ModulePlan, Plan
from promsnmp.snmp import oid
from promsnmp.snmp.operations.walk import Subtree

RESPONSE_OCTETS = 1400
"""Octets of varbinds that an answer holds, about: agents keep to the size of an Ethernet frame."""
RESTART_COST = 0.5
"""Packets that a walk takes more when it is broken off and begun again."""


@dataclass(frozen=True, slots=True)
class ColumnSize:
    """How large a column was when it was read last."""

    rows: int
    octets: int

    def packets(self, batch_size: int) -> float:
        """Packets that it takes to read it when there are at most ``batch_size`` rows in one."""
        return max(self.rows / max(batch_size, 1), self.octets / RESPONSE_OCTETS)


@dataclass(frozen=True, slots=True)
class PartialPlan:
    """What is left of a plan, the columns (positions in ``Plan.columns``) that it leaves out, and what that saves."""

    plan: Plan
    omitted: frozenset[int]
    packets: float


def make_partial_plan(plan: Plan, sizes: Mapping[int, ColumnSize], *, batch_size: int = 0) -> PartialPlan:
    """``plan`` without as many as possible of the columns that have ``sizes``.

    What is fetched object by object stays. ``batch_size`` is the largest number of rows that the agent gives in one
    answer; 0: whatever it is asked for.
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
    """The part of ``plan`` that reads some of its columns, and nothing else."""
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
    """What ``first`` and ``second``, parts of one plan, ask for together."""

    def both(one: ModulePlan, other: ModulePlan) -> ModulePlan:
        return replace(one, roots=(*one.roots, *other.roots))

    modules = tuple(both(*pair) for pair in zip(first.modules, second.modules, strict=True))
    return replace(first, modules=modules, subtrees=(*first.subtrees, *second.subtrees))


def _is_within(name: bytes, columns: Sequence[bytes]) -> bool:
    return any(name.startswith(one) for one in columns)


def _columns_in(plan: Plan, tree: Subtree) -> list[int]:
    """The columns that a walk brings, in their order in the MIB."""
    columns = [at for at, column in enumerate(plan.columns) if column.startswith(tree.root)]
    return sorted(columns, key=lambda at: oid.decode_subids(plan.columns[at]))


def _partial_walk(plan: Plan, tree: Subtree, sizes: Mapping[int, ColumnSize], batch_size: int) -> Subtree | None:
    """What is left of a walk; None when nothing is."""
    columns_in_tree = _columns_in(plan, tree)
    if _is_within(tree.root, [plan.columns[at] for at in sizes]) or (
        columns_in_tree and all(at in sizes for at in columns_in_tree)
    ):
        return None
    return replace(tree, gaps=tuple(_gaps(plan, tree, columns_in_tree, sizes, batch_size))) if tree.ordered else tree


def _gaps(
    plan: Plan, tree: Subtree, columns_in_tree: Sequence[int], sizes: Mapping[int, ColumnSize], batch_size: int
) -> Iterator[tuple[bytes, bytes]]:
    """Columns side by side that may be left out, where it is worth it: at either end of the walk it always is."""
    runs = [(is_omitted, list(run)) for is_omitted, run in groupby(columns_in_tree, key=lambda at: at in sizes)]
    for number, (is_omitted, run) in enumerate(runs):
        is_first, is_last = number == 0, number == len(runs) - 1
        if is_omitted and (is_first or is_last or sum(sizes[at].packets(batch_size) for at in run) > RESTART_COST):
            after = b"" if is_last else plan.columns[runs[number + 1][1][0]]
            yield (tree.root if is_first else plan.columns[run[0]]), after


def _not_skipped(plan: Plan, tree: Subtree, sizes: Mapping[int, ColumnSize]) -> set[int]:
    """The columns that could have been left out of a walk, but are read because no gap has them."""
    columns_in_tree = [at for at in _columns_in(plan, tree) if at in sizes]
    return {at for at in columns_in_tree if not any(_in_gap(plan.columns[at], gap) for gap in tree.gaps)}


def _in_gap(column: bytes, gap: tuple[bytes, bytes]) -> bool:
    start, after = map(oid.decode_subids, gap)
    return start <= oid.decode_subids(column) and (not after or oid.decode_subids(column) < after)
