"""Native histograms: the bucket of a value, and how buckets are encoded."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promsnmp.exposition.utilization import packed
from promsnmp.exposition.utilization.histogram import UtilizationSeries
from promsnmp.exposition.utilization.native import (
    SCHEMA,
    ZERO,
    ZERO_THRESHOLD,
    Span,
    bucket_of,
    spans_of,
)
from promsnmp.exposition.utilization.packed import BOUNDS, CLASSIC

BASE = 2 ** (2**-SCHEMA)
VALUES = st.floats(min_value=0, allow_infinity=False, allow_nan=False)
COUNTS = st.dictionaries(st.integers(-8600, 8200), st.integers(1, 2**40), max_size=60)


def bound(index: int) -> float:
    """The upper bound of a bucket, exact wherever a float is (math.pow is within one unit in the last place)."""
    octaves, step = divmod(index, 2**SCHEMA)
    return math.ldexp(2 ** (step / 2**SCHEMA), octaves)


def read(spans: list[Span], deltas: list[int]) -> dict[int, int]:
    """Spans and deltas, as a receiver decodes them."""
    found, at, count, left = {}, 0, 0, list(deltas)
    for span in spans:
        at += span.offset
        for _ in range(span.length):
            count += left.pop(0)
            found[at] = count
            at += 1
    assert not left
    return found


@pytest.mark.parametrize("exponent", range(-127, 128))
def test_powers_of_two_are_upper_bounds_and_belong_to_the_bucket_below(exponent: int) -> None:
    value = 2.0**exponent
    assert bucket_of(value) == exponent * 8
    assert bucket_of(math.nextafter(value, math.inf)) == exponent * 8 + 1


@pytest.mark.parametrize(
    ("value", "bucket"),
    [(1.0, 0), (1.05, 1), (1.09, 1), (1.1, 2), (0.95, 0), (0.9, -1), (0.5, -8), (100.0, 54), (37.0, 42)],
)
def test_known_values_are_in_the_bucket_that_the_definition_gives(value: float, bucket: int) -> None:
    assert bucket_of(value) == bucket
    assert bound(bucket - 1) < value <= bound(bucket)
    assert math.isclose(bound(bucket), BASE**bucket)


@given(VALUES.filter(lambda value: value > 1e-300))
def test_every_value_lies_between_the_bounds_of_its_bucket(value: float) -> None:
    index = bucket_of(value)
    if value <= ZERO_THRESHOLD:
        assert index == ZERO
    else:
        assert bound(index - 1) < value
        assert index > 8 * 1023 or value <= bound(index)  # the bound of the last bucket is not a float


@given(VALUES, VALUES)
def test_a_larger_value_is_never_in_a_lower_bucket(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert bucket_of(low) <= bucket_of(high)


def test_each_bound_is_nine_percent_above_the_one_before() -> None:
    for low, high in pairwise(range(-80, 80)):
        assert math.isclose(bound(high) / bound(low), BASE)
        assert bucket_of(math.nextafter(bound(low), 0)) == low
        assert bucket_of(bound(low) * 1.0001) == high


@pytest.mark.parametrize("value", [0.0, 5e-324, ZERO_THRESHOLD])
def test_zero_and_values_close_to_it_are_in_the_zero_bucket(value: float) -> None:
    assert bucket_of(value) == ZERO
    assert bucket_of(math.nextafter(ZERO_THRESHOLD, 1)) == -128 * 8 + 1


def test_the_zero_threshold_is_the_one_of_the_go_client() -> None:
    assert ZERO_THRESHOLD == 2.938735877055719e-39


@given(st.lists(st.one_of(st.floats(0, 200), st.sampled_from([0.0, 1e-13, 1.0, 37.0, 1e21])), max_size=50))
def test_every_observation_is_counted_in_its_bucket(values: list[float]) -> None:
    counts, lowest = bytearray(CLASSIC + 1), 0
    for value in values:
        grown, lowest = packed.counted(counts, 0, len(counts), lowest, value)
        counts = counts if grown is None else bytearray(grown)
    one = UtilizationSeries(b" ", bytes(counts), lowest=lowest)
    assert one.native_counts() == Counter(map(bucket_of, values))
    assert one.counts() == [Counter(bisect_left(BOUNDS, value) for value in values)[at] for at in range(CLASSIC)]


@given(COUNTS)
def test_spans_and_deltas_read_back_as_the_counts(counts: dict[int, int]) -> None:
    spans, deltas = spans_of(counts)
    assert {index: count for index, count in read(spans, deltas).items() if count} == counts
    assert all(span.length > 0 for span in spans)
    assert all(span.offset > 2 for span in spans[1:])
    assert sum(span.length for span in spans) == len(deltas)


@given(COUNTS)
def test_the_zero_bucket_is_in_no_span(counts: dict[int, int]) -> None:
    assert spans_of({**counts, ZERO: 7}) == spans_of(counts)


def test_small_gaps_are_filled_and_larger_ones_start_a_span() -> None:
    assert spans_of({}) == ([], [])
    assert spans_of({-3: 4}) == ([Span(-3, 1)], [4])
    assert spans_of({5: 4, 8: 6}) == ([Span(5, 4)], [4, -4, 0, 6])
    assert spans_of({5: 4, 9: 6}) == ([Span(5, 1), Span(3, 1)], [4, 2])
    assert spans_of({1: 2, 2: 5}) == ([Span(1, 2)], [2, 3])
    assert spans_of({2: 5, 1: 2}) == spans_of({1: 2, 2: 5})
