"""Times in zones, clock changes, and the task that runs at these times."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promsnmp.discovery import schedule as module
from promsnmp.discovery.cron import parse
from promsnmp.discovery.schedule import Schedule, Scheduler, instant_of, next_time, read_cron, read_zone
from promsnmp.errors import InventoryUnavailable, SettingsError

MINUTE = timedelta(minutes=1)

CHANGES = {
    "Europe/Berlin": ("2026-03-29T01:00", "2026-10-25T01:00"),
    "America/New_York": ("2026-03-08T07:00", "2026-11-01T06:00"),
    "Australia/Lord_Howe": ("2026-10-03T15:30", "2026-04-04T15:00"),  # half an hour
    "Asia/Beirut": ("2022-03-26T22:00", "2022-10-29T21:00"),  # at midnight: days that begin at one
    "America/Sao_Paulo": ("2018-11-04T03:00", "2019-02-17T02:00"),
    "America/Havana": ("2026-03-08T05:00", "2026-11-01T05:00"),
    "Antarctica/Troll": ("2026-03-29T01:00", "2026-10-25T01:00"),  # two hours
    "Pacific/Apia": ("2011-12-30T10:00",),  # a day that was skipped
    "Pacific/Kwajalein": ("1993-08-21T12:00",),
    "Africa/Casablanca": ("2026-02-15T02:00", "2026-03-22T02:00"),  # summer time ends for Ramadan
    "Asia/Kathmandu": ("2026-01-01T00:00",),  # none
}
"""Zones with odd rules, and the instants (UTC) of some of their changes."""
WHERE = [(zone, change) for zone, changes in CHANGES.items() for change in changes]


def run(expression: str, zone: str, after: str, count: int) -> list[str]:
    """The next times, as a clock in the zone shows them."""
    place = ZoneInfo(zone)
    moment, found = datetime.fromisoformat(after).replace(tzinfo=place).astimezone(UTC), []
    for _ in range(count):
        following = next_time(parse(expression), place, moment)
        assert following is not None
        moment = following
        found.append(moment.astimezone(place).strftime("%d %H:%M %z"))
    return found


def test_skipped_times_run_once_at_the_end_of_the_gap() -> None:
    assert run("0 30 2 * * *", "Europe/Berlin", "2026-03-28T12:00", 2) == ["29 03:00 +0200", "30 02:30 +0200"]
    assert run("0 0/10 2 * * *", "Europe/Berlin", "2026-03-28T12:00", 2) == ["29 03:00 +0200", "30 02:00 +0200"]
    assert run("0 0 2,3 * * *", "Europe/Berlin", "2026-03-28T12:00", 2) == ["29 03:00 +0200", "30 02:00 +0200"]
    assert run("0 0 0 * * *", "Asia/Beirut", "2022-03-26T12:00", 2) == ["27 01:00 +0300", "28 00:00 +0300"]
    assert run("0 15 2 * * *", "Australia/Lord_Howe", "2026-10-03T12:00", 2) == ["04 02:30 +1100", "05 02:15 +1100"]
    assert run("0 0 2 * * *", "Pacific/Apia", "2011-12-29T12:00", 2) == ["31 00:00 +1400", "31 02:00 +1400"]


def test_repeated_times_run_at_the_first() -> None:
    assert run("0 30 2 * * *", "Europe/Berlin", "2026-10-24T12:00", 2) == ["25 02:30 +0200", "26 02:30 +0100"]
    assert run("0 0 * * * *", "Europe/Berlin", "2026-10-25T01:30", 2) == ["25 02:00 +0200", "25 03:00 +0100"]
    assert run("0 45 1 * * *", "Australia/Lord_Howe", "2026-04-04T12:00", 2) == ["05 01:45 +1100", "06 01:45 +1030"]
    assert run("0 30 23 * * *", "Asia/Beirut", "2022-10-29T12:00", 2) == ["29 23:30 +0300", "30 23:30 +0200"]


def by_hand(hours: set[int], minutes: set[int], zone: ZoneInfo, begin: datetime, end: datetime) -> list[datetime]:
    """The times between two instants, found by checking the clock every minute."""
    wanted: list[datetime] = []
    shown: datetime | None = None
    seen: set[datetime] = set()
    instant = begin - timedelta(days=3)
    while instant <= end:
        local = instant.astimezone(zone).replace(tzinfo=None)
        passed = [local] if shown is None else [shown + MINUTE * (n + 1) for n in range((local - shown) // MINUTE)]
        fits = [one for one in passed if one.hour in hours and one.minute in minutes and one not in seen]
        seen.update(passed)
        if fits and begin < instant:
            wanted.append(instant)
        shown = local
        instant += MINUTE
    return wanted


@settings(deadline=None)
@given(
    where=st.sampled_from(WHERE),
    offset=st.integers(-36 * 60, 6 * 60),
    hours=st.sets(st.integers(0, 23), min_size=1, max_size=6) | st.just(set(range(24))),
    minutes=st.sets(st.integers(0, 59), min_size=1, max_size=3),
)
def test_around_changes_the_times_are_those_that_a_clock_on_the_wall_shows(
    where: tuple[str, str], offset: int, hours: set[int], minutes: set[int]
) -> None:
    zone, change = ZoneInfo(where[0]), datetime.fromisoformat(where[1]).replace(tzinfo=UTC)
    begin = change + offset * MINUTE
    end = change + timedelta(days=1, hours=6)
    expression = parse(f"0 {','.join(map(str, minutes))} {','.join(map(str, hours))} * * *")
    found, moment = [], next_time(expression, zone, begin)
    while moment is not None and moment <= end:
        found.append(moment)
        moment = next_time(expression, zone, moment)
    assert found == by_hand(hours, minutes, zone, begin, end)


@settings(deadline=None)
@given(where=st.sampled_from(WHERE), seconds=st.integers(-200_000, 200_000))
def test_an_instant_is_the_first_at_which_a_clock_shows_the_time_or_a_later_one(
    where: tuple[str, str], seconds: int
) -> None:
    zone = ZoneInfo(where[0])
    local = datetime.fromisoformat(where[1]) + timedelta(seconds=seconds)
    moment = instant_of(local, zone)
    assert moment.astimezone(zone).replace(tzinfo=None) >= local
    assert (moment - timedelta(seconds=1)).astimezone(zone).replace(tzinfo=None) < local


# ------------------------------------------------------------------------------------------------------------ settings


def test_invalid_expressions_and_zones_are_reported_with_an_example() -> None:
    with pytest.raises(
        SettingsError, match=r"DISCOVERY_CRON=0 0 25 \* \* \*: hour: '25' is not.*DISCOVERY_CRON='0 0 2 \* \* \*'"
    ):
        read_cron("0 0 25 * * *")
    with pytest.raises(SettingsError, match=r"needs 6 fields.*got 5.*DISCOVERY_CRON='0 30 4 \* \* MON'"):
        read_cron("30 4 * * MON")
    for name in ("Nowhere", "Europe", "../../etc/passwd", "/etc/passwd", "Europe/Berlin\0", "x" * 5000, "CET-1CEST"):
        with pytest.raises(SettingsError, match="DISCOVERY_TZ=Europe/Berlin"):
            read_zone(name)


def test_a_dash_disables_the_schedule() -> None:
    assert read_cron(" - ") is None


def test_the_default_zone_is_that_of_the_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("TZ", raising=False)
    monkeypatch.setattr(module, "LOCAL_ZONE", tmp_path / "localtime")
    assert read_zone("") is UTC
    monkeypatch.setenv("TZ", ":Europe/Berlin")
    assert read_zone("") is ZoneInfo("Europe/Berlin")


def test_an_unknown_zone_of_the_machine_is_a_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0")
    assert read_zone("") is UTC
    assert "DISCOVERY_TZ" in caplog.text


def test_zones_are_known_where_the_system_has_none() -> None:
    code = "from promsnmp.discovery.schedule import read_zone; print(read_zone('Europe/Berlin'))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONTZPATH": "", "PYTHONPATH": "src"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "Europe/Berlin\n", done.stderr


# -------------------------------------------------------------------------------------------------------------- clocks

START = datetime(2026, 6, 1, 12, tzinfo=UTC)


def daily() -> Schedule:
    return Schedule(parse("0 0 2 * * *"), UTC, START)


def is_due(schedule: Schedule, now: datetime) -> bool:
    """Whether a time is due, which is then made use of."""
    due_at = schedule.due(now)
    if due_at is not None:
        schedule.skip(now)
    return due_at is not None


def test_each_time_is_due_once() -> None:
    schedule = daily()
    due = [hour for hour in range(72) if is_due(schedule, START + timedelta(hours=hour))]
    assert due == [14, 38, 62]


def test_after_a_long_sleep_one_late_run_is_due_and_no_burst() -> None:
    schedule = daily()
    now = START + timedelta(days=30)
    assert is_due(schedule, now)
    assert not is_due(schedule, now + timedelta(seconds=1))
    assert schedule.next == datetime(2026, 7, 2, 2, tzinfo=UTC)


def test_a_clock_that_is_set_back_repeats_nothing() -> None:
    schedule = daily()
    assert is_due(schedule, START + timedelta(hours=14, seconds=1))
    assert not is_due(schedule, START + timedelta(hours=13, minutes=59))
    assert not is_due(schedule, START + timedelta(hours=14, seconds=2))
    assert is_due(schedule, START + timedelta(hours=38))


def test_a_clock_that_was_years_ahead_does_not_end_discovery() -> None:
    schedule = Schedule(parse("0 0 2 * * *"), UTC, START + timedelta(days=5000))
    assert not is_due(schedule, START)
    assert schedule.next == datetime(2026, 6, 2, 2, tzinfo=UTC)
    assert is_due(schedule, START + timedelta(hours=14))
    years_ahead = START + timedelta(days=5000)
    assert schedule.due(START + timedelta(hours=38), years_ahead) is not None


@pytest.mark.parametrize(
    ("expression", "last_run", "now", "due_at"),
    [
        ("0 0 2 * * *", "06-01T02:00:00", "06-02T02:00:25", "06-02T02:00:00"),  # nobody led at that second
        ("0 0 2 * * *", "06-01T02:00:00", "06-02T14:00:00", "06-02T02:00:00"),
        ("0 0 2 * * *", "06-01T02:00:00", "06-02T14:00:01", None),  # the next time is nearer
        ("0 0 2 * * *", "05-20T02:00:00", "06-02T09:00:00", "06-02T02:00:00"),  # of many, the last
        ("0 0 2 * * *", "06-02T02:00:00", "06-02T02:00:25", None),  # it ran
        ("0 0 2 * * *", "06-02T02:07:00", "06-02T02:08:00", None),  # it ended then
        ("0 0 2 * * SUN", "05-31T02:00:00", "06-08T01:00:00", "06-07T02:00:00"),
        ("0 0 2 * * SUN", "05-31T02:00:00", "06-08T03:00:00", None),  # a day is long enough
        ("* * * * * *", "05-31T02:00:00", "06-01T02:00:00", "06-01T02:00:00"),
        ("0 */10 * * * *", "06-01T02:00:00", "06-01T02:14:59", "06-01T02:10:00"),
        ("0 */10 * * * *", "06-01T02:00:00", "06-01T02:15:01", None),
    ],
)
def test_a_time_that_nobody_used_is_due_until_the_next_one_is_nearer(
    expression: str, last_run: str, now: str, due_at: str | None
) -> None:
    schedule = Schedule(parse(expression), UTC, datetime.fromisoformat(f"2026-{now}+00:00"))
    moments = [datetime.fromisoformat(f"2026-{one}+00:00") if one else None for one in (now, last_run, due_at)]
    assert moments[0] is not None
    assert schedule.due(moments[0], moments[1]) == moments[2]


def test_without_a_last_run_times_before_the_process_do_not_count() -> None:
    assert Schedule(parse("0 0 2 * * *"), UTC, START + timedelta(hours=15)).due(START + timedelta(hours=15)) is None


def test_the_wait_is_short_enough_to_see_a_clock_that_is_set() -> None:
    schedule = daily()
    assert schedule.seconds_until_next(START) == module.TICK
    assert schedule.seconds_until_next(START + timedelta(hours=13, minutes=59, seconds=55)) == 5.0
    assert schedule.seconds_until_next(START + timedelta(hours=15)) == 0.0


# ---------------------------------------------------------------------------------------------------------------- task


class Clock:
    """A clock that advances when a task sleeps, until ``end``."""

    def __init__(self, end: timedelta) -> None:
        self.now = START
        self._end = START + end

    def __call__(self) -> datetime:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        if self.now > self._end:
            await asyncio.Event().wait()
        await asyncio.sleep(0)


class Runs:
    """Notes when runs begin. Each takes ``takes``, and then raises ``fails``. ``last`` is what an inventory keeps."""

    def __init__(self, clock: Clock, takes: timedelta, fails: type[BaseException] | None) -> None:
        self.begun: list[datetime] = []
        self.last: datetime | None = None
        self.is_unfinished = False
        self._clock, self._takes, self._fails = clock, takes, fails
        self._is_running = False

    async def begin(self, due_at: datetime) -> None:
        assert not self._is_running
        self._is_running = True
        self.begun.append(self._clock.now)
        if self._fails is not None:
            self._is_running = False
            raise self._fails("cannot be written")
        self.last = due_at
        self._clock.now += self._takes
        await asyncio.sleep(0)
        self._is_running = False

    async def go_on(self) -> None:
        self.is_unfinished = False
        self.begun.append(self._clock.now)


async def ran(
    clock: Clock,
    *,
    takes: timedelta = timedelta(0),
    leads: Callable[[], bool] = lambda: True,
    on_start: bool = False,
    schedule: Schedule | None = None,
    fails: type[BaseException] | None = None,
    unfinished: bool = False,
) -> list[datetime]:
    """When the runs began, until the clock's end."""
    runs = Runs(clock, takes, fails)
    runs.is_unfinished = unfinished
    scheduler = Scheduler(runs, schedule, leads=leads, on_start=on_start, clock=clock, sleep=clock.sleep)
    scheduler.start()
    for _ in range(100_000):
        await asyncio.sleep(0)
        if clock.now > clock._end:
            break
    await scheduler.stop()
    return runs.begun


