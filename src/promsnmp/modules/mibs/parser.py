"""Parses a MIB file into definitions: SMIv2 (RFC 2578, 2579, 2580), SMIv1 (RFC 1155, 1212, 1215), and vendors' SMI.

No slip costs more than the declaration that it is in, and nothing is left out without a problem that says so. Time and
memory grow with the size of the file, whatever is in it.
"""

from __future__ import annotations

from dataclasses import replace

from promsnmp.modules.mibs.declarations import Declaration, read_declaration
from promsnmp.modules.mibs.definitions import (
    MAX_PROBLEMS,
    Definition,
    Import,
    MibModule,
    MibProblem,
    ParsedFile,
    TypeDefinition,
)
from promsnmp.modules.mibs.grammar import (
    HEADERS,
    RESERVED,
    after_braces,
    ends_declaration,
    starts_declaration,
    starts_module,
    surely_starts_declaration,
)
from promsnmp.modules.mibs.scanner import END, MARK, WORD, Token, Tokens, TooMuch

MAX_DECLARATIONS = 100_000
"""Maximum number of declarations of a file; the largest MIBs have some thousands."""
NO_MODULE = "is not a MIB: no 'NAME DEFINITIONS ::= BEGIN'; if it should be one, correct that line"


def parse(text: str, *, path: str) -> ParsedFile:
    """The modules of ``text``, and everything that cannot be read as problems; ``path`` names the file in them."""
    return _File(text, path).parse()


