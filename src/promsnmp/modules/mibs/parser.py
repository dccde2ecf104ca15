"""Parses MIB text into definitions, with pysmi's grammar of SMIv2 (RFC 2578, 2579) and SMIv1 (RFC 1155, 1212).

Only pysmi's grammar is used. Its code generator gives up a whole module for one unknown name, so ``linker.py`` resolves
names itself, object by object. A declaration that the grammar refuses is removed and reported, and the rest of the file
is read.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from importlib import metadata
from typing import Any

from promsnmp.errors import ModuleError
from promsnmp.modules.mibs.definitions import (
    NO_NUMBER,
    ROW,
    TABLE,
    Definition,
    Import,
    MibModule,
    MibProblem,
    ParsedFile,
    Syntax,
    TypeDefinition,
)
from promsnmp.modules.mibs.repair import COMMENT, Layout, Span, blanked, hide_odd_names, show_odd_name

MAX_REPAIRS = 100
"""Maximum wrong declarations in one file; each costs another parse."""

NO_PYSMI = "reading MIB files needs pysmi, which is not installed: pip install 'promsnmp[mibs]'"
_VALUE = re.compile(r"::=\s*\{[^{}\"]*\}")
"""The end of an object's declaration."""
_OTHER_NODES = frozenset({"valueDeclaration", "objectIdentityClause", "moduleIdentityClause", "objectGroupClause"})
_ODD = (AttributeError, IndexError, KeyError, RecursionError, TypeError, ValueError)


class SmiParser:
    """Parses MIB texts. pysmi is imported, and its grammar built (over a second), with the first text."""

    def __init__(self) -> None:
        """Raises ModuleError when pysmi is not installed."""
        try:
            self.version = metadata.version("pysmi")
        except metadata.PackageNotFoundError:
            raise ModuleError(NO_PYSMI) from None
        self._parse: Callable[[str], Any] | None = None
        self._refused: type[Exception] = Exception

    def parse(self, text: str, *, path: str) -> ParsedFile:
        """The modules of ``text``, without unreadable declarations, which are among the problems."""
        text = hide_odd_names(text.replace("\r\n", "\n").replace("\r", "\n"))
        layout = Layout(text)
        attempt = _Attempt(text, layout, path)
        trees = self._trees(attempt)
        modules = tuple(_module(tree, layout, path, attempt.problems) for tree in trees)
        return ParsedFile(modules, tuple(sorted(attempt.problems, key=lambda one: one.line)))

    def _trees(self, attempt: _Attempt) -> list[Any]:
        parse = self._parse or self._load()
        while True:
            try:
                return list(parse(attempt.text))
            except (self._refused, *_ODD) as error:
                if not attempt.repair(error):
                    return []

    def _load(self) -> Callable[[str], Any]:
        try:
            factory = importlib.import_module("pysmi.parser.smi").parserFactory
            dialect = importlib.import_module("pysmi.parser.dialect").smi_v1_relaxed
            self._refused = importlib.import_module("pysmi.error").PySmiError
            parse: Callable[[str], Any] = factory(**dialect)().parse
        except (ImportError, AttributeError) as error:
            raise ModuleError(f"pysmi {self.version} cannot be used ({error}): pip install 'promsnmp[mibs]'") from None
        self._parse = parse
        return parse


class _Attempt:
    """A text that is repaired until the grammar accepts it."""

    def __init__(self, text: str, layout: Layout, path: str) -> None:
        self.text, self.problems = text, list[MibProblem]()
        self._layout, self._path, self._removed = layout, path, set[int]()
        self._ended = self._balanced = False
        self._blamed = -1

    def repair(self, error: Exception) -> bool:
        """Removes the cause of ``error``; False when the file cannot be read."""
        if not self._balanced:
            self._balanced = True
            if odd := self._layout.unbalanced(self.text):
                for number in odd:
                    self._remove(number, self._layout.spans[number].line, "a quotation mark is missing")
                return True
        line, column, what = _place(error)
        if what == "$END" and not self._ended:
            self._note(self.text.rstrip().count("\n") + 1, "the file ends without END")
            self._ended, self.text = True, self.text + "\nEND\n"
            return True
        return len(self._removed) < MAX_REPAIRS and self._blame(line, column, what)

    def _blame(self, line: int, column: int, what: str) -> bool:
        offset = self._layout.offset(line, column) if line else len(self.text)
        if self._layout.in_imports(offset) and self.text[offset : offset + 1].strip():
            start, end = next(one for one in self._layout.imports if one[0] <= offset < one[1])
            self._note(line, f"{what} in IMPORTS, which is ignored: names are looked up in all modules")
            self.text = blanked(self.text, start, end)
            return True
        number = self._layout.suspect(offset, self._removed, again=offset == self._blamed)
        self._blamed = offset
        if number is None:
            self._note(line, f"{what}; the file is left out")
            return False
        span = self._layout.spans[number]
        value = _VALUE.search(self.text, span.start, span.end)
        if value is not None and offset >= value.end() and COMMENT.sub("", self.text[value.end() : span.end]).strip():
            self.text = blanked(self.text, value.end(), span.end)
            self._note(line or span.line, f"{what}; the text after {show_odd_name(span.name)} is left out")
        else:
            self._remove(number, line or span.line, what)
        return True

    def _remove(self, number: int, line: int, what: str) -> None:
        span: Span = self._layout.spans[number]
        self._removed.add(number)
        self.text = blanked(self.text, span.start, span.end)
        self._note(line, f"{what}; {show_odd_name(span.name)} is left out")

    def _note(self, line: int, text: str) -> None:
        self.problems.append(MibProblem(self._path, min(line, self._layout.last_line), text))


