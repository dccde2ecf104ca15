"""Polls every device of the inventory once per interval, in the background.

The interval is that of the settings, or the device's own. Each device has its own slot of it, chosen by a hash of its
key, so that the load is even and slots stay the same after a restart. A device that fails is polled less and less
often, down to a limit (backoff); after its first answer it is polled every interval again.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from promsnmp.errors import PromSnmpError
from promsnmp.inventory.per_device_cache import differing
from promsnmp.observe.counts import PollCounts
from promsnmp.polling.backoff import longest_interval, retry_interval
from promsnmp.polling.overrides import seconds_between_polls
from promsnmp.polling.pages.page import PollFailure
from promsnmp.polling.pages.service import PageService
from promsnmp.polling.target import Target

log = logging.getLogger(__name__)


SLOTS = 60
"""Times within an interval at which polls start; a longer interval than that of the settings has more, equally far
apart. Polls that run together share wake-ups of the process; in a poller that is idle most of the time these cost more
than the polls."""


@dataclass(slots=True)
class _Schedule:
    target: Target
    due: float
    failures: int = 0
    running: bool = False
    again: bool = False
    """Whether to poll at once after the poll that is running."""


@dataclass(order=True, slots=True)
class _QueuedPoll:
    due: float
    key: str = field(compare=False)


class Poller:
    """Keeps the pages of ``targets`` fresh. ``interval`` (of a target without its own) and ``backoff_max`` as for
    ``longest_interval``, in seconds; ``concurrency`` in polls.

    While ``is_memory_short``, devices are polled one at a time.
    """

    def __init__(
        self,
        page_service: PageService,
        counts: PollCounts,
        *,
        interval: float,
        backoff_max: float | None,
        concurrency: int,
        is_memory_short: Callable[[], bool] = lambda: False,
    ) -> None:
        self._page_service = page_service
        self._counts = counts
        self._interval = interval
        self._backoff_max = backoff_max
        self.concurrency = concurrency
        self._is_memory_short = is_memory_short
        self.active = 0
        self._targets: Sequence[Target] = ()
        self._schedules: dict[str, _Schedule] = {}
        self._queue: list[_QueuedPoll] = []
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._polls: set[asyncio.Task[None]] = set()
        self._started = False

    @property
    def queued(self) -> int:
        """Devices whose poll is due but waits for others to finish."""
        now = asyncio.get_running_loop().time()
        return 0 if self._has_slot() else sum(1 for queued_poll in self._queue if queued_poll.due <= now)

    def _has_slot(self) -> bool:
        return self.active < (1 if self._is_memory_short() else self.concurrency)

    def wake(self) -> None:
        """Starts polls that were waiting for memory."""
        self._changed.set()

    def set_targets(self, targets: Sequence[Target], *, within: float = 1.0) -> None:
        """Sets what to poll from now on. New and changed targets are polled at once if there are at most
        ``concurrency`` of them, else within the share ``within`` of the interval; those that another replica handed
        over, an interval after it polled them."""
        now = asyncio.get_running_loop().time()
        old, new = differing(self._targets, targets)
        self._targets = targets
        wanted = {target.key for target in new}
        for target in old:
            if target.key not in wanted:
                self._page_service.forget(self._schedules.pop(target.key).target)
        added = [target for target in new if self._is_new(target)]
        at_once = self._started and len(added) <= self.concurrency
        for target in added:
            interval = self._interval_of(target)
            soon = min(interval, self._interval)  # for the first page, however long the interval
            due = now if at_once else now + self._phase(target.key, now, soon) * within
            if (page := self._page_service.stored_page(target.key, target.modules)) is not None:
                due = max(now, page.taken_at + interval)  # another replica has polled it until now
            self._schedules[target.key] = _Schedule(target, due)
            heapq.heappush(self._queue, _QueuedPoll(due, target.key))
        self._changed.set()

    def poll_soon(self, keys: Iterable[str], *, again: bool = False) -> int:
        """Polls the targets with these keys as soon as there is room; returns how many of them it polls.

        ``again``: those that are being polled are polled once more after that.
        """
        now, found = asyncio.get_running_loop().time(), 0
        for key in keys:
            schedule = self._schedules.get(key)
            if schedule is None:
                continue
            found += 1
            schedule.again |= again and schedule.running
            if not schedule.running and schedule.due > now:
                schedule.due = now
                heapq.heappush(self._queue, _QueuedPoll(now, key))
        self._changed.set()
        return found

    def start(self) -> None:
        """Starts polling."""
        self._started = True
        self._task = asyncio.create_task(self._run(), name="poller")

    def pause(self) -> None:
        """Begins no further polls."""
        if self._task is not None:
            self._task.cancel()

    async def stop(self) -> None:
        """Stops polling and cancels running polls."""
        tasks = [*self._polls, *([self._task] if self._task else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._page_service.close()

    def _is_new(self, target: Target) -> bool:
        schedule = self._schedules.get(target.key)
        if schedule is None:
            return True
        if schedule.target == target:
            schedule.target = target  # its fields that do not compare may be newer
            return False
        self._page_service.forget(schedule.target)
        return True

    def _interval_of(self, target: Target) -> float:
        return seconds_between_polls(target.overrides, self._interval)

    def _phase(self, key: str, now: float, interval: float) -> float:
        """Seconds until the slot of ``interval`` that belongs to ``key``."""
        slots = max(SLOTS, int(interval / self._interval * SLOTS))
        slot = zlib.crc32(key.encode()) % slots
        return (slot / slots * interval - now) % interval

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self._changed.clear()
            self._start_due(loop.time())
            wait = self._queue[0].due - loop.time() if self._queue and self._has_slot() else None
            try:
                async with asyncio.timeout(None if wait is None else max(wait, 0.0)):
                    await self._changed.wait()
            except TimeoutError:
                pass

    def _start_due(self, now: float) -> None:
        while self._queue and self._queue[0].due <= now and self._has_slot():
            queued_poll = heapq.heappop(self._queue)
            schedule = self._schedules.get(queued_poll.key)
            if schedule is None or schedule.due != queued_poll.due or schedule.running:
                continue  # removed or rescheduled
            self._counts.record_start(late=now - queued_poll.due)
            self.active += 1
            schedule.running = True
            task = asyncio.create_task(self._poll(schedule))
            self._polls.add(task)
            task.add_done_callback(self._polls.discard)

    async def _poll(self, schedule: _Schedule) -> None:
        try:
            entry = await self._page_service.poll(schedule.target)
            schedule.failures = schedule.failures + 1 if isinstance(entry, PollFailure) else 0
        except PromSnmpError as error:
            schedule.failures += 1
            log.warning("cannot poll %s: %s", schedule.target.name, error)
        except Exception:  # a mistake about one device must not end the polling of it
            schedule.failures += 1
            log.exception("unexpected error while polling %s", schedule.target.name)
        finally:
            self.active -= 1
            schedule.running = False
            self._schedule_next(schedule)
            self._changed.set()

    def _schedule_next(self, schedule: _Schedule) -> None:
        if self._schedules.get(schedule.target.key) is not schedule:
            self._page_service.forget(schedule.target)  # it was removed or changed while it was polled
            return
        now, interval = asyncio.get_running_loop().time(), self._interval_of(schedule.target)
        if schedule.again:
            schedule.again, schedule.due = False, now
        elif schedule.failures:
            longest = longest_interval(interval, self._backoff_max)
            interval = retry_interval(schedule.failures, interval=interval, longest=longest)
            schedule.due += interval * max(1, -((schedule.due - now) // interval))
        else:  # missed turns are skipped; a device that was polled at once returns to its own slot
            after = max(now, schedule.due + interval / 2)
            schedule.due = after + self._phase(schedule.target.key, after, interval)
        heapq.heappush(self._queue, _QueuedPoll(schedule.due, schedule.target.key))
