"""Links MIB modules into one tree: resolves names, and reports undefined ones.

A name is looked up as RFC 2578 section 3.2 says (the module, then its imports), then in the base of all MIBs
(``base.py``), then in every module: vendors forget imports, and move objects to other modules.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from promsnmp.modules.mibs.base import OIDS, SMI_TYPES, TYPES
from promsnmp.modules.mibs.definitions import (
    NO_NUMBER,
    ROW,
    TABLE,
    Definition,
    MibModule,
    MibProblem,
    Syntax,
    TypeDefinition,
)
from promsnmp.modules.mibs.tree import IndexPart, LoadedMibs, MibNode, MibTree, ObjectType, Oid

_SMI_V1 = frozenset({"RFC1155-SMI", "RFC1065-SMI", "RFC-1212", "RFC1213-MIB", "RFC1158-MIB"})
_MACROS = frozenset({
    "OBJECT-TYPE", "OBJECT-IDENTITY", "MODULE-IDENTITY", "NOTIFICATION-TYPE", "TRAP-TYPE", "TEXTUAL-CONVENTION",
    "OBJECT-GROUP", "NOTIFICATION-GROUP", "MODULE-COMPLIANCE", "AGENT-CAPABILITIES",
})  # fmt: skip
_MAX_DEPTH = 64
"""Maximum depth of conventions of conventions; a longer chain is circular."""

Found = TypeVar("Found")


def link(modules: Iterable[MibModule], problems: Iterable[MibProblem] = ()) -> LoadedMibs:
    """Links ``modules``; ``problems`` are those from parsing. The first of two modules with one name counts."""
    linker = _Linker(modules)
    nodes = linker.nodes()
    found = [*problems, *linker.missing_modules(), *linker.problems]
    return LoadedMibs(
        MibTree(nodes, linker.others), tuple(sorted(dict.fromkeys(found), key=lambda one: (one.path, one.line)))
    )


@dataclass(frozen=True, slots=True)
class _Row:
    """The indexes that all columns of a row share."""

    indexes: tuple[IndexPart, ...] = ()
    broken: str = ""


class _Undefined(Exception):
    """A name that no module defines."""


class _Linker:
    def __init__(self, modules: Iterable[MibModule]) -> None:
        self.problems: list[MibProblem] = []
        self.others: list[MibNode] = []
        """Additional names of OIDs."""
        self._modules: dict[str, MibModule] = {}
        for module in modules:
            if (first := self._modules.setdefault(module.name, module)) is not module:
                self.problems.append(
                    MibProblem(module.path, 0, f"{module.name} is left out: it is also in {first.path}")
                )
        self._imports = {
            name: {item.symbol: item.module for item in module.imports} for name, module in self._modules.items()
        }
        self._definitions = {
            name: {one.name: one for one in reversed(module.definitions)} for name, module in self._modules.items()
        }
        self._types = {name: {one.name: one for one in module.types} for name, module in self._modules.items()}
        self._definers: dict[str, list[str]] = defaultdict(list)
        for name in self._modules:
            for defined in (*self._types[name], *self._definitions[name]):
                self._definers[defined].append(name)
        self._oids: dict[tuple[str, str], Oid | None] = {}
        self._errors: dict[tuple[str, str], str] = {}
        self._unresolved: dict[tuple[str, str], tuple[int, int]] = {}
        """Module and undefined name: the first line that needs it, and how many names are lost."""

    def missing_modules(self) -> Iterator[MibProblem]:
        """Imports from missing modules, except for symbols that are built in."""
        for module in self._modules.values():
            missing_imports: dict[tuple[str, int], list[str]] = defaultdict(list)
            for item in module.imports:
                known = item.symbol in OIDS or item.symbol in TYPES or item.symbol in SMI_TYPES
                if item.module not in self._modules and not known and item.symbol not in _MACROS:
                    missing_imports[item.module, item.line].append(item.symbol)
            for (name, line), symbols in missing_imports.items():
                yield MibProblem(
                    module.path, line, f"imports {_shortened_list(symbols)} from {name}, which is in no folder"
                )

    def nodes(self) -> dict[Oid, MibNode]:
        """Every node by its OID."""
        nodes = {oid: MibNode(name, "SNMPv2-SMI", oid) for name, oid in OIDS.items()}
        for module in sorted(self._modules.values(), key=_rank):
            for definition in reversed(self._definitions[module.name].values()):  # in the order of the file
                if oid := self._oid(definition.name, module.name):
                    node, existing = self._node(definition, module, oid), nodes.get(oid)
                    self._compare(node, existing, definition.line)
                    if existing is None or not existing.place or (existing.type is None and node.type is not None):
                        nodes[oid], node = node, existing or node
                    if node.place and node is not nodes[oid]:
                        self.others.append(node)
        for (module_name, name), (line, count) in self._unresolved.items():
            what = "is defined in terms of itself" if name in self._definers else "is not defined"
            text = f"{name} {what}; {count} name{'s' if count > 1 else ''} under it left out"
            self.problems.append(MibProblem(self._modules[module_name].path, line, text))
        return self._with_columns(nodes)

    def _compare(self, node: MibNode, existing: MibNode | None, line: int) -> None:
        """Reports that one module gives an OID to two objects; different modules may."""
        if existing is None or existing.module != node.module or None in (existing.type, node.type):
            return
        text = f"{node.name} has the OID of {existing.name} ({existing.place}) and is left out"
        self.problems.append(MibProblem(self._modules[node.module].path, line, text))

    def _with_columns(self, nodes: dict[Oid, MibNode]) -> dict[Oid, MibNode]:
        """Sets the indexes of each row on its columns, or the reason why it has none."""
        for oid, node in nodes.items():
            row = nodes.get(oid[:-1])
            if row is None or row.type is not None or not (row.indexes or row.broken):
                continue
            nodes[oid] = replace(node, indexes=row.indexes, broken=node.broken or row.broken)
        return nodes

    # ------------------------------------------------------------------------------------------------------- names

    def _scope(self, name: str, module: str, tables: dict[str, dict[str, Found]]) -> tuple[str, Found] | None:
        """The module that ``name`` in ``module`` refers to, and its definition."""
        return self._among((module, self._imports.get(module, {}).get(name, "")), name, tables)

    def _search_all(self, name: str, tables: dict[str, dict[str, Found]]) -> tuple[str, Found] | None:
        return self._among(self._definers.get(name, ()), name, tables)

    def _among(self, places: Sequence[str], name: str, tables: dict[str, dict[str, Found]]) -> tuple[str, Found] | None:
        return next(((place, tables[place][name]) for place in places if name in tables.get(place, ())), None)

    def _oid(self, name: str, module: str) -> Oid | None:
        key = (module, name)
        if key not in self._oids:
            self._oids[key] = None  # ends circular definitions
            definition = self._definitions[module][name]
            try:
                self._oids[key] = self._joined(definition.parts, module)
            except _Undefined as undefined:
                self._errors[key] = str(undefined)
                line, count = self._unresolved.get((module, str(undefined)), (definition.line, 0))
                self._unresolved[module, str(undefined)] = (line, count + 1)
        return self._oids[key]

    def _joined(self, parts: Sequence[tuple[str, int]], module: str) -> Oid:
        oid: Oid = ()
        for at, (name, number) in enumerate(parts):
            if number != NO_NUMBER and (at or not name):
                oid += (number,)
                continue
            found, cause = self._oid_of(name, module)
            if found is None and number != NO_NUMBER:
                found = (*oid, number)
            if found is None or found[: len(oid)] != oid:
                raise _Undefined(cause)
            oid = found
        return oid

    def _oid_of(self, name: str, module: str) -> tuple[Oid | None, str]:
        """The OID of a name in ``module``, or None and the undefined name behind it."""
        found = self._scope(name, module, self._definitions)
        if found is None and name in OIDS:
            return OIDS[name], name
        found = found or self._search_all(name, self._definitions)
        if found is None:
            return None, name
        oid = self._oid(name, found[0])
        return oid, self._errors.get((found[0], name), name)

    # ------------------------------------------------------------------------------------------------------- types

    def _type_named(self, name: str, module: str) -> tuple[str, TypeDefinition] | None:
        found = self._scope(name, module, self._types)
        if found is None and name in TYPES:
            return "", TYPES[name]
        return found or self._search_all(name, self._types)

    def _type(self, syntax: Syntax, module: str, depth: int = 0) -> ObjectType:
        if kind := SMI_TYPES.get(syntax.name):
            return ObjectType(kind, (), "", syntax.fixed_size, syntax.enums)
        found = self._type_named(syntax.name, module)
        if found is None or depth > _MAX_DEPTH:
            raise _Undefined(syntax.name)
        place, definition = found
        base = self._type(definition.syntax, place, depth + 1)
        return ObjectType(
            base.kind,
            (syntax.name, *base.conventions),
            definition.hint or base.hint,
            syntax.fixed_size or base.fixed_size,
            syntax.enums or base.enums,
        )

    def _node(self, definition: Definition, module: MibModule, oid: Oid) -> MibNode:
        place = f"{module.path}:{definition.line}"
        node = MibNode(definition.name, module.name, oid, place, None, definition.access, definition.description)
        syntax = definition.syntax
        if syntax is None or syntax.name == TABLE:
            return node
        if definition.indexes or definition.augments:
            row = self._row(definition, module)
            return replace(node, indexes=row.indexes, broken=row.broken)
        named = self._type_named(syntax.name, module.name)
        if named is not None and named[1].syntax.name == ROW:
            return node
        try:
            return replace(node, type=self._type(syntax, module.name))
        except _Undefined as undefined:
            reason = f"type {undefined} is not defined"
            self.problems.append(MibProblem(module.path, definition.line, f"{definition.name}: {reason}"))
            return replace(node, broken=reason)

    # ----------------------------------------------------------------------------------------------------- indexes

    def _row(self, definition: Definition, module: MibModule, depth: int = 0) -> _Row:
        if definition.augments:
            found = self._definition_named(definition.augments, module.name)
            if found is None or depth > _MAX_DEPTH:
                reason = f"{definition.augments}, which it augments, is not defined"
                self.problems.append(MibProblem(module.path, definition.line, f"{definition.name}: {reason}"))
                return _Row(broken=reason)
            return self._row(found[1], self._modules[found[0]], depth + 1)
        try:
            return _Row(tuple(self._index(definition, name, implied, module) for name, implied in definition.indexes))
        except _Undefined as undefined:
            reason = f"index {undefined}"
            self.problems.append(MibProblem(module.path, definition.line, f"{definition.name}: {reason}"))
            return _Row(broken=reason)

    def _definition_named(self, name: str, module: str) -> tuple[str, Definition] | None:
        return self._scope(name, module, self._definitions) or self._search_all(name, self._definitions)

    def _index(self, row: Definition, name: str, implied: bool, module: MibModule) -> IndexPart:
        if name in SMI_TYPES:  # SMIv1 (RFC 1212 section 4.1.6): an index without an object
            return IndexPart(row.name, (), ObjectType(SMI_TYPES[name]), implied)
        found = self._definition_named(name, module.name)
        if found is None or found[1].syntax is None:
            raise _Undefined(f"{name} is not defined")
        place, definition = found
        try:
            assert definition.syntax is not None
            kind = self._type(definition.syntax, place)
        except _Undefined as undefined:
            raise _Undefined(f"{name} is of type {undefined}, which is not defined") from None
        return IndexPart(name, self._oid(name, place) or (), kind, implied)


def _rank(module: MibModule) -> tuple[bool, str]:
    """Sort key: SMIv2 before SMIv1, so that the newer of two definitions counts."""
    return any(item.module in _SMI_V1 for item in module.imports), module.name


def _shortened_list(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= 4 else f"{', '.join(names[:3])} and {len(names) - 3} more"
