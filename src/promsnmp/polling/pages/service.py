"""Answers scrapes: from memory when there is a page, else by a poll that all waiting scrapes share."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from promsnmp.errors import SnmpError, SnmpTimeout
from promsnmp.exposition.utilization.histogram import UtilizationSeries
from promsnmp.observe.counts import PollCounts, outcome_of
from promsnmp.polling.collector import Collector
from promsnmp.polling.pages.cache import CacheEntry, PageCache
from promsnmp.polling.pages.page import Format, PollFailure, RenderedPage
from promsnmp.polling.target import Target

log = logging.getLogger(__name__)


RECENT_POLLS = 5
"""How many of the last polls decide whether any device is reachable: few, to know it within an interval."""


@dataclass(frozen=True, slots=True)
class PollStatus:
    """How the last poll of a device ended: ``up``, ``partial`` (read in part), ``down``; ``unknown``: no poll yet."""

    state: str
    at: float = 0.0
    """When that poll ended, Unix time; 0: there was none."""
    problem: str = ""
    """What was wrong with it."""


NEVER_POLLED = PollStatus("unknown")


class PageService:
    """Pages by target. ``poll_timeout`` (seconds) bounds every poll, ``freshness`` (seconds) the age of a page that
    answers a scrape of an ad-hoc target."""

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
        self._polls: dict[Target, asyncio.Task[CacheEntry]] = {}
        self._recent_polls: deque[bool] = deque(maxlen=RECENT_POLLS)

    @property
    def active(self) -> int:
        """Polls running now."""
        return len(self._polls)

    @property
    def reaches_no_device(self) -> bool:
        """Whether this process seems to reach no device: all of the last polls failed."""
        return len(self._recent_polls) == RECENT_POLLS and not any(self._recent_polls)

    async def page(self, target: Target, body_format: Format, *, timeout: float) -> RenderedPage:  # noqa: ASYNC109  # the caller's limit; the poll goes on
        """The page of a target. Waits at most ``timeout`` seconds for a poll.

        Raises SnmpError with the reason when the device cannot be read, ModuleError for an unknown module.
        """
        entry = self._cache.get(self._key(target), max_age=None if target.managed else self._freshness)
        if entry is None or (isinstance(entry, RenderedPage) and not entry.has(body_format)):
            self._collector.states.of(target).requested_formats.add(body_format)
        if entry is None:
            entry = await self._wait(target, timeout)
        if isinstance(entry, PollFailure):
            raise entry.error
        return entry

    def cached_page(self, target: Target, body_format: Format) -> RenderedPage | None:
        """The page of a target when it is in memory in this format; None otherwise, then ``page`` counts the miss."""
        entry = self._cache.peek(self._key(target), max_age=None if target.managed else self._freshness)
        if not isinstance(entry, RenderedPage) or not entry.has(body_format):
            return None
        self._cache.hits += 1
        return entry

    def histograms(self, target: Target) -> Sequence[UtilizationSeries] | None:
        """The utilisation histograms of a target's interfaces as of its last poll, None when there was no poll yet.

        Empty while the device cannot be read. This never polls.
        """
        state = self._collector.states.find(target)
        if state is None:
            return None
        return state.render_state.utilization.current_series() if state.outcome in ("success", "partial") else ()

    def poll_status(self, target: Target) -> PollStatus:
        """How the last poll of a target ended."""
        state = self._collector.states.find(target)
        if state is None or not state.ended_at:
            return NEVER_POLLED
        status = {"success": "up", "partial": "partial"}.get(state.outcome, "down")
        return PollStatus(status, state.ended_at, state.problem)

    async def poll(self, target: Target) -> CacheEntry:
        """Polls a target, or joins the poll that is running, and caches the result. Raises ModuleError."""
        task = self._polls.get(target)
        if task is None:
            task = asyncio.create_task(self._poll(target), name=f"poll of {target.name}")
            self._polls[target] = task
            task.add_done_callback(lambda _: self._polls.pop(target, None))
        return await asyncio.shield(task)

    def forget(self, target: Target) -> None:
        """Drops the page of a target that is no longer polled."""
        self._cache.discard(self._key(target))

    async def close(self) -> None:
        """Ends all polls."""
        for task in list(self._polls.values()):
            task.cancel()
        await asyncio.gather(*self._polls.values(), return_exceptions=True)

    def _key(self, target: Target) -> Hashable:
        """The cache key. Pages of ad-hoc targets do not survive a reload of the modules; inventory devices are polled
        again anyway."""
        if target.managed:
            return target.key, target.modules
        return target.key, target.modules, self._collector.generation

    async def _wait(self, target: Target, timeout: float) -> CacheEntry:  # noqa: ASYNC109  # as above
        try:
            async with asyncio.timeout(timeout):
                return await self.poll(target)
        except TimeoutError:
            message = f"the device did not answer completely within the {timeout:g} s that the scrape allows"
            raise SnmpTimeout(message, target=str(target.endpoint)) from None

    async def _poll(self, target: Target) -> CacheEntry:
        now, began = time.monotonic(), time.perf_counter()
        deadline = asyncio.get_running_loop().time() + self._poll_timeout
        entry: CacheEntry
        try:
            entry, problem = await self._collector.collect(target, deadline=deadline)
            outcome = "success" if problem is None else "partial"
        except SnmpError as error:
            entry, problem, outcome = PollFailure(now, error), error, outcome_of(error)
        self._counts.record(outcome, seconds=time.perf_counter() - began)
        self._recent_polls.append(isinstance(entry, RenderedPage))
        self._log_outcome_change(target, outcome, problem)
        if target.managed or isinstance(entry, RenderedPage):
            self._cache.put(self._key(target), entry)
        return entry

    def _log_outcome_change(self, target: Target, outcome: str, problem: SnmpError | None) -> None:
        """Logs how a poll ended if the poll before it ended differently: one line per change, not per poll."""
        state = self._collector.states.of(target)
        state.ended_at, state.problem = time.time(), "" if problem is None else problem.message
        before, state.outcome = state.outcome, outcome
        if outcome == before:
            return
        if problem is None:
            log.info("device answers again: %s (%s)", target.name, target.endpoint)
        elif outcome == "partial":
            log.warning("device was read only in part: %s (%s): %s", target.name, target.endpoint, problem.message)
        else:
            log.warning("device cannot be read: %s (%s): %s", target.name, target.endpoint, problem.message)
