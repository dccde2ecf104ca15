"""A leader's claim: its term and its process, as the inventory file has them.

A new leader writes its claim into the inventory file before it leads. The election (``cluster``) and the file
(``inventory``) do not import each other, so what they exchange is defined here.
"""

from __future__ import annotations

from typing import NamedTuple

MAX_NUMBER = 2**62
"""The highest term, and the highest revision: a file with a larger one is not read, so it is not written either. Far
beyond any number of elections."""


class Claim(NamedTuple):
    """``instance`` of a process has claimed ``term``; no claim is ``Claim()``."""

    term: int = 0
    """The fencing token: grows with each leader."""
    instance: str = ""
    """Identifies the process that leads in this term; empty in a file that an earlier version or another program
    wrote, and then any."""

    def is_later_than(self, other: Claim) -> bool:
        """Whether this claim has a higher term than ``other``, or claims the same term for another process."""
        is_another = bool(self.instance and other.instance) and self.instance != other.instance
        return self.term > other.term or (self.term == other.term and is_another)
