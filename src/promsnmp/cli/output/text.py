"""Text for a terminal: what devices say made harmless, and singular or plural."""

from __future__ import annotations


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
    plural = "es" if noun.endswith("s") else "s"
    return f"{number:,} {noun}{'' if number == 1 else plural}"
