"""Polls per second, from counts now and a minute ago."""

from __future__ import annotations

import pytest

from promsnmp.observe.counts import PollCounts
from promsnmp.web.rates import PollRateMeter


async def test_rates_are_those_of_the_last_minute() -> None:
    now, counts = [0.0], PollCounts()
    meter = PollRateMeter(counts, clock=lambda: now[0])
    assert meter.rates().per_second == 0.0
    assert meter.rates().lag is None
    for _ in range(100):
        counts.record("timeout", seconds=5.0)
    for _ in range(12):
        now[0] += 5.0
        await meter.sample()
    now[0] += 5.0
    await meter.sample()  # the polls before are older than a minute
    for _ in range(30):
        counts.record_start(late=0.2)
        counts.record("success", seconds=0.5)
    counts.record("timeout", seconds=15.5)
    rates = meter.rates()
    assert rates.per_second == pytest.approx(31 / 60)
    assert rates.failed_per_second == pytest.approx(1 / 60)
    assert rates.lag == pytest.approx(0.2)
    assert rates.duration == pytest.approx((30 * 0.5 + 15.5) / 31)
