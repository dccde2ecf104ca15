"""The tree of all MIB modules: every object with its OID, its type down to the SMI, and its indexes.

Names are resolved by the imports of their module (RFC 2578 section 3.2). An object with an undefined type or index
stays in the tree with the reason; everything around it works.
"""

from __future__ import annotations

import bisect
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from promsnmp.modules.mibs.definitions import MibProblem
from promsnmp.snmp import oid as oids

Oid = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ObjectType:
    """The type of an object's values."""

    kind: str
    """INTEGER, COUNTER, OCTETS, OID, ADDRESS, OPAQUE or BITS."""
    conventions: tuple[str, ...] = ()
    """Its textual conventions, the nearest first."""
    hint: str = ""
    """DISPLAY-HINT of the nearest convention that has one (RFC 2579 section 3.1)."""
    fixed_size: int = 0
    enums: tuple[tuple[int, str], ...] = ()
    hint_depth: int = 0
    """The place of that convention among ``conventions``."""
    enums_depth: int = 0
    """The place of the convention that has ``enums``; 0, too, when the object itself has them."""


@dataclass(frozen=True, slots=True)
class IndexPart:
    """One part of the index of a table's rows."""

    label: str
    oid: Oid
    """The index object; empty for an SMIv1 index that is only a type."""
    type: ObjectType
    implied: bool = False


@dataclass(frozen=True, slots=True)
class MibNode:
    """A name in the tree."""

    name: str
    module: str
    oid: Oid
    place: str = ""
    """File and line."""
    type: ObjectType | None = None
    """None for nodes without values: groups, tables, rows."""
    access: str = ""
    description: str = ""
    indexes: tuple[IndexPart, ...] = ()
    """Of the row; also set on its columns."""
    broken: str = ""
    """Why it cannot become a metric; empty when it can."""


@dataclass(frozen=True, slots=True)
class MibNotification:
    """A notification (NOTIFICATION-TYPE), or a trap of SMIv1 (TRAP-TYPE) with its OID as a notification."""

    name: str
    module: str
    oid: Oid
    objects: tuple[Oid, ...] = ()
    """The objects that it carries, in their order; those that no MIB defines are left out."""


class MibTree:
    """Nodes by name and by OID; ``others`` are additional names of OIDs that already have a node."""

    def __init__(self, nodes: Mapping[Oid, MibNode], others: Sequence[MibNode] = ()) -> None:
        self._nodes = nodes
        self._others = {(node.module, node.oid): node for node in reversed(others)}
        self._renamed = sorted(
            (node for node in self._others.values() if nodes[node.oid].name != node.name), key=lambda one: one.oid
        )
        self._sorted = sorted(nodes)
        self._names: dict[str, list[MibNode]] = defaultdict(list)
        for node in sorted((*nodes.values(), *others), key=lambda one: one.oid):
            self._names[node.name].append(node)

    def __len__(self) -> int:
        return len(self._nodes)

    def at(self, oid: Oid, module: str = "") -> MibNode | None:
        """The node with this OID; of several, that of ``module``."""
        return self._others.get((module, oid)) or self._nodes.get(oid)

    def named(self, name: str) -> list[MibNode]:
        """The nodes called ``name`` or ``MODULE::name``, in the order of their OIDs (standard MIBs before vendors')."""
        module, _, plain = name.rpartition("::")
        return [node for node in self._names.get(plain, ()) if not module or node.module == module]

    def find(self, name: str) -> MibNode | None:
        """The node of an OID, ``name`` or ``MODULE::name``; of several, the one with the smallest OID."""
        if oid := parse_oid(name):
            return self.at(oid)
        return next(iter(self.named(name)), None)

    def under(self, oid: Oid, module: str = "") -> Iterator[MibNode]:
        """The node of ``oid`` and all below it, in the order of their OIDs; where an OID has several names, that of
        ``module``."""
        for at in range(bisect.bisect_left(self._sorted, oid), len(self._sorted)):
            if self._sorted[at][: len(oid)] != oid:
                return
            found = self._sorted[at]
            yield self._others.get((module, found)) or self._nodes[found]

    def renamed(self, oid: Oid) -> Iterator[MibNode]:
        """The nodes at and below ``oid`` that have other names than the nodes of their OIDs."""
        for at in range(bisect.bisect_left(self._renamed, oid, key=lambda one: one.oid), len(self._renamed)):
            if self._renamed[at].oid[: len(oid)] != oid:
                return
            yield self._renamed[at]

    def nearest(self, oid: Oid) -> MibNode | None:
        """The deepest node at or above ``oid``."""
        return next((self._nodes[oid[:end]] for end in range(len(oid), 0, -1) if oid[:end] in self._nodes), None)


@dataclass(frozen=True, slots=True)
class LoadedMibs:
    """The tree and the problems of loaded MIB folders."""

    tree: MibTree
    problems: Sequence[MibProblem] = ()
    """In the order of files and lines."""
    notifications: Sequence[MibNotification] = ()
    """In the order of their OIDs; the first of several with one OID."""


def parse_oid(text: str) -> Oid:
    """The OID of dotted ``text``; empty when the text is a name."""
    try:
        return oids.parse(text)
    except ValueError:
        return ()


def dotted(oid: Oid) -> str:
    """The OID as snmp.yml writes it."""
    return ".".join(map(str, oid))
