from __future__ import annotations

from promsnmp.polling.backoff import retry_interval


def test_the_interval_doubles_with_each_failure_up_to_the_limit() -> None:
    intervals = [retry_interval(failures, interval=30.0, longest=300.0) for failures in (1, 2, 3, 4, 5, 1000)]
    assert intervals == [60.0, 120.0, 240.0, 300.0, 300.0, 300.0]
