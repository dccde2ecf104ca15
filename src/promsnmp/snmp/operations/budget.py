"""Bounds what one poll may take in, whatever the device returns: an endless table, or one of huge values.

Honest devices stay far below the bounds. Reading stops where one is reached; what came until then is kept, and the
error says which setting it was.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from promsnmp.errors import MemoryShort, SnmpError, TooMuchData
from promsnmp.snmp import ber

UNLIMITED = (1 << 63) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PollLimits:
    """The most that one poll reads: variable bindings, octets of memory for them, and rows of a column."""

    varbinds: int = 2_000_000
    octets: int = 64 * 1024 * 1024
    rows: int = 250_000


DEFAULT_LIMITS = PollLimits()
NO_LIMITS = PollLimits(varbinds=UNLIMITED, octets=UNLIMITED, rows=UNLIMITED)
"""For those who look at each value as it comes, and keep none."""


class ReadBudget:
    """What a poll has taken in, against its limits; all operations of the poll share it.

    ``is_memory_short`` says whether the process is about to reach its memory limit.
    """

    __slots__ = ("_is_memory_short", "_limits", "_octets", "_varbinds")

    def __init__(
        self, limits: PollLimits | None = None, *, is_memory_short: Callable[[], bool] = lambda: False
    ) -> None:
        self._limits = limits or NO_LIMITS
        self._is_memory_short = is_memory_short
        self._varbinds = 0
        self._octets = 0

    def spend(self, varbinds: int, octets: int) -> None:
        """Adds what was read besides the varbinds in the scanner that ``exceeded`` gets."""
        self._varbinds += varbinds
        self._octets += octets

    def exceeded(self, scanner: ber.Scanner | None = None) -> SnmpError | None:
        """Why the poll must not read on; None while it may."""
        limits = self._limits
        varbinds, octets = self._varbinds, self._octets
        if scanner is not None:
            varbinds += scanner.varbind_count
            octets += scanner.kept_octets
        if varbinds > limits.varbinds:
            return _too_much("variable bindings", "COLLECTION_MAX_VARBINDS", limits.varbinds)
        if octets > limits.octets:
            return _too_much("octets of values", "COLLECTION_MAX_OCTETS", limits.octets)
        if self._is_memory_short():
            return MemoryShort("the poll was ended: the process is close to its memory limit (MEMORY_LIMIT)")
        return None

    def exceeded_rows(self, scanner: ber.Scanner) -> SnmpError | None:
        """Why this walk must not go on, although the poll may; None while it may."""
        if scanner.most_rows <= self._limits.rows:
            return None
        return _too_much("rows of one column", "COLLECTION_MAX_ROWS", self._limits.rows)


def _too_much(what: str, setting: str, most: int) -> TooMuchData:
    return TooMuchData(f"the device returns more than {most} {what} ({setting}), the rest was not read")
