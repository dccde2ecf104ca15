"""Text for a terminal: what devices say made harmless, singular or plural, and long lines."""

from __future__ import annotations

import re
import textwrap


def printable(text: str, *, longest: int | None = None) -> str:
    """``text`` with control characters as ``\\xNN``, cut off with "..." after ``longest`` characters.

    Devices choose their names and descriptions, and must not control the terminal with them.
    """
    shortened = text if longest is None else text[:longest]
    clean = "".join(letter if letter.isprintable() else f"\\x{ord(letter):02x}" for letter in shortened)
    if longest is None or (len(clean) <= longest and len(shortened) == len(text)):
        return clean
    return f"{clean[:longest]}..."


def counted(number: int, noun: str) -> str:
    """A number with its noun: 1 packet, 2 packets, 1,000 packets."""
    if number == 1:
        return f"1 {noun}"
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return f"{number:,} {noun[:-1]}ies"
    return f"{number:,} {noun}{'es' if noun.endswith('s') else 's'}"


def hanging(line: str, width: int) -> list[str]:
    """A line in lines of at most ``width`` characters, whose second and further ones are indented by four more.

    In a table, by four more than the last column that begins in the first half. A longer word stays whole: it may be an
    OID or a sample, to be copied.
    """
    starts = [match.end() for match in re.finditer(r"\S  +(?=\S)", line) if match.end() <= width // 2]
    text = line.lstrip()
    leading = len(line) - len(text)
    indent = (starts[-1] if starts else leading) + 4
    return textwrap.wrap(
        text,
        width,
        initial_indent=" " * leading,
        subsequent_indent=" " * indent,
        replace_whitespace=False,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [""]
