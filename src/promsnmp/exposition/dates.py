"""Parses dates in text, by a pattern such as ``%Y-%m-%d %H:%M:%S``: for metrics of type ``ParseDateAndTime``.

The directives are those of timefmt-go, the library that snmp_exporter uses: strptime's of POSIX and glibc, in English.
Ranges are not checked: a number that is too large carries over into the next larger unit, so that 30 February is
1 March (or 2 March). Days and weeks that do not determine a date (``%a``, ``%U``) are read and ignored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_COMPOSED: Mapping[str, str] = {
    "c": "%a %b %e %H:%M:%S %Y",
    "+": "%a %b %e %H:%M:%S %Z %Y",
    "v": "%e-%b-%Y",
    "r": "%I:%M:%S %p",
    "F": "%Y-%m-%d",
    "D": "%m/%d/%y",
    "x": "%m/%d/%y",
    "T": "%H:%M:%S",
    "X": "%H:%M:%S",
    "R": "%H:%M",
}
_BLANKS = " \t\n\v\f\r"
_DAYS_OF_400_YEARS = 146_097
_ORDINAL_1970 = date(1970, 1, 1).toordinal()


class InvalidDate(ValueError):
    """The text does not match the pattern."""


@dataclass(slots=True)
class _DateParser:
    """The state of parsing: how far the text is read, and the fields found so far."""

    text: str
    at: int = 0
    year: int = 1900
    month: int = 1
    day: int = 1
    hour: int = 0
    minute: int = 0
    second: int = 0
    century: int = 0
    year_day: int = 0
    afternoon: bool = False
    offset: int = 0
    """Seconds east of UTC."""
    unused: int = 0
    """Fields that do not determine the date."""

    def literal(self, expected: str) -> None:
        if not self.text.startswith(expected, self.at):
            raise InvalidDate
        self.at += len(expected)

    def skip(self, characters: str) -> bool:
        """Skips one of ``characters``; returns whether there was one."""
        found = self.at < len(self.text) and self.text[self.at] in characters
        self.at += found
        return found

    def number(self, size: int) -> int:
        """A number of at most ``size`` digits."""
        start, limit = self.at, min(self.at + size, len(self.text))
        while self.at < limit and self.text[self.at] in "0123456789":
            self.at += 1
        if self.at == start:
            raise InvalidDate
        return int(self.text[start : self.at])

    def one_of(self, names: tuple[str, ...], size: int | None = None) -> int:
        """Which of the names is next in the text (from 1), compared by its first ``size`` letters."""
        for which, name in enumerate(names, 1):
            if self.text[self.at : self.at + len(name[:size])].lower() == name[:size]:
                self.at += len(name[:size])
                return which
        raise InvalidDate


def parse_date(text: str, pattern: str) -> float | None:
    """Whole Unix seconds of the date in ``text``, None when it does not match the pattern."""
    parser = _DateParser(text)
    try:
        _apply_pattern(parser, pattern)
        if parser.at < len(text):
            return None
        return float(_seconds(parser))
    except InvalidDate:
        return None


def _apply_pattern(parser: _DateParser, pattern: str) -> None:
    at = 0
    while at < len(pattern):
        if pattern[at] != "%":
            parser.literal(pattern[at])
            at += 1
            continue
        colons = len(pattern[at + 1 :]) - len(pattern[at + 1 :].lstrip(":"))
        directive = pattern[at + 1 + colons : at + 2 + colons]
        at += 2 + colons
        if colons:
            if directive != "z" or colons > 2:
                raise InvalidDate
            _zone_offset(parser, colons)
        elif directive in _COMPOSED:
            _apply_pattern(parser, _COMPOSED[directive])
        elif directive in _DIRECTIVES:
            _DIRECTIVES[directive](parser)
        else:
            raise InvalidDate


def _seconds(parser: _DateParser) -> int:
    hour = parser.hour + (12 if parser.afternoon else 0)
    clock = hour * 3600 + parser.minute * 60 + parser.second - parser.offset
    year = parser.century * 100 + parser.year % 100 if parser.century else parser.year
    if parser.year_day:
        return days_since_1970(year, 1, parser.year_day) * 86_400 + clock
    return days_since_1970(year, parser.month, parser.day) * 86_400 + clock


def days_since_1970(year: int, month: int, day: int) -> int:
    """Days from 1970 to a date; months after December and days after the end of the month carry over."""
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    eras, year = divmod(year, 400)  # the calendar repeats every 400 years; Python's has only years 1 to 9999
    return date(2000 + year, month, 1).toordinal() - _ORDINAL_1970 + (eras - 5) * _DAYS_OF_400_YEARS + day - 1


# --------------------------------------------------------------------------------------------------------- directives


Directive = Callable[[_DateParser], None]


def _set(name: str, size: int) -> Directive:
    return lambda parser: setattr(parser, name, parser.number(size))


def _after_blank(read: Directive) -> Directive:
    def with_blank(parser: _DateParser) -> None:
        parser.skip(" ")
        read(parser)

    return with_blank


def _named(name: str, names: tuple[str, ...], size: int | None = None) -> Directive:
    return lambda parser: setattr(parser, name, parser.one_of(names, size))


def _short_year(parser: _DateParser) -> None:
    year = parser.number(2)
    parser.year = year + (2000 if year < 69 else 1900)


def _short_iso_year(parser: _DateParser) -> None:
    parser.year = 2000 + parser.number(2)


def _week_day(allowed: str) -> Directive:
    def week_day(parser: _DateParser) -> None:
        if not parser.skip(allowed):
            raise InvalidDate

    return week_day


def _hour_of_twelve(parser: _DateParser) -> None:
    hour = parser.number(2)
    parser.hour = 0 if hour == 12 else hour


def _am_pm(parser: _DateParser) -> None:
    parser.afternoon = parser.one_of(("am", "pm")) == 2


def _epoch(parser: _DateParser) -> None:
    """Seconds since 1970 instead of a date."""
    days, clock = divmod(parser.number(10), 86_400)
    day = date.fromordinal(_ORDINAL_1970 + days)
    parser.year, parser.month, parser.day = day.year, day.month, day.day
    parser.hour, parser.minute, parser.second = clock // 3600, clock // 60 % 60, clock % 60


def _zone_name(parser: _DateParser) -> None:
    """A time zone's name in upper-case letters (as in Go's time.Parse); every one counts as UTC, the only one known."""
    start = parser.at
    while parser.at < len(parser.text) and "A" <= parser.text[parser.at] <= "Z":
        parser.at += 1
    name = parser.text[start : parser.at]
    if len(name) != 3 and name != "WITA" and not (len(name) in (4, 5) and name.endswith("T")):
        raise InvalidDate


def _zone_offset(parser: _DateParser, colons: int = 0) -> None:
    """``%z``: +hhmm, +hh:mm, +hh or Z; ``%:z`` (+hh:mm) and ``%::z`` (+hh:mm:ss) require their separators."""
    if parser.skip("Z"):
        parser.offset = 0
        return
    sign = -1 if parser.text.startswith("-", parser.at) else 1
    if not parser.skip("+-"):
        raise InvalidDate
    parts = [_pair(parser)]
    separated = parser.text.startswith(":", parser.at)
    if colons and not separated:
        raise InvalidDate
    if separated or parser.text[parser.at : parser.at + 1].isdigit():
        parser.skip(":")
        parts.append(_pair(parser))
    if colons == 2 or (not colons and separated and parser.text.startswith(":", parser.at)):
        parser.literal(":")
        parts.append(_pair(parser))
    parser.offset = sign * sum(part * unit for part, unit in zip(parts, (3600, 60, 1), strict=False))


def _pair(parser: _DateParser) -> int:
    start = parser.at
    number = parser.number(2)
    if parser.at != start + 2:
        raise InvalidDate
    return number


def _some_blanks(parser: _DateParser) -> None:
    if not parser.skip(_BLANKS):
        raise InvalidDate
    while parser.skip(_BLANKS):
        pass


_DIRECTIVES: Mapping[str, Directive] = {
    "Y": _set("year", 4),
    "G": _set("year", 4),
    "y": _short_year,
    "g": _short_iso_year,
    "C": _set("century", 2),
    "m": _set("month", 2),
    "B": _named("month", _MONTHS),
    "b": _named("month", _MONTHS, 3),
    "h": _named("month", _MONTHS, 3),
    "A": _named("unused", _DAYS),
    "a": _named("unused", _DAYS, 3),
    "w": _week_day("0123456"),
    "u": _week_day("1234567"),
    "V": _set("unused", 2),
    "U": _set("unused", 2),
    "W": _set("unused", 2),
    "d": _set("day", 2),
    "e": _after_blank(_set("day", 2)),
    "j": _set("year_day", 3),
    "H": _set("hour", 2),
    "k": _after_blank(_set("hour", 2)),
    "I": _hour_of_twelve,
    "l": _after_blank(_hour_of_twelve),
    "p": _am_pm,
    "P": _am_pm,
    "M": _set("minute", 2),
    "S": _set("second", 2),
    "s": _epoch,
    "f": _set("unused", 6),
    "Z": _zone_name,
    "z": _zone_offset,
    "t": _some_blanks,
    "n": _some_blanks,
    "%": lambda parser: parser.literal("%"),
}
