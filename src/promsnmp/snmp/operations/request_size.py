"""How much to ask one agent for at once, where it is silent to larger requests.

Many agents drop what they cannot serve without a word: any GETBULK, more than ten repetitions, a GET of more than some
objects, answers that do not fit into a packet. Silence alone says nothing, as packets get lost and devices fail. So a
size counts as too large only when a smaller request at the same place was answered after it, and it is tried again
later.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from math import isqrt

UNLIMITED = 1 << 31
GET_NEXT = 0
"""The size of a GETNEXT, which is less than a GETBULK of one repetition: some agents know no GETBULK at all."""
TEST_AFTER = 8
"""Answers after which a larger request is tried again."""
RETEST_SECONDS = 3600.0
"""Seconds after which a size that got no answer twice is tried again."""


@dataclass(slots=True)
class SizeLimit:
    """The size of requests (repetitions, or objects) that an agent answers; kept from poll to poll.

    ``least`` is the smallest size there is. Until a size got no answer, nothing is limited.
    """

    least: int
    size: int = UNLIMITED
    """The most to ask for."""
    answered: int = -1
    """The largest size that was answered; -1: none yet."""
    unanswered: int = 0
    """The smallest size that got no answer where a smaller one got one; 0: none."""
    failures: int = 0
    """How often sizes of at least ``unanswered`` got no answer."""
    since: float = 0.0
    """When the last of them got none, seconds of the monotonic clock."""
    _answers: int = 0

    def below(self, size: int) -> int:
        """The size to try after ``size`` got no answer; not smaller if ``size`` is the least."""
        if self.least <= self.answered < size and self.size < UNLIMITED:
            return self.answered
        if size >= 20:
            return 10
        return max(self.least, size // 3 if self.least else GET_NEXT)

    def on_answer(self, size: int) -> None:
        """A request of ``size`` was answered."""
        if self.size == UNLIMITED:
            self.answered = max(self.answered, size)
            return
        if size >= self.unanswered:
            self.size, self.unanswered, self.failures, self.answered = UNLIMITED, 0, 0, size
            return
        self.answered = max(self.answered, size)
        self._answers += 1
        if self._answers >= TEST_AFTER:
            self._answers = 0
            self.size = self._next_test()

    def _next_test(self) -> int:
        """The size to ask for from now on: a larger one, where that may save packets."""
        if self.failures < 2:
            return self.unanswered  # it may have been a lost packet
        if self.unanswered >= 4 * max(self.answered, 1):
            return max(isqrt(max(self.answered, 1) * self.unanswered), self.answered)
        return self.unanswered if time.monotonic() - self.since >= RETEST_SECONDS else self.answered

    def on_silence(self, sizes: list[int], answered: int) -> None:
        """Requests of ``sizes`` got no answer, one after the other; then one of the size ``answered`` got one."""
        smallest = min(sizes)
        self.failures += len(sizes)
        self.since = time.monotonic()
        self.unanswered = min(smallest, self.unanswered or smallest)
        self.answered = answered if self.answered >= self.unanswered else max(self.answered, answered)
        self.size = max(self.answered, self.below(smallest))
        self._answers = 0

    def doubt(self) -> None:
        """Nothing was answered in a session: what worked before may not work any more."""
        if self.size == UNLIMITED:
            self.answered = -1


@dataclass(slots=True)
class SizeAttempts:
    """The sizes of one request that were sent so far, by request-id, as each size has its own."""

    limit: SizeLimit
    size: int = 0
    """The size that was sent last."""
    _id: int = 0
    _sent: list[tuple[int, int]] = field(default_factory=list)
    """Request-ids and sizes of the larger ones that were sent before it."""

    @property
    def is_settled(self) -> bool:
        """Whether an answer to the request teaches nothing, and the next request has its size."""
        return not self._sent and self.limit.size == UNLIMITED and self.limit.answered >= self.size

    def begin(self, request_id: int, size: int) -> None:
        """A new request."""
        self._id, self.size = request_id, size
        if self._sent:
            self._sent = []

    def less(self, request_id: int, *, answers: bool) -> int | None:
        """The size to ask for after silence, sent with ``request_id``; None when there is nothing less to ask for.

        An agent that ``answers`` other requests is asked for less step by step. Of one that has not answered yet, the
        least is asked, unless a request of this size has been answered before: then it is probably down.
        """
        size = self.size
        if not answers and (self._sent or self.limit.answered >= size):
            return None
        smaller = self.limit.below(size) if answers else self.limit.least
        if smaller >= size:
            return None
        self._sent.append((self._id, size))
        self._id, self.size = request_id, smaller
        return smaller

    def on_answer(self, request_id: int) -> int:
        """The size that was answered; the limit learns from it."""
        limit = self.limit
        if not self._sent:
            if limit.size != UNLIMITED or limit.answered < self.size:
                limit.on_answer(self.size)
            return self.size
        attempts = [*self._sent, (self._id, self.size)]
        at = next((at for at, (number, _) in enumerate(attempts) if number == request_id), len(attempts) - 1)
        sizes = [size for _, size in attempts]
        if at:
            limit.on_silence(sizes[:at], sizes[at])
        elif limit.size != UNLIMITED or limit.answered < sizes[0]:
            limit.on_answer(sizes[0])
        return sizes[at]