async def test_it_runs_at_the_times() -> None:
    begun = await ran(Clock(timedelta(days=3)), schedule=daily())
    assert [moment - START for moment in begun] == [timedelta(hours=hours) for hours in (14, 38, 62)]


async def test_times_during_a_run_are_skipped() -> None:
    begun = await ran(Clock(timedelta(days=4)), schedule=daily(), takes=timedelta(hours=25))
    assert [moment - START for moment in begun] == [timedelta(hours=14), timedelta(hours=62)]


async def test_a_replica_that_leads_later_makes_up_for_one_missed_time() -> None:
    clock = Clock(timedelta(days=3))
    begun = await ran(clock, schedule=daily(), leads=lambda: clock.now > START + timedelta(hours=20))
    late, *others = [moment - START for moment in begun]
    assert timedelta(hours=20) < late <= timedelta(hours=20, seconds=module.TICK)
    assert others == [timedelta(hours=38), timedelta(hours=62)]
    clock = Clock(timedelta(days=3))
    begun = await ran(clock, schedule=daily(), leads=lambda: clock.now > START + timedelta(hours=28))
    assert [moment - START for moment in begun] == [timedelta(hours=38), timedelta(hours=62)]


async def test_the_rest_of_an_earlier_leaders_run_is_run_at_once() -> None:
    first, *others = await ran(Clock(timedelta(days=1)), schedule=daily(), unfinished=True)
    assert first - START <= timedelta(seconds=module.TICK)
    assert [moment - START for moment in others] == [timedelta(hours=14)]


