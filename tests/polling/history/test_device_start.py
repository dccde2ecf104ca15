"""Which start of its counters polls of a device show."""

from __future__ import annotations

import pytest

from promsnmp.polling.history.device_start import TICKS_WRAP, DeviceStart

NOW, DAY = 1_700_000_000.0, 8_640_000
"""Unix seconds of the first poll; a day in hundredths of a second."""


class Device:
    """Polls every ten seconds, with the time of the service and the ticks that the device tells."""

    def __init__(self) -> None:
        self.start = DeviceStart()
        self.seconds = 0.0

    def poll(
        self, ticks: float, host: int | None = None, *, after: float = 10.0, counts_on: bool = False, wrong: float = 0.0
    ) -> float:
        self.seconds += after
        now = NOW + self.seconds + wrong
        self.start.note(round(ticks), host, at=self.seconds, now=now, counts_on=counts_on)
        assert self.start.started is not None
        return self.start.started - NOW


def test_it_is_when_sys_up_time_began_and_stays_although_clocks_drift() -> None:
    device = Device()
    first = device.poll(6000)
    assert first == 10 - 60
    for poll in range(1, 100):
        assert device.poll(6000 + poll * 1001.5, wrong=poll * 0.3) == first


def test_a_restart_is_a_new_start() -> None:
    device = Device()
    device.poll(DAY)
    assert device.poll(200) == 20 - 2
    assert device.poll(1200) == 20 - 2


def test_a_wrap_of_sys_up_time_is_no_restart() -> None:
    device = Device()
    first = device.poll(TICKS_WRAP - 500)
    assert device.poll(500) == first
    assert device.poll(1500) == first


def test_an_agent_that_restarts_alone_does_not_change_the_start_of_the_host() -> None:
    device = Device()
    first = device.poll(3000, 10 * DAY)
    assert first == 10 - 10 * DAY / 100
    assert device.poll(200, 10 * DAY + 1000) == pytest.approx(first, abs=0.1)
    assert device.poll(1200, 10 * DAY + 2000) == pytest.approx(first, abs=0.1)


def test_counters_that_count_on_began_before_the_restart() -> None:
    device = Device()
    first = device.poll(DAY)
    assert device.poll(200, counts_on=True) == first
    assert device.start.agent_started - NOW == 20 - 2
    assert device.poll(200, after=3600) == 3620 - 2  # and then it restarts


def test_a_late_answer_is_no_restart() -> None:
    device = Device()
    first = device.poll(DAY)
    assert device.poll(DAY + 1000 - 400) == first
    assert device.poll(DAY + 60_000, after=600) == first


def test_a_time_stamp_counts_from_the_start_of_the_agent() -> None:
    device = Device()
    device.poll(3000, 10 * DAY)
    assert device.start.began_at(1000) - NOW == 10 - 30 + 10


def test_after_another_device_it_begins_anew() -> None:
    device = Device()
    device.poll(DAY)
    device.start.forget()
    assert device.poll(2 * DAY) == 20 - 2 * DAY / 100


def test_a_time_stamp_is_not_known_after_a_wrap_until_the_next_restart() -> None:
    device = Device()
    device.poll(TICKS_WRAP - 500)
    device.poll(500)
    assert device.start.began_at(300) == 0
    device.poll(1500)
    assert device.start.began_at(300) == 0
    device.poll(100)
    assert device.start.began_at(50) - NOW == 40 - 1 + 0.5


def test_counters_that_show_more_than_fits_make_the_start_unknown_until_the_next_restart() -> None:
    start, asked = DeviceStart(), []

    def note(ticks: int, at: float, *, is_possible: bool) -> float | None:
        def answer(seconds: float) -> bool:
            asked.append(seconds)
            return is_possible

        start.note(ticks, None, at=at, now=NOW + at, is_possible=answer)
        return start.started

    assert note(1000, 10, is_possible=False) is None
    assert note(2000, 20, is_possible=True) is None
    assert asked == [10]
    assert note(100, 30, is_possible=True) == NOW + 29
    assert note(1100, 40, is_possible=False) == NOW + 29
    start.forget()
    assert note(2100, 50, is_possible=False) is None
    assert asked == [10, 1, 21]
