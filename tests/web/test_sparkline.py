"""Lines of the last hour."""

from __future__ import annotations

import re

from promsnmp.polling.history.rate_history import SLOTS, encode
from promsnmp.web.sparkline import HEIGHT, WIDTH, sparkline


def codes(*rates: float | None) -> bytes:
    known = bytes(0 if rate is None else encode(rate) for rate in rates)
    return bytes(SLOTS - len(known)) + known


def test_the_highest_rate_reaches_the_top_and_equal_points_are_left_out() -> None:
    line = sparkline(codes(*[0.0] * 10, 1e6), codes(*[0.0] * 11))
    assert line is not None
    assert line.received == f"M49 {HEIGHT}L58 {HEIGHT}L59 0"
    assert line.sent == f"M49 {HEIGHT}L59 {HEIGHT}"


def test_unknown_minutes_are_gaps_and_a_single_one_is_seen() -> None:
    line = sparkline(codes(1e3, None, 1e6, 1e6), codes(1e3, None, 1e6, None))
    assert line is not None
    assert line.received.count("M") == 2
    assert line.sent.endswith("h1")
    points = [float(x) for x in re.findall(r"[ML](\S+) ", line.received)]
    assert all(0 <= x <= WIDTH for x in points)


def test_without_rates_there_is_no_line() -> None:
    assert sparkline(codes(), codes()) is None
