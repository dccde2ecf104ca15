"""interface_utilization: when it is observed, and when not."""

from __future__ import annotations

import gc
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promsnmp.exposition.utilization.histogram import BOUNDS, InterfaceCounters, Utilization, speed_of

MBIT100 = 100e6
GBIT = 1e9
A, B = b'{i="a"} ', b'{i="b"} '
LINE = re.compile(r'interface_utilization_(\w+)\{i="(\w)"(?:,le="([^"]+)")?\} (\S+)')


def poll(*rows: InterfaceCounters, at: float, ticks: int | None = None, on: Utilization) -> Utilization:
    on.observe(rows, at=at, ticks=ticks)
    return on


def shown(one: Utilization) -> dict[str, dict[str, float]]:
    """By interface: count, sum and the cumulative count of each bucket by its bound."""
    out: dict[str, dict[str, float]] = {}
    for kind, labels, bound, value in LINE.findall(b"".join(one.samples()).decode()):
        out.setdefault(labels, {})[bound if kind == "bucket" else kind] = float(value)
    return out


def row(
    received: int, sent: int = 0, *, speed: float = MBIT100, bits: int = 64, labels: bytes = A
) -> InterfaceCounters:
    return InterfaceCounters(labels, speed, received, sent, bits)


def count(one: Utilization, labels: str = "a") -> float:
    return shown(one)[labels]["count"]


def total(one: Utilization, labels: str = "a") -> float:
    return shown(one)[labels]["sum"]


OCTETS_PER_PERCENT = int(MBIT100 / 8 * 30 / 100)
"""Of an interface of 100 Mbit/s in 30 seconds."""


def test_the_first_poll_shows_empty_histograms() -> None:
    one = poll(row(5), at=0, on=Utilization())
    assert shown(one) == {"a": {**{str(bound): 0.0 for bound in BOUNDS}, "+Inf": 0.0, "sum": 0.0, "count": 0.0}}


def test_an_observation_is_both_directions_together_in_percent() -> None:
    one = poll(row(0), at=0, on=Utilization())
    poll(row(30 * OCTETS_PER_PERCENT, 12 * OCTETS_PER_PERCENT), at=30, on=one)
    assert shown(one)["a"] == {
        "1": 0, "5": 0, "10": 0, "25": 0, "50": 1, "75": 1, "90": 1, "95": 1, "100": 1, "+Inf": 1,
        "sum": 42, "count": 1,
    }  # fmt: skip


def test_observations_accumulate_from_poll_to_poll() -> None:
    one, octets = poll(row(0), at=0, on=Utilization()), 0
    for number, percent in enumerate([0, 1, 2, 60, 100, 150], 1):
        octets += percent * OCTETS_PER_PERCENT
        poll(row(octets), at=30 * number, on=one)
    found = shown(one)["a"]
    assert (found["count"], found["sum"], found["1"], found["5"], found["75"], found["100"]) == (6, 313, 2, 3, 4, 5)


@pytest.mark.parametrize("bound", BOUNDS)
def test_an_observation_on_a_bound_belongs_to_its_bucket(bound: int) -> None:
    one = poll(row(0, speed=8e9), at=0, on=Utilization())
    poll(row(bound * 10**7, speed=8e9), at=1, on=one)
    found = shown(one)["a"]
    assert found[str(bound)] == 1
    assert sum(found[str(other)] for other in BOUNDS if other < bound) == 0


def test_a_missed_poll_is_one_observation_over_the_longer_time() -> None:
    one = poll(row(0), at=0, on=Utilization())
    poll(row(40 * OCTETS_PER_PERCENT), at=120, on=one)
    assert (count(one), total(one)) == (1, 10)


def test_a_32_bit_counter_that_wrapped_is_followed() -> None:
    one = poll(row(2**32 - 1000, bits=32), at=0, on=Utilization())
    poll(row(OCTETS_PER_PERCENT - 1000, bits=32), at=30, on=one)
    assert (count(one), total(one)) == (1, 1)


def test_a_32_bit_counter_that_decreased_more_than_the_speed_allows_was_reset() -> None:
    one = poll(row(3_000_000_000, bits=32), at=0, on=Utilization())
    poll(row(1000, bits=32), at=30, on=one)
    assert count(one) == 0
    poll(row(1000 + OCTETS_PER_PERCENT, bits=32), at=60, on=one)
    assert (count(one), total(one)) == (1, 1)


