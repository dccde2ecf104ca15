"""Keeps the process below its memory limit, because the kernel ends a process that exceeds the limit of its container.

Above HIGH the oldest pages are dropped, and at most one device is polled at a time. Above CRITICAL running polls end
with what they have. A page that needs more memory than there is left is not rendered. All of it is visible in the
health and in the metrics, and ends when the memory is free again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable

from prometheus_client.metrics_core import CounterMetricFamily, Metric

from promsnmp.observe.health import Component, Status
from promsnmp.observe.metric_families import gauge
from promsnmp.support.memory import release_memory, resident

log = logging.getLogger(__name__)

HIGH, CRITICAL, RELIEVED = 0.85, 0.95, 0.8
"""Shares of the limit: where pages are dropped and polls wait, where polls end, and what dropping pages aims at."""
CHECK_SECONDS = 0.5
"""Between two measurements."""


class MemoryGuard:
    """Watches the resident memory against ``limit`` bytes; 0: without a limit.

    ``drop_pages`` removes the oldest pages, at least the bytes that it gets, and returns how many pages it were.
    """

    def __init__(
        self,
        limit: int,
        *,
        drop_pages: Callable[[int], int] = lambda _: 0,
        measure: Callable[[], int] = resident,
        release: Callable[[], object] = release_memory,
    ) -> None:
        self.limit = limit
        self.drop_pages = drop_pages
        self._measure = measure
        self._release = release
        self._release_due = False
        self._is_logged = False
        """Whether the log says that the memory is short."""
        self.used = measure()
        self.dropped = 0
        """Pages that were dropped for want of memory."""
        self.refused = 0
        """Polls that did not start, or ended early, for want of memory."""

    def is_high(self) -> bool:
        """Whether the memory is short: polls have to wait."""
        return 0 < self.limit * HIGH < self.used

    def is_critical(self) -> bool:
        """Whether the limit is about to be reached: running polls have to end."""
        return 0 < self.limit * CRITICAL < self.used

    def release_soon(self) -> None:
        """Much memory was freed: the next measurement returns it to the system first."""
        self._release_due = True

    async def admits(self, octets: int) -> bool:
        """Whether ``octets`` bytes more fit below the limit, after dropping pages if need be."""
        if not self.limit:
            return True
        self.used = self._measure()
        if self.used + octets > self.limit * CRITICAL:
            await self._relieve(self.used + octets - int(self.limit * CRITICAL))
        return self.used + octets <= self.limit * CRITICAL

    async def refresh(self) -> None:
        """One measurement, and what follows from it."""
        if self._release_due:
            self._release_due = False
            await asyncio.to_thread(self._release)
        self.used = self._measure()
        if self.is_high():
            await self._relieve(self.used - int(self.limit * RELIEVED))
        if self.is_high() != self._is_logged:
            self._is_logged = self.is_high()
            self._log()

    async def _relieve(self, octets: int) -> None:
        """Frees memory: what the C library keeps for reuse, then the oldest pages."""
        await asyncio.to_thread(self._release)
        used = self._measure()
        octets -= self.used - used
        if octets > 0 and (dropped := self.drop_pages(octets)):
            self.dropped += dropped
            await asyncio.to_thread(self._release)
            used = self._measure()
        self.used = used

    def _log(self) -> None:
        used, most = self.used >> 20, self.limit >> 20
        if self.is_high():
            log.warning(
                "memory is short: %d of %d MiB are in use (MEMORY_LIMIT); the oldest pages are dropped, polls wait",
                used,
                most,
            )
        else:
            log.info("memory is no longer short: %d of %d MiB are in use", used, most)

    def check(self) -> Component:
        """UP while the memory is not short."""
        status = Status.DOWN if self.is_high() else Status.UP
        details: dict[str, object] = {"usedBytes": self.used}
        if self.limit:
            details |= {"limitBytes": self.limit, "droppedPages": self.dropped, "refusedPolls": self.refused}
        return Component(status, details)

    def families(self) -> Iterable[Metric]:
        yield gauge("promsnmp_memory_limit_bytes", "Memory limit of the process (MEMORY_LIMIT); 0: none.", self.limit)
        yield gauge(
            "promsnmp_memory_short",
            "Whether the process is close to its memory limit (1), so that pages are dropped and polls wait.",
            float(self.is_high()),
        )
        for name, text, count in (
            ("promsnmp_memory_dropped_pages", "Pages dropped for want of memory.", self.dropped),
            ("promsnmp_memory_refused_polls", "Polls refused or ended early for want of memory.", self.refused),
        ):
            yield CounterMetricFamily(name, text, value=count)
