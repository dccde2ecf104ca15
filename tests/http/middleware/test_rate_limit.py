"""The bucket behind the rate limit; test_access.py has the limit at the real service."""

from __future__ import annotations

from promsnmp.http.middleware.rate_limit import TokenBucket


def test_a_bucket_refills_over_time_up_to_its_burst() -> None:
    now = [0.0]
    bucket = TokenBucket(2.0, 3, lambda: now[0])
    assert [bucket.allows() for _ in range(4)] == [True, True, True, False]
    now[0] += 1.9
    assert not bucket.allows()
    now[0] += 0.2
    assert [bucket.allows(), bucket.allows()] == [True, False]
    now[0] += 1000
    assert [bucket.allows() for _ in range(4)] == [True, True, True, False]
