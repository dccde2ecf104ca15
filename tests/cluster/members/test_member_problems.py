"""Problems with other replicas: when they begin and end, what the log says, and when a replica is at fault itself."""

from __future__ import annotations

import logging

import pytest

from promsnmp.cluster.members.member_problems import MAX_REASON, MemberProblems
from tests.support.cluster.members import PATIENCE, Clock, member

REASON = "it does not have the key of this cluster"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def problems(clock: Clock, caplog: pytest.LogCaptureFixture) -> MemberProblems:
    caplog.set_level(logging.INFO, "promsnmp")
    return MemberProblems(patience=lambda: PATIENCE, clock=clock)


@pytest.mark.parametrize(
    ("refusing", "accepting", "is_refused"),
    [(0, 0, False), (1, 0, False), (2, 0, True), (3, 0, True), (2, 1, False)],
    ids=str,
)
def test_a_replica_is_refused_by_all_when_two_others_refuse_it_and_none_accepts_it(
    problems: MemberProblems, refusing: int, accepting: int, is_refused: bool
) -> None:
    for number in range(refusing):
        problems.note_refusal(f"pod-{number}:8080", REASON)
    problems.accepting.update(f"pod-{number}:8080" for number in range(refusing, refusing + accepting))
    assert problems.refused_by_all() == (REASON if is_refused else "")


def test_refusals_end_when_a_replica_proves_itself_or_is_gone(problems: MemberProblems) -> None:
    for name in ("pod-1:8080", "pod-2:8080"):
        problems.note_refusal(name, REASON)
    problems.note_refusal("pod-1:8080", "")
    assert not problems.refused_by_all()
    problems.note_refusal("pod-1:8080", REASON)
    assert problems.refused_by_all()
    problems.forget_all_but({"pod-2:8080"})
    assert not problems.refused_by_all()
    assert problems.all() == {"pod-2:8080": REASON}


def test_a_problem_is_logged_when_it_begins_and_when_it_ends(
    problems: MemberProblems, caplog: pytest.LogCaptureFixture
) -> None:
    for text in ("no connection", "no connection, still", ""):
        problems.note_source("redis", text)
        problems.note_records("the lease in redis", text)
        problems.note_refusal("pod-1:8080", text)
        problems.note_foreign(member("pod-9") if text else None)
        assert len(problems.all()) == (4 if text else 0)
    levels = [record.levelname for record in caplog.records]
    assert levels == ["WARNING", "ERROR", "ERROR", "ERROR", "INFO", "INFO", "INFO", "INFO"]


def test_a_member_is_unreachable_after_a_while_and_until_it_answers(
    problems: MemberProblems, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    problems.note_not_reached("pod-1:8080", "timeout")
    clock.now += PATIENCE - 1
    problems.note_not_reached("pod-1:8080", "timeout")
    assert problems.all() == {}
    clock.now += 1
    for _ in range(2):
        problems.note_not_reached("pod-1:8080", "timeout")
    assert problems.all() == {"pod-1:8080": "cannot be reached: timeout"}
    problems.note_reached("pod-1:8080")
    assert problems.all() == {}
    assert [record.levelname for record in caplog.records] == ["ERROR", "INFO"]


def test_reasons_of_others_are_cut(problems: MemberProblems, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    problems.note_refusal("pod-1:8080", "x" * 5000)
    problems.note_not_reached("pod-2:8080", "x" * 5000)
    clock.now += PATIENCE
    problems.note_not_reached("pod-2:8080", "x" * 5000)
    assert all(text.count("x") == MAX_REASON for text in problems.all().values())
    assert caplog.text.count("x") == 2 * MAX_REASON


def test_a_namesake_is_logged_once(problems: MemberProblems, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(2):
        problems.warn_of_namesake(member("pod-0", instance="another"))
    problems.warn_of_namesake(None)
    assert caplog.text.count("give each its own POD_NAME") == 1
