"""A token bucket: limits how often something may happen, and how much of it at once after a pause.

Requests over HTTP and packets of a sweep obey the same rule. The clock is passed in: a test chooses the time, and a
state machine that is stepped passes the time of its step.
"""

from __future__ import annotations

import time
from collections.abc import Callable


class TokenBucket:
    """``rate`` tokens per second flow in, up to ``burst``; both may be changed at any time.

    It holds ``tokens`` at first, a full ``burst`` by default. ``clock`` returns seconds and never goes back.
    """

    __slots__ = ("_clock", "_refilled_at", "_tokens", "burst", "rate")

    def __init__(
        self, *, rate: float, burst: float, tokens: float | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.rate = rate
        self.burst = burst
        self._tokens = burst if tokens is None else tokens
        self._clock = clock
        self._refilled_at: float | None = None

    def available(self, now: float | None = None) -> float:
        """Tokens at ``now`` (seconds; the clock's time by default); below 0 after more were spent than there were."""
        now = self._clock() if now is None else now
        if self._refilled_at is not None:
            self._tokens = min(self._tokens + (now - self._refilled_at) * self.rate, self.burst)
        self._refilled_at = now
        return self._tokens

    def spend(self, tokens: float) -> None:
        """Takes tokens whether they are there or not; what is missing has to flow in first."""
        self._tokens -= tokens

    def take(self) -> bool:
        """Takes one token and returns True; returns False when the bucket is empty."""
        if self.available() < 1.0:
            return False
        self.spend(1.0)
        return True
