"""Work that repeats for the life of the process: one failure must not end it, and one cancel must.

Also the measure of how well the event loop keeps up, since that is what every such task depends on.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from promsnmp.observe.counts import LAG_BOUNDS, Distribution

log = logging.getLogger(__name__)

LAG_INTERVAL = 1.0
"""Seconds between two measurements of the event loop's lag."""


async def forever(name: str, step: Callable[[], Awaitable[object]], *, every: float) -> None:
    """Await ``step()`` every ``every`` seconds until cancelled; an exception is logged and the next turn comes."""
    while True:
        try:
            await step()
        except Exception:
            log.exception("%s failed; trying again in %g s", name, every)
        await asyncio.sleep(every)


class LoopLag:
    """How much later than asked a sleeping task wakes: time in which the loop was busy with something else."""

    def __init__(self) -> None:
        self.seconds = Distribution(LAG_BOUNDS)
        self.last = 0.0
        self.measured_at = time.monotonic()

    async def measure(self) -> None:
        """One measurement, LAG_INTERVAL long."""
        started = time.monotonic()
        await asyncio.sleep(LAG_INTERVAL)
        self.measured_at = time.monotonic()
        self.last = max(self.measured_at - started - LAG_INTERVAL, 0.0)
        self.seconds.observe(self.last)
