from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from promsnmp.discovery.scan.rate import BURST, SharedRate


@given(st.lists(st.floats(0.0, 0.5), min_size=1, max_size=200), st.integers(1, 5000))
def test_the_rate_is_kept_however_uneven_the_steps(steps: list[float], scan_limits: int) -> None:
    share = SharedRate(scan_limits).share()
    now, spent = 0.0, share.available(0.0)
    for step in steps:
        now += step
        allowed = share.available(now)
        assert allowed <= max(1, scan_limits * BURST)
        share.spend(allowed)
        spent += allowed
    assert spent <= now * scan_limits + 1


def test_steps_in_time_use_the_whole_pace() -> None:
    share = SharedRate(3000).share()
    spent = 0
    for step in range(1001):
        allowed = share.available(step * 0.01)
        share.spend(allowed)
        spent += allowed
    assert 29_990 <= spent <= 30_000


def test_a_pace_below_one_packet_a_step_is_kept_too() -> None:
    share = SharedRate(2).share()
    spent = 0
    for step in range(1001):
        allowed = share.available(step * 0.01)
        share.spend(allowed)
        spent += allowed
    assert spent in (19, 20)


def test_sweeps_share_the_pace_evenly_and_get_it_back() -> None:
    whole = SharedRate(1000)
    one, other = whole.share(), whole.share()
    assert (one.rate, other.rate) == (500, 500)
    one.close()
    assert other.rate == 1000


def test_packets_sent_elsewhere_count() -> None:
    share = SharedRate(1000).share()
    share.available(0.0)
    share.spend(50)
    assert share.available(0.04) == 0
    assert share.available(0.07) == 20
