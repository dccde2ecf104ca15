"""The records of the election: what comes from outside is bounded before anything uses it."""

from __future__ import annotations

import pytest

from promsnmp.cluster.election.lease import (
    MAX_DURATION,
    MAX_WORD,
    InvalidRecord,
    LeaseState,
    read_duration,
    read_term,
    read_word,
)
from promsnmp.support.claim import MAX_NUMBER, Claim


@pytest.mark.parametrize("value", [0, 7, "0", "7", MAX_NUMBER, str(MAX_NUMBER)])
def test_a_term_is_a_number_or_its_digits(value: str | int) -> None:
    assert read_term(value) == int(value)


@pytest.mark.parametrize(
    "value",
    [
        *(-1, MAX_NUMBER + 1, 10**4300, True, None),
        *("", "-1", "+1", " 1", "1.0", "1e3", "0x1", "٣", "²", str(MAX_NUMBER + 1), "9" * 4300, "0" * 5000),
    ],
    ids=lambda value: f"{type(value).__name__} {str(value)[:8]}" if not isinstance(value, int) or value < 9**99 else "",
)
def test_any_other_term_is_invalid_and_the_text_is_short(value: str | int | None) -> None:
    with pytest.raises(InvalidRecord) as caught:
        read_term(value)
    assert len(str(caught.value)) < 120


@pytest.mark.parametrize("value", [0, 0.5, 30, "30", "30.0", MAX_DURATION])
def test_a_duration_is_a_number_of_seconds(value: str | float) -> None:
    assert read_duration(value) == float(value)


@pytest.mark.parametrize(
    "value", [-1, MAX_DURATION + 1, 1e308, float("inf"), float("nan"), "inf", "nan", "", "soon", "9" * 5000, None]
)
def test_any_other_duration_is_invalid(value: str | float | None) -> None:
    with pytest.raises(InvalidRecord):
        read_duration(value)


@pytest.mark.parametrize("value", ["a\nb", "\x1b[31m", "\x00", "x" * (MAX_WORD + 1), 5, None, ["a"]])
def test_a_word_is_short_and_printable(value: object) -> None:
    assert read_word("pod-0.promsnmp:8080") == "pod-0.promsnmp:8080"
    assert read_word("") == ""
    with pytest.raises(InvalidRecord):
        read_word(value)


def test_an_invalid_record_changes_with_its_content() -> None:
    first = LeaseState(None, ("a",), problem="the term is no number")
    assert not LeaseState(None, ("a",), problem="the term is no number").changed_from(first)
    assert LeaseState(None, ("b",), problem="the term is no number").changed_from(first)


# --- claims


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (Claim(2, "a"), Claim(1, "b")),
        (Claim(2, ""), Claim(1, "b")),
        (Claim(1, "a"), Claim(1, "b")),
        (Claim(1), Claim()),
    ],
)
def test_a_claim_is_later_with_a_higher_term_or_in_the_same_one_by_another_process(one: Claim, two: Claim) -> None:
    assert one.is_later_than(two)
    assert one.term == two.term or not two.is_later_than(one)


@pytest.mark.parametrize("two", [Claim(1, "a"), Claim(1), Claim(2, "b")])
def test_a_claim_is_not_later_than_itself_or_when_the_process_is_unknown(two: Claim) -> None:
    assert not Claim(1, "a").is_later_than(two)
