"""Cron expressions in Spring's form: their meaning, and the errors of invalid ones."""

from __future__ import annotations

import calendar
from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promsnmp.discovery.cron import MACROS, parse


def times(text: str, after: str, count: int = 3) -> list[str]:
    """The next times of an expression, in ISO 8601 without seconds where they are 0."""
    expression, moment, found = parse(text), datetime.fromisoformat(after), []
    for _ in range(count):
        following = expression.after(moment)
        assert following is not None
        moment = following
        found.append(moment.isoformat(" ").removesuffix(":00"))
    return found


def days(text: str, after: str, count: int = 3) -> list[str]:
    """The next days of ``0 0 0`` and the rest of an expression."""
    return [item.removesuffix(" 00:00") for item in times(f"0 0 0 {text}", after, count)]


# The examples of the documentation of Spring's CronExpression.
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0 0 * * * *", ["2026-01-31 14:00", "2026-01-31 15:00"]),
        ("*/10 * * * * *", ["2026-01-31 13:15:10", "2026-01-31 13:15:20"]),
        ("0 0 8-10 * * *", ["2026-02-01 08:00", "2026-02-01 09:00"]),
        ("0 0 6,19 * * *", ["2026-01-31 19:00", "2026-02-01 06:00"]),
        ("0 0/30 8-10 * * *", ["2026-02-01 08:00", "2026-02-01 08:30"]),
        ("0 0 9-17 * * MON-FRI", ["2026-02-02 09:00", "2026-02-02 10:00"]),
        ("0 0 0 25 12 ?", ["2026-12-25 00:00", "2027-12-25 00:00"]),
        ("0 0 0 L * *", ["2026-02-28 00:00", "2026-03-31 00:00"]),
        ("0 0 0 L-3 * *", ["2026-02-25 00:00", "2026-03-28 00:00"]),
        ("0 0 0 1W * *", ["2026-02-02 00:00", "2026-03-02 00:00"]),
        ("0 0 0 LW * *", ["2026-02-27 00:00", "2026-03-31 00:00"]),
        ("0 0 0 * * 5L", ["2026-02-27 00:00", "2026-03-27 00:00"]),
        ("0 0 0 * * THUL", ["2026-02-26 00:00", "2026-03-26 00:00"]),
        ("0 0 0 ? * 5#2", ["2026-02-13 00:00", "2026-03-13 00:00"]),
        ("0 0 0 ? * MON#1", ["2026-02-02 00:00", "2026-03-02 00:00"]),
    ],
)
def test_the_examples_of_springs_documentation(text: str, expected: list[str]) -> None:
    assert times(text, "2026-01-31T13:15:00", 2) == expected


@pytest.mark.parametrize("macro", MACROS)
def test_macros_equal_their_expressions(macro: str) -> None:
    assert times(f" {macro.upper()} ", "2026-01-31T13:15:00") == times(MACROS[macro], "2026-01-31T13:15:00")


def test_the_default_is_two_o_clock() -> None:
    assert times("0 0 2 * * *", "2026-01-31T02:00:00") == ["2026-02-01 02:00", "2026-02-02 02:00", "2026-02-03 02:00"]


def test_a_time_is_not_after_itself_and_fractions_count() -> None:
    assert times("0 0 2 * * *", "2026-01-31T01:59:59.999999", 1) == ["2026-01-31 02:00"]
    assert times("* * * * * *", "2026-01-31T23:59:59", 1) == ["2026-02-01 00:00"]
    assert times("0 0 2 * * *", "2026-01-31T02:00:00.000001", 1) == ["2026-02-01 02:00"]


def test_day_of_the_month_and_of_the_week_must_both_fit() -> None:
    assert days("13 * FRI", "2026-01-01") == ["2026-02-13", "2026-03-13", "2026-11-13"]
    assert days("29 2 MON", "2026-01-01", 2) == ["2044-02-29", "2072-02-29"]