class _Module:
    """A module that is read."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.imports: list[Import] = []
        self.types: list[TypeDefinition] = []
        self.definitions: list[Definition] = []
        self.traps: list[Definition] = []

    def result(self, path: str) -> MibModule:
        parts = tuple(self.imports), tuple(self.types), tuple(self.definitions), tuple(self.traps)
        return MibModule(self.name, path, *parts)


class _File:
    def __init__(self, text: str, path: str) -> None:
        self._tokens, self._path = Tokens(text.replace("\r\n", "\n").replace("\r", "\n")), path
        self._modules: list[_Module] = []
        self._problems: list[MibProblem] = []
        self._more = self._declarations = 0

    def parse(self) -> ParsedFile:
        try:
            while self._find_module():
                self._read_module()
        except TooMuch as reason:
            self._note(reason.offset, f"{reason}, too much for a MIB; the rest of the file is left out", lost=True)
        if not self._modules:
            return ParsedFile(problems=(MibProblem(self._path, 0, NO_MODULE),))
        if self._more:
            self._problems.append(MibProblem(self._path, 0, f"{self._more} more problems in this file"))
        problems = sorted(self._problems, key=lambda problem: problem.line)
        return ParsedFile(tuple(module.result(self._path) for module in self._modules), tuple(problems))

    def _note(self, offset: int, text: str, *, lost: bool = False) -> None:
        module = self._modules[-1].name if self._modules else ""
        if len(self._problems) >= MAX_PROBLEMS:
            if lost and not self._more:
                self._problems.append(MibProblem(self._path, 0, "more declarations are left out", True, module))
            self._more += 1
            return
        self._problems.append(MibProblem(self._path, self._tokens.line(offset), text, lost, module))

    # ----------------------------------------------------------------------------------------------------- modules

    def _find_module(self) -> bool:
        """Goes to the next header of a module, or to declarations behind an END that came too early."""
        tokens = self._tokens
        tokens.read_as(quotes=False)
        while (token := tokens.peek()).kind != END:
            if starts_module(tokens, token):
                self._modules.append(_Module(token.value))
                self._pass_header()
                break
            if self._modules and surely_starts_declaration(tokens, token):
                self._note(token.start, f"{token.value} stands behind END; it is read, too")
                break
            tokens.take()
        tokens.read_as()
        return token.kind != END

    def _pass_header(self) -> None:
        """Passes ``NAME {...} DEFINITIONS IMPLICIT TAGS ::= BEGIN``; BEGIN may be missing."""
        tokens = self._tokens
        tokens.take()
        if tokens.peek().value == "{":
            tokens.position = after_braces(tokens, tokens.peek().start)
        while tokens.peek().value in HEADERS | {"IMPLICIT", "EXPLICIT", "AUTOMATIC", "TAGS", "::="}:
            tokens.take()
        if not tokens.accept("BEGIN"):
            self._note(tokens.peek().start, f"BEGIN of {self._modules[-1].name} is missing")

    def _read_module(self) -> None:
        tokens = self._tokens
        while True:
            token = tokens.peek()
            if token.kind == END or starts_module(tokens, token):
                self._note(token.start, f"{self._modules[-1].name} ends without END")
                return
            if tokens.accept("END"):
                return
            self._read_item(token)

    def _read_item(self, token: Token) -> None:
        tokens = self._tokens
        if token.value in ("IMPORTS", "EXPORTS"):
            tokens.take()
            self._read_imports(token)
        elif token.value in (";", ",", "}", ")", "{", "("):
            tokens.take()
        elif self._continues_comment(token):
            tokens.position = tokens.end_of_line(token.start)
        elif self._may_be_declaration(token):
            self._add(read_declaration(tokens))
        else:
            self._skip_garbage(token)

    def _continues_comment(self, token: Token) -> bool:
        """Whether ``token`` stands behind a comment that ended within its line, and starts no declaration."""
        tokens = self._tokens
        return 0 <= tokens.closed_comment < token.start <= tokens.end_of_line(
            tokens.closed_comment
        ) and not starts_declaration(tokens, token)

    def _may_be_declaration(self, token: Token) -> bool:
        second = self._tokens.second()
        if token.kind != WORD or token.value in RESERVED:
            return second.value == "MACRO"
        return second.kind == WORD or second.value == "::="

    def _add(self, declaration: Declaration) -> None:
        line, module = self._tokens.line(declaration.start), self._modules[-1]
        self._declarations += 1
        if self._declarations > MAX_DECLARATIONS:
            raise TooMuch(f"{MAX_DECLARATIONS} declarations", declaration.start)
        if declaration.definition is not None:
            module.definitions.append(replace(declaration.definition, line=line))
        elif declaration.type is not None:
            module.types.append(replace(declaration.type, line=line))
        elif declaration.trap is not None:
            module.traps.append(replace(declaration.trap, line=line))
        for note in declaration.notes:
            self._note(note.offset, note.text, lost=note.lost)

    def _skip_garbage(self, token: Token) -> None:
        """Passes text that is no declaration."""
        tokens = self._tokens
        tokens.take()
        while not ends_declaration(tokens, tokens.peek()):
            tokens.take()
        text = " ".join(tokens.text[token.start : min(tokens.position, token.start + 80)].split())
        self._note(token.start, f"text that is no declaration is left out: {text[:60]!r}")

    # ----------------------------------------------------------------------------------------------------- imports

    def _read_imports(self, keyword: Token) -> None:
        """Reads ``a, b FROM M c FROM N;``. Names are looked up in all modules, so that nothing is lost with it."""
        tokens, symbols = self._tokens, list[str]()
        while not tokens.accept(";"):
            token = tokens.peek()
            if ends_declaration(tokens, token) or token.value == "::=":
                self._note(token.start, f"the ; behind {keyword.value} is missing")
                return
            tokens.take()
            if token.value == "FROM" and keyword.value == "IMPORTS":
                symbols = self._import(symbols)
            elif token.kind == WORD:
                symbols.append(token.value)
            elif token.kind != MARK or token.value not in (",", "."):
                self._note(token.start, f"{token.value[:40]!r} in {keyword.value} is ignored")

    def _import(self, symbols: list[str]) -> list[str]:
        name = self._tokens.peek()
        if name.kind != WORD or name.value == "FROM":
            self._note(name.start, "the name of a module is missing behind FROM")
            return symbols
        self._tokens.take()
        line = self._tokens.line(name.start)
        self._modules[-1].imports += [Import(symbol, name.value, line) for symbol in symbols]
        return []
