"""Reads the values of clauses: SYNTAX with its restrictions, INDEX, and the OID behind ``::=``.

As lenient as net-snmp where the meaning is clear (spare and missing commas, enumerations of any type, names with
underscores), and never at the cost of what stands around: an entry that cannot be read is noted and left out.

Sources: RFC 2578 section 7.1 (types), 7.7 (INDEX), RFC 1155 section 3.2, RFC 1212 section 4.1.
"""

from __future__ import annotations

from collections.abc import Callable

from promsnmp.modules.mibs.definitions import NO_NUMBER, ROW, TABLE, Syntax
from promsnmp.modules.mibs.grammar import (
    RESERVED,
    Unreadable,
    after_braces,
    ends_declaration,
    starts_clause,
    starts_line,
)
from promsnmp.modules.mibs.scanner import END, NUMBER, TEXT, WORD, Token, Tokens

MAX_SUB_IDENTIFIERS = 128
"""Maximum length of an OID (RFC 2578 section 3.5)."""
MAX_ENUMS = 1 << 16
"""Maximum number of names of one enumeration."""
MAX_LABEL = 255
"""Maximum number of characters of a name."""
_IN_LABELS = frozenset("./+&#:*-%")
_MAX_SUB_IDENTIFIER = (1 << 32) - 1
_MAX_CONSTRAINT = 1000
"""Maximum number of tokens of a range or size that are looked at."""
_TWO_WORDS = {
    "OCTET": ("STRING", "OCTET STRING"),
    "OBJECT": ("IDENTIFIER", "OBJECT IDENTIFIER"),
    "BIT": ("STRING", "BITS"),
}
_JOINED = {
    joined: apart
    for apart in ("OCTET STRING", "OBJECT IDENTIFIER")
    for joined in (apart.replace(" ", ""), apart.replace(" ", "-"))
} | {"BITSTRING": "BITS", "BIT-STRING": "BITS"}

Note = Callable[[int, str], None]
"""Called with the offset and the text of a problem that costs no more than an entry."""


def read_syntax(tokens: Tokens, note: Note) -> Syntax:
    """Reads a type and its restrictions. Raises Unreadable."""
    _skip_tags(tokens)
    token = tokens.peek()
    if token.kind != WORD or (token.value in RESERVED and token.value != "OBJECT"):
        raise Unreadable("a type", token)
    tokens.take()
    if token.value in ("SEQUENCE", "SET", "CHOICE"):
        return _constructed(tokens, token)
    name, size = _type_name(tokens, token), 0
    enums: tuple[tuple[int, str], ...] = ()
    while True:
        following = tokens.peek()
        if following.value == "{":
            enums = read_enums(tokens, note)
        elif following.value == "(" or (following.value == "SIZE" and tokens.second().value == "("):
            size = _read_constraint(tokens, note)
        else:
            return Syntax(name, size, enums)


def _skip_tags(tokens: Tokens) -> None:
    """Passes ``[APPLICATION 1] IMPLICIT``."""
    while tokens.peek().value in ("[", "IMPLICIT", "EXPLICIT"):
        if tokens.take().value == "[":
            while tokens.peek().kind in (WORD, NUMBER):
                tokens.take()
            tokens.accept("]")


def _constructed(tokens: Tokens, token: Token) -> Syntax:
    """SEQUENCE OF Entry, whatever its case; SEQUENCE { ... }, CHOICE { ... }."""
    if tokens.peek().value == "{":
        tokens.position = after_braces(tokens, tokens.peek().start)
        return Syntax(ROW if token.value == "SEQUENCE" else token.value)
    is_list = tokens.accept("OF")
    following = tokens.peek()
    if following.kind == WORD and not starts_clause(tokens, following) and not ends_declaration(tokens, following):
        _type_name(tokens, tokens.take())
    elif not is_list:
        raise Unreadable("OF or {", following)
    return Syntax(TABLE)


