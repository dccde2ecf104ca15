"""Links MIB modules into one tree: types, rows and their indexes; what cannot be linked is reported.

Names are resolved by ``names.py``. An object that lacks something stays in the tree with the reason.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from promsnmp.modules.mibs.base import OIDS, SMI_TYPES, TYPES
from promsnmp.modules.mibs.definitions import (
    MAX_PROBLEMS,
    ROW,
    TABLE,
    Definition,
    MibModule,
    MibProblem,
    Syntax,
)
from promsnmp.modules.mibs.grammar import MACROS
from promsnmp.modules.mibs.names import Names, UnresolvedOid
from promsnmp.modules.mibs.tree import IndexPart, LoadedMibs, MibNode, MibNotification, MibTree, ObjectType, Oid

_SMI_V1 = frozenset({"RFC1155-SMI", "RFC1065-SMI", "RFC-1212", "RFC1213-MIB", "RFC1158-MIB"})
_DRAFTS = frozenset({"RFC1156-MIB", "RFC1158-MIB"})
_NOT_MISSED = MACROS | {"TEXTUAL-CONVENTION"}
_MAX_DEPTH = 64
"""Maximum depth of conventions of conventions, and of rows that augment rows."""


def link(modules: Iterable[MibModule], problems: Iterable[MibProblem] = ()) -> LoadedMibs:
    """Links ``modules``; ``problems`` are those from parsing. The first of two modules with one name counts."""
    linker = _Linker(modules)
    nodes = linker.nodes()
    notifications = linker.notifications()
    all_problems = _ordered([*problems, *linker.missing_modules(), *linker.problems])
    return LoadedMibs(MibTree(nodes, linker.others), all_problems, notifications)


def _ordered(problems: Iterable[MibProblem]) -> tuple[MibProblem, ...]:
    """Every problem once, by file and line, and of each file not more than anybody reads."""
    ordered, counts = list[MibProblem](), Counter[str]()
    for problem in sorted(dict.fromkeys(problems), key=lambda one: (one.path, one.line)):
        counts[problem.path] += 1
        if counts[problem.path] <= 2 * MAX_PROBLEMS or problem.lost:
            ordered.append(problem)
    ordered += [
        MibProblem(path, 0, f"{count - 2 * MAX_PROBLEMS} more problems in this file")
        for path, count in counts.items()
        if count > 2 * MAX_PROBLEMS
    ]
    return tuple(ordered)


@dataclass(frozen=True, slots=True)
class _Row:
    """The indexes that all columns of a row share, or why it has none."""

    indexes: tuple[IndexPart, ...] = ()
    broken: str = ""


class _Undefined(Exception):
    """A type or an index that cannot be used; the message says why."""


class _Linker:
    def __init__(self, modules: Iterable[MibModule]) -> None:
        self._names = Names(modules)
        self._modules = self._names.modules
        self.problems = list(self._names.duplicates)
        self.others: list[MibNode] = []
        """Additional names of OIDs."""
        self._rows: set[Oid] = set()
        self._types: dict[tuple[str, str], ObjectType | str] = {}
        self._indexes: dict[tuple[str, str], tuple[IndexPart, ...]] = {}
        self._unresolved: dict[tuple[str, str, str], tuple[int, int]] = {}
        """Module, undefined name and what is wrong with it: the first line that needs it, and how many need it."""

    def missing_modules(self) -> Iterator[MibProblem]:
        """Imports from missing modules, except for symbols that are built in."""
        for module in self._modules.values():
            missing_imports: dict[tuple[str, int], list[str]] = defaultdict(list)
            for item in module.imports:
                known = item.symbol in OIDS or item.symbol in TYPES or item.symbol in SMI_TYPES
                if item.module not in self._modules and not known and item.symbol not in _NOT_MISSED:
                    missing_imports[item.module, item.line].append(item.symbol)
            for (name, line), symbols in missing_imports.items():
                text = f"imports {_shortened_list(symbols)} from {name}, which is in no folder: add its file"
                yield MibProblem(module.path, line, text)

    def nodes(self) -> dict[Oid, MibNode]:
        """Every node by its OID."""
        nodes = {oid: MibNode(name, "SNMPv2-SMI", oid) for name, oid in OIDS.items()}
        for module in sorted(self._modules.values(), key=_rank):
            for definition in module.definitions:
                if oid := self._oid(definition, module):
                    self._add(self._node(definition, module, oid), definition.line, nodes)
        for name, module_name, oid in self._names.inner_names():
            nodes.setdefault(oid, MibNode(name, module_name, oid))
        for (module_name, name, what), (line, count) in self._unresolved.items():
            text = f"{name} {what}; {count} name{'s' if count > 1 else ''} under it left out"
            self.problems.append(MibProblem(self._modules[module_name].path, line, text))
        return self._with_columns(nodes)

    def notifications(self) -> tuple[MibNotification, ...]:
        """Every notification, SMIv2 before SMIv1, whose OID can be made."""
        found: dict[Oid, MibNotification] = {}
        for module in sorted(self._modules.values(), key=_rank):
            for definition in (*module.definitions, *module.traps):
                if definition.objects is None or not (oid := self._oid(definition, module)):
                    continue
                objects = filter(None, (self._named_oid(name, module.name) for name in definition.objects))
                found.setdefault(oid, MibNotification(definition.name, module.name, oid, tuple(objects)))
        return tuple(found[oid] for oid in sorted(found))

    def _named_oid(self, name: str, module: str) -> Oid:
        """The OID of a name; empty when it has none."""
        resolved = self._names.definition(name, module)
        try:
            return self._names.oid(resolved[1], resolved[0]) if resolved else ()
        except UnresolvedOid:
            return ()

    def _oid(self, definition: Definition, module: MibModule) -> Oid:
        try:
            return self._names.oid(definition, module.name)
        except UnresolvedOid as problem:
            key = (module.name, problem.name, problem.what)
            line, count = self._unresolved.get(key, (definition.line, 0))
            self._unresolved[key] = (line, count + 1)
            return ()

    def _add(self, node: MibNode, line: int, nodes: dict[Oid, MibNode]) -> None:
        existing = nodes.get(node.oid)
        self._compare(node, existing, line)
        if existing is None or not existing.place or (existing.type is None and node.type is not None):
            nodes[node.oid], node = node, existing or node
        if node.place and node is not nodes[node.oid]:
            self.others.append(node)

    def _compare(self, node: MibNode, existing: MibNode | None, line: int) -> None:
        """Reports that one module gives an OID to two objects; different modules may."""
        if existing is None or existing.module != node.module or None in (existing.type, node.type):
            return
        text = f"{node.name} has the OID of {existing.name} ({existing.place}) and is left out"
        self.problems.append(MibProblem(self._modules[node.module].path, line, text))

    def _with_columns(self, nodes: dict[Oid, MibNode]) -> dict[Oid, MibNode]:
        """Sets the indexes of each row on its columns, or the reason why it has none."""
        rows = {(node.module, node.oid): node for node in self.others if node.indexes or node.broken}
        for oid, node in nodes.items():
            nodes[oid] = self._column(node, nodes.get(oid[:-1]))
        self.others = [self._column(one, rows.get((one.module, one.oid[:-1])) or nodes.get(one.oid[:-1]))
                       for one in self.others]  # fmt: skip
        return nodes

    def _column(self, node: MibNode, row: MibNode | None) -> MibNode:
        """``node`` with the indexes of ``row``, if that is one."""
        if row is None or row.type is not None or not (row.indexes or (row.broken and row.oid in self._rows)):
            return node
        return replace(node, indexes=row.indexes, broken=node.broken or row.broken)

    # ------------------------------------------------------------------------------------------------------- types

    def _type(self, syntax: Syntax, module: str) -> ObjectType:
        """The type of ``syntax`` in ``module``. Raises _Undefined with the name of the type that is the cause."""
        if kind := SMI_TYPES.get(syntax.name):
            return ObjectType(kind, (), "", syntax.fixed_size, syntax.enums)
        key = (module, syntax.name)
        if key not in self._types:
            self._types[key] = self._named_type(syntax.name, module)
        named = self._types[key]
        if isinstance(named, str):
            raise _Undefined(named)
        if syntax.enums:
            named = replace(named, enums=syntax.enums, enums_depth=0)
        return replace(named, fixed_size=syntax.fixed_size or named.fixed_size)

    def _named_type(self, name: str, module: str) -> ObjectType | str:
        """The type that a name means; the name that is the cause if it is not defined, or in terms of itself."""
        chain, size, hint, hint_depth, enums_depth = list[str](), 0, "", 0, 0
        enums: tuple[tuple[int, str], ...] = ()
        while (kind := SMI_TYPES.get(name)) is None:
            resolved = self._names.type(name, module)
            if resolved is None or len(chain) > _MAX_DEPTH:
                return name
            chain.append(name)
            module, definition = resolved
            if definition.hint and not hint:
                hint, hint_depth = definition.hint, len(chain) - 1
            if definition.syntax.enums and not enums:
                enums, enums_depth = definition.syntax.enums, len(chain) - 1
            size, name = size or definition.syntax.fixed_size, definition.syntax.name
        return ObjectType(kind, tuple(chain), hint, size, enums, hint_depth, enums_depth)

    def _node(self, definition: Definition, module: MibModule, oid: Oid) -> MibNode:
        place = f"{module.path}:{definition.line}"
        node = MibNode(definition.name, module.name, oid, place, None, definition.access, definition.description)
        if definition.indexes or definition.augments or definition.unreadable_index:
            self._rows.add(oid)
            row = self._row(definition, module)
            return replace(node, indexes=row.indexes, broken=row.broken)
        syntax = definition.syntax
        if syntax is None or syntax.name == TABLE:
            return replace(node, broken=definition.unreadable)
        resolved = self._names.type(syntax.name, module.name)
        if syntax.name == ROW or (resolved is not None and resolved[1].syntax.name == ROW):
            return node
        try:
            return replace(node, type=self._type(syntax, module.name))
        except _Undefined as undefined:
            reason = f"type {undefined} is not defined"
            self.problems.append(MibProblem(module.path, definition.line, f"{definition.name}: {reason}"))
            return replace(node, broken=reason)

    # ----------------------------------------------------------------------------------------------------- indexes

    def _row(self, definition: Definition, module: MibModule) -> _Row:
        try:
            row, place = self._augmented(definition, module)
            if row.unreadable_index:
                return _Row(broken=row.unreadable_index)
            key = (place, row.name)
            if key not in self._indexes:
                self._indexes[key] = tuple(self._index(row, name, implied, place) for name, implied in row.indexes)
            return _Row(self._indexes[key])
        except _Undefined as undefined:
            self.problems.append(MibProblem(module.path, definition.line, f"{definition.name}: {undefined}"))
            return _Row(broken=str(undefined))

    def _augmented(self, row: Definition, module: MibModule) -> tuple[Definition, str]:
        """The row whose indexes ``row`` has, and its module: itself, or the one that it augments."""
        place = module.name
        for _ in range(_MAX_DEPTH):
            if not row.augments:
                return row, place
            resolved = self._names.definition(row.augments, place)
            if resolved is None:
                break
            place, row = resolved
        raise _Undefined(f"{row.augments}, which it augments, is not defined")

    def _index(self, row: Definition, name: str, implied: bool, module: str) -> IndexPart:
        if name in SMI_TYPES:  # SMIv1 (RFC 1212 section 4.1.6): an index without an object
            return IndexPart(row.name, (), ObjectType(SMI_TYPES[name]), implied)
        resolved = self._names.definition(name, module)
        if resolved is None or (resolved[1].syntax is None and not resolved[1].unreadable):
            raise _Undefined(f"index {name} is not defined")
        place, definition = resolved
        if definition.syntax is None:
            raise _Undefined(f"index {name} has no type: {definition.unreadable}")
        try:
            kind = self._type(definition.syntax, place)
        except _Undefined as undefined:
            raise _Undefined(f"index {name} is of type {undefined}, which is not defined") from None
        try:
            return IndexPart(name, self._names.oid(definition, place), kind, implied)
        except UnresolvedOid:
            return IndexPart(name, (), kind, implied)


def _rank(module: MibModule) -> tuple[bool, bool, str]:
    """Sort key: SMIv2 before SMIv1, and MIB-II before its drafts, so that the newer of two definitions counts."""
    is_v1 = module.name in _SMI_V1 or any(item.module in _SMI_V1 for item in module.imports)
    return is_v1, module.name in _DRAFTS, module.name


def _shortened_list(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= 4 else f"{', '.join(names[:3])} and {len(names) - 3} more"
