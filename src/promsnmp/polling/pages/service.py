"""Answers scrapes: from memory when there is a page, else by a poll that all waiting scrapes share."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Hashable, Iterable, Sequence
from math import inf

from promsnmp.errors import MemoryShort, SnmpError, SnmpTimeout
from promsnmp.exposition.utilization.histogram import UtilizationSeries
from promsnmp.observe.counts import PollCounts, outcome_of
from promsnmp.observe.memory_guard import MemoryGuard
from promsnmp.polling.collector import Collector
from promsnmp.polling.device_state import DeviceState
from promsnmp.polling.pages.cache import CacheEntry, PageCache
from promsnmp.polling.pages.invalidations import Invalidations
from promsnmp.polling.pages.page import Format, PollFailure, RenderedPage
from promsnmp.polling.pages.poll_status import NEVER_POLLED, PollStatus
from promsnmp.polling.pages.row_updates import RowUpdate, RowUpdates, updated_page
from promsnmp.polling.pages.shared_polls import SharedPolls
from promsnmp.polling.target import Target
from promsnmp.support.listeners import Listeners

log = logging.getLogger(__name__)


RECENT_POLLS = 5
"""How many of the last polls decide whether any device is reachable: few, to know it within an interval."""


MAX_SCRAPE_POLLS = 1000
"""The default of SCRAPE_CONCURRENCY."""


class PageService:
    """Pages by target. ``poll_timeout`` (seconds) bounds every poll, ``freshness`` (seconds) the age of a page that
    answers a scrape of an ad-hoc target, ``max_scrape_polls`` how many polls run at once because of scrapes."""

    def __init__(
        self,
        collector: Collector,
        cache: PageCache,
        counts: PollCounts,
        *,
        poll_timeout: float,
        freshness: float | None = None,
        max_scrape_polls: int = MAX_SCRAPE_POLLS,
        memory: MemoryGuard | None = None,
    ) -> None:
        self._collector = collector
        self._cache = cache
        self._counts = counts
        self._poll_timeout = poll_timeout
        self._freshness = freshness
        self.invalidations = Invalidations()
        self._memory = memory or MemoryGuard(0)
        self._slots = asyncio.Semaphore(max_scrape_polls)
        self._conversion = asyncio.Lock()
        self._polls = SharedPolls(self._poll)
        self._row_updates = RowUpdates()
        self._is_frozen = False
        self._recent_polls: deque[bool] = deque(maxlen=RECENT_POLLS)
        self.polled = Listeners[[Target, float, bool]]("end of a poll")
        """Called after each poll with its target, when it began (seconds, monotonic), and whether there is a page."""

    @property
    def active(self) -> int:
        """Polls running now."""
        return self._polls.active

    @property
    def reaches_no_device(self) -> bool:
        """Whether this process seems to reach no device: all of the last polls failed."""
        return len(self._recent_polls) == RECENT_POLLS and not any(self._recent_polls)

    async def page(
        self,
        target: Target,
        body_format: Format,
        *,
        timeout: float,  # noqa: ASYNC109  # the caller's limit
        not_before: float | None = None,
    ) -> RenderedPage:
        """The page of a target, from memory or by a poll, for which it waits at most ``timeout`` seconds; with
        ``not_before`` (seconds, monotonic) only by a poll that begins then or later.

        Raises SnmpError with the reason when the device cannot be read, ModuleError for an unknown module.
        """
        entry = self._cached(target)
        if isinstance(entry, RenderedPage) and not_before is not None:
            entry = None
        self._cache.count_lookup(is_hit=entry is not None)
        if entry is None or (isinstance(entry, RenderedPage) and not entry.has(body_format)):
            self._collector.states.of(target).requested_formats.add(body_format)
        if entry is None:
            begins = self.invalidations.of(target.shard) if not_before is None else not_before
            entry = await self._wait(target, timeout, begins)
        if isinstance(entry, PollFailure):
            raise entry.error
        if not entry.has(body_format):
            await self._convert(target, entry, body_format)
        return entry

    def cached_page(self, target: Target, body_format: Format) -> RenderedPage | None:
        """The page of a target when it is in memory in this format; None otherwise, then ``page`` counts the miss."""
        entry = self._cached(target)
        if not isinstance(entry, RenderedPage) or not entry.has(body_format):
            return None
        self._cache.hits += 1
        return entry

    def is_current(self, target: Target, page: RenderedPage) -> bool:
        """Whether no other replica may have shown a newer page of a target than this one."""
        return self.invalidations.allow(target.shard, page.valid_from)

    def _cached(self, target: Target) -> CacheEntry | None:
        """What is in memory of a target and may be shown. A failure shows no values, so it may always be shown."""
        if not target.owned:
            return None
        max_age = None if target.managed else self._freshness
        entry = self._cache.peek(self._key(target), max_age=max_age, lifetime=self._lifetime(target))
        if entry is None or isinstance(entry, PollFailure) or entry.valid_from > self.invalidations.newest:
            return entry
        return entry if self.is_current(target, entry) else None

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
        return NEVER_POLLED if state is None else state.status

    async def poll(self, target: Target, *, not_before: float = -inf) -> CacheEntry:
        """Polls a target, or joins the poll that is running if it began at ``not_before`` (seconds, monotonic) or
        later, and caches the result. Raises ModuleError."""
        begins = max(self.invalidations.of(target.shard), not_before)
        return await self._polls.share(target, not_before=begins)

    def forget(self, target: Target) -> None:
        """Drops the page of a target that is no longer polled."""
        self._cache.discard(self._key(target))
        self._row_updates.discard(self._key(target))

    async def update_rows(self, target: Target, update: RowUpdate) -> bool:
        """Puts newer values of rows onto the page of a target, and onto those of polls that run; whether the page in
        memory has them now. Nothing happens where a poll that began later has them already, or without a page."""
        key = self._key(target)
        while not self._is_frozen and target.owned:
            page = self._cache.peek(key, lifetime=self._lifetime(target))
            if not isinstance(page, RenderedPage) or page.taken_at >= update.answered_at:
                return False
            if not self._row_updates.add(key, update):
                return False
            made = await self._updated(page, update)
            if self._cache.peek(key, lifetime=self._lifetime(target)) is page:  # no poll has ended meanwhile
                self._put(target, made)
                return True
        return False

    async def _updated(self, page: RenderedPage, update: RowUpdate) -> RenderedPage:
        if not page.is_large:
            return updated_page(page, update)
        made = await asyncio.to_thread(updated_page, page, update)
        self._memory.release_soon()
        return made

    async def _with_row_update(self, target: Target, entry: CacheEntry, began: float) -> CacheEntry:
        """The result of a poll that ``began`` then, with rows that were shown newer already."""
        polled, done = entry, None
        while (update := self._row_updates.for_poll(self._key(target), began)) is not done:
            if update is None or not isinstance(polled, RenderedPage):
                break
            entry, done = await self._updated(polled, update), update
        return entry

    def on_awake(self, aged: Iterable[Target]) -> None:
        """After a sleep: shows no earlier page of ``aged``, whose pages are too old now, nor of any ad-hoc target.

        The age of pages does not count the time for which the machine was suspended.
        """
        for target in aged:
            self.invalidations.add(target.shard)
        self._cache.evict_brief()
        for target in self._polls.targets():
            if not target.managed:
                self.invalidations.add(target.shard)

    def stored_page(self, key: str, modules: tuple[str, ...]) -> RenderedPage | None:
        """The page of a device of the inventory that is in memory, however old, by the key of its target."""
        entry = self._cache.peek((key, modules), lifetime=inf)
        return entry if isinstance(entry, RenderedPage) else None

    def store(self, key: str, modules: tuple[str, ...], page: RenderedPage) -> None:
        """Keeps a page that another replica has handed over, unless this one has polled the device since."""
        present = self.stored_page(key, modules)
        if present is None or not self.invalidations.allow(key.partition("/")[0], present.valid_from):
            self._cache.put((key, modules), page)

    def release(self, key: str, modules: tuple[str, ...]) -> None:
        """Drops the page and the histograms of a device that another replica owns from now on."""
        self.invalidations.add(key.partition("/")[0])
        self._cache.discard((key, modules))
        self._collector.states.reset_utilization(key, modules)

    def freeze(self) -> None:
        """From now on no poll changes what is in memory: it has been handed over to other replicas."""
        self._is_frozen = True

    async def close(self) -> None:
        """Ends all polls."""
        await self._polls.close()

    def _put(self, target: Target, entry: CacheEntry) -> None:
        self._cache.put(self._key(target), entry, brief=None if target.managed else self._freshness)

    def _key(self, target: Target) -> Hashable:
        """The cache key. Pages of ad-hoc targets do not survive a reload of the modules; inventory devices are polled
        again anyway."""
        if target.managed:
            return target.key, target.modules
        return target.key, target.modules, self._collector.generation

    async def _convert(self, target: Target, page: RenderedPage, body_format: Format) -> None:
        """Makes the page available in a format that it was not rendered in."""
        async with self._conversion:
            if page.has(body_format):
                return
            if page.is_large:
                await asyncio.to_thread(page.gzipped, body_format)
                self._memory.release_soon()
            else:
                page.gzipped(body_format)
            if self._cache.peek(self._key(target), lifetime=self._lifetime(target)) is page:
                self._put(target, page)  # it has become larger

    def _require_memory(self, target: Target) -> None:
        """Raises MemoryShort while memory is short, unless no other poll runs."""
        if self._memory.is_high() and not self._polls.is_idle:
            self._memory.refused += 1
            message = "not polled now: the process is close to its memory limit (MEMORY_LIMIT); retry later"
            raise MemoryShort(message, target=str(target.endpoint))

    def _lifetime(self, target: Target) -> float:
        """Seconds for which the page of a target with an interval of its own is kept at least: two polls may be up to
        one and a half intervals apart, and a poll may take ``poll_timeout``."""
        interval = target.overrides.interval
        return 2 * interval / 1000 + self._poll_timeout if interval and self._freshness is not None else 0.0

    async def _wait(self, target: Target, timeout: float, not_before: float) -> CacheEntry:  # noqa: ASYNC109  # as above
        is_queued = False
        try:
            async with asyncio.timeout(timeout):
                if not self._polls.has(target, not_before=not_before):
                    self._require_memory(target)
                    is_queued = True
                    await self._slots.acquire()
                    is_queued = False
                    self._polls.start(target, not_before=not_before).add_done_callback(lambda _: self._slots.release())
                return await self._polls.share(target, not_before=not_before)
        except TimeoutError:
            message = _scrape_ended(timeout, is_queued=is_queued)
            if target.hint and not is_queued and not self._has_answered(target):
                message += f" ({target.hint})"
            raise SnmpTimeout(message, target=str(target.endpoint)) from None

    def _has_answered(self, target: Target) -> bool:
        state = self._collector.states.find(target)
        return state is not None and bool(state.limits.answered_at)

    async def _poll(self, target: Target) -> CacheEntry:
        now, began = time.monotonic(), time.perf_counter()
        deadline = asyncio.get_running_loop().time() + self._poll_timeout
        entry: CacheEntry
        try:
            entry, problem = await self._collector.collect(target, deadline=deadline)
            outcome = "success" if problem is None else "partial"
            entry = await self._with_row_update(target, entry, now)
        except SnmpError as error:
            entry, problem, outcome = PollFailure(now, error), error, outcome_of(error)
        if isinstance(problem, MemoryShort):
            self._memory.refused += 1
        seconds = time.perf_counter() - began
        self._counts.record(outcome, seconds=seconds)
        self._recent_polls.append(isinstance(entry, RenderedPage))
        self._note_outcome(target, outcome, problem, seconds)
        if target.owned and not self._is_frozen and (target.managed or isinstance(entry, RenderedPage)):
            self._put(target, entry)
        self.polled.notify(target, now, isinstance(entry, RenderedPage))
        return entry

    def _note_outcome(self, target: Target, outcome: str, problem: SnmpError | None, seconds: float) -> None:
        """Keeps how a poll ended, and logs it if the poll before it ended differently: one line per change."""
        state = self._collector.states.of(target)
        state.status = status = _status(state, outcome, "" if problem is None else problem.message, seconds)
        if target.managed:
            state.polls.add(status.state, at=status.at, seconds=seconds, samples=status.samples, problem=status.problem)
        before, state.outcome = state.outcome, outcome
        if outcome == before:
            return
        if problem is None:
            log.info("device answers again: %s (%s)", target.name, target.endpoint)
        elif outcome == "partial":
            log.warning("device was read only in part: %s (%s): %s", target.name, target.endpoint, problem.message)
        else:
            log.warning("device cannot be read: %s (%s): %s", target.name, target.endpoint, problem.message)


def _scrape_ended(seconds: float, *, is_queued: bool) -> str:
    """That a scrape gave up after ``seconds``: its poll goes on, or waited (``is_queued``) for others."""
    allowed = f"within the {round(seconds, 2):g} s that the scrape allows"
    if is_queued:
        return f"no poll could begin {allowed}: SCRAPE_CONCURRENCY polls run already; raise it, or scrape less often"
    return (
        f"the poll did not end {allowed} (scrape_timeout of the Prometheus job less SCRAPE_TIMEOUT_OFFSET, or "
        "SCRAPE_TIMEOUT): allow more time, or set a shorter timeout or fewer retries for the module or the device"
    )


def _status(state: DeviceState, outcome: str, problem: str, seconds: float) -> PollStatus:
    name = {"success": "up", "partial": "partial"}.get(outcome, "down")
    if name == "down":
        return PollStatus(name, time.time(), problem, seconds, outcome=outcome)
    return PollStatus(name, time.time(), problem, seconds, state.samples, state.summary, outcome)
