"""Runs work repeatedly for the life of the process: a failure must not end it, a cancel must.

Also lets work go on whose caller is cancelled, ends parts whether they want or not, and measures the lag of the event
loop, on which every task depends.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, TypeVar

from promsnmp.errors import PromSnmpError
from promsnmp.observe.counts import LAG_BOUNDS, Distribution

log = logging.getLogger(__name__)

T = TypeVar("T")

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


async def shielded(future: asyncio.Future[T]) -> T:
    """The result of ``future``, which goes on when the caller is cancelled. Raises what it raises.

    Unlike ``asyncio.shield`` of newer Pythons (seen in 3.13.5), it logs no refusal that comes after the caller has
    gone; it logs unexpected errors.
    """
    try:
        await asyncio.wait([future])
    except asyncio.CancelledError:
        future.add_done_callback(_log_unexpected)
        raise
    return future.result()


def _log_unexpected(future: asyncio.Future[T]) -> None:
    error = None if future.cancelled() else future.exception()
    if error is not None and not isinstance(error, PromSnmpError | OSError):
        log.error("unexpected error in work whose caller has gone", exc_info=error)


class SharedTask(Generic[T]):
    """Work that all share who ask for it at the same time; it goes on when one of them is cancelled."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._task: asyncio.Task[T] | None = None

    async def result(self, start: Callable[[], Awaitable[T]]) -> T:
        """The result of the work that is being done, else of ``start()``. Raises what it raises."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(_awaited(start), name=self._name)
        return await shielded(self._task)

    async def ended(self) -> None:
        """Waits until the work that is being done has ended, whatever its result."""
        if self._task is not None and not self._task.done():
            await asyncio.wait([self._task])


async def _awaited(start: Callable[[], Awaitable[T]]) -> T:
    return await start()


async def end_within(seconds: float, parts: Sequence[asyncio.Future[Any]], goal: str) -> None:
    """Waits until background parts have ended, ``seconds`` at most, whatever they do; logs those that fail or are late.

    ``goal`` is what they should do, for the log: "stop".
    """
    done, late = await asyncio.wait(parts, timeout=seconds) if parts else (set(), set())
    for part in late:
        log.warning("a background part did not %s within %g s", goal, seconds)
        part.cancel()  # and not awaited: it may not end
    for part in done:
        error = None if part.cancelled() else part.exception()
        if isinstance(error, PromSnmpError):
            log.warning("a background part did not %s: %s", goal, error)
        elif error is not None:
            log.error("a background part failed to %s", goal, exc_info=error)


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
