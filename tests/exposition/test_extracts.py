"""Numbers extracted from text; ``test_reference.py`` compares more of them with snmp_exporter."""

from __future__ import annotations

import math
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promsnmp.exposition.extracts import extracted, parse_float
from promsnmp.modules.model import Metric, RegexExtract


def metric(*patterns: tuple[str, str]) -> Metric:
    return Metric("m", "1.3", "DisplayString", regex_extracts=(RegexExtract("S", patterns),))


def test_the_first_entry_that_matches_and_gives_a_number_wins() -> None:
    one = metric(("(.*)", "$1"), ("(.*)C", "$1"), (".*", "7"))
    assert list(extracted(one, "5")) == [("S", 5.0)]
    assert list(extracted(one, "5C")) == [("S", 5.0)]
    assert list(extracted(one, "5F")) == [("S", 7.0)]


def test_an_expression_must_match_all_of_the_text() -> None:
    assert list(extracted(metric(("b", "1")), "abc")) == []
    assert list(extracted(metric(("a|b", "1")), "ab")) == []
    assert list(extracted(metric(("b", "1")), "b\n")) == []


def test_no_value_makes_an_expression_slow() -> None:
    began = time.process_time()
    assert list(extracted(metric(("(a*)*b", "1")), "a" * 5000)) == []
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1", 1.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("+1_000.5e1_0", 1000.5e10),
        ("0x1p-2", 0.25),
        ("-0X_1.8P+1", -3.0),
        ("iNf", math.inf),
        ("-infinity", -math.inf),
        ("1e-400", 0.0),
    ],
)
def test_numbers_are_written_as_go_writes_them(text: str, number: float) -> None:
    assert parse_float(text) == number


def test_nan_is_a_number() -> None:
    found = parse_float("NaN")
    assert found is not None
    assert math.isnan(found)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        " 1",
        "1 ",
        "1\n",
        "1__0",
        "_1",
        "1_",
        "1_.5",
        "0x10",
        "0x.p1",
        "0x1p2000",
        "1e400",
        "+nan",
        "infinit",
        "١",
    ],
)
def test_text_that_go_rejects_is_not_a_number(text: str) -> None:
    assert parse_float(text) is None


@given(st.text(alphabet="0123456789abcdefxXpPeE+-._infty ", max_size=12))
def test_numbers_are_those_that_python_reads_without_underscores(text: str) -> None:
    number = parse_float(text)
    if number is not None and "p" not in text.lower():
        assert number == float(text.replace("_", "")) or math.isnan(number)
