"""What can start a declaration or a clause: the keywords of the SMI, and where a parser can go on after an error.

Sources: RFC 2578, 2579, 2580 (SMIv2), RFC 1155, 1212, 1215 (SMIv1).
"""

from __future__ import annotations

import re

from promsnmp.modules.mibs.scanner import END, NUMBER, OPEN, TEXT, WORD, Token, Tokens

MACROS = frozenset({
    "OBJECT-TYPE", "OBJECT-IDENTITY", "MODULE-IDENTITY", "NOTIFICATION-TYPE", "TRAP-TYPE", "OBJECT-GROUP",
    "NOTIFICATION-GROUP", "MODULE-COMPLIANCE", "AGENT-CAPABILITIES",
})  # fmt: skip
_TEXT_CLAUSES = frozenset({
    "DESCRIPTION", "REFERENCE", "UNITS", "DISPLAY-HINT", "LAST-UPDATED", "ORGANIZATION", "CONTACT-INFO", "REVISION",
    "PRODUCT-RELEASE",
})  # fmt: skip
_LIST_CLAUSES = frozenset({
    "INDEX", "AUGMENTS", "DEFVAL", "OBJECTS", "NOTIFICATIONS", "VARIABLES", "MANDATORY-GROUPS", "INCLUDES",
    "CREATION-REQUIRES",
})  # fmt: skip
_WORD_CLAUSES = frozenset({
    "SYNTAX", "WRITE-SYNTAX", "MAX-ACCESS", "MIN-ACCESS", "ACCESS", "STATUS", "MODULE", "GROUP", "OBJECT", "SUPPORTS",
    "VARIATION", "ENTERPRISE", "NUM-ENTRIES",
})  # fmt: skip
CLAUSES = _TEXT_CLAUSES | _LIST_CLAUSES | _WORD_CLAUSES
RESERVED = CLAUSES | MACROS | {
    "BEGIN", "END", "FROM", "IMPORTS", "EXPORTS", "DEFINITIONS", "MACRO", "current", "deprecated", "obsolete",
    "mandatory", "optional", "read-only", "read-write", "write-only", "not-accessible", "read-create",
    "accessible-for-notify",
}  # fmt: skip
"""Words that are no names of declarations."""
HEADERS = frozenset({"DEFINITIONS", "DEFINITION", "Definitions", "definitions"})
_BOUNDARY = re.compile(
    r"::=\s*\{[^{}\"]*\}"
    r"|^[ \t]*(?:::=\s*\{|(?:MAX-|MIN-)?ACCESS\s+(?:read|not|write|accessible)-"
    r"|STATUS\s+(?:current|mandatory|deprecated|obsolete|optional)\b|(?:DESCRIPTION|REFERENCE|UNITS)\s*\""
    r"|(?:INDEX|AUGMENTS|DEFVAL)\s*\{|SYNTAX\s+(?:[A-Z][\w-]*|OCTET STRING|OBJECT IDENTIFIER)\s*$)",
    re.MULTILINE,
)
"""What hardly stands in a description, and shows that a quotation mark is missing before it."""
MAX_TEXT = 4095
"""Characters of a description that are used; snmp_exporter's generator uses as many."""
_MAX_OPEN = 1 << 16
"""How far behind a quotation mark without a second one the text goes on at most."""
_MAX_HEADER = 32
"""Maximum number of tokens of the OID of a module."""
_MAX_QUOTES = 16
"""How many quotation marks a text may contain."""


class Unreadable(Exception):
    """Text that cannot be read; the message says what was expected and what is there."""

    def __init__(self, wanted: str, token: Token) -> None:
        there = "the end of the file" if token.kind == END else repr(" ".join(token.value.split())[:40])
        super().__init__(f"expected {wanted}, not {there}")
        self.offset = token.start


def starts_clause(tokens: Tokens, token: Token) -> bool:
    """Whether a clause starts at ``token``: its keyword, with the start of a value behind it."""
    if token.kind != WORD or token.value not in CLAUSES:
        return False
    value = tokens.at(token.end)
    if token.value in _TEXT_CLAUSES:
        return value.kind in (TEXT, OPEN)
    return value.value == "{" if token.value in _LIST_CLAUSES else value.kind in (WORD, NUMBER) or value.value == "["


def starts_declaration(tokens: Tokens, token: Token) -> bool:
    """Whether a declaration starts at ``token``: a name and a macro, OBJECT IDENTIFIER or a type assignment."""
    if token.kind != WORD:
        return False
    second = tokens.at(token.end)
    if second.value == "MACRO":
        return True
    if second.kind == TEXT or token.value in RESERVED:
        return False
    third = tokens.at(second.end)
    if second.value in MACROS:
        return third.value not in (",", ";", "FROM", "}", ")")
    if second.value == "OBJECT":
        return third.value == "IDENTIFIER" and tokens.at(third.end).value == "::="
    return second.value == "::=" and (third.kind == WORD or third.value == "[")


