"""The last hour of interfaces: precise enough for a sparkline, small, bounded."""

from __future__ import annotations

import sys

import pytest

from promsnmp.exposition.utilization.histogram import PackedSeries, UtilizationSeries
from promsnmp.polling.history.rate_history import (
    MOST_INTERFACES,
    RATES,
    SLOT_SECONDS,
    SLOTS,
    UNKNOWN,
    RateHistories,
    encode,
    size_of,
)


def series(rates: dict[str, tuple[float, float] | None], at: float) -> PackedSeries:
    return PackedSeries.of([UtilizationSeries(name.encode(), at=at, rates=pair) for name, pair in rates.items()])


def note(histories: RateHistories, key: str, minute: float, **rates: tuple[float, float] | None) -> None:
    at = minute * SLOT_SECONDS
    histories.note(key, series(rates, at), at)


def shown(histories: RateHistories, key: str, minute: float) -> dict[str, list[tuple[float | None, ...]]]:
    codes = histories.codes(key, minute * SLOT_SECONDS)
    return {
        name: [tuple(RATES[code] for code in pair) for pair in zip(*sides, strict=True)]
        for name, sides in codes.items()
    }


@pytest.mark.parametrize("rate", [0.0, 1.0, 64e3, 123.4e6, 9.99e8, 40e9, 8e12])
def test_a_rate_is_kept_within_seven_percent(rate: float) -> None:
    assert RATES[encode(rate)] == pytest.approx(rate, rel=0.07, abs=0.15)
    assert encode(rate) != UNKNOWN


def test_every_code_has_a_rate() -> None:
    assert len(RATES) == 256
    assert encode(1e30) == 255


def test_a_mean_over_several_minutes_fills_them() -> None:
    histories = RateHistories(10_000)
    note(histories, "a", 100, eth0=(1e6, 0.0))
    note(histories, "a", 103, eth0=(1e3, 1e3))
    found = shown(histories, "a", 103)["eth0"]
    assert len(found) == SLOTS
    assert [round(one[0] or 0, -2) for one in found[-4:]] == pytest.approx([1e6, 1e3, 1e3, 1e3], rel=0.07)
    assert found[-3][1] == pytest.approx(1e3, rel=0.07)
    assert set(found[:-4]) == {(None, None)}


def test_the_first_rates_of_a_minute_count_after_polls_without_any() -> None:
    histories = RateHistories(10_000)
    note(histories, "a", 100, eth0=None)
    assert shown(histories, "a", 100)["eth0"][-1] == (None, None)
    note(histories, "a", 100.5, eth0=(1e6, 1e6))
    assert (shown(histories, "a", 100.9)["eth0"][-1][0] or 0) > 9e5
    assert shown(histories, "a", 100.9)["eth0"][-2] == (None, None)


def test_only_the_first_poll_of_a_minute_counts_and_old_ones_fade() -> None:
    histories = RateHistories(10_000)
    note(histories, "a", 100, eth0=(1e6, 1e6))
    note(histories, "a", 100.5, eth0=(1.0, 1.0))
    assert (shown(histories, "a", 100.9)["eth0"][-1][0] or 0) > 9e5
    assert shown(histories, "a", 130)["eth0"][-1] == (None, None)
    assert (shown(histories, "a", 159)["eth0"][0][0] or 0) > 9e5
    assert set(shown(histories, "a", 161)["eth0"]) == {(None, None)}


def test_interfaces_that_come_and_go_keep_what_is_theirs() -> None:
    histories = RateHistories(10_000)
    note(histories, "a", 10, eth0=(1e6, 1e6), eth1=(1e3, 1e3))
    note(histories, "a", 11, lo=None, eth1=(1e3, 1e3))
    found = shown(histories, "a", 11)
    assert set(found) == {"lo", "eth1"}
    assert [one[0] for one in found["eth1"][-2:]] == pytest.approx([1e3, 1e3], rel=0.07)
    assert set(found["lo"]) == {(None, None)}


def test_all_devices_together_stay_within_the_bound() -> None:
    histories = RateHistories(3 * size_of(2))
    for number in range(5):
        note(histories, f"{number}", 10, eth0=(1.0, 1.0), eth1=(1.0, 1.0))
    assert (len(histories), histories.refused) == (3, 2)
    assert histories.octets == 3 * size_of(2)
    note(histories, "0", 11, eth0=(1.0, 1.0), eth1=(1.0, 1.0), eth2=(1.0, 1.0))
    assert histories.codes("0", 11 * SLOT_SECONDS) == {}
    assert histories.octets == 2 * size_of(2)
    for number in (7, 8, 9):
        note(histories, f"{number}", 11 + SLOTS, eth0=(1.0, 1.0))
    assert histories.codes("1", 71 * SLOT_SECONDS) == {}
    assert histories.octets == 3 * size_of(1)


def test_a_device_of_too_many_interfaces_has_none_and_nor_has_any_when_it_is_off() -> None:
    histories, off = RateHistories(1 << 30), RateHistories(0)
    many = series({f"eth{number}": (1.0, 1.0) for number in range(MOST_INTERFACES + 1)}, 60.0)
    histories.note("a", many, 60.0)
    off.note("a", many, 60.0)
    assert (len(histories), len(off)) == (0, 0)


def test_rates_of_an_earlier_poll_are_not_taken_again() -> None:
    histories = RateHistories(10_000)
    histories.note("a", series({"eth0": (1.0, 1.0)}, 60.0), 600.0)
    assert len(histories) == 0


def test_a_switch_of_48_ports_takes_as_much_as_its_estimate_says() -> None:
    histories = RateHistories(1 << 20)
    note(histories, "a", 10, **{f"eth{number}": (1e6, 1e6) for number in range(48)})
    (history,) = histories._histories.values()
    parts = (history, history._slots, history._labels, histories._histories)
    real = sum(map(sys.getsizeof, parts))
    assert real <= histories.octets < 7_000
