"""Values that move: always forward, repeatable, and 0 again after a reboot."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promsnmp.sim.mib import Mib
from promsnmp.sim.moving import SYS_UP_TIME, Flow, animated, counter32, counter64, gauge, recorded_uptime, ticks
from promsnmp.snmp import ber, oid

MOMENTS = st.floats(min_value=0, max_value=1e9, allow_nan=False)


def number(encoded: bytes) -> int:
    value = ber.integer_value(encoded[0], encoded[2:])
    assert value is not None
    return value


@given(st.integers(), MOMENTS, MOMENTS)
def test_a_flow_never_goes_backwards(seed: int, one: float, other: float) -> None:
    flow = Flow(1000.0, swing=0.85, seed=seed)
    before, later = sorted((one, other))
    assert int(flow(before)) <= int(flow(later))


def test_a_flow_starts_at_zero_keeps_its_mean_and_is_the_same_for_the_same_seed() -> None:
    flow = Flow(1000.0, seed="port 1")
    assert flow(0.0) == 0
    assert flow(100_000.0) == pytest.approx(100_000_000, rel=0.01)
    assert flow(12.5) == Flow(1000.0, seed="port 1")(12.5)
    assert flow(12.5) != Flow(1000.0, seed="port 2")(12.5)


def test_counters_wrap_at_their_size() -> None:
    assert number(counter32(lambda _: 2.0**32 + 5)(0)) == 5
    assert number(counter64(lambda _: 2.0**64)(0)) == 0


@given(MOMENTS)
def test_a_gauge_stays_between_its_bounds(moment: float) -> None:
    assert 10 <= number(gauge(10, 20, seed=1)(moment)) <= 20


def test_ticks_are_hundredths_of_a_second_and_wrap() -> None:
    assert number(ticks(12.34)) == 1234
    assert number(ticks(42_949_672.96 + 1)) == 100


def test_an_animated_recording_starts_with_what_was_recorded_and_goes_on() -> None:
    counter, name = oid.encode("1.3.6.1.2.1.2.2.1.10.1"), oid.encode("1.3.6.1.2.1.1.5.0")
    recorded = Mib.of(
        {
            SYS_UP_TIME: ber.encode_integer(100_000, ber.TIME_TICKS),
            counter: ber.encode_integer(5_000_000, ber.COUNTER32),
            name: ber.tlv(ber.OCTET_STRING, b"x"),
        }
    )
    mib = animated(recorded)
    uptime = recorded_uptime(recorded)
    assert uptime == 1000
    assert {key: mib.get(key, uptime) for key in recorded.objects} == recorded.objects
    assert number(mib.get(counter, uptime + 60) or b"") == 5_300_000
    assert number(mib.get(SYS_UP_TIME, uptime + 60) or b"") == 106_000
    assert number(mib.get(counter, 0.0) or b"") == 0


def test_a_recording_without_an_uptime_counts_as_a_day_old() -> None:
    assert recorded_uptime(Mib.of({"1.3.6.1": b"\x05\x00"})) == 86_400
