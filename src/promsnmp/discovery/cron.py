"""Cron expressions as Spring reads them: six fields, seconds first.

The original PromSNMP is a Spring program, and its ``DISCOVERY_CRON`` has to mean the same here (Spring Framework, class
CronExpression). The libraries for Python differ where it matters: here days of the month *and* of the week have to fit,
not one of them, and ``LW``, ``L-3`` and ``5L`` have no counterpart there. Pure: local times in, local times out; what
a zone makes of them is in ``schedule.py``.
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
"""Days until a date must have come: the calendar repeats itself after 400 years."""

Rule = Callable[[date], bool]
"""Whether a day fits."""


@dataclass(frozen=True, slots=True)
class _Field:
    """What may stand in one of the fields: numbers from ``low`` to ``high``; ``*`` means those from ``first``."""

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
            raise ValueError(f"{text!r} is not from {self.low} to {self.high}{names} ({self.name})")
        return found


_SECOND, _MINUTE = _Field("second", 0, 59, {}, 0), _Field("minute", 0, 59, {}, 0)
_HOUR = _Field("hour", 0, 23, {}, 0)
_DAY_OF_MONTH, _MONTH = _Field("day of the month", 1, 31, {}, 1), _Field("month", 1, 12, _MONTHS, 1)
_DAY_OF_WEEK = _Field("day of the week", 0, 7, _DAYS, 1)


@dataclass(frozen=True, slots=True)
class Cron:
    """An expression that has been understood; ``str`` is as it was written."""

    text: str
    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    months: frozenset[int]
    days_of_month: tuple[Rule, ...]
    days_of_week: tuple[Rule, ...]
    """Each of both needs one that fits."""

    def __str__(self) -> str:
        return self.text

    def after(self, moment: datetime) -> datetime | None:
        """The first time after ``moment`` (both without zone); None when there is none until the calendar ends."""
        today, now = moment.date(), moment.time()
        for day in self._days(today):
            found = self._time(now if day == today else None)
            if found is not None:
                return datetime.combine(day, found)
        return None

    def _days(self, day: date) -> Iterator[date]:
        """``day`` and those after it that fit."""
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
    """Raises ValueError, which says what is wrong with which field."""
    plain = MACROS.get(text.strip().lower(), text).upper().split()
    if len(plain) != 6:
        if text.strip().startswith("@"):
            raise ValueError(f"{text.strip()!r} is not one of {', '.join(MACROS)}")
        raise ValueError(f"it has {len(plain)} fields and not 6: second minute hour day month weekday")
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
    if cron.after(datetime(2000, 1, 1)) is None:  # noqa: DTZ001  # without a zone, as everything here
        raise ValueError("it names a day that never comes")
    return cron


def _numbers(text: str, field: _Field) -> set[int]:
    """The numbers that a field names: ``*``, ``5``, ``1-5``, each with ``/step``, and lists of these."""
    found: set[int] = set()
    for item in text.split(","):
        span, slash, step = item.partition("/")
        low, high = _span(span, field)
        if slash:
            if not (step.isascii() and step.isdigit() and int(step)):
                raise ValueError(f"{item!r} has no step of 1 or more after the slash ({field.name})")
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
        raise ValueError(f"{text!r} ends before it begins ({field.name})")
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
            raise ValueError(f"{item!r}: a month has one to five of a day ({_DAY_OF_WEEK.name})")
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
