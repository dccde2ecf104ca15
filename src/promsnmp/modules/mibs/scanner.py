"""Splits the text of a MIB file into tokens, from any offset and without a list of them.

A parser that meets something unreadable can so go on at any other place, and a file of any size needs no memory for its
tokens. What no token of the SMI can contain (control characters, ^Z behind END, a byte order mark) counts as space.

Sources: RFC 2578 section 3.1 (words, numbers, quoted text), ITU-T X.680 section 12.6 (comments).
"""

from __future__ import annotations

import re
from typing import NamedTuple

WORD, NUMBER, TEXT, MARK = "word", "number", "text", "mark"
OPEN = "open"
"""A quotation mark without a second one."""
END = "end"
"""The end of the file."""

_SPACE = re.compile(r"[\s\x00-\x20\x7f-\xa0\u200b-\u200f\ufeff]*")
_TOKEN = re.compile(
    r"(?P<number>-?[0-9]+(?!\w|-(?!-)))"
    r"|(?P<based>'[0-9A-Fa-f\s]*'[hHbB])"
    r"|(?P<word>\w+(?:-(?!-)\w*)*)"
    r'|(?P<text>"[^"]*"|“[^“”"]*”)'
    r"|(?P<assign>(?::\s*){1,2}=)"
    r"|(?P<range>\.\.+)"
    r"|(?P<mark>.)",
    re.DOTALL,
)
_BLOCK = re.compile(r"/\*|\*/")
_WHOLE_WORD = re.compile(r"[^\W\d]\w*(?:-+\w+)*")
"""A word with hyphens as some vendors write it (``c--d``), which the SMI takes for the start of a comment."""
_KINDS = {"number": NUMBER, "based": NUMBER, "word": WORD, "text": TEXT, "assign": MARK, "range": MARK, "mark": MARK}
_MEMORY = 64
MAX_NESTING = 16
"""Maximum depth of comments in comments."""


MAX_TOKENS = 6_000_000
"""Maximum number of tokens that are read of a file (some are read more than once): about 10 s; no MIB has a third."""


class TooMuch(Exception):
    """A file that has too much to be a MIB; ``offset`` is how far it was read."""

    def __init__(self, what: str, offset: int) -> None:
        super().__init__(f"more than {what}")
        self.offset = offset


class Token(NamedTuple):
    """A part of the text; ``value`` of TEXT includes the quotation marks, so that it never equals a keyword."""

    kind: str
    value: str
    start: int
    end: int


class Tokens:
    """The tokens of ``text`` from ``position`` on."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self.comment = self.closed_comment = -1
        """Offset of the last comment, and of the last one that ended before its line did."""
        self._as_vendors = False
        self._quotes = True
        self._known_line = (0, -1)
        self._last_block = text.rfind("*/")
        self._memory: dict[int, Token] = {}
        self._counted = (0, 1)
        self._count = 0

    def read_as(self, *, as_vendors: bool = False, quotes: bool = True) -> None:
        """Chooses how ``--`` is read (as vendors do, it ends no comment, and is part of a word that it stands in), and
        whether quoted text is one token.
        """
        self._as_vendors, self._quotes = as_vendors, quotes
        self._memory.clear()

    def at(self, offset: int) -> Token:
        """The first token at or after ``offset``."""
        token = self._memory.get(offset)
        if token is None:
            if len(self._memory) >= _MEMORY:
                self._memory.clear()
            self._count += 1
            if self._count > MAX_TOKENS:
                raise TooMuch(f"{MAX_TOKENS} tokens", offset)
            token = self._memory[offset] = self._read(self._skip(offset))
        return token

    def peek(self) -> Token:
        """The next token."""
        return self.at(self.position)

    def second(self) -> Token:
        """The token after the next one."""
        return self.at(self.peek().end)

    def take(self) -> Token:
        """The next token, which is passed."""
        token = self.at(self.position)
        self.position = token.end
        return token

    def accept(self, value: str) -> bool:
        """Passes the next token if it is ``value``."""
        token = self.at(self.position)
        if token.value != value:
            return False
        self.position = token.end
        return True

    def line(self, offset: int) -> int:
        """The line of an offset, from 1."""
        start, line = self._counted if self._counted[0] <= offset else (0, 1)
        self._counted = (offset, line + self.text.count("\n", start, offset))
        return self._counted[1]

    def _read(self, start: int) -> Token:
        word = _WHOLE_WORD.match(self.text, start) if self._as_vendors else None
        if word is not None:
            return Token(WORD, word[0], start, word.end())
        match = _TOKEN.match(self.text, start)
        if match is None:
            return Token(END, "", start, start)
        kind, value = _KINDS[str(match.lastgroup)], match[0]
        if value[0] in '"“':
            return self._quoted(match)
        if match.lastgroup == "assign":
            value = "::="
        return Token(kind, value, start, match.end())

    def _quoted(self, match: re.Match[str]) -> Token:
        start = match.start()
        if not self._quotes:
            return Token(MARK, '"', start, start + 1)
        return Token(TEXT if len(match[0]) > 1 else OPEN, match[0], start, match.end())

    def _skip(self, offset: int) -> int:
        """The offset behind spaces and comments."""
        text = self.text
        while True:
            offset = _SPACE.match(text, offset).end()  # type: ignore[union-attr]  # it matches nothing, too
            if text.startswith("--", offset):
                offset = self._after_comment(offset)
            elif text.startswith("/*", offset) and offset < self._last_block:
                offset = _after_block(text, offset)
            else:
                return offset

    def _after_comment(self, start: int) -> int:
        """A comment ends with its line or with ``--``; rulers (``-----``) end with their line."""
        line_end = self.end_of_line(start)
        self.comment = max(self.comment, start)
        if self._as_vendors or self.text.startswith("---", start):
            return line_end
        close = self.text.find("--", start + 2, line_end)
        if close < 0 or self.text.startswith("---", close):
            return line_end
        self.closed_comment = max(self.closed_comment, start)
        return close + 2

    def end_of_line(self, offset: int) -> int:
        """The offset of the end of the line that ``offset`` is in."""
        start, end = self._known_line
        if not start <= offset <= end:
            end = self.text.find("\n", offset)
            end = len(self.text) if end < 0 else end
            self._known_line = (offset, end)
        return end


def _after_block(text: str, start: int) -> int:
    """The offset behind ``/* ... */``, which may contain others."""
    depth, end = 0, start
    for match in _BLOCK.finditer(text, start):
        depth, end = depth + (1 if match[0] == "/*" else -1), match.end()
        if depth == 0 or depth > MAX_NESTING:
            break
    return end
