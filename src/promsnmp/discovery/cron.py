"""Parses Spring's cron expressions (six fields, seconds first) and computes the next time.

The original PromSNMP is a Spring program, and its ``DISCOVERY_CRON`` must mean the same here (Spring Framework, class
CronExpression). Python's libraries differ where it matters: in Spring, the day of the month *and* the day of the week
must match, and ``LW``, ``L-3`` and ``5L`` exist. No I/O and no time zones: local times in, local times out;
``schedule.py`` handles zones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

MACROS = {
    "@yearly": "0 0 0 1 1 *",
    "@annually": "0 0 0 1 1 *",
    "@monthly": "0 0 0 1 * *",
    "@weekly": "0 0 0 * * 0",
    "@daily": "0 0 0 * * *",
    "@midnight": "0 0 0 * * *",
    "@hourly": "0 0 * * * *",
}
_MONTHS = {
    name: number
    for number, name in enumerate(
        ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"], 1
    )
}
_DAYS = {name: number for number, name in enumerate(["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"], 1)}
_SATURDAY, _SUNDAY = 6, 7  # ISO 8601, as date.isoweekday
_DAY = timedelta(days=1)
_PATIENCE = 400 * 366
"""Days to search for a date: the calendar repeats after 400 years."""

Rule = Callable[[date], bool]
"""Whether a day matches."""


@dataclass(frozen=True, slots=True)
class _Field:
    """The values of a field: numbers from ``low`` to ``high``; ``*`` means those from ``first``."""

    name: str
    low: int
    high: int
    names: Mapping[str, int]
    first: int

    def number(self, text: str) -> int:
        found = self.names.get(text)
        if found is None and text.isascii() and text.isdigit():
            found = int(text)
        if found is None or not self.low <= found <= self.high:
            names = f", or {next(iter(self.names))} ..." if self.names else ""
            raise ValueError(f"{self.name}: {text!r} is not from {self.low} to {self.high}{names}")
        return found


_SECOND, _MINUTE = _Field("second", 0, 59, {}, 0), _Field("minute", 0, 59, {}, 0)
_HOUR = _Field("hour", 0, 23, {}, 0)
_DAY_OF_MONTH, _MONTH = _Field("day of the month", 1, 31, {}, 1), _Field("month", 1, 12, _MONTHS, 1)
_DAY_OF_WEEK = _Field("day of the week", 0, 7, _DAYS, 1)


@dataclass(frozen=True, slots=True)
class Cron:
    """A parsed expression; ``str`` is its text."""

    text: str
    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    months: frozenset[int]
    days_of_month: tuple[Rule, ...]
    days_of_week: tuple[Rule, ...]
    """A day must match one rule of both."""

    def __str__(self) -> str:
        return self.text

    def after(self, moment: datetime) -> datetime | None:
        """The first matching time after ``moment`` (both without zone); None when none matches up to year 9999."""
        today, now = moment.date(), moment.time()
        for day in self._days(today):
            found = self._time(now if day == today else None)
            if found is not None:
                return datetime.combine(day, found)
        return None

    def _days(self, day: date) -> Iterator[date]:
        """The matching days from ``day`` on."""
        for _ in range(_PATIENCE):
            if (
                day.month in self.months
                and any(fits(day) for fits in self.days_of_month)
                and any(fits(day) for fits in self.days_of_week)
            ):
                yield day
            if day == date.max:
                return
            day += _DAY

    def _time(self, after: time | None) -> time | None:
        """The first time of a day, or the first one after ``after``."""
        for hour in self.hours:
            if after is None or hour >= after.hour:
                for minute in self.minutes:
                    if after is None or (hour, minute) >= (after.hour, after.minute):
                        for second in self.seconds:
                            if after is None or time(hour, minute, second) > after:
                                return time(hour, minute, second)
        return None


def parse(text: str) -> Cron:
    """Raises ValueError with the field and the reason."""
    plain = MACROS.get(text.strip().lower(), text).upper().split()
    if len(plain) != 6:
        if text.strip().startswith("@"):
            raise ValueError(f"{text.strip()!r} is not one of {', '.join(MACROS)}")
        raise ValueError(f"needs 6 fields (seconds first), got {len(plain)}")
    second, minute, hour, day, month, weekday = plain
    cron = Cron(
        text,
        tuple(sorted(_numbers(second, _SECOND))),
        tuple(sorted(_numbers(minute, _MINUTE))),
        tuple(sorted(_numbers(hour, _HOUR))),
        frozenset(_numbers(month, _MONTH)),
        _rules(day, _day_of_month),
        _rules(weekday, _day_of_week),
    )
    if cron.after(datetime(2000, 1, 1)) is None:  # noqa: DTZ001  # no zone, like everything here
        raise ValueError("no date ever matches")
    return cron


def _numbers(text: str, field: _Field) -> set[int]:
    """The numbers in a field: ``*``, ``5``, ``1-5``, each with ``/step``, and lists of these."""
    found: set[int] = set()
    for item in text.split(","):
        span, slash, step = item.partition("/")
        low, high = _span(span, field)
        if slash:
            if not (step.isascii() and step.isdigit() and int(step)):
                raise ValueError(f"{field.name}: {item!r} needs a step of 1 or more after the slash")
            high = high if "-" in span else field.high
        found.update(range(low, high + 1, int(step or 1)))
    return found


def _span(text: str, field: _Field) -> tuple[int, int]:
    if text == "*":
        return field.first, field.high
    start, dash, end = text.partition("-")
    low = field.number(start)
    if not dash:
        return low, low
    high = field.number(end)
    if field is _DAY_OF_WEEK and low == _SUNDAY:
        low = 0  # a week may begin on Sunday
    if low > high:
        raise ValueError(f"{field.name}: {text!r} ends before it begins")
    return low, high


# --------------------------------------------------------------------------------------------------------------- days


def _rules(text: str, read: Callable[[str], Rule]) -> tuple[Rule, ...]:
    return tuple(read(item) for item in ("*" if text == "?" else text).split(","))


def _day_of_month(item: str) -> Rule:
    if item == "L":
        return lambda day: day == _last(day)
    if item == "LW":
        return _is_last_weekday
    if item.startswith("L-"):
        before = timedelta(days=_DAY_OF_MONTH.number(item[2:]))
        return lambda day: day == _last(day) - before
    if item.endswith("W"):
        number = _DAY_OF_MONTH.number(item[:-1])
        return lambda day: _is_nearest_weekday(day, number)
    numbers = _numbers(item, _DAY_OF_MONTH)
    return lambda day: day.day in numbers


def _day_of_week(item: str) -> Rule:
    name, hash_sign, ordinal = item.partition("#")
    if hash_sign:
        wanted = _weekday(name)
        if ordinal not in {"1", "2", "3", "4", "5"}:
            raise ValueError(f"{_DAY_OF_WEEK.name}: {item!r} needs a number from 1 to 5 after the #")
        return lambda day: day.isoweekday() == wanted and (day.day + 6) // 7 == int(ordinal)
    if item.endswith("L"):
        last = _weekday(item[:-1])
        return lambda day: day.isoweekday() == last and (day + 7 * _DAY).month != day.month
    numbers = {number or _SUNDAY for number in _numbers(item, _DAY_OF_WEEK)}
    return lambda day: day.isoweekday() in numbers


def _weekday(name: str) -> int:
    return _DAY_OF_WEEK.number(name) or _SUNDAY


def _last(day: date) -> date:
    """The last day of its month."""
    return (day.replace(day=28) + 4 * _DAY).replace(day=1) - _DAY


def _is_last_weekday(day: date) -> bool:
    last = _last(day)
    return day == last - _DAY * max(0, last.isoweekday() - 5)


def _is_nearest_weekday(day: date, number: int) -> bool:
    """Whether ``day`` is the weekday nearest to the ``number``-th of a month.

    That is the Friday before a Saturday (but the Monday after the first of a month), and the Monday after a Sunday.
    """
    weekday = day.isoweekday()
    if weekday >= _SATURDAY:
        return False
    if day.day == number or (weekday == 1 and (day - _DAY).day == number):
        return True
    if number == 1:
        return weekday == 1 and day.day == 3
    return weekday == 5 and (day + _DAY).day == number
