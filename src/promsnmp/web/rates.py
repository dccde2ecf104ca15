"""How many polls a second there are, and how late: the difference between counts now and a minute ago."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from promsnmp.observe.counts import PollCounts

SAMPLE_SECONDS = 5.0
_SAMPLES = 13
"""So many that the first is a minute old."""


@dataclass(frozen=True, slots=True)
class PollRates:
    """Over about a minute; seconds are means, None without polls."""

    per_second: float = 0.0
    failed_per_second: float = 0.0
    lag: float | None = None
    duration: float | None = None


def combined(rates: Sequence[PollRates]) -> PollRates:
    """The rates of several replicas together: sums, the largest lag, the mean duration of a poll."""
    per_second = sum(one.per_second for one in rates)
    weighed = sum(one.duration * one.per_second for one in rates if one.duration is not None)
    lags = [one.lag for one in rates if one.lag is not None]
    return PollRates(
        per_second,
        sum(one.failed_per_second for one in rates),
        max(lags, default=None),
        weighed / per_second if per_second else None,
    )


@dataclass(frozen=True, slots=True)
class _Sample:
    at: float
    polls: int
    failed: int
    seconds: float
    started: int
    late: float


class PollRateMeter:
    """Samples ``counts`` every SAMPLE_SECONDS, by a task of the application."""

    def __init__(self, counts: PollCounts, clock: Callable[[], float] = time.monotonic) -> None:
        self._counts = counts
        self._clock = clock
        self._samples: deque[_Sample] = deque([self._now()], maxlen=_SAMPLES)

    async def sample(self) -> None:
        """Takes one sample."""
        self._samples.append(self._now())

    def rates(self) -> PollRates:
        """The rates from the oldest sample until now."""
        before, now = self._samples[0], self._now()
        seconds = max(now.at - before.at, 0.001)
        polls, started = now.polls - before.polls, now.started - before.started
        return PollRates(
            per_second=polls / seconds,
            failed_per_second=(now.failed - before.failed) / seconds,
            lag=(now.late - before.late) / started if started else None,
            duration=(now.seconds - before.seconds) / polls if polls else None,
        )

    def _now(self) -> _Sample:
        counts = self._counts
        good = counts.outcomes["success"] + counts.outcomes["partial"]
        polls = counts.duration.count
        return _Sample(self._clock(), polls, polls - good, counts.duration.total, counts.lag.count, counts.lag.total)
