from __future__ import annotations

from promsnmp.polling.backoff import longest_interval, retry_interval


def test_the_interval_doubles_with_each_failure_up_to_the_limit() -> None:
    intervals = [retry_interval(failures, interval=30.0, longest=300.0) for failures in (1, 2, 3, 4, 5, 1000)]
    assert intervals == [60.0, 120.0, 240.0, 300.0, 300.0, 300.0]


def test_the_limit_is_ten_intervals_but_not_above_a_day_and_never_below_the_interval() -> None:
    assert [longest_interval(one, None) for one in (10.0, 300.0, 36_000.0, 90_000.0)] == [100, 3000, 86_400, 90_000]
    assert [longest_interval(one, 600.0) for one in (10.0, 300.0, 3600.0)] == [600, 600, 3600]
