"""Rate limits of received datagrams: for each sender, for all devices of the inventory, and for all strangers together.

Strangers have a limit of their own, so that datagrams with made-up source addresses cannot use up that of the devices.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from cachetools import LRUCache

from promsnmp.support.token_bucket import TokenBucket
from promsnmp.traps.receive.counts import Dropped

MAX_SENDERS = 20_000
"""Senders whose rate is known: some 4 MB, once for devices and once for strangers."""
STRANGERS_SHARE = 0.1
"""Of the rate of all devices that all other senders together may use."""
BURST_SECONDS = 2.0
"""Seconds' worth of traps that may come at once after a pause."""


class TrapLimits:
    """``rate`` and ``sender_rate`` in datagrams per second; ``clock`` returns seconds and never goes back."""

    def __init__(self, *, rate: float, sender_rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._sender_rate = sender_rate
        self._known = self._bucket(rate)
        self._strangers = self._bucket(rate * STRANGERS_SHARE)
        self._devices: LRUCache[str, TokenBucket] = LRUCache(MAX_SENDERS)
        self._others: LRUCache[str, TokenBucket] = LRUCache(MAX_SENDERS)
        """Of strangers, apart: made-up addresses make it forget no device."""

    def _bucket(self, rate: float) -> TokenBucket:
        return TokenBucket(rate=rate, burst=max(rate * BURST_SECONDS, 1.0), clock=self._clock)

    def refuse(self, sender: str, *, is_known: bool) -> Dropped | None:
        """Why a datagram of ``sender`` (address) is dropped now; None when it may be processed."""
        senders = self._devices if is_known else self._others
        bucket = senders.get(sender)
        if bucket is None:
            bucket = senders[sender] = self._bucket(self._sender_rate)
        if not bucket.take():
            return Dropped.SENDER_RATE
        return None if (self._known if is_known else self._strangers).take() else Dropped.RATE
