"""Dates in text; ``test_reference.py`` compares these and many more with snmp_exporter."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promsnmp.exposition.dates import parse_date
from tests.support.exposition.cases_texts import DATES


@pytest.mark.parametrize(
    ("text", "pattern", "expected"),
    [
        ("2024-02-29 12:34:56", "%Y-%m-%d %H:%M:%S", "2024-02-29T12:34:56"),
        ("2024-02-30 00:00:00", "%Y-%m-%d %H:%M:%S", "2024-03-01T00:00:00"),
        ("2024-13-01 25:61:61", "%Y-%m-%d %H:%M:%S", "2025-01-02T02:02:01"),
        ("690101", "%y%m%d", "1969-01-01T00:00:00"),
        ("680101", "%y%m%d", "2068-01-01T00:00:00"),
        ("2024 60", "%Y %j", "2024-02-29T00:00:00"),
        ("1 JANUARY 1970", "%d %B %Y", "1970-01-01T00:00:00"),
        ("12:05 am", "%I:%M %p", "1900-01-01T00:05:00"),
        ("2024-01-02T03:04:05-05:30", "%FT%T%z", "2024-01-02T08:34:05"),
        ("Tue Jan  2 03:04:05 2024", "%c", "2024-01-02T03:04:05"),
        ("03 CET", "%H %Z", "1900-01-01T03:00:00"),
        ("1700000000", "%s", "2023-11-14T22:13:20"),
    ],
)
def test_a_date_is_read_by_its_pattern(text: str, pattern: str, expected: str) -> None:
    assert parse_date(text, pattern) == datetime.fromisoformat(expected).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("2024 ", "%Y"),
        ("x", "%Y"),
        ("", "%Y"),
        ("2024", "%Y-"),
        ("2024", "%Q"),
        ("%", "%"),
        ("03 utc", "%H %Z"),
        ("03+0100", "%H%:z"),
        ("03", "%H%:"),
        ("\u0662\u0660\u0662\u0664", "%Y"),
    ],
)
def test_text_that_does_not_match_the_pattern_is_not_a_date(text: str, pattern: str) -> None:
    assert parse_date(text, pattern) is None


@given(st.text(), st.one_of(st.sampled_from(sorted(DATES)), st.text(alphabet="%:zZYmdjscUV +-")))
def test_no_combination_of_text_and_pattern_raises(text: str, pattern: str) -> None:
    assert isinstance(parse_date(text, pattern), float | None)