def surely_starts_declaration(tokens: Tokens, token: Token) -> bool:
    """As ``starts_declaration``, where there may be prose or a macro."""
    if not starts_declaration(tokens, token):
        return False
    second = tokens.at(token.end)
    third = tokens.at(second.end)
    return second.value == "OBJECT" or (second.value in MACROS and third.value in ("SYNTAX", "STATUS", "LAST-UPDATED"))


def starts_module(tokens: Tokens, token: Token) -> bool:
    """Whether the header of a module starts at ``token``: NAME, perhaps an OID in braces, and DEFINITIONS ::= BEGIN."""
    if token.kind != WORD or token.value in RESERVED:
        return False
    second = tokens.at(token.end)
    for _ in range(_MAX_HEADER if second.value == "{" else 0):
        second = tokens.at(second.end)
        if second.value == "}":
            second = tokens.at(second.end)
            break
    return second.value in HEADERS and tokens.at(second.end).value in (
        "::=",
        "BEGIN",
        "IMPLICIT",
        "EXPLICIT",
        "AUTOMATIC",
    )


def ends_declaration(tokens: Tokens, token: Token) -> bool:
    """Whether what stands at ``token`` no longer belongs to the declaration before it."""
    if token.kind == END:
        return True
    return token.kind == WORD and (
        token.value == "END" or starts_declaration(tokens, token) or starts_module(tokens, token)
    )


def after_braces(tokens: Tokens, start: int) -> int:
    """The offset behind ``{ ... }`` that starts at ``start``; where nothing closes it, of what cannot be in it."""
    depth, token = 0, tokens.at(start)
    while token.kind != END:
        depth += {"{": 1, "}": -1}.get(token.value, 0)
        if depth == 0:
            return token.end
        if token.value == "::=" or (token.kind == TEXT and boundary(tokens, token)) or ends_declaration(tokens, token):
            return token.start
        token = tokens.at(token.end)
    return token.start


def skip_clause(tokens: Tokens) -> None:
    """Passes everything up to ``::=``, the next clause or the next declaration."""
    while True:
        token = tokens.peek()
        if token.value == "::=" or starts_clause(tokens, token) or ends_declaration(tokens, token):
            return
        limit = boundary(tokens, token) if token.kind in (TEXT, OPEN) else 0
        tokens.position = limit or token.end


def boundary(tokens: Tokens, token: Token) -> int:
    """Where a clause or the end of a declaration stands within quoted text; 0 when there is nothing of that kind."""
    end = token.start + _MAX_OPEN if token.kind == OPEN else token.end
    match = _BOUNDARY.search(tokens.text, token.start + 1, end)
    if match is None:
        return 0
    return match.start() + len(match[0]) - len(match[0].lstrip())


def read_text(tokens: Tokens) -> tuple[str, str]:
    """Reads quoted text. Returns it without its quotation marks, and a problem with those (mostly empty).

    Vendors forget marks and write marks within text. Where something that cannot follow text stands behind the second
    mark, the text goes on to a later mark, or ends before what looks like a clause. Raises Unreadable.
    """
    token = tokens.peek()
    if token.kind not in (TEXT, OPEN):
        raise Unreadable("text in quotation marks", token)
    tokens.position = token.end
    if token.kind == TEXT and _can_follow_text(tokens, token.end):
        return token.value[1:-1][:MAX_TEXT], ""
    if limit := boundary(tokens, token):
        tokens.position = limit
        return tokens.text[token.start + 1 : limit].rstrip()[:MAX_TEXT], "a quotation mark is missing"
    if token.kind == OPEN:
        raise Unreadable("a second quotation mark", tokens.peek())
    if end := _later_mark(tokens, token):
        tokens.position = end
        return tokens.text[token.start + 1 : end - 1][:MAX_TEXT], "quotation marks within text: use ' instead"
    return token.value[1:-1][:MAX_TEXT], ""


def _can_follow_text(tokens: Tokens, offset: int) -> bool:
    token = tokens.at(offset)
    return (
        token.value in ("::=", ",", "}", ")", ";")
        or starts_clause(tokens, token)
        or (token.kind == WORD and token.value in CLAUSES and starts_line(tokens, token))
        or ends_declaration(tokens, token)
    )


def starts_line(tokens: Tokens, token: Token) -> bool:
    """Whether ``token`` is the first of its line."""
    return not tokens.text[tokens.text.rfind("\n", 0, token.start) + 1 : token.start].strip()


def _later_mark(tokens: Tokens, token: Token) -> int:
    """The offset behind a later quotation mark that can end the text of ``token``; 0 without one."""
    end = token.end
    for _ in range(_MAX_QUOTES):
        mark = tokens.text.find('"', end)
        if mark < 0 or _BOUNDARY.search(tokens.text, end, mark):
            return 0
        end = mark + 1
        if _can_follow_text(tokens, end):
            return end
    return 0
