"""Bounds what one poll may take in, whatever the device returns: an endless table, or one of huge values.

Honest devices stay far below the bounds. Reading stops where one is reached; what came until then is kept, and the
error says which setting it was.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from promsnmp.errors import MemoryShort, SnmpError, TooMuchData
from promsnmp.snmp import ber

UNLIMITED = (1 << 62) - 1
_VARBINDS, _OCTETS, _ROWS = 1, 2, 3
"""What ``ber.Scanner.exceeds`` returns."""
_SMALLEST_VARBIND, _MOST_OVERHEAD = 7, 64
"""Octets of a varbind with an OID of one octet and NULL, and at least the memory of one besides its content."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PollLimits:
    """The most that one poll reads: variable bindings, octets of memory for them, and rows of a column."""

    varbinds: int = 2_000_000
    octets: int = 64 * 1024 * 1024
    rows: int = 250_000


DEFAULT_LIMITS = PollLimits()
MEMORY_OCTETS = 64 * 1024
"""Octets that a poll has read when it begins to look at the memory of the process; ending it before saves nothing."""
NO_LIMITS = PollLimits(varbinds=UNLIMITED, octets=UNLIMITED, rows=UNLIMITED)
"""For those who look at each value as it comes, and keep none."""


class ReadBudget:
    """What a poll has taken in, against its limits; all operations of the poll share it.

    ``is_memory_short`` says whether the process is about to reach its memory limit.
    """

    __slots__ = ("_is_memory_short", "_limits", "_octets_left", "_setting", "_varbinds_left", "is_spent")

    def __init__(
        self, limits: PollLimits | None = None, *, is_memory_short: Callable[[], bool] = lambda: False
    ) -> None:
        self._limits = limits or NO_LIMITS
        self._is_memory_short = is_memory_short
        self._setting = ""
        self._varbinds_left = self._limits.varbinds
        self._octets_left = self._limits.octets
        self.is_spent = False
        """Whether the poll must not read anything more."""

    def narrow(self, *, varbinds: int, rows: int, reason: str) -> None:
        """Lets the poll read no more than these from now on; ``reason`` says in errors whose limits they are."""
        self._varbinds_left = min(self._varbinds_left, varbinds)
        self._limits = replace(
            self._limits, varbinds=min(self._limits.varbinds, varbinds), rows=min(self._limits.rows, rows)
        )
        self._setting = reason

    def spend(self, varbinds: int, octets: int) -> None:
        """Adds what was read besides the varbinds in the scanner of ``exceeded``."""
        self._varbinds_left -= varbinds
        self._octets_left -= octets

    def exceeded(self, scanner: ber.Scanner) -> SnmpError | None:
        """Why a walk must not go on; None while it may. ``is_spent`` says whether nothing else may be read either."""
        limits = self._limits
        which = scanner.exceeds(self._varbinds_left, self._octets_left, limits.rows)
        if not which and (scanner.kept_octets < MEMORY_OCTETS or not self._is_memory_short()):
            return None
        if which == _ROWS:
            return _too_much("rows of one column", self._setting or "COLLECTION_MAX_ROWS", limits.rows)
        self.is_spent = True
        return self._reason(is_varbinds=which == _VARBINDS, is_octets=which == _OCTETS)

    def has_room(self, scanner: ber.Scanner, octets: int) -> bool:
        """Whether a response of ``octets`` cannot make ``exceeded`` return anything."""
        most, limits = octets // _SMALLEST_VARBIND, self._limits
        exceeds = scanner.exceeds(
            self._varbinds_left - most, self._octets_left - most * _MOST_OVERHEAD - octets, limits.rows - most
        )
        return not exceeds and (scanner.kept_octets + octets < MEMORY_OCTETS or not self._is_memory_short())

    def exceeded_by_gets(self) -> SnmpError | None:
        """Why no more objects may be read; None while they may."""
        is_varbinds, is_octets = self._varbinds_left < 0, self._octets_left < 0
        if not (is_varbinds or is_octets or self._is_memory_short()):
            return None
        self.is_spent = True
        return self._reason(is_varbinds=is_varbinds, is_octets=is_octets)

    def _reason(self, *, is_varbinds: bool, is_octets: bool) -> SnmpError:
        if is_varbinds:
            return _too_much("variable bindings", self._setting or "COLLECTION_MAX_VARBINDS", self._limits.varbinds)
        if is_octets:
            return _too_much("octets of values", "COLLECTION_MAX_OCTETS", self._limits.octets)
        return MemoryShort("the poll was ended: the process is close to its memory limit (MEMORY_LIMIT)")


def _too_much(what: str, setting: str, most: int) -> TooMuchData:
    return TooMuchData(f"the device returns more than {most} {what} ({setting}), the rest was not read")
