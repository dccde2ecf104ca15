"""A plan without columns that need not be read this time, and the plan that reads them after all.

What is left out is what serves for labels only (``Plan.labels``) and is kept from an earlier poll. A walk that holds
nothing else is not made. Within a larger walk a column is passed over where that saves packets: the walk is broken off
there and begun again behind it, which costs half a packet.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from promsnmp.exposition.plan import ModulePlan, Plan
from promsnmp.snmp import oid
from promsnmp.snmp.operations.walk import Subtree

MESSAGE = 1400
"""Octets of varbinds that an answer holds, about: agents keep to the size of an Ethernet frame."""
BREAK = 0.5
"""Packets that a walk takes more when it is broken off and begun again."""


@dataclass(frozen=True, slots=True)
class Size:
    """How large a column was when it was read last."""

    rows: int
    octets: int

    def packets(self, at_once: int) -> float:
        """Packets that it takes to read it when there are at most ``at_once`` rows in one."""
        return max(self.rows / max(at_once, 1), self.octets / MESSAGE)


@dataclass(frozen=True, slots=True)
class Lean:
    """What is left of a plan, the columns (positions in ``Plan.columns``) that it leaves out, and what that saves."""

    plan: Plan
    without: frozenset[int]
    packets: float


def lean(plan: Plan, sizes: Mapping[int, Size], *, at_once: int = 0) -> Lean:
    """``plan`` without as many as possible of the columns that have ``sizes``.

    What is fetched object by object stays. ``at_once`` is the largest number of rows that the agent gives in one
    answer; 0: whatever it is asked for.
    """
    fetched = [at for at in sizes if any(one.startswith(plan.columns[at]) for one in plan.gets)]
    sizes = {at: size for at, size in sizes.items() if at not in fetched}
    trees: list[Subtree] = []
    without, packets = set(sizes), 0.0
    for tree in plan.subtrees:
        limit = min(tree.max_repetitions, at_once or tree.max_repetitions)
        part = _part(plan, tree, sizes, limit)
        if part is None:
            gone = _inside(plan, tree)
            packets += max(1.0, sum(sizes[at].packets(limit) for at in gone))
        else:
            trees.append(part)
            without -= _crossed(plan, part, sizes)
            gone = [at for at in _inside(plan, tree) if at in without]
            packets += sum(sizes[at].packets(limit) for at in gone) - BREAK * max(len(part.gaps) - 1, 0)
    kept = {tree.root for tree in trees}
    modules = tuple(replace(one, roots=tuple(root for root in one.roots if root in kept)) for one in plan.modules)
    return Lean(replace(plan, modules=modules, subtrees=tuple(trees)), frozenset(without), packets)


def only(plan: Plan, columns: Collection[int]) -> Plan:
    """The part of ``plan`` that reads some of its columns, and nothing else."""
    trees: dict[bytes, Subtree] = {}
    roots: dict[bytes, list[bytes]] = {}
    wanted = [plan.columns[at] for at in columns]
    for tree in plan.subtrees:
        inside = [tree.root] if _lies_in(tree.root, wanted) else [one for one in wanted if one.startswith(tree.root)]
        roots[tree.root] = inside
        trees.update({root: replace(tree, root=root) for root in inside})
    modules = tuple(
        replace(one, roots=tuple(inner for root in one.roots for inner in roots.get(root, ()))) for one in plan.modules
    )
    return replace(plan, modules=modules, subtrees=tuple(trees.values()), gets=())


def joined(first: Plan, second: Plan) -> Plan:
    """What ``first`` and ``second``, parts of one plan, ask for together."""

    def both(one: ModulePlan, other: ModulePlan) -> ModulePlan:
        return replace(one, roots=(*one.roots, *other.roots))

    modules = tuple(both(*pair) for pair in zip(first.modules, second.modules, strict=True))
    return replace(first, modules=modules, subtrees=(*first.subtrees, *second.subtrees))


def _lies_in(name: bytes, columns: Sequence[bytes]) -> bool:
    return any(name.startswith(one) for one in columns)


def _inside(plan: Plan, tree: Subtree) -> list[int]:
    """The columns that a walk brings, in their order in the MIB."""
    found = [at for at, column in enumerate(plan.columns) if column.startswith(tree.root)]
    return sorted(found, key=lambda at: oid.decode_subids(plan.columns[at]))


def _part(plan: Plan, tree: Subtree, sizes: Mapping[int, Size], at_once: int) -> Subtree | None:
    """What is left of a walk; None when nothing is."""
    inside = _inside(plan, tree)
    if _lies_in(tree.root, [plan.columns[at] for at in sizes]) or (inside and all(at in sizes for at in inside)):
        return None
    return replace(tree, gaps=tuple(_gaps(plan, tree, inside, sizes, at_once))) if tree.ordered else tree


def _gaps(
    plan: Plan, tree: Subtree, inside: Sequence[int], sizes: Mapping[int, Size], at_once: int
) -> Iterator[tuple[bytes, bytes]]:
    """Columns side by side that may be left out, where it is worth it: at either end of the walk it always is."""
    runs = [(spared, list(some)) for spared, some in groupby(inside, key=lambda at: at in sizes)]
    for number, (spared, some) in enumerate(runs):
        is_first, is_last = number == 0, number == len(runs) - 1
        if spared and (is_first or is_last or sum(sizes[at].packets(at_once) for at in some) > BREAK):
            after = b"" if is_last else plan.columns[runs[number + 1][1][0]]
            yield (tree.root if is_first else plan.columns[some[0]]), after


def _crossed(plan: Plan, tree: Subtree, sizes: Mapping[int, Size]) -> set[int]:
    """The columns that could have been left out of a walk, but are read because no gap has them."""
    inside = [at for at in _inside(plan, tree) if at in sizes]
    return {at for at in inside if not any(_in_gap(plan.columns[at], gap) for gap in tree.gaps)}


def _in_gap(column: bytes, gap: tuple[bytes, bytes]) -> bool:
    start, after = map(oid.decode_subids, gap)
    return start <= oid.decode_subids(column) and (not after or oid.decode_subids(column) < after)