def test_short_months_are_skipped() -> None:
    assert days("31 * *", "2026-01-31") == ["2026-03-31", "2026-05-31", "2026-07-31"]
    assert days("29 2 *", "2095-01-01", 2) == ["2096-02-29", "2104-02-29"]
    assert days("L-30 * *", "2026-01-01", 2) == ["2026-03-01", "2026-05-01"]


@pytest.mark.parametrize("text", ["SUN", "sun", "0", "7", "7,0"])
def test_sunday_is_0_and_7(text: str) -> None:
    assert days(f"* * {text}", "2026-01-01", 2) == ["2026-01-04", "2026-01-11"]


def test_a_week_may_begin_and_end_on_sunday() -> None:
    assert days("* * SUN-TUE", "2026-01-01", 4) == ["2026-01-04", "2026-01-05", "2026-01-06", "2026-01-11"]
    assert days("* * SAT-SUN", "2026-01-01") == ["2026-01-03", "2026-01-04", "2026-01-10"]
    assert days("* * 0-6/2", "2026-01-01", 4) == ["2026-01-03", "2026-01-04", "2026-01-06", "2026-01-08"]
    assert days("* * */2", "2026-01-01", 4) == ["2026-01-02", "2026-01-04", "2026-01-05", "2026-01-07"]


def test_steps_go_on_to_the_end_of_the_field_or_of_the_range() -> None:
    assert times("0 50/5 12 * * *", "2026-01-01T00:00") == ["2026-01-01 12:50", "2026-01-01 12:55", "2026-01-02 12:50"]
    assert times("0 5-14/5 12 * * *", "2026-01-01T00:00") == [
        "2026-01-01 12:05",
        "2026-01-01 12:10",
        "2026-01-02 12:05",
    ]
    assert days("1 1/3 ?", "2026-01-01") == ["2026-04-01", "2026-07-01", "2026-10-01"]
    assert days("1 feb,MAR-may/2 ?", "2026-01-01") == ["2026-02-01", "2026-03-01", "2026-05-01"]


def test_lists_may_mix_all_forms() -> None:
    assert days("L,15,LW * *", "2026-01-15") == ["2026-01-30", "2026-01-31", "2026-02-15"]
    assert days("* * MON#1,FRIL,3#5", "2026-07-01", 4) == ["2026-07-06", "2026-07-29", "2026-07-31", "2026-08-03"]


