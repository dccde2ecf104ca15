"""The tree that MIB modules make together: every object with its OID, its type down to the SMI, and its indexes.

Names mean what their module imports (RFC 2578 section 3.2). An object whose type or index nobody defines stays in the
tree and says why it is of no use; everything around it works.
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
    """What values an object has."""

    kind: str
    """INTEGER, COUNTER, OCTETS, OID, ADDRESS, OPAQUE or BITS."""
    conventions: tuple[str, ...] = ()
    """The textual conventions that it is made by, the nearest first."""
    hint: str = ""
    """DISPLAY-HINT of the nearest that has one (RFC 2579 section 3.1)."""
    fixed_size: int = 0
    enums: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class IndexPart:
    """One part of the index of a table's rows."""

    label: str
    oid: Oid
    """The object that the index is; empty for an index that SMIv1 gives by its type alone."""
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
    """None for what has no values: groups, tables, rows."""
    access: str = ""
    description: str = ""
    indexes: tuple[IndexPart, ...] = ()
    """Of rows and their columns."""
    broken: str = ""
    """Why no metric can be made of it."""


class MibTree:
    """Nodes by name and by OID; ``others`` are further names of OIDs that have a node already."""

    def __init__(self, nodes: Mapping[Oid, MibNode], others: Sequence[MibNode] = ()) -> None:
        self._nodes = nodes
        self._sorted = sorted(nodes)
        self._names: dict[str, list[MibNode]] = defaultdict(list)
        for node in sorted((*nodes.values(), *others), key=lambda one: one.oid):
            self._names[node.name].append(node)

    def __len__(self) -> int:
        return len(self._nodes)

    def at(self, oid: Oid) -> MibNode | None:
        """The node that has this OID."""
        return self._nodes.get(oid)

    def named(self, name: str) -> list[MibNode]:
        """The nodes called ``name`` or ``MODULE::name``, in the order of their OIDs (standard MIBs before vendors')."""
        module, _, plain = name.rpartition("::")
        return [node for node in self._names.get(plain, ()) if not module or node.module == module]

    def find(self, name: str) -> MibNode | None:
        """The node of an OID, of ``name`` or of ``MODULE::name``; of several the one with the smallest OID."""
        if oid := parse_oid(name):
            return self.at(oid)
        return next(iter(self.named(name)), None)

    def under(self, oid: Oid) -> Iterator[MibNode]:
        """The node of ``oid`` and all below it, in the order of their OIDs."""
        for at in range(bisect.bisect_left(self._sorted, oid), len(self._sorted)):
            if self._sorted[at][: len(oid)] != oid:
                return
            yield self._nodes[self._sorted[at]]

    def nearest(self, oid: Oid) -> MibNode | None:
        """The deepest node at or above ``oid``."""
        return next((self._nodes[oid[:end]] for end in range(len(oid), 0, -1) if oid[:end] in self._nodes), None)


@dataclass(frozen=True, slots=True)
class LoadedMibs:
    """What was read from folders of MIBs."""

    tree: MibTree
    problems: Sequence[MibProblem] = ()
    """In the order of files and lines."""


def parse_oid(text: str) -> Oid:
    """The OID of dotted ``text``, or an empty one when it is a name."""
    try:
        return oids.parse(text)
    except ValueError:
        return ()


def dotted(oid: Oid) -> str:
    """The OID as snmp.yml writes it."""
    return ".".join(map(str, oid))
