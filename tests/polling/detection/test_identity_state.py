"""When a device is asked who it is: from what polls show anyway."""

from __future__ import annotations

import pytest

from promsnmp.inventory.model import NO_IDENTIFIERS, SeenIdentity
from promsnmp.polling.detection.identity_state import (
    MIN_SECONDS,
    RECHECK_SECONDS,
    UNSEEN_SECONDS,
    IdentityState,
    PollSigns,
)

KNOWN = "what the inventory knows"
SAME = SeenIdentity((), NO_IDENTIFIERS)
WRAP = 1 << 32


def checked(ticks: int | None = 1000, **signs: bytes) -> IdentityState:
    """The state after a poll at time 0 that was followed by a check."""
    state = IdentityState()
    state.observe(PollSigns(ticks, **signs), KNOWN, 0.0)
    assert state.is_due(0.0)
    state.record(SAME, 0.0)
    return state


def is_due_after(state: IdentityState, now: float, ticks: int | None, known: object = KNOWN, **signs: bytes) -> bool:
    state.observe(PollSigns(ticks, **signs), known, now)
    return state.is_due(now)


def test_the_first_poll_is_followed_by_a_check() -> None:
    state = IdentityState()
    state.observe(PollSigns(), KNOWN, 5.0)
    assert state.is_due(5.0)


def test_a_device_whose_uptime_grows_is_checked_now_and_then() -> None:
    state, due = checked(), []
    for now in range(60, int(RECHECK_SECONDS) + 120, 60):
        if is_due_after(state, float(now), 1000 + now * 100 + (now % 7) * 20):
            due.append(now)
            state.record(SAME, float(now))
    assert due == [int(RECHECK_SECONDS)]


@pytest.mark.parametrize(
    ("ticks", "is_due"),
    [
        (1000 + 12_000, False),
        (1000 + 12_000 + 1000, False),  # agents update it now and then
        (1000 + 12_000 + 1500, True),  # another agent, which has been up for longer
        (300, True),  # a restart, or another agent
        (12_000, False),
    ],
)
def test_an_uptime_that_jumps_is_checked(ticks: int, is_due: bool) -> None:
    assert is_due_after(checked(), 120.0, ticks) is is_due


def test_an_uptime_that_wraps_does_not_jump() -> None:
    assert not is_due_after(checked(WRAP - 5000), 120.0, 7000)
    assert is_due_after(checked(WRAP - 500_000), 120.0, 7000)


def test_another_engine_or_kind_is_checked_and_a_value_that_was_not_read_is_none() -> None:
    for name in ("engine_id", "object_id"):
        state = checked(1000, **{name: b"one"})
        assert not is_due_after(state, 120.0, 13_000)
        assert not is_due_after(state, 240.0, 25_000, **{name: b"one"})
        assert is_due_after(state, 360.0, 37_000, **{name: b"two"})


def test_what_the_inventory_knows_newly_is_checked() -> None:
    assert is_due_after(checked(), 120.0, 13_000, "after a search")


def test_polls_without_uptime_are_checked_more_often() -> None:
    state = checked(None)
    assert not is_due_after(state, UNSEEN_SECONDS - 1, None)
    assert is_due_after(state, UNSEEN_SECONDS, None)


def test_an_address_that_changes_with_each_poll_is_not_checked_with_each() -> None:
    state, checks = checked(), 0
    for number in range(1, 101):
        now = number * 1.0
        if is_due_after(state, now, 500_000 if number % 2 else 1000):
            checks += 1
            state.record(SAME, now)
    assert checks == 100 // MIN_SECONDS


def test_a_device_that_does_not_answer_checks_is_asked_less_and_less() -> None:
    state, times, now = IdentityState(), [], 0.0
    while now < 3600:
        if is_due_after(state, now, int(now * 100)):
            times.append(now)
            state.record_failure(now)
        now += 30.0
    assert times == [0.0, 60.0, 180.0, 420.0, 900.0, 1860.0]