def test_the_nearest_weekday() -> None:
    assert days("15W * *", "2026-01-01", 4) == ["2026-01-15", "2026-02-16", "2026-03-16", "2026-04-15"]
    assert days("14W 2,3 *", "2026-01-01", 2) == ["2026-02-13", "2026-03-13"]
    assert days("1W 8,11 *", "2026-01-01", 2) == ["2026-08-03", "2026-11-02"]
    assert days("31W 5 *", "2026-01-01", 1) == ["2027-05-31"]
    assert days("31W * *", "2026-05-01", 2) == ["2026-06-01", "2026-07-31"]  # 31 May is a Sunday


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "needs 6 fields"),
        ("0 2 * * *", "needs 6 fields \\(seconds first\\), got 5"),
        ("0 0 2 * * * 2026", "got 7"),
        ("60 0 2 * * *", "second: '60' is not from 0 to 59"),
        ("0 60 2 * * *", "minute"),
        ("0 0 24 * * *", "hour: '24' is not from 0 to 23"),
        ("0 0 2 0 * *", "day of the month: '0' is not from 1 to 31"),
        ("0 0 2 32W * *", "day of the month"),
        ("0 0 2 L-0 * *", "day of the month"),
        ("0 0 2 L3 * *", "day of the month"),
        ("0 0 2 W * *", "day of the month"),
        ("0 0 2 * 13 *", "month: '13' is not from 1 to 12, or JAN ..."),
        ("0 0 2 * JANUARY *", "'JANUARY'"),
        ("0 0 2 * ? *", "month"),
        ("0 0 2 * * 8", "day of the week: '8' is not from 0 to 7, or MON ..."),
        ("0 0 2 * * L", "day of the week"),
        ("0 0 2 * * FRI#6", "a number from 1 to 5"),
        ("0 0 2 * * FRI#", "a number from 1 to 5"),
        ("0 0 2 * * #1", "day of the week"),
        ("0 0 2 * * FRI-MON", "ends before it begins"),
        ("0 0 5-2 * * *", "ends before it begins"),
        ("0 0/0 2 * * *", "step"),
        ("0 0/ 2 * * *", "step"),
        ("0 0/x 2 * * *", "step"),
        ("0 */-5 2 * * *", "step"),
        ("0 1,,2 2 * * *", "minute"),
        ("0 - 2 * * *", "minute"),
        ("0 1-2-3 2 * * *", "minute"),
        ("0 +1 2 * * *", "minute"),
        ("0 ١ 2 * * *", "minute"),
        ("0 0 2 ?,1 * *", "day of the month"),
        ("@dialy", "'@dialy' is not one of @yearly"),
        ("0 0 2 30 2 *", "no date ever matches"),
        ("0 0 2 31 FEB,APR ?", "no date ever matches"),
        ("0 0 2 5 * MON#3", "no date ever matches"),
    ],
)
def test_an_invalid_expression_is_refused_with_the_reason(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse(text)


# --------------------------------------------------------------------------------------------------------- properties


def numbers(low: int, high: int) -> st.SearchStrategy[set[int]]:
    return st.sets(st.integers(low, high), min_size=1, max_size=4)


@settings(deadline=None)
@given(
    seconds=numbers(0, 59),
    minutes=numbers(0, 59),
    hours=numbers(0, 23),
    month_days=numbers(1, 28) | st.just(set(range(1, 32))),
    months=numbers(1, 12),
    weekdays=numbers(1, 7) | st.just(set(range(1, 8))),
    after=st.datetimes(datetime.fromisoformat("1971-01-01"), datetime.fromisoformat("2300-01-01")),
)
def test_the_next_time_is_the_first_that_matches(
    seconds: set[int],
    minutes: set[int],
    hours: set[int],
    month_days: set[int],
    months: set[int],
    weekdays: set[int],
    after: datetime,
) -> None:
    fields = (seconds, minutes, hours, month_days, months, weekdays)
    found = parse(" ".join(",".join(map(str, field)) for field in fields)).after(after)
    assert found is not None
    assert found > after
    own = (found.second, found.minute, found.hour, found.day, found.month, found.isoweekday())
    assert all(number in field for number, field in zip(own, fields, strict=True))
    day = after.date()
    while day <= found.date():
        if day.day in month_days and day.month in months and day.isoweekday() in weekdays:
            of_day = [
                datetime.combine(day, time(hour, minute, second))
                for hour in hours
                for minute in minutes
                for second in seconds
            ]
            assert not [one for one in of_day if after < one < found]
        day += timedelta(days=1)


@settings(deadline=None)
@given(day=st.dates(date(1971, 1, 1), date(2300, 1, 1)), number=st.integers(1, 31), weekday=st.integers(0, 7))
def test_days_counted_from_the_end_and_ordinals_are_those_of_the_calendar(day: date, number: int, weekday: int) -> None:
    def fits(text: str) -> bool:
        moment = datetime.combine(day, datetime.min.time())
        return parse(f"0 0 0 {text}").after(moment - timedelta(seconds=1)) == moment

    weeks = calendar.monthcalendar(day.year, day.month)
    last = max(weeks[-1])
    column = [week[(weekday + 6) % 7] for week in weeks if week[(weekday + 6) % 7]]
    assert fits("L * *") == (day.day == last)
    assert fits("LW * *") == (day.day == max(max(week[:5]) for week in weeks))
    assert number == 31 or fits(f"L-{number} * *") == (day.day == last - number)
    assert fits(f"* * {weekday}L") == (day.day == column[-1])
    for ordinal in range(1, 6):
        assert fits(f"* * {weekday}#{ordinal}") == (column[ordinal - 1 : ordinal] == [day.day])


@settings(deadline=None)
@given(st.text(alphabet="0123456789*/,-?LW# @adilyFRIMON", max_size=30))
def test_any_text_is_an_expression_or_a_value_error(text: str) -> None:
    try:
        parse(text)
    except ValueError:
        return