def _type_name(tokens: Tokens, token: Token) -> str:
    check_name(token)
    second, both = _TWO_WORDS.get(token.value, ("", ""))
    if second and tokens.accept(second):
        return both
    if tokens.peek().value == "." and tokens.second().kind == WORD:  # MODULE.Type
        tokens.take()
        return tokens.take().value
    return _JOINED.get(token.value, token.value)


def read_enums(tokens: Tokens, note: Note) -> tuple[tuple[int, str], ...]:
    """Reads ``{ up(1), down(2) }``; of two names with one number, the later counts."""
    start = tokens.take().start
    enums: dict[int, str] = {}
    while not tokens.accept("}"):
        token = tokens.peek()
        if token.value == "::=" or _is_no_label(tokens, token):
            note(start, "the } of the names is missing")
            break
        if token.value in (",", ";"):
            tokens.take()
        elif len(enums) < MAX_ENUMS:
            _read_enum(tokens, enums, note)
        else:
            note(token.start, f"more than {MAX_ENUMS} names; the others are left out")
            tokens.position = after_braces(tokens, start)
            break
    return tuple(sorted(enums.items()))


def _is_no_label(tokens: Tokens, token: Token) -> bool:
    return starts_clause(tokens, token) or (ends_declaration(tokens, token) and tokens.at(token.end).value != "(")


def _read_enum(tokens: Tokens, enums: dict[int, str], note: Note) -> None:
    start, end = tokens.peek().start, tokens.peek().end
    while (token := tokens.peek()).kind in (WORD, NUMBER, TEXT) or token.value in _IN_LABELS:
        if tokens.position > start and starts_clause(tokens, token):
            break
        end = tokens.take().end
    label = " ".join(tokens.text[start:end].split())[: 4 * MAX_LABEL]
    value = tokens.second()
    number = _integer(value) if tokens.peek().value == "(" and tokens.position > start else None
    if number is None:
        note(start, f"expected name(number), not {label[:40]!r}; it is left out")
        if tokens.position == start:
            tokens.take()
        _skip_entry(tokens)
        return
    tokens.position = value.end
    if " " in label:
        note(start, f"the name {label[:40]!r} has blanks")
    enums[number] = label.strip('"')[:MAX_LABEL]
    if not tokens.accept(")"):
        note(value.end, f"the ) behind {value.value} is missing")


def _skip_entry(tokens: Tokens) -> None:
    """Passes everything up to the next comma, or what cannot belong to the list."""
    while (token := tokens.peek()).value not in (",", "}", "::="):
        if _is_no_label(tokens, token):
            return
        tokens.take()
        if token.value == ")":
            return


def _read_constraint(tokens: Tokens, note: Note) -> int:
    """Reads ``(SIZE (6))`` or a range; returns the only size that is allowed, or 0 when there are several."""
    start, depth = tokens.peek().start, 0
    inner: list[Token] = []
    while True:
        token = tokens.peek()
        if token.value in ("::=", "{", "}") or starts_clause(tokens, token) or ends_declaration(tokens, token):
            note(start, "the ) of the range is missing")
            break
        tokens.take()
        depth += {"(": 1, ")": -1}.get(token.value, 0)
        if depth == 0 and token.value == ")":
            break
        if len(inner) < _MAX_CONSTRAINT:
            inner.append(token)
    return _only_size([token for token in inner if token.value not in ("(", ")", "SIZE")])


def _only_size(bounds: list[Token]) -> int:
    values = [token.value for token in bounds]
    if len(values) == 3 and values[1] == "..":
        numbers = {_integer(bounds[0]), _integer(bounds[2])}
    else:
        numbers = {_integer(bounds[0])} if len(values) == 1 else set()
    number = numbers.pop() if len(numbers) == 1 else None
    return number if number is not None and 0 < number <= 0xFFFF else 0


def _integer(token: Token) -> int | None:
    """The number that a token stands for; ``'1F'h`` and ``'0101'b`` are numbers, too. None for any other token,
    and for a number of more than 64 bits."""
    text = token.value
    if token.kind != NUMBER or len(text) > 80:
        return None
    if text.startswith("'"):
        digits, base = "".join(text[1:-2].split()) or "0", 16 if text[-1] in "hH" else 2
        number = int(digits, 16) if base == 16 else int(digits, 2) if set(digits) <= {"0", "1"} else None
    else:
        number = int(text)
    return number if number is not None and abs(number) < 1 << 64 else None