async def test_a_run_that_cannot_be_noted_is_tried_again() -> None:
    begun = await ran(Clock(timedelta(hours=14, seconds=3 * module.TICK)), schedule=daily(), fails=InventoryUnavailable)
    assert len(begun) == 4


@pytest.mark.parametrize("error", [RuntimeError, asyncio.CancelledError])
async def test_a_run_that_fails_or_is_stopped_does_not_end_the_schedule(
    error: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    assert len(await ran(Clock(timedelta(days=3)), schedule=daily(), fails=error)) == 3
    assert len([record for record in caplog.records if record.levelno >= logging.WARNING]) == 3


async def test_it_runs_at_the_start_when_configured_with_or_without_a_schedule() -> None:
    assert await ran(Clock(timedelta(days=1)), on_start=True) == [START]
    begun = await ran(Clock(timedelta(days=1)), on_start=True, schedule=daily(), takes=timedelta(hours=15))
    assert begun == [START]  # runs that were due meanwhile are skipped


async def test_at_the_start_it_waits_a_while_for_an_election() -> None:
    clock = Clock(timedelta(hours=1))
    assert len(await ran(clock, on_start=True, leads=lambda: clock.now > START + timedelta(seconds=10))) == 1
    clock = Clock(timedelta(hours=1))
    assert await ran(clock, on_start=True, leads=lambda: clock.now > START + timedelta(minutes=10)) == []


def test_the_next_time_is_shown() -> None:
    runs = Runs(Clock(timedelta(0)), timedelta(0), None)
    assert Scheduler(runs, daily(), leads=lambda: True).next == datetime(2026, 6, 2, 2, tzinfo=UTC).timestamp()
    assert Scheduler(runs, None, leads=lambda: True).next == 0.0


async def test_stopping_cancels_a_run() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    class Endless(Runs):
        async def begin(self, due_at: datetime) -> None:
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()

    runs = Endless(Clock(timedelta(0)), timedelta(0), None)
    scheduler = Scheduler(runs, None, leads=lambda: True, on_start=True)
    scheduler.start()
    await begun.wait()
    await scheduler.stop()
    assert ended.is_set()


def test_upcoming_times_follow_each_other() -> None:
    hourly = Schedule(parse("0 0 * * * *"), UTC, datetime(2026, 1, 1, tzinfo=UTC))
    found = hourly.upcoming(datetime(2026, 1, 1, 22, 30, tzinfo=UTC), 3)
    assert [one.hour for one in found] == [23, 0, 1]
