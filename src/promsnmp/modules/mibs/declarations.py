"""Reads one declaration of a MIB module: an object, a node, a type, or a macro.

An unreadable clause costs itself only: the clauses behind it are read, and where ``::= { parent number }`` can be read,
the node is there, and so are the names under it. Whatever is left out is noted.

Sources: RFC 2578 sections 5 to 8, RFC 2579 section 2, RFC 1212 section 4, RFC 1215 section 2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from promsnmp.modules.mibs.definitions import NO_NUMBER, Definition, Syntax, TypeDefinition
from promsnmp.modules.mibs.grammar import (
    CLAUSES,
    MACROS,
    Unreadable,
    boundary,
    ends_declaration,
    read_text,
    skip_clause,
    starts_clause,
    surely_starts_declaration,
)
from promsnmp.modules.mibs.scanner import END, OPEN, TEXT, WORD, Token, Tokens
from promsnmp.modules.mibs.syntax import check_name, read_indexes, read_oid, read_syntax, skip_value

_ACCESS = frozenset({
    "read-only", "read-write", "write-only", "not-accessible", "read-create", "accessible-for-notify",
})  # fmt: skip
_NEEDED = {"SYNTAX": "unreadable", "INDEX": "unreadable_index", "AUGMENTS": "unreadable_index"}
"""Clauses without which an object is no metric, and the field of ``Definition`` that says so."""


_GENERIC = (("snmp", NO_NUMBER),)
"""The enterprise of coldStart and the other generic traps (RFC 1215 section 2.2.1)."""
SNMP_TRAPS = (1, 3, 6, 1, 6, 3, 1, 1, 5)
"""Where these are as notifications (RFC 3418, snmpTraps)."""
MAX_NOTES = 100
"""Maximum number of problems of one declaration that are reported."""


@dataclass(frozen=True, slots=True)
class Note:
    """A problem in a declaration, by its offset in the text."""

    offset: int
    text: str
    lost: bool = False
    """As in ``MibProblem``."""


@dataclass(slots=True)
class Declaration:
    """What a declaration declares: a definition, a type, a trap of SMIv1, or (macros, constants) none of them."""

    start: int
    name: str
    definition: Definition | None = None
    type: TypeDefinition | None = None
    trap: Definition | None = None
    notes: list[Note] = field(default_factory=list)


def read_declaration(tokens: Tokens) -> Declaration:
    """Reads the declaration whose name is the next token, up to its end or where it can no longer go on.

    A comment may end with ``--`` within its line, but many authors take a second ``--`` for text, and some have names
    with ``--``: a declaration that makes no sense as the SMI has it is read as they mean it.
    """
    start = tokens.position
    declaration = _read(tokens)
    if not declaration.notes or tokens.comment < start:
        return declaration
    end, tokens.position = tokens.position, start
    tokens.read_as(as_vendors=True)
    again = _read(tokens)
    tokens.read_as()
    if len(again.notes) < len(declaration.notes):
        return again
    tokens.position = end
    return declaration


def _read(tokens: Tokens) -> Declaration:
    name = tokens.take()
    reader = _Reader(tokens, name)
    try:
        check_name(name)
        reader.read()
    except Unreadable as problem:
        reader.note(problem.offset, f"{problem}; {name.value[:64]} is left out", lost=True)
        _skip_rest(tokens)
    return reader.declaration


def _skip_rest(tokens: Tokens) -> None:
    while not ends_declaration(tokens, token := tokens.peek()):
        limit = boundary(tokens, token) if token.kind in (TEXT, OPEN) else 0
        tokens.position = limit or token.end


class _Reader:
    def __init__(self, tokens: Tokens, name: Token) -> None:
        self._tokens, self._name = tokens, name.value
        self.declaration = Declaration(name.start, name.value)
        self._fields: dict[str, Any] = {}
        self._enterprise: tuple[tuple[str, int], ...] = ()

    def read(self) -> None:
        tokens = self._tokens
        keyword = tokens.peek()
        if keyword.value == "::=":
            self._read_assignment()
        elif keyword.value == "MACRO":
            self._skip_macro()
        elif keyword.value == "OBJECT" and tokens.second().value == "IDENTIFIER":
            tokens.take()
            tokens.take()
            self._read_node({})
        elif (macro := keyword.value.upper().replace("_", "-")) in MACROS:
            tokens.take()
            self._read_macro(macro)
        else:
            self._read_unknown()

    def note(self, offset: int, text: str, *, lost: bool = False) -> None:
        if len(self.declaration.notes) < MAX_NOTES or lost:
            self.declaration.notes.append(Note(offset, text, lost))

    def _note_entry(self, offset: int, text: str) -> None:
        """A problem that costs an entry of a list."""
        self.note(offset, f"{self._name}: {text}")

    # ------------------------------------------------------------------------------------------------------- nodes

    def _read_macro(self, macro: str) -> None:
        if macro == "OBJECT-TYPE":
            self._read_node(self._object_clauses(), strict=True)
        elif macro in ("NOTIFICATION-TYPE", "TRAP-TYPE"):
            self._fields["objects"] = ()
            self._read_node({
                "OBJECTS": self._read_objects, "VARIABLES": self._read_objects, "ENTERPRISE": self._read_enterprise,
            })  # fmt: skip
        else:
            self._read_node({})

    def _read_node(self, clauses: Mapping[str, Callable[[], None]], *, strict: bool = False) -> None:
        """Reads clauses and ``::= { parent number }``; TRAP-TYPE has a number only, and no node."""
        self._read_clauses(clauses, strict=strict)
        tokens = self._tokens
        if not tokens.accept("::="):
            raise Unreadable("::= { parent number }", tokens.peek())
        if tokens.peek().value != "{" and tokens.peek().kind != WORD:
            self._read_trap_number(tokens.take())
            return
        parts = read_oid(tokens, self._note_entry)
        self.declaration.definition = Definition(self._name, 0, parts, **self._fields)

    def _read_trap_number(self, token: Token) -> None:
        """The number of a trap makes its OID as a notification (RFC 3584 section 3.1)."""
        if not self._enterprise or not token.value.isdigit() or len(token.value) > 10:
            return
        number = int(token.value)
        if self._enterprise == _GENERIC:
            parts = tuple(("", one) for one in (*SNMP_TRAPS, number + 1))
        else:
            parts = (*self._enterprise, ("", 0), ("", number))
        self.declaration.trap = Definition(self._name, 0, parts, **self._fields)

    def _read_clauses(self, clauses: Mapping[str, Callable[[], None]], *, strict: bool) -> None:
        """Reads clauses. Anything else is noted with ``strict``, and skipped without."""
        tokens = self._tokens
        while True:
            token = tokens.peek()
            if token.value == "::=" or ends_declaration(tokens, token):
                return
            if token.kind == TEXT or token.kind == OPEN:
                self._skip_text()
            elif token.value in clauses:
                self._read_clause(clauses[token.value])
            elif strict and token.value not in (",", ";"):
                self._note_entry(token.start, f"{Unreadable('a clause', token)}; it is left out")
                tokens.take()
                skip_clause(tokens)
            else:
                tokens.take()

    def _read_clause(self, read: Callable[[], None]) -> None:
        keyword = self._tokens.take()
        try:
            read()
        except Unreadable as problem:
            reason = f"{keyword.value}: {problem}"
            needed = _NEEDED.get(keyword.value)
            if needed:
                self._fields[needed] = reason
            self.note(problem.offset, f"{self._name}: {reason}; this clause is left out", lost=needed is not None)
            skip_clause(self._tokens)

    def _object_clauses(self) -> dict[str, Callable[[], None]]:
        tokens = self._tokens
        return {
            "SYNTAX": self._read_syntax,
            "UNITS": self._skip_text,
            "ACCESS": self._read_access,
            "MAX-ACCESS": self._read_access,
            "MIN-ACCESS": self._read_access,
            "STATUS": self._read_status,
            "DESCRIPTION": self._read_description,
            "REFERENCE": self._skip_text,
            "INDEX": self._read_index,
            "AUGMENTS": self._read_augments,
            "DEFVAL": lambda: skip_value(tokens),
            "NUM-ENTRIES": lambda: skip_value(tokens),
        }

    def _read_syntax(self) -> None:
        syntax = read_syntax(self._tokens, self._note_entry)
        self._fields.setdefault("syntax", syntax)

    def _read_text(self) -> str:
        start = self._tokens.peek().start
        text, problem = read_text(self._tokens)
        if problem:
            self._note_entry(start, problem)
        return text

    def _skip_text(self) -> None:
        self._read_text()

    def _read_description(self) -> None:
        self._fields.setdefault("description", self._read_text())

    def _read_access(self) -> None:
        token = self._tokens.peek()
        if token.value not in _ACCESS:
            self._fields.setdefault("access", "read-only")
            raise Unreadable("an access such as read-only", token)
        self._fields.setdefault("access", self._tokens.take().value)

    def _read_status(self) -> None:
        token = self._tokens.peek()
        if token.kind != WORD or token.value in CLAUSES:
            raise Unreadable("a status such as current", token)
        self._tokens.take()

    def _read_index(self) -> None:
        self._fields["indexes"] = read_indexes(self._tokens, self._note_entry)

    def _read_objects(self) -> None:
        tokens = self._tokens
        if tokens.peek().value == "{" and tokens.second().value == "}":
            tokens.take()
            tokens.take()
            return
        self._fields["objects"] = tuple(name for name, _ in read_indexes(tokens, self._note_entry))

    def _read_enterprise(self) -> None:
        token = self._tokens.peek()
        if token.value == "{":
            self._enterprise = read_oid(self._tokens, self._note_entry)
            return
        if token.kind != WORD:
            raise Unreadable("the name of an OID", token)
        check_name(self._tokens.take())
        self._enterprise = ((token.value, NO_NUMBER),)

    def _read_augments(self) -> None:
        self._fields["augments"] = read_indexes(self._tokens, self._note_entry)[0][0]

    # ------------------------------------------------------------------------------------------------- assignments

    def _read_assignment(self) -> None:
        """``Name ::= TEXTUAL-CONVENTION ...``, ``Name ::= Type``, or ``name ::= { parent 1 }`` without a macro."""
        tokens = self._tokens
        tokens.take()
        if tokens.peek().value == "{":
            self.declaration.definition = Definition(self._name, 0, read_oid(tokens, self._note_entry))
        elif tokens.accept("TEXTUAL-CONVENTION"):
            self._read_convention()
        elif tokens.peek().kind in (WORD, END) or tokens.peek().value == "[":
            self._set_type(read_syntax(tokens, self._note_entry), "")
        else:
            tokens.take()  # a constant

    def _read_convention(self) -> None:
        hints, syntaxes = list[str](), list[Syntax]()
        tokens = self._tokens
        clauses: dict[str, Callable[[], None]] = {
            "DISPLAY-HINT": lambda: hints.append(self._read_text()),
            "STATUS": self._read_status,
            "DESCRIPTION": self._skip_text,
            "REFERENCE": self._skip_text,
            "SYNTAX": lambda: syntaxes.append(read_syntax(tokens, self._note_entry)),
        }
        while not (syntaxes and not starts_clause(tokens, tokens.peek())) and not self._is_over():
            token = tokens.peek()
            if token.value in clauses:
                self._read_clause(clauses[token.value])
            else:
                self._note_entry(token.start, f"{Unreadable('a clause', token)}; it is left out")
                tokens.take()
                skip_clause(tokens)
        if not syntaxes:
            raise Unreadable("SYNTAX with a type", tokens.peek())
        self._set_type(syntaxes[0], hints[0] if hints else "")

    def _is_over(self) -> bool:
        token = self._tokens.peek()
        return token.value == "::=" or ends_declaration(self._tokens, token)

    def _set_type(self, syntax: Syntax, hint: str) -> None:
        self.declaration.type = TypeDefinition(self._name, 0, syntax, hint)

    # ------------------------------------------------------------------------------------------------------ others

    def _skip_macro(self) -> None:
        tokens = self._tokens
        while not tokens.accept("END"):
            token = tokens.peek()
            if token.kind == END or surely_starts_declaration(tokens, token):
                raise Unreadable("END of the macro", token)
            tokens.take()

    def _read_unknown(self) -> None:
        """A constant (``name Type ::= value``), or a macro that does not exist: its node stays, if it has one."""
        tokens = self._tokens
        keyword = tokens.peek()
        has_clauses = not ends_declaration(tokens, keyword) and self._skip_to_assignment()
        if not tokens.accept("::="):
            self._note_garbage(keyword, lost=has_clauses)
        elif tokens.peek().value != "{":
            tokens.take()
        else:
            reason = str(Unreadable("a macro such as OBJECT-TYPE", keyword))
            parts = read_oid(tokens, self._note_entry)
            self.declaration.definition = Definition(self._name, 0, parts, unreadable=reason if has_clauses else "")
            self.note(keyword.start, f"{self._name}: {reason}", lost=has_clauses)

    def _skip_to_assignment(self) -> bool:
        """Passes everything up to ``::=`` or the end of the declaration; whether there are clauses."""
        tokens, has_clauses = self._tokens, False
        tokens.take()
        while (token := tokens.peek()).value != "::=" and not ends_declaration(tokens, token):
            has_clauses = has_clauses or starts_clause(tokens, token)
            limit = boundary(tokens, token) if token.kind in (TEXT, OPEN) else 0
            tokens.position = limit or token.end
        return has_clauses

    def _note_garbage(self, keyword: Token, *, lost: bool) -> None:
        text = f"{self._name} {keyword.value}"[:60]
        self.note(self.declaration.start, f"text that is no declaration is left out: {text!r}", lost=lost)
