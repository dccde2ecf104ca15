"""Finds the declarations of a MIB text, so that a wrong one can be removed and the rest can be read.

Vendors' MIBs are full of small mistakes, and a grammar accepts or refuses a whole file. Removed text is replaced by
blanks, so that lines and columns do not change.
"""

from __future__ import annotations

import bisect
import re
from dataclasses import dataclass

_START = re.compile(
    r"^[ \t]*(?P<name>[A-Za-z][\w-]*)\s+(?:OBJECT\s+IDENTIFIER\s*::=|(?:OBJECT-TYPE|OBJECT-IDENTITY|MODULE-IDENTITY"
    r"|NOTIFICATION-TYPE|TRAP-TYPE|OBJECT-GROUP|NOTIFICATION-GROUP|MODULE-COMPLIANCE|AGENT-CAPABILITIES|MACRO)\b(?!-)"
    r"|::=(?!\s*[{\d]))",
    re.MULTILINE,
)
_IMPORTS = re.compile(r"^[ \t]*IMPORTS\b[^;]*;", re.MULTILINE)
_FROM = re.compile(r"\bFROM\s+([\w-]+)")
_END = re.compile(r"^[ \t]*END\b(?!-)", re.MULTILINE)
COMMENT = re.compile(r"--[^\n]*")
_WORDS = re.compile(r"""\"[^"]*"|--[^\n]*|'[0-9A-Fa-f]*'[HhBb]|[A-Za-z0-9][\w-]*""")
_NUMBERED = re.compile(r"\d+[A-Z]")
_UNDERSCORE, _DIGITS = "UuU", "dDd"


@dataclass(frozen=True, slots=True)
class Span:
    """One declaration in the text."""

    name: str
    start: int
    """Offset of the name."""
    end: int
    line: int


class Layout:
    """The declarations and IMPORTS of ``text``, by offset, and the line of each import's FROM."""

    def __init__(self, text: str) -> None:
        self._size = len(text)
        self._lines = [0, *(match.end() for match in re.finditer("\n", text))]
        self.imports = [(match.start(), match.end()) for match in _IMPORTS.finditer(text)]
        self.import_lines = {
            match[1]: self.line(match.start(1))
            for start, end in reversed(self.imports)
            for match in _FROM.finditer(text, start, end)
        }
        found = [match for match in _START.finditer(text) if not self.in_imports(match.start())]
        ends = sorted(match.start() for match in _END.finditer(text))
        self.spans: list[Span] = []
        for number, match in enumerate(found):
            start = match.start("name")
            following = found[number + 1].start("name") if number + 1 < len(found) else len(text)
            at = bisect.bisect(ends, start)
            end = min(following, ends[at] if at < len(ends) else following)
            self.spans.append(Span(match["name"], start, end, self.line(start)))

    @property
    def last_line(self) -> int:
        """The number of the last line."""
        return len(self._lines)

    def line(self, offset: int) -> int:
        """The line of an offset, from 1."""
        return bisect.bisect(self._lines, offset)

    def offset(self, line: int, column: int) -> int:
        """The offset of a line and column, both from 1; the end of the text for a line after it."""
        if line > len(self._lines):
            return self._size
        return self._lines[min(max(line, 1), len(self._lines)) - 1] + max(column, 1) - 1

    def in_imports(self, offset: int) -> bool:
        """Whether an offset lies in an IMPORTS clause."""
        return any(start <= offset < end for start, end in self.imports)

    def suspect(self, offset: int, removed: set[int], *, again: bool) -> int | None:
        """The declaration (its place in ``spans``) that probably causes an error at ``offset``; ``removed`` are gone.

        The parser notices a declaration without its end at the name of the next one. If removing it does not help and
        the error occurs ``again``, the declaration at the error itself is the cause.
        """
        at = bisect.bisect([span.start for span in self.spans], offset) - 1
        if at < 0:
            return None
        before = next((one for one in range(at - 1, -1, -1) if one not in removed), None)
        first_word = offset < self.spans[at].start + len(self.spans[at].name)
        if at in removed or (first_word and not again and before is not None):
            return None if at in removed and again else before
        return at

    def unbalanced(self, text: str) -> list[int]:
        """The declarations with an unclosed quotation, by their place in ``spans``."""
        odd = []
        for number, span in enumerate(self.spans):
            body = text[span.start : span.end]
            if body.count('"') % 2 and COMMENT.sub("", re.sub(r'"[^"]*"', "", body)).count('"') % 2:
                odd.append(number)
        return odd


def blanked(text: str, start: int, end: int) -> str:
    """The text with blanks from ``start`` to ``end``."""
    return text[:start] + re.sub(r"[^\n]", " ", text[start:end]) + text[end:]


def hide_odd_names(text: str) -> str:
    """Replaces names that vendors use in spite of the SMI (``a_b``, ``10Mbps``) by names that the grammar accepts.

    ``show_odd_name`` is the reverse.
    """

    def spell(match: re.Match[str]) -> str:
        word = match[0]
        if word[0] in "\"'-":
            return word
        return f"{_DIGITS if _NUMBERED.match(word) else ''}{word.replace('_', _UNDERSCORE)}"

    return _WORDS.sub(spell, text)


def show_odd_name(name: str) -> str:
    """The name as in the file."""
    return name.removeprefix(_DIGITS).replace(_UNDERSCORE, "_")
