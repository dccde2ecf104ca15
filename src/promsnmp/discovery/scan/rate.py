"""Limits the packets per second of all sweeps together, without bursts.

A sweep that was delayed must not catch up: that would be the burst that the limit prevents. So an
allowance that is not used within ``BURST`` seconds expires.
"""

from __future__ import annotations

from dataclasses import dataclass

from promsnmp.support.token_bucket import TokenBucket

BURST = 0.05
"""Seconds of packets that may be sent at once: sweeps run every 10 ms, and late on a busy machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanLimits:
    """Limits of the operator: packets per second, addresses in flight, timeout in seconds, retries."""

    packets_per_second: float = 3000.0
    in_flight: int = 5000
    timeout: float = 1.0
    retries: int = 1


class SharedRate:
    """The rate of all sweeps; each sweep has a ``RateShare`` of it."""

    def __init__(self, packets_per_second: float) -> None:
        self.packets_per_second = packets_per_second
        self.shares = 0

    def share(self) -> RateShare:
        """An equal share of the rate, until it is closed."""
        return RateShare(self)


class RateShare:
    """A token bucket (one token is one packet) whose rate is the shared rate divided by the number of shares."""

    def __init__(self, shared_rate: SharedRate) -> None:
        self._shared_rate = shared_rate
        shared_rate.shares += 1
        self._bucket = TokenBucket(rate=self.rate, burst=0.0, tokens=0.0)

    @property
    def rate(self) -> float:
        """Packets per second."""
        return self._shared_rate.packets_per_second / max(self._shared_rate.shares, 1)

    def available(self, now: float) -> int:
        """How many packets may be sent ``now`` (seconds of a monotonic clock)."""
        self._bucket.rate = self.rate
        self._bucket.burst = max(1.0, self.rate * BURST)
        return max(int(self._bucket.available(now)), 0)

    def spend(self, packets: int) -> None:
        """Notes sent packets; more than ``available`` reduce the later rate."""
        self._bucket.spend(packets)

    def close(self) -> None:
        """Returns the share to the other sweeps."""
        self._shared_rate.shares -= 1
