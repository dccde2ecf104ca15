"""Each number of a sender is accepted once, in any order within the window."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from promsnmp.cluster.peers.replays import MAX_SENDERS, WINDOW, ReplayGuard


@given(st.lists(st.integers(1, 200)))
def test_within_the_window_every_number_is_accepted_once_in_any_order(numbers: list[int]) -> None:
    guard = ReplayGuard()
    accepted = [number for number in numbers if guard.accept("a", number)]
    assert sorted(accepted) == sorted(set(numbers))


@given(st.lists(st.integers(1, 100 * WINDOW)))
def test_no_number_is_ever_accepted_twice(numbers: list[int]) -> None:
    guard = ReplayGuard()
    accepted = [number for number in numbers if guard.accept("a", number)]
    assert len(accepted) == len(set(accepted))


def test_a_number_below_the_window_is_refused() -> None:
    guard = ReplayGuard()
    assert guard.accept("a", WINDOW + 5)
    assert guard.accept("a", 6)
    assert not guard.accept("a", 5)
    assert guard.accept("b", 5)


def test_too_many_senders_begin_another_epoch() -> None:
    guard = ReplayGuard()
    before = guard.epoch
    for number in range(MAX_SENDERS):
        guard.make_room(f"sender {number}")
        assert guard.accept(f"sender {number}", 1)
    guard.make_room("sender 0")
    assert guard.epoch == before
    guard.make_room("another")
    assert guard.epoch != before
    assert ReplayGuard().epoch != ReplayGuard().epoch
