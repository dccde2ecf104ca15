"""Resolves the names of MIB modules: to definitions, to types, and to OIDs.

A name is looked up as RFC 2578 section 3.2 says (the module, then its imports), then in the base of all MIBs
(``base.py``), then in every module, and at last among the names that only stand within an OID (``{ iso org(3) 6 }``):
vendors forget imports, and move objects to other modules.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from promsnmp.modules.mibs.base import OIDS, TYPES
from promsnmp.modules.mibs.definitions import NO_NUMBER, Definition, MibModule, MibProblem, TypeDefinition
from promsnmp.modules.mibs.duplicate_names import meanings
from promsnmp.modules.mibs.syntax import MAX_SUB_IDENTIFIERS
from promsnmp.modules.mibs.tree import Oid

Key = tuple[str, str, bool]
"""A module, a name that it defines, and whether it is what the name means elsewhere, which may be another OID."""
Kind = TypeVar("Kind")


class UnresolvedOid(Exception):
    """An OID that cannot be made; ``name`` is the name that is the cause."""

    def __init__(self, name: str, what: str) -> None:
        super().__init__(f"{name} {what}")
        self.name = name
        self.what = what


class Names:
    """The names of ``modules``; of two modules with one name, the first counts."""

    def __init__(self, modules: Iterable[MibModule]) -> None:
        self.modules: dict[str, MibModule] = {}
        self.duplicates: list[MibProblem] = []
        for module in modules:
            if (first := self.modules.setdefault(module.name, module)) is not module:
                text = f"{module.name} is left out: it is also in {first.path}"
                self.duplicates.append(MibProblem(module.path, 0, text))
        self._imports = {
            name: {item.symbol: item.module for item in module.imports} for name, module in self.modules.items()
        }
        found = {name: meanings(module) for name, module in self.modules.items()}
        self._definitions = {name: one.within for name, one in found.items()}
        self._elsewhere = {name: one.elsewhere for name, one in found.items()}
        self._types = {name: {one.name: one for one in module.types} for name, module in self.modules.items()}
        self._definers: dict[str, list[str]] = defaultdict(list)
        self._inner: dict[str, dict[str, tuple[Key, int]]] = defaultdict(dict)
        """Names within OIDs by module: the definition, and how many numbers follow the name."""
        self._index_names()
        self._oids: dict[Key, Oid | UnresolvedOid] = {}

    def _index_names(self) -> None:
        for name in self.modules:
            for defined in (*self._types[name], *self._definitions[name]):
                self._definers[defined].append(name)
            for definition in self._definitions[name].values():
                for at in range(len(definition.parts) - 2, 0, -1):
                    if definition.parts[at + 1][1] == NO_NUMBER:
                        break
                    inner, number = definition.parts[at]
                    if inner and number != NO_NUMBER:
                        behind = len(definition.parts) - 1 - at
                        self._inner[inner].setdefault(name, ((name, definition.name, False), behind))

    def __contains__(self, name: str) -> bool:
        return name in self._definers

    def definition(self, name: str, module: str) -> tuple[str, Definition] | None:
        """What ``name`` in ``module`` means, and the module that defines it."""
        found = self._scope(name, module, self._definitions) or self._anywhere(name, self._definitions)
        return found and (found[0], self._defined((found[0], name, found[0] != module)))

    def _defined(self, key: Key) -> Definition:
        module, name, is_elsewhere = key
        other = self._elsewhere[module].get(name) if is_elsewhere else None
        return other or self._definitions[module][name]

    def type(self, name: str, module: str) -> tuple[str, TypeDefinition] | None:
        """The type that ``name`` in ``module`` means, and the module that defines it (empty: the base of all MIBs)."""
        scoped = self._scope(name, module, self._types)
        if scoped is None and name in TYPES:
            return "", TYPES[name]
        return scoped or self._anywhere(name, self._types)

    def _scope(self, name: str, module: str, tables: dict[str, dict[str, Kind]]) -> tuple[str, Kind] | None:
        return self._among((module, self._imports.get(module, {}).get(name, "")), name, tables)

    def _anywhere(self, name: str, tables: dict[str, dict[str, Kind]]) -> tuple[str, Kind] | None:
        return self._among(self._definers.get(name, ()), name, tables)

    def _among(self, places: Sequence[str], name: str, tables: dict[str, dict[str, Kind]]) -> tuple[str, Kind] | None:
        return next(((place, tables[place][name]) for place in places if name in tables.get(place, ())), None)

    # -------------------------------------------------------------------------------------------------------- OIDs

    def inner_names(self) -> Iterator[tuple[str, str, Oid]]:
        """The names that only stand within OIDs, each with its module and OID."""
        for name, places in self._inner.items():
            for key, behind in places.values() if name not in self._definers and name not in OIDS else ():
                oid = self._oids.get(key)
                if isinstance(oid, tuple):
                    yield name, key[0], oid[:-behind]

    def oid(self, definition: Definition, module: str) -> Oid:
        """The OID of a definition in ``module``. Raises UnresolvedOid.

        A module may define a name more than once: each definition has its own OID (``duplicate_names.py``).
        """
        key = (module, definition.name, False)
        if self._definitions[module].get(definition.name) is not definition:
            for parent in self._parents(definition, module):
                self._resolve(parent)
            oid = self._made(definition, module)
        else:
            self._resolve(key)
            oid = self._oids[key]
        if isinstance(oid, UnresolvedOid):
            raise oid
        return oid

    def _resolve(self, wanted: Key) -> None:
        """Finds out the OID of a name; without recursion, as each of a million names may need the one before."""
        stack, waiting = [wanted], {wanted}
        while stack:
            key = stack[-1]
            definition = self._defined(key)
            parent = next((one for one in self._parents(definition, key[0]) if one not in self._oids), None)
            if parent is None:
                self._oids[key] = self._made(definition, key[0])
            elif parent in waiting:
                self._oids[key] = UnresolvedOid(parent[1], "is defined in terms of itself")
            else:
                stack.append(parent)
                waiting.add(parent)
                continue
            waiting.discard(stack.pop())

    def _parents(self, definition: Definition, module: str) -> Iterator[Key]:
        """The names that the OID of a definition is made of."""
        for at, (name, number) in enumerate(definition.parts):
            if name and (number == NO_NUMBER or not at):
                parent = self._key(name, module)
                if parent is not None:
                    yield parent[0]

    def _key(self, name: str, module: str) -> tuple[Key, int] | None:
        """The definition that gives ``name`` its OID, and how many numbers of it follow; None for names of the base."""
        scoped = self._scope(name, module, self._definitions)
        if scoped is None and name in OIDS:
            return None
        scoped = scoped or self._anywhere(name, self._definitions)
        if scoped is not None:
            place = scoped[0]
            return (place, name, place != module and name in self._elsewhere[place]), 0
        places = self._inner.get(name, {})
        return places.get(module) or next(iter(places.values()), None)

    def _made(self, definition: Definition, module: str) -> Oid | UnresolvedOid:
        oid: Oid = ()
        for at, (name, number) in enumerate(definition.parts):
            if number != NO_NUMBER and (at or not name):
                oid += (number,)
                continue
            resolved = self._oid_of(name, module)
            if isinstance(resolved, UnresolvedOid) and number != NO_NUMBER:
                resolved = (*oid, number)
            if isinstance(resolved, UnresolvedOid):
                return resolved
            if resolved[: len(oid)] != oid:
                return UnresolvedOid(name, f"is not under {definition.parts[at - 1][0]}")
            oid = resolved
        if len(oid) > MAX_SUB_IDENTIFIERS:
            return UnresolvedOid(definition.name, f"has an OID of more than {MAX_SUB_IDENTIFIERS} numbers")
        return oid

    def _oid_of(self, name: str, module: str) -> Oid | UnresolvedOid:
        parent = self._key(name, module)
        if parent is None:
            return OIDS.get(name) or UnresolvedOid(name, "is not defined")
        oid = self._oids[parent[0]]
        if isinstance(oid, UnresolvedOid) or not parent[1]:
            return oid
        return oid[: -parent[1]]
