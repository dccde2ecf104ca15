"""Collects the OIDs that a module reads: subtrees to walk and instances to get, without duplicates."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from promsnmp.modules.mibs.tree import MibNode, MibTree, Oid, dotted, parse_oid


@dataclass(frozen=True, slots=True)
class RequestedObject:
    """One object that the configuration names."""

    node_oid: Oid
    """The node; the objects at and under it are read."""
    instance: Oid | None
    """The instance to get; None: walk the whole subtree."""
    module: str = ""
    """The MIB module whose names count where an OID has several; empty: any."""


def find_object(name: str, tree: MibTree, *, usable: Callable[[MibNode], bool]) -> RequestedObject | None:
    """The object of ``name`` (an OID, ``name`` or ``MODULE::name``; the last two optionally with an instance).

    ``usable`` says whether a node can become a metric. Returns None when no MIB defines it.
    """
    oid, instance, module = parse_oid(name), parse_oid(""), ""
    if not oid:
        plain, _, rest = name.partition(".")
        instance = parse_oid(rest) if rest else ()
        node = tree.find(plain)
        if node is None or (rest and not instance):
            return None
        oid, module = node.oid, node.module
    return _object_at((*oid, *instance), tree, usable, module)


def _object_at(oid: Oid, tree: MibTree, usable: Callable[[MibNode], bool], module: str) -> RequestedObject | None:
    node = tree.nearest(oid)
    node = node and tree.at(node.oid, module)
    if node is not None and node.oid == oid:
        scalar = usable(node) and not node.indexes
        return RequestedObject(oid, (0,) if scalar else None, module)
    if node is not None and usable(node) and (node.indexes or oid[len(node.oid) :] == (0,)):
        return RequestedObject(node.oid, oid[len(node.oid) :], module)
    return RequestedObject(oid, None, module) if any(True for _ in tree.under(oid)) else None


class RequestedOids:
    """Collects subtrees and instances."""

    def __init__(self) -> None:
        self._walk: set[Oid] = set()
        self._get: set[Oid] = set()
        self._instances: dict[Oid, list[Oid]] = defaultdict(list)
        """The requested rows, by column."""

    def add(self, requested: RequestedObject) -> None:
        """Adds an object of the configuration."""
        if requested.instance is None:
            self._walk.add(requested.node_oid)
            return
        self._get.add(requested.node_oid + requested.instance)
        self._instances[requested.node_oid].append(requested.instance)

    def add_beside(self, column: Oid, other: Oid, *, same_rows: bool = True) -> None:
        """Adds the column ``other``, which ``column`` depends on: the same rows, or all."""
        if same_rows and not self._walked(column) and column in self._instances:
            self._get.update(other + instance for instance in self._instances[column])
        else:
            self._walk.add(other)

    def restrict_to_rows(self, column: Oid, indices: Iterable[str]) -> None:
        """Replaces the walk of a column by some of its rows."""
        self._walk.discard(column)
        self._get.update(column + parse_oid(index) for index in indices)

    def _walked(self, oid: Oid) -> bool:
        return any(oid[:end] in self._walk for end in range(1, len(oid) + 1))

    def minimal(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Subtrees to walk and instances to get, in the order of their OIDs."""
        walk = [oid for oid in sorted(self._walk) if not any(oid[:end] in self._walk for end in range(1, len(oid)))]
        get = [oid for oid in sorted(self._get) if not self._walked(oid)]
        return tuple(map(dotted, walk)), tuple(map(dotted, get))
