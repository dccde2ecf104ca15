"""Runs work repeatedly for the life of the process: a failure must not end it, a cancel must.

Also measures the lag of the event loop, on which every such task depends.
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
    """Awaits ``step()`` every ``every`` seconds until cancelled; logs an exception and continues."""
    while True:
        try:
            await step()
        except Exception:  # see above
            log.exception("%s failed; trying again in %g s", name, every)
        await asyncio.sleep(every)


class LoopLag:
    """The delay with which a sleeping task wakes: time in which the loop was busy with something else."""

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
