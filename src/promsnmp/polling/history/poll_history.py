"""How the last polls of a device ended: a ring in a few hundred bytes, since there are tens of thousands of devices."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from promsnmp.errors import shortened

MOST_POLLS = 20
"""Polls that are kept of a device."""
MOST_CHARACTERS = 200
"""Of the problem of one poll."""
OUTCOMES = ("up", "partial", "down")
"""States that a poll may leave a device in."""
_RECORD = struct.Struct("<dfIB")


@dataclass(frozen=True, slots=True)
class PastPoll:
    """One poll: when it ended (Unix time), how long it took, the samples on its page, what was wrong."""

    state: str
    at: float
    seconds: float
    samples: int
    problem: str


class PollHistory:
    """The last MOST_POLLS polls of one device."""

    __slots__ = ("_next", "_problems", "_records")

    def __init__(self) -> None:
        self._records = b""
        self._next = 0
        self._problems: dict[int, str] | None = None
        """By place in the ring; one object for a problem that repeats, None until there is one."""

    def add(self, state: str, *, at: float, seconds: float, samples: int, problem: str) -> None:
        """Adds the poll that has just ended, in place of the oldest one."""
        record = _RECORD.pack(at, min(seconds, 1e9), min(samples, 0xFFFFFFFF), OUTCOMES.index(state))
        start = self._next * _RECORD.size
        self._records = self._records[:start] + record + self._records[start + _RECORD.size :]
        if problem or self._problems:
            self._note_problem(problem)
        self._next = (self._next + 1) % MOST_POLLS

    def _note_problem(self, problem: str) -> None:
        problems = self._problems or {}
        text = shortened(problem, MOST_CHARACTERS)
        problems.pop(self._next, None)
        if text:
            before = problems.get((self._next - 1) % MOST_POLLS, "")
            problems[self._next] = before if before == text else text
        self._problems = problems or None

    def newest_first(self) -> Iterator[PastPoll]:
        """The polls, the last one first."""
        count = len(self._records) // _RECORD.size
        for back in range(1, count + 1):
            place = (self._next - back) % MOST_POLLS
            at, seconds, samples, outcome = _RECORD.unpack_from(self._records, place * _RECORD.size)
            yield PastPoll(OUTCOMES[outcome], at, seconds, samples, (self._problems or {}).get(place, ""))
