"""Finds the name that somebody meant who mistyped it."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

CUTOFF = 0.8
"""Similarity (difflib's ratio, 0 to 1) from which a name counts as near."""


def nearest(name: str, known: Iterable[str], *, cutoff: float = CUTOFF) -> str:
    """The most similar of ``known``; empty when none is near."""
    return next(iter(get_close_matches(name, list(known), n=1, cutoff=cutoff)), "")


def did_you_mean(name: str, known: Iterable[str], *, cutoff: float = CUTOFF) -> str:
    """``; did you mean 'NAME'?`` to add to an error; empty when nothing is near."""
    found = nearest(name, known, cutoff=cutoff)
    return f"; did you mean {found!r}?" if found else ""
