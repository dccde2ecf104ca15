"""Schedules the searches of the saved seeds: the times of a cron expression in a zone, and the task that runs them.

Clocks are the difficulty. When daylight saving skips times, their run happens once, at the end of the gap; when times
occur twice, the run happens at the first. After a long run, missed runs are skipped, two runs never overlap, and a
clock that was set, or a machine that was suspended, causes at most one late run.

The last run is in the inventory (``SeedRun``), so a time at which no replica led, or no process ran, is made up for:
once, by the next leader, unless the time after it is nearer.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

from promsnmp.discovery import cron
from promsnmp.discovery.cron import Cron
from promsnmp.errors import PromSnmpError, SettingsError

log = logging.getLogger(__name__)

NEVER = "-"
"""Spring's expression that disables a schedule."""
EXAMPLE = "0 0 2 * * *"
LOCAL_ZONE = Path("/etc/localtime")
TICK = 20.0
"""Most seconds between two looks at the clock: it may be set, and timers stop while a machine is suspended."""
START_TIMEOUT = 60.0
"""Seconds after the start for which the search at the start waits until this replica leads."""
_NO_ZONE = (KeyError, OSError, ValueError)
"""What zoneinfo raises for an unknown name, a folder, and an invalid path or file."""
LATEST = timedelta(days=1)
"""A missed time is not made up for later than that, however seldom the schedule is due."""
_SPANS = (timedelta(minutes=1), timedelta(hours=1), LATEST)
_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)


# ---------------------------------------------------------------------------------------------------------- settings


def read_cron(text: str) -> Cron | None:
    """The expression of DISCOVERY_CRON; None when disabled. Raises SettingsError."""
    if text.strip() == NEVER:
        return None
    try:
        return cron.parse(text)
    except ValueError as error:
        right = f"0 {' '.join(text.split())}" if len(text.split()) == 5 else EXAMPLE
        try:
            cron.parse(right)
        except ValueError:
            right = EXAMPLE
        raise SettingsError(
            f"DISCOVERY_CRON={text}: {error}; for example DISCOVERY_CRON='{right}' "
            f"(second minute hour day month weekday); '{NEVER}' disables it"
        ) from None


def read_zone(name: str) -> tzinfo:
    """The zone of DISCOVERY_TZ; empty: the machine's (TZ, /etc/localtime), else UTC. Raises SettingsError."""
    if not name:
        return _local_zone()
    try:
        return ZoneInfo(name)
    except _NO_ZONE:
        known = "for example DISCOVERY_TZ=Europe/Berlin, or UTC"
        raise SettingsError(f"DISCOVERY_TZ={name} is not a zone of the IANA database; {known}") from None


def _local_zone() -> tzinfo:
    name = os.environ.get("TZ", "").removeprefix(":")
    file = Path(name) if name.startswith("/") else None if name else LOCAL_ZONE
    try:
        if file is None:
            return ZoneInfo(name)
        with file.open("rb") as content:
            return ZoneInfo.from_file(content, str(file))
    except _NO_ZONE:
        if name:
            log.warning("TZ is not a zone of the IANA database, discovery uses UTC; set DISCOVERY_TZ: %s", name)
        return UTC


# -------------------------------------------------------------------------------------------------------------- times


def next_time(expression: Cron, zone: tzinfo, after: datetime) -> datetime | None:
    """The first time of ``expression`` in ``zone`` after ``after``, as UTC (both aware); None when no time matches."""
    local: datetime | None = after.astimezone(zone).replace(tzinfo=None)
    while local is not None:
        local = expression.after(local)
        if local is not None and (moment := instant_of(local, zone)) > after:
            return moment
    return None


def latest_time(expression: Cron, zone: tzinfo, after: datetime, now: datetime) -> datetime | None:
    """The last time of ``expression`` after ``after`` and up to ``now``, no longer ago than LATEST."""
    for span in _SPANS:  # the shortest first: an expression may have a time in each second
        latest, found = None, next_time(expression, zone, max(after, now - span))
        while found is not None and found <= now:
            latest, found = found, next_time(expression, zone, found)
        if latest is not None:
            return latest
    return None


def instant_of(local: datetime, zone: tzinfo) -> datetime:
    """When a clock in ``zone`` first shows ``local``, as UTC; if never, the end of the gap."""
    moment = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == local:
        return moment
    before = local.replace(tzinfo=zone, fold=1).astimezone(UTC)  # PEP 495: fold=1 reads a gap by the time after it
    return _change(before, moment, zone)


