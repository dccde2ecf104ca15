"""Answers scrapes: from memory when there is a page, else by a poll that all who wait for it share."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from promsnmp.errors import SnmpError, SnmpTimeout
from promsnmp.exposition.utilization.histogram import Series
from promsnmp.observe.counts import PollCounts, outcome_of
from promsnmp.polling.cache import Entry, PageCache
from promsnmp.polling.collector import Collector
from promsnmp.polling.page import Failure, Format, Page
from promsnmp.polling.target import Source

log = logging.getLogger(__name__)


LATELY = 5
"""Polls by which it is judged whether any device can be reached: few, so that it is known within an interval."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a device is doing, by its last poll: ``up``, ``partial`` (read in part), ``down`` or ``unknown``."""

    state: str
    at: float = 0.0
    """When that poll ended, Unix time; 0: there was none."""
    problem: str = ""
    """What was wrong with it."""


NEVER_POLLED = Standing("unknown")


class Scraper:
    """Pages by source. ``poll_timeout`` (seconds) bounds any poll; ``freshness`` the age of ad-hoc targets' pages."""

    def __init__(
        self,
        collector: Collector,
        cache: PageCache,
        counts: PollCounts,
        *,
        poll_timeout: float,
        freshness: float | None = None,
    ) -> None:
        self._collector = collector
        self._cache = cache
        self._counts = counts
        self._poll_timeout = poll_timeout
        self._freshness = freshness
        self._polls: dict[Source, asyncio.Task[Entry]] = {}
        self._lately: deque[bool] = deque(maxlen=LATELY)

    @property
    def active(self) -> int:
        """Polls running now."""
        return len(self._polls)

    @property
    def is_cut_off(self) -> bool:
        """Whether this process seems to reach no device: none of the last polls brought anything."""
        return len(self._lately) == LATELY and not any(self._lately)

    async def page(self, source: Source, wanted: Format, *, timeout: float) -> Page:  # noqa: ASYNC109  # the caller's time, not a bound of ours
        """The page of a source. Waits at most ``timeout`` seconds for a poll.

        Raises SnmpError with the reason when the device cannot be read, ModuleError for an unknown module.
        """
        entry = self._cache.get(self._key(source), max_age=None if source.managed else self._freshness)
        if entry is None or (isinstance(entry, Page) and not entry.has(wanted)):
            self._collector.known(source).asked.add(wanted)
        if entry is None:
            entry = await self._wait(source, timeout)
        if isinstance(entry, Failure):
            raise entry.error
        return entry

    def page_at_once(self, source: Source, wanted: Format) -> Page | None:
        """The page of a source when it is in memory, in the format wanted; what is not is left to ``page`` (and to be
        counted there)."""
        entry = self._cache.peek(self._key(source), max_age=None if source.managed else self._freshness)
        if not isinstance(entry, Page) or not entry.has(wanted):
            return None
        self._cache.hits += 1
        return entry

    def histograms(self, source: Source) -> Sequence[Series] | None:
        """The utilisation histograms of a source's interfaces as of its last poll, None when it never was polled.

        There are none while it cannot be read. Nothing is polled for them.
        """
        known = self._collector.remembered(source)
        if known is None:
            return None
        return known.device.utilization.present() if known.outcome in ("success", "partial") else ()

    def standing(self, source: Source) -> Standing:
        """How the last poll of a source ended."""
        known = self._collector.remembered(source)
        if known is None or not known.ended_at:
            return NEVER_POLLED
        state = {"success": "up", "partial": "partial"}.get(known.outcome, "down")
        return Standing(state, known.ended_at, known.problem)

    async def poll(self, source: Source) -> Entry:
        """Polls a source, or joins the poll that is under way, and keeps the result. Raises ModuleError."""
        task = self._polls.get(source)
        if task is None:
            task = asyncio.create_task(self._poll(source), name=f"poll of {source.name}")
            self._polls[source] = task
            task.add_done_callback(lambda _: self._polls.pop(source, None))
        return await asyncio.shield(task)

    def forget(self, source: Source) -> None:
        """Drops the page of a source that is no longer wanted."""
        self._cache.discard(self._key(source))

    async def close(self) -> None:
        """Ends all polls."""
        for task in list(self._polls.values()):
            task.cancel()
        await asyncio.gather(*self._polls.values(), return_exceptions=True)

    def _key(self, source: Source) -> Hashable:
        """Pages of addresses outside the inventory do not outlive a change of the modules; devices are polled again."""
        if source.managed:
            return source.key, source.modules
        return source.key, source.modules, self._collector.generation

    async def _wait(self, source: Source, timeout: float) -> Entry:  # noqa: ASYNC109
        try:
            async with asyncio.timeout(timeout):
                return await self.poll(source)
        except TimeoutError:
            message = f"no complete answer within the {timeout:g} s that the scrape may take"
            raise SnmpTimeout(message, target=str(source.endpoint)) from None

    async def _poll(self, source: Source) -> Entry:
        now, began = time.monotonic(), time.perf_counter()
        deadline = asyncio.get_running_loop().time() + self._poll_timeout
        entry: Entry
        try:
            entry, problem = await self._collector.collect(source, deadline=deadline)
            outcome = "success" if problem is None else "partial"
        except SnmpError as error:
            entry, problem, outcome = Failure(now, error), error, outcome_of(error)
        self._counts.ended(outcome, seconds=time.perf_counter() - began)
        self._lately.append(isinstance(entry, Page))
        self._tell(source, outcome, problem)
        if source.managed or isinstance(entry, Page):
            self._cache.put(self._key(source), entry)
        return entry

    def _tell(self, source: Source, outcome: str, problem: SnmpError | None) -> None:
        """Logs how a poll ended when the one before ended otherwise: one line per change, not per poll."""
        known = self._collector.known(source)
        known.ended_at, known.problem = time.time(), "" if problem is None else problem.message
        before, known.outcome = known.outcome, outcome
        if outcome == before:
            return
        if problem is None:
            log.info("%s (%s) answers again", source.name, source.endpoint)
        elif outcome == "partial":
            log.warning("%s (%s) was read in part: %s", source.name, source.endpoint, problem.message)
        else:
            log.warning("%s (%s) cannot be read: %s", source.name, source.endpoint, problem.message)