def _place(error: Exception) -> tuple[int, int, str]:
    """Line, column and reason of an error of pysmi, whose cause is lark's."""
    cause = error.__cause__
    token = getattr(cause, "token", None)
    if getattr(token, "type", "") == "$END":
        return 0, 0, "$END"
    line = getattr(cause, "line", None) or getattr(error, "lineno", 0)
    if not isinstance(line, int) or line < 1:
        return 0, 0, f"syntax error ({error})"
    if cause is None or not hasattr(cause, "column"):
        return line, 1, str(getattr(error, "msg", error))
    found = str(token) if token is not None else getattr(cause, "char", "")
    return line, cause.column, f"syntax error at {show_odd_name(' '.join(found.split()))[:40]!r}"


def _module(tree: Any, layout: Layout, path: str, problems: list[MibProblem]) -> MibModule:
    name, _, imports, declarations = tree
    lines = {span.name: span.line for span in reversed(layout.spans)}
    types, definitions = [], []
    for declaration in declarations or ():
        if not declaration:
            continue
        line = lines.get(declaration[1], 0)
        try:
            if declaration[0] == "typeDeclaration":
                types += _types(declaration, line)
            elif declaration[0] == "objectTypeClause":
                definitions.append(_object(declaration, line))
            elif declaration[0] in _OTHER_NODES:
                definitions.append(Definition(_name(declaration[1]), line, _parts(declaration[-1])))
        except _ODD:
            problems.append(MibProblem(path, line, f"{declaration[1]} cannot be read and is left out"))
    return MibModule(_name(name), path, _imports(imports, layout), tuple(types), tuple(definitions))


def _imports(found: dict[str, list[str]], layout: Layout) -> tuple[Import, ...]:
    return tuple(
        Import(_name(symbol), _name(module), layout.import_lines.get(module, 0))
        for module, symbols in found.items()
        for symbol in symbols
    )


def _types(declaration: Any, line: int) -> list[TypeDefinition]:
    _, name, rhs = declaration
    if rhs is None:
        return []
    hint = rhs[1][1] if len(rhs) > 2 and rhs[1] else ""
    return [TypeDefinition(_name(name), line, _syntax(rhs[-1]), hint)]


def _object(declaration: Any, line: int) -> Definition:
    _, name, syntax, _units, access, _status, description, _reference, augments, index, _default, oid = declaration
    return Definition(
        _name(name),
        line,
        _parts(oid),
        _syntax(syntax),
        access[1] if access else "",
        description[1] if description else "",
        tuple((_name(one), bool(implied)) for implied, one in index[1]) if index else (),
        _name(augments) if augments else "",
    )


def _syntax(node: Any) -> Syntax:
    kind = node[0]
    if kind in (ROW, "conceptualTable"):
        return Syntax(ROW if kind == ROW else TABLE)
    if kind == "BITS":
        return Syntax("BITS", enums=_enums(node[1]))
    what, narrowed = node[2] if len(node) > 2 and node[2] else ("", ())
    fixed_size = _fixed(narrowed) if what == "octetStringSubType" else 0
    return Syntax(_name(node[1]), fixed_size, _enums(narrowed) if what == "enumSpec" else ())


def _enums(found: Any) -> tuple[tuple[int, str], ...]:
    return tuple(sorted((int(number), show_odd_name(label)) for label, number in found))


def _fixed(ranges: Any) -> int:
    bounds = {_number(bound) for one in ranges for bound in one}
    return bounds.pop() if len(bounds) == 1 else 0


def _number(found: Any) -> int:
    """A number, also where it is written as ``'1F'h`` or ``'0101'b``."""
    if isinstance(found, str) and found.startswith("'"):
        return int(found[1:-2] or "0", 16 if found[-1] in "hH" else 2)
    return int(found)


def _parts(oid: Any) -> tuple[tuple[str, int], ...]:
    parts = []
    for part in oid[1]:
        name, number = part if isinstance(part, tuple) else (part, NO_NUMBER) if isinstance(part, str) else ("", part)
        parts.append((_name(name), number))
    return tuple(parts)


def _name(found: str) -> str:
    return show_odd_name(found)