def _change(before: datetime, after: datetime, zone: tzinfo) -> datetime:
    """The first second with another UTC offset between two instants."""
    offset = before.astimezone(zone).utcoffset()
    before, after = before.replace(microsecond=0), after.replace(microsecond=0)
    while after - before > _SECOND:
        middle = (before + (after - before) // 2).replace(microsecond=0)
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after


class Schedule:
    """Which times of an expression are due; without a clock: callers pass ``now``, in UTC."""

    def __init__(self, expression: Cron, zone: tzinfo, now: datetime) -> None:
        self._expression = expression
        self._zone = zone
        self._last_checked = now
        self._began = now
        self._skipped = now - LATEST
        self.next = next_time(expression, zone, now)

    def due(self, now: datetime, last_run: datetime | None = None) -> datetime | None:
        """The time that is due; of several, the last one. None without a time since ``last_run``, or when the next one
        is nearer. Without a ``last_run``, times before this process do not count.

        A clock that is set back repeats nothing, unless by more than a day: then it was wrong before.
        """
        if now < self._last_checked - _DAY:
            self._began = self._skipped = now
        self._last_checked = now
        self.next = next_time(self._expression, self._zone, now)
        known = self._began if last_run is None or last_run > now + _DAY else last_run
        time = latest_time(self._expression, self._zone, max(known, self._skipped), now)
        is_nearer = time is not None and (self.next is None or now - time <= self.next - now)
        return time if is_nearer else None

    def skip(self, now: datetime) -> None:
        """Times up to ``now`` are not due any more."""
        self._skipped = max(self._skipped, now)

    def upcoming(self, now: datetime, count: int) -> list[datetime]:
        """The next ``count`` times; fewer when there are no more."""
        found: list[datetime] = []
        while len(found) < count and (after := next_time(self._expression, self._zone, now)) is not None:
            found.append(after)
            now = after
        return found

    def seconds_until_next(self, now: datetime) -> float:
        """Seconds until the next time, at most TICK."""
        return TICK if self.next is None else min(max((self.next - now).total_seconds(), 0.0), TICK)


# --------------------------------------------------------------------------------------------------------------- task


class Run(Protocol):
    """Searches all saved seeds, and keeps in the inventory which run that was and how far it is."""

    @property
    def last(self) -> datetime | None:
        """The last time for which it ran, or when it ended if that was later; None when unknown."""

    @property
    def is_unfinished(self) -> bool:
        """Whether a run has ended early, because its leader did."""

    async def begin(self, due_at: datetime) -> object:
        """Searches all seeds. Raises PromSnmpError when the run cannot be noted; then it did not begin."""

    async def go_on(self) -> object:
        """Searches the rest of an unfinished run."""


class Scheduler:
    """Runs ``run`` at the times of ``schedule`` while this replica ``leads``, one run at a time."""

    def __init__(
        self,
        run: Run,
        schedule: Schedule | None,
        *,
        leads: Callable[[], bool],
        on_start: bool = False,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._run = run
        self._schedule = schedule
        self._leads = leads
        self._on_start = on_start
        self._clock = clock
        self._sleep = sleep
        self._task: asyncio.Task[None] | None = None

    @property
    def next(self) -> float:
        """Unix time of the next run; 0 without a schedule."""
        found = self._schedule.next if self._schedule is not None else None
        return found.timestamp() if found is not None else 0.0

    def upcoming(self, count: int) -> list[float]:
        """Unix times of the next runs; empty without a schedule."""
        times = [] if self._schedule is None else self._schedule.upcoming(self._clock(), count)
        return [time.timestamp() for time in times]

    def start(self) -> None:
        if self._schedule is not None or self._on_start:
            self._task = asyncio.get_running_loop().create_task(self._run_forever())

    async def stop(self) -> None:
        """Stops, and cancels a current run."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run_forever(self) -> None:
        if self._on_start:
            await self._at_start()
        while True:
            await self._sleep(TICK if self._schedule is None else self._schedule.seconds_until_next(self._clock()))
            now = self._clock()
            due_at = None if self._schedule is None else self._schedule.due(now, self._run.last)
            if not self._leads():
                continue
            if due_at is not None:
                await self._run_once(_reason(now, due_at), self._run.begin(due_at))
            elif self._run.is_unfinished:
                await self._run_once("the rest of an earlier leader's run", self._run.go_on())

    async def _at_start(self) -> None:
        """Runs once, as soon as this replica leads; elections take a while."""
        waited = 0.0
        while not self._leads():
            if waited >= START_TIMEOUT:
                return
            await self._sleep(1.0)
            waited += 1.0
        await self._run_once("at the start", self._run.begin(self._clock()))

    async def _run_once(self, why: str, run: Awaitable[object]) -> None:
        log.info("discovery of all saved seeds begins: %s", why)
        (ended,) = await asyncio.gather(run, return_exceptions=True)  # cancelling the run leaves us running
        if isinstance(ended, PromSnmpError):
            log.warning("cannot search all saved seeds now: %s", ended)
            return
        if isinstance(ended, asyncio.CancelledError):
            log.warning("the discovery of all saved seeds was stopped")
        elif isinstance(ended, BaseException):
            log.error("unexpected error in the discovery of all saved seeds", exc_info=ended)
        if self._schedule is not None:
            self._schedule.skip(self._clock())  # times that have passed during the run


def _reason(now: datetime, due_at: datetime) -> str:
    late = (now - due_at).total_seconds()
    return "as scheduled" if late <= 2 * TICK else f"{late:.0f} s late, no replica searched at {due_at:%H:%M:%S} UTC"