def test_a_32_bit_counter_that_may_have_wrapped_twice_is_ignored() -> None:
    one = poll(row(0, bits=32, speed=GBIT), at=0, on=Utilization())
    poll(row(1_000_000, bits=32, speed=GBIT), at=60, on=one)
    assert count(one) == 0


def test_a_64_bit_counter_that_decreased_was_reset() -> None:
    one = poll(row(10**15), at=0, on=Utilization())
    poll(row(5), at=30, on=one)
    assert count(one) == 0
    poll(row(5 + OCTETS_PER_PERCENT), at=60, on=one)
    assert (count(one), total(one)) == (1, 1)


def test_even_a_64_bit_counter_that_wrapped_is_followed() -> None:
    one = poll(row(2**64 - 1000), at=0, on=Utilization())
    poll(row(OCTETS_PER_PERCENT - 1000), at=30, on=one)
    assert (count(one), total(one)) == (1, 1)


def test_nothing_is_observed_when_one_direction_is_unknown() -> None:
    one = poll(row(100, 10**12), at=0, on=Utilization())
    poll(row(200, 0), at=30, on=one)
    assert count(one) == 0


def test_a_reboot_costs_one_observation() -> None:
    one = poll(row(1000), at=0, ticks=1_000_000, on=Utilization())
    poll(row(5000), at=30, ticks=1000, on=one)
    assert count(one) == 0
    poll(row(5000 + OCTETS_PER_PERCENT), at=60, ticks=4000, on=one)
    assert (count(one), total(one)) == (1, 1)


def test_a_reboot_during_missed_polls_is_noticed_even_if_up_time_has_grown() -> None:
    one = poll(row(1000), at=0, ticks=10_000, on=Utilization())
    poll(row(5000), at=3600, ticks=300_000, on=one)
    assert count(one) == 0


def test_an_up_time_that_wraps_after_497_days_is_not_a_reboot() -> None:
    one = poll(row(0), at=0, ticks=2**32 - 1000, on=Utilization())
    poll(row(OCTETS_PER_PERCENT), at=30, ticks=2000, on=one)
    assert count(one) == 1


def test_a_missing_uptime_is_not_a_reboot_and_hides_none() -> None:
    one = poll(row(0), at=0, ticks=50_000, on=Utilization())
    poll(row(OCTETS_PER_PERCENT), at=30, ticks=None, on=one)
    assert count(one) == 1
    poll(row(3 * OCTETS_PER_PERCENT), at=60, ticks=500, on=one)
    assert count(one) == 1


def test_clock_drift_is_not_a_reboot() -> None:
    one = poll(row(0), at=0, ticks=100, on=Utilization())
    for number in range(1, 11):
        poll(row(number), at=30.2 * number, ticks=100 + 2990 * number, on=one)
    assert count(one) == 10


def test_other_labels_are_another_histogram() -> None:
    one = poll(row(0), at=0, on=Utilization())
    poll(row(100), at=30, on=one)
    poll(row(200, labels=B), at=60, on=one)
    assert {name: found["count"] for name, found in shown(one).items()} == {"b": 0}
    poll(row(300, labels=B), at=90, on=one)
    assert count(one, "b") == 1


def test_an_interface_that_was_missing_continues_its_histogram() -> None:
    one = poll(row(0), row(0, labels=B), at=0, on=Utilization())
    poll(row(10), row(10, labels=B), at=30, on=one)
    poll(row(20), at=60, on=one)
    assert list(shown(one)) == ["a"]
    poll(row(30), row(10 + 2 * OCTETS_PER_PERCENT, labels=B), at=90, on=one)
    assert (count(one), count(one, "b")) == (3, 2)
    assert total(one, "b") == pytest.approx(1, abs=1e-3)


def test_an_interface_that_was_missing_over_a_reboot_starts_with_new_counters() -> None:
    one = poll(row(0), row(1000, labels=B), at=0, ticks=10**6, on=Utilization())
    poll(row(0), at=30, ticks=100, on=one)
    poll(row(0), row(5000, labels=B), at=60, ticks=3100, on=one)
    assert count(one, "b") == 0


def test_interfaces_that_never_return_are_dropped_after_a_day() -> None:
    one = Utilization()
    for number in range(100):
        poll(row(1, labels=b'{i="%d"} ' % number), at=3600 * number, on=one)
    assert len(one.all_series()) <= 25


