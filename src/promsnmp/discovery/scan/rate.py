"""How fast packets leave: so many per second and no bursts, shared by all sweeps that run at the same time.

A sweep that was held up must not catch up: what would leave in one go then is what pacing is there to prevent. So a
share that is not used within ``BURST`` seconds is lost.
"""

from __future__ import annotations

from dataclasses import dataclass

BURST = 0.05
"""Seconds of pace that may leave at once: sweeps wake up every 10 ms, and late on a busy machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanLimits:
    """What the operator allows: packets per second, addresses waiting for an answer at once; seconds per packet."""

    packets_per_second: float = 3000.0
    in_flight: int = 5000
    timeout: float = 1.0
    retries: int = 1


class SharedRate:
    """Packets that may leave now; each sweep has a ``RateShare`` of it."""

    def __init__(self, packets_per_second: float) -> None:
        self.packets_per_second = packets_per_second
        self.shares = 0

    def share(self) -> RateShare:
        """An equal part of the pace, until it is closed."""
        return RateShare(self)


class RateShare:
    """A token bucket (one token is one packet) whose rate is the allowance's, divided by those who share it."""

    def __init__(self, shared_rate: SharedRate) -> None:
        self._shared_rate = shared_rate
        self._tokens = 0.0
        self._refilled_at: float | None = None
        shared_rate.shares += 1

    @property
    def rate(self) -> float:
        """Packets per second."""
        return self._shared_rate.packets_per_second / max(self._shared_rate.shares, 1)

    def available(self, now: float) -> int:
        """How many packets may leave ``now`` (seconds of a clock that never goes back)."""
        if self._refilled_at is not None:
            self._tokens = min(self._tokens + (now - self._refilled_at) * self.rate, max(1.0, self.rate * BURST))
        self._refilled_at = now
        return max(int(self._tokens), 0)

    def spend(self, packets: int) -> None:
        """Notes that packets left; more than ``available`` said are made up for later."""
        self._tokens -= packets

    def close(self) -> None:
        """Leaves the pace to the others."""
        self._shared_rate.shares -= 1
