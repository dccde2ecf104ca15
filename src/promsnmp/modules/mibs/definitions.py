"""The contents of a MIB file before names are resolved: plain values between the parser, its cache and the tree.

Names are as in the file. A part of an OID is a pair: the name (empty if the file has only a number) and the number
(``NO_NUMBER`` if the file has only a name), so that ``{ iso org(3) 6 }`` is ``(("iso", -1), ("org", 3), ("", 6))``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

NO_NUMBER = -1
MAX_PROBLEMS = 100
"""Maximum number of problems of one file, in reading it and in linking it, that are reported."""
TABLE = "SEQUENCE OF"
"""Name of a table's syntax; a table has no values of its own."""
ROW = "SEQUENCE"
"""Name of the syntax of a row type."""


@dataclass(frozen=True, slots=True)
class MibProblem:
    """A problem in a MIB file, with its place."""

    path: str
    line: int
    """From 1; 0 for the whole file."""
    text: str
    lost: bool = False
    """Whether something that the file declares is missing from the tree, so that a build may be incomplete."""
    module: str = ""
    """The MIB module; empty when it is not known."""

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}" if self.line else f"{self.path}: {self.text}"


@dataclass(frozen=True, slots=True)
class Syntax:
    """A SYNTAX clause: the name of a type and its restrictions."""

    name: str
    fixed_size: int = 0
    """The only allowed length of octets; 0 when there are several."""
    enums: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class TypeDefinition:
    """A textual convention (RFC 2579) or a type assignment."""

    name: str
    line: int
    syntax: Syntax
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Definition:
    """A name with an OID: an object, or a node above others."""

    name: str
    line: int
    parts: tuple[tuple[str, int], ...]
    syntax: Syntax | None = None
    access: str = ""
    description: str = ""
    indexes: tuple[tuple[str, bool], ...] = ()
    """Names of INDEX (RFC 2578 section 7.7), each with whether it is IMPLIED."""
    augments: str = ""
    unreadable: str = ""
    """Why the object has no type: its SYNTAX cannot be read; empty when it can."""
    unreadable_index: str = ""
    """The same for the INDEX of a row, which all of its columns need."""
    objects: tuple[str, ...] | None = None
    """Names of the objects that a notification carries (OBJECTS, VARIABLES); None: it is no notification."""


@dataclass(frozen=True, slots=True)
class Import:
    """One symbol that a module imports from another."""

    symbol: str
    module: str
    line: int


@dataclass(frozen=True, slots=True)
class MibModule:
    """One module of a MIB file."""

    name: str
    path: str
    imports: tuple[Import, ...]
    types: tuple[TypeDefinition, ...]
    definitions: tuple[Definition, ...]
    traps: tuple[Definition, ...] = ()
    """Traps of SMIv1 (TRAP-TYPE) with the OIDs that they have as notifications; their names are no names of OIDs."""


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """The modules of a file, and its problems."""

    modules: tuple[MibModule, ...] = ()
    problems: tuple[MibProblem, ...] = ()


def to_json(parsed: ParsedFile) -> str:
    """The text for the cache."""
    return json.dumps(asdict(parsed), separators=(",", ":"))


def from_json(text: str, *, path: str) -> ParsedFile:
    """The reverse of ``to_json``; ``path`` is the current path of the file.

    Raises ValueError, KeyError or TypeError when ``to_json`` did not write the text.
    """
    data = json.loads(text)
    modules = tuple(_module(one, path) for one in data["modules"])
    return ParsedFile(modules, tuple(MibProblem(**{**problem, "path": path}) for problem in data["problems"]))


def _module(data: dict[str, Any], path: str) -> MibModule:
    return MibModule(
        data["name"],
        path,
        tuple(Import(**one) for one in data["imports"]),
        tuple(TypeDefinition(**{**one, "syntax": _syntax(one["syntax"])}) for one in data["types"]),
        tuple(_definition(one) for one in data["definitions"]),
        tuple(_definition(one) for one in data["traps"]),
    )


def _definition(data: dict[str, Any]) -> Definition:
    pairs = {key: _pairs(data[key]) for key in ("parts", "indexes")}
    objects = None if data["objects"] is None else tuple(data["objects"])
    return Definition(**{**data, **pairs, "syntax": data["syntax"] and _syntax(data["syntax"]), "objects": objects})


def _syntax(data: dict[str, Any]) -> Syntax:
    return Syntax(data["name"], data["fixed_size"], _pairs(data["enums"]))


def _pairs(data: Sequence[Sequence[Any]]) -> tuple[Any, ...]:
    return tuple(tuple(pair) for pair in data)
