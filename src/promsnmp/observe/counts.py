"""Plain counters for hot code; ``metric_families.py`` turns them into metric families when PromSNMP itself is scraped.

A prometheus-client counter costs a lock and a few calls for every increment. Code that runs once per poll, packet or
request counts in ints and lists instead. Everything here belongs to the event loop's thread.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence

from promsnmp.errors import (
    AuthenticationError,
    ErrorStatus,
    MalformedMessage,
    SnmpRefused,
    SnmpTimeout,
    WalkLoop,
)

OUTCOMES = ("success", "partial", "timeout", "refused", "authentication", "malformed", "error_status", "error")
"""Outcomes of a poll; ``partial`` means that only some of the requested values came."""

DURATION_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
SEARCH_BOUNDS = (1.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0)
LAG_BOUNDS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0)
"""Upper bounds in seconds."""

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"})
"""Request methods that are counted by name (RFC 9110 section 9, RFC 5789); all others count as ``OTHER``."""


def outcome_of(error: BaseException | None) -> str:
    """The outcome (one of OUTCOMES) of a poll that ended with ``error``; ``success`` for None."""
    match error:
        case None:
            return "success"
        case SnmpTimeout():
            return "timeout"
        case SnmpRefused():
            return "refused"
        case AuthenticationError():
            return "authentication"
        case MalformedMessage() | WalkLoop():
            return "malformed"
        case ErrorStatus():
            return "error_status"
        case _:
            return "error"


class Distribution:
    """A histogram of plain ints: ``counts[i]`` values were at most ``bounds[i]``, the last one above all bounds."""

    __slots__ = ("bounds", "count", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = tuple(bounds)
        self.counts = [0] * (len(self.bounds) + 1)
        self.count = 0
        self.total = 0.0

    def observe(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.count += 1
        self.total += value

    def cumulative(self) -> list[tuple[str, float]]:
        """(upper bound, values up to it) pairs as Prometheus writes them, ending with ``+Inf``."""
        running, pairs = 0, []
        for bound, count in zip((*map(str, self.bounds), "+Inf"), self.counts, strict=True):
            running += count
            pairs.append((bound, float(running)))
        return pairs


class PollCounts:
    """Polls by outcome, their duration and their delay; all times in seconds."""

    __slots__ = ("duration", "lag", "outcomes")

    def __init__(self) -> None:
        self.outcomes = dict.fromkeys(OUTCOMES, 0)
        self.duration = Distribution(DURATION_BOUNDS)
        self.lag = Distribution(LAG_BOUNDS)

    def record(self, outcome: str, *, seconds: float) -> None:
        """A poll ended after ``seconds``; ``outcome`` is one of OUTCOMES."""
        self.outcomes[outcome] += 1
        self.duration.observe(seconds)

    def record_start(self, *, late: float) -> None:
        """A poll of the background poller started ``late`` seconds after it was due."""
        self.lag.observe(max(late, 0.0))


class DiscoveryCounts:
    """Discovery jobs by outcome, and their results; all times in seconds."""

    __slots__ = ("addresses", "duration", "errors", "findings", "outcomes", "packets")

    def __init__(self) -> None:
        self.outcomes = dict.fromkeys(("finished", "cancelled", "failed"), 0)
        self.duration = Distribution(SEARCH_BOUNDS)
        self.findings = dict.fromkeys(("added", "updated", "unchanged", "lost", "removed"), 0)
        self.errors: dict[str, int] = {}
        self.addresses = 0
        self.packets = 0

    def record(
        self,
        outcome: str,
        *,
        seconds: float | None,
        findings: Mapping[str, int],
        lost: int,
        removed: int,
        addresses: int,
        packets: int,
        errors: Mapping[str, int],
    ) -> None:
        """A job ended; ``seconds`` is None for one that never started."""
        self.outcomes[outcome] += 1
        if seconds is not None:
            self.duration.observe(seconds)
        for kind, count in {**findings, "lost": lost, "removed": removed}.items():
            self.findings[kind] += count
        for kind, count in errors.items():
            self.errors[kind] = self.errors.get(kind, 0) + count
        self.addresses += addresses
        self.packets += packets


class RequestCounts:
    """HTTP requests by method, path template and status: their number and total seconds."""

    __slots__ = ("totals",)

    def __init__(self) -> None:
        self.totals: dict[tuple[str, str, int], list[float]] = {}

    def record(self, method: str, template: str, status: int, *, seconds: float) -> None:
        """``template`` is a route's path, never the path that a client sent: the label would have unbounded values."""
        key = (method if method in METHODS else "OTHER", template, status)
        total = self.totals.get(key)
        if total is None:
            total = self.totals[key] = [0.0, 0.0]
        total[0] += 1.0
        total[1] += seconds
