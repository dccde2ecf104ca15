"""Long lists in pages: which page a parameter means, and what is on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

_MOST_DIGITS = 8
_Row = TypeVar("_Row")


def page_number(text: str) -> int:
    """The number of a page, from 1, as a parameter gives it; 1 for anything else."""
    return max(int(text), 1) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else 1


def page_of(rows: Sequence[_Row], number: int, size: int) -> tuple[Sequence[_Row], int, int]:
    """The rows of page ``number`` with ``size`` rows a page, the number of the page, and how many pages there are, at
    least 1. Beyond the last page that is the last one."""
    pages = max(-(-len(rows) // size), 1)
    number = min(number, pages)
    return rows[(number - 1) * size : number * size], number, pages