def test_a_new_speed_applies_from_its_poll_on() -> None:
    one = poll(row(0), at=0, on=Utilization())
    poll(row(10 * OCTETS_PER_PERCENT, speed=GBIT), at=30, on=one)
    assert total(one) == 1


def test_an_interface_of_unknown_speed_has_no_histogram_unless_it_had_one() -> None:
    one = poll(row(0, speed=0), at=0, on=Utilization())
    assert one.samples() == []
    poll(row(0), at=30, on=one)
    poll(row(OCTETS_PER_PERCENT), at=60, on=one)
    poll(row(5 * OCTETS_PER_PERCENT, speed=0), at=90, on=one)
    assert (count(one), total(one)) == (1, 1)
    poll(row(7 * OCTETS_PER_PERCENT), at=120, on=one)
    assert (count(one), total(one)) == (2, 3)


def test_counters_of_another_width_are_not_compared() -> None:
    one = poll(row(0, bits=64), at=0, on=Utilization())
    poll(row(10, bits=32), at=30, on=one)
    assert count(one) == 0


def test_two_polls_at_the_same_time_give_no_observation() -> None:
    one = poll(row(0), at=5, on=Utilization())
    assert count(poll(row(10), at=5, on=one)) == 0


def test_an_interface_without_labels_has_its_bounds_alone() -> None:
    one = poll(row(0, labels=b" "), at=0, on=Utilization())
    text = b"".join(one.samples())
    assert b'\ninterface_utilization_bucket{le="1"} 0' in text
    assert b"\ninterface_utilization_count 0" in text


@pytest.mark.parametrize(
    ("high", "low", "speed"),
    [
        (1000, 10**9, 1e9),
        (0, 64_000, 64_000),
        (None, 10**7, 1e7),
        (100_000, 4_294_967_295, 1e11),
        (0, 4_294_967_295, 0),
        (None, 4_294_967_295, 0),
        (0, 0, 0),
        (None, None, 0),
        (0, -5, 0),
        (-5, 1000, 1000),
    ],
)
def test_the_speed_is_if_high_speed_or_else_if_speed(high: int | None, low: int | None, speed: float) -> None:
    assert speed_of(high, low) == speed


readings = st.tuples(
    st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), st.sampled_from([0.0, 1e6, 1e8, 1e9, 1e11]),
    st.sampled_from([32, 64]), st.floats(-5, 400), st.none() | st.integers(0, 2**32 - 1),
)  # fmt: skip


@given(st.lists(readings, max_size=12))
def test_any_counters_give_a_valid_histogram(polls: list[tuple[int, int, float, int, float, int | None]]) -> None:
    one, at, before = Utilization(), 0.0, 0.0
    for received, sent, speed, bits, seconds, ticks in polls:
        at += seconds
        poll(row(received, sent, speed=speed, bits=bits), at=at, ticks=ticks, on=one)
        for found in shown(one).values():
            buckets = [found[str(bound)] for bound in BOUNDS] + [found["+Inf"]]
            assert buckets == sorted(buckets)
            assert found["+Inf"] == found["count"]
            assert found["sum"] >= 0
            assert before <= found["count"] <= len(polls)
            before = found["count"]


def test_the_last_two_polls_give_the_rates_in_both_directions() -> None:
    one = Utilization()
    poll(row(1000, 5000), at=0, on=one)
    assert one.current_series()[0].rates is None
    poll(row(1000 + 3750, 5000 + 7500), at=30, on=one)
    assert one.current_series()[0].rates == (1000.0, 2000.0)
    poll(row(4, 4), at=60, on=one)
    assert one.current_series()[0].rates is None, "after a reset of the counters nothing is known"


def test_the_histograms_of_a_device_are_few_objects_for_the_garbage_collector() -> None:
    """With 20,000 interfaces it would hold Python's lock for as long as it looks at them."""
    utilization = Utilization()
    for poll in range(3):
        found = [InterfaceCounters(b'{ifIndex="%d"} ' % one, 1e6, poll * 3000, 0, 64) for one in range(50)]
        utilization.observe(found, at=30.0 * poll, ticks=None)
    parts = [utilization]
    for part in parts:
        parts += [one for one in gc.get_referents(part) if one is not type(part) and gc.is_tracked(one)]
    assert len(utilization.all_series()) == 50
    assert len(parts) < 10
