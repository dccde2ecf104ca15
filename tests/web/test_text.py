"""Text for people: numbers with units, hidden characters as codes."""

from __future__ import annotations

import pytest

from promsnmp.web import text


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("core-1", "core-1"),
        ("Käse 東京", "Käse 東京"),
        ("a\x00b", "a\\u{0}b"),
        ("a\x1b[31mb", "a\\u{1b}[31mb"),
        ("gnp.\u202eexe", "gnp.\\u{202e}exe"),
        ("\u2066x\u2069", "\\u{2066}x\\u{2069}"),
        ("zero\u200bwidth", "zero\\u{200b}width"),
        ("\ud800", "\\u{d800}"),
        ("\uffff", "\\u{ffff}"),
        ("line\u2028next", "line\\u{2028}next"),
        ("tab\tand\nline", "tab\tand\nline"),
    ],
)
def test_hidden_characters_are_shown_as_codes(given: str, shown: str) -> None:
    assert text.visible(given) == shown


def test_a_long_text_is_cut() -> None:
    assert text.visible("x" * 65_536, 10) == "x" * 9 + "…"
    assert len(text.visible("x" * 65_536)) == text.MOST_CHARACTERS


@pytest.mark.parametrize(
    ("number", "shown"),
    [(0.0, "0 ms"), (0.0004, "<1 ms"), (0.0124, "12 ms"), (1.5, "1.5 s"), (59, "59 s"), (180, "3 min"), (7200, "2 h"),
     (181_440, "2.1 d")],
)  # fmt: skip
def test_seconds(number: float, shown: str) -> None:
    assert text.seconds(number) == shown


@pytest.mark.parametrize(
    ("number", "unit", "step", "shown"),
    [(0, "bit/s", 1000, "0 bit/s"), (1_250_000_000, "bit/s", 1000, "1.2 Gbit/s"), (10e9, "bit/s", 1000, "10 Gbit/s"),
     (8589934592, "B", 1024, "8 GiB"), (999, "bit/s", 1000, "999 bit/s")],
)  # fmt: skip
def test_scaled(number: float, unit: str, step: float, shown: str) -> None:
    assert text.scaled(number, unit, step) == shown


def test_other_numbers() -> None:
    assert (text.percent(0.614), text.percent(0.004), text.percent(0.0)) == ("61 %", "0.4 %", "0 %")
    assert text.count(1234567) == "1\u202f234\u202f567"
    assert (text.number(57.8), text.number(24.0), text.number(-3.5794)) == ("57.8", "24", "-3.579")
    assert [text.short_number(one) for one in (0.9871, 2.0, 1234.5)] == ["0.99", "2", "1\u202f234"]
    assert text.timestamp(0) == ""
    assert text.timestamp(1_800_000_000) == "2027-01-15T08:00:00Z"
    assert [text.ago(at, 1000.0) for at in (0.0, 988.0, 1000.0, 4600.0)] == ["never", "12 s ago", "0 s ago", "in 1 h"]


@pytest.mark.parametrize(
    ("given", "shown"),
    [(["a", "b"], "a, b"), (True, "yes"), ({"used": 3, "names": ("x",)}, "used 3, names x"), (0.5, "0.5"), ("", "")],
)
def test_details_of_the_health_are_written_without_brackets(given: object, shown: str) -> None:
    assert text.detail(given) == shown


@pytest.mark.parametrize(
    ("number", "shown"), [(0, "0 devices"), (1, "1 device"), (2, "2 devices"), (20_000, "20\u202f000 devices")]
)
def test_what_is_counted_is_in_the_singular_or_the_plural(number: int, shown: str) -> None:
    assert text.counted(number, "device") == shown
    assert text.counted(number, "address", "addresses").endswith("address" if number == 1 else "addresses")