def read_indexes(tokens: Tokens, note: Note) -> tuple[tuple[str, bool], ...]:
    """Reads the list of INDEX or AUGMENTS: names, each with whether it is IMPLIED. Raises Unreadable.

    IMPLIED can only be the last one (RFC 2578 section 7.7), so it counts for that wherever it stands, as in net-snmp.
    """
    start = tokens.take()
    if start.value != "{":
        raise Unreadable("{", start)
    names, implied = list[str](), False
    while not tokens.accept("}"):
        token = tokens.peek()
        if token.value == "::=" or starts_clause(tokens, token) or ends_declaration(tokens, token):
            note(start.start, "the } of the list is missing")
            break
        if tokens.take().kind != WORD:
            continue  # commas, and the ranges of SMIv1 types
        if token.value == "IMPLIED":
            implied = True
        elif token.value not in ("SIZE", "MIN", "MAX"):
            names.append(_type_name(tokens, token))
    if not names or len(names) > MAX_SUB_IDENTIFIERS:
        raise Unreadable(f"1 to {MAX_SUB_IDENTIFIERS} names", start)
    return (*((name, False) for name in names[:-1]), (names[-1], implied))


def read_oid(tokens: Tokens, note: Note) -> tuple[tuple[str, int], ...]:
    """Reads ``{ parent 1 }``, as ``Definition.parts``. Raises Unreadable."""
    start = tokens.peek()
    if start.kind == WORD and not ends_declaration(tokens, start):
        note(start.start, "the { of the OID is missing")
    elif not tokens.accept("{"):
        raise Unreadable("{ parent number }", start)
    parts: list[tuple[str, int]] = []
    closed = _is_closed(tokens)
    while not tokens.accept("}"):
        token = tokens.peek()
        if not closed and (ends_declaration(tokens, token) or (parts and starts_line(tokens, token))):
            note(start.start, "the } of the OID is missing")
            break
        tokens.take()
        if token.kind in (WORD, NUMBER):
            parts.append(_part(tokens, token))
        elif token.value not in (",", ".", ";"):
            raise Unreadable("a name or a number", token)
        if len(parts) > MAX_SUB_IDENTIFIERS:
            raise Unreadable(f"at most {MAX_SUB_IDENTIFIERS} numbers in an OID", token)
    if not parts:
        raise Unreadable("{ parent number }", start)
    return tuple(parts)


def _is_closed(tokens: Tokens) -> bool:
    """Whether a } comes before the next ``::=`` or declaration."""
    token = tokens.peek()
    for _ in range(4 * MAX_SUB_IDENTIFIERS + 4):
        if token.value == "}":
            return True
        if token.value == "::=" or ends_declaration(tokens, token):
            return False
        token = tokens.at(token.end)
    return True


def _part(tokens: Tokens, token: Token) -> tuple[str, int]:
    if token.kind == NUMBER:
        return "", _sub_identifier(token)
    check_name(token)
    if not tokens.accept("("):
        return token.value, NO_NUMBER
    number = _sub_identifier(tokens.take())
    tokens.accept(")")
    return token.value, number


def check_name(token: Token) -> None:
    """Raises Unreadable for a name that is too long to be one."""
    if len(token.value) > MAX_LABEL:
        raise Unreadable(f"a name of at most {MAX_LABEL} characters", token)


def _sub_identifier(token: Token) -> int:
    number = _integer(token)
    if number is None or not 0 <= number <= _MAX_SUB_IDENTIFIER:
        raise Unreadable(f"a number from 0 to {_MAX_SUB_IDENTIFIER}", token)
    return number


def skip_value(tokens: Tokens) -> None:
    """Passes a value of DEFVAL, whatever it is: in braces, or a word."""
    token = tokens.peek()
    if token.value == "{":
        tokens.position = after_braces(tokens, token.start)
    elif token.kind != END and not starts_clause(tokens, token):
        tokens.take()
