"""The token bucket, with a clock that the test sets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promsnmp.support.token_bucket import TokenBucket


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_bucket_fills_with_time_and_up_to_its_size() -> None:
    clock = Clock()
    bucket = TokenBucket(rate=0.5, burst=3, clock=clock)
    assert [bucket.take() for _ in range(4)] == [True, True, True, False]
    clock.now += 1.9
    assert not bucket.take()
    clock.now += 0.2
    assert [bucket.take(), bucket.take()] == [True, False]
    clock.now += 1000
    assert [bucket.take() for _ in range(4)] == [True, True, True, False]


def test_an_empty_bucket_does_not_count_the_time_before_its_first_use() -> None:
    bucket = TokenBucket(rate=10, burst=5, tokens=0)
    assert bucket.available(1000.0) == 0
    assert bucket.available(1000.2) == pytest.approx(2)


def test_tokens_spent_in_advance_flow_in_first() -> None:
    bucket = TokenBucket(rate=10, burst=5, tokens=0)
    bucket.available(0.0)
    bucket.spend(3)
    assert bucket.available(0.1) == pytest.approx(-2)
    assert bucket.available(0.4) == pytest.approx(1)


def test_a_changed_rate_and_size_count_from_the_next_use() -> None:
    bucket = TokenBucket(rate=1, burst=1, tokens=0)
    bucket.available(0.0)
    bucket.rate, bucket.burst = 100, 20
    assert bucket.available(0.1) == pytest.approx(10)
    assert bucket.available(10.0) == 20


@given(st.lists(st.floats(0.0, 5.0), max_size=100), st.floats(0.1, 100.0), st.integers(1, 10))
def test_no_more_tokens_are_taken_than_flowed_in(steps: list[float], rate: float, burst: int) -> None:
    clock = Clock()
    bucket = TokenBucket(rate=rate, burst=burst, clock=clock)
    start, taken = clock.now, 0
    for step in steps:
        clock.now += step
        while bucket.take():
            taken += 1
    assert taken <= burst + (clock.now - start) * rate + 1e-6
