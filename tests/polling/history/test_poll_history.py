"""The ring of the last polls: its order, what is wrong, its size."""

from __future__ import annotations

import sys

from promsnmp.polling.history.poll_history import MOST_CHARACTERS, MOST_POLLS, PollHistory


def test_the_last_polls_are_kept_with_their_problems() -> None:
    history = PollHistory()
    for number in range(MOST_POLLS + 5):
        state = "down" if number % 3 == 0 else "up"
        problem = "no response" if state == "down" else ""
        history.add(state, at=1000.0 + number, seconds=0.5, samples=number, problem=problem)
    found = list(history.newest_first())
    assert [one.at for one in found] == [1000.0 + number for number in range(MOST_POLLS + 4, 4, -1)]
    assert all((one.state == "down") == (one.problem == "no response") for one in found)
    assert [one.samples for one in found[:2]] == [24, 23]


def test_a_new_history_is_empty_and_texts_are_cut() -> None:
    history = PollHistory()
    assert list(history.newest_first()) == []
    history.add("partial", at=1.0, seconds=1e12, samples=1 << 40, problem="x" * 10_000)
    (poll,) = history.newest_first()
    assert (poll.state, poll.samples, len(poll.problem)) == ("partial", 0xFFFFFFFF, MOST_CHARACTERS)


def test_the_polls_of_a_device_take_less_than_half_a_kilobyte_and_a_repeated_problem_nothing_more() -> None:
    history = PollHistory()
    for number in range(100):
        history.add("up", at=float(number), seconds=0.1, samples=10, problem="")
    assert sys.getsizeof(history) + sys.getsizeof(history._records) < 500
    for number in range(100):
        history.add("down", at=float(number), seconds=0.1, samples=0, problem="no response from " + "192.0.2.1")
    assert len({id(one) for one in (history._problems or {}).values()}) == 1
