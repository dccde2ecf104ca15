"""Eligibility: a replica with an older inventory than another cannot be elected."""

from __future__ import annotations

import pytest

from promsnmp.cluster.election.eligibility import Eligibility
from promsnmp.cluster.members.members import Members
from tests.support.cluster.members import PATIENCE, Clock, member


class Replica:
    """pod-1, with a clock set by hand; ``revision`` is that of its inventory."""

    def __init__(self) -> None:
        self.revision = 0
        self.problem = ""
        self.refused_by = 0
        self.has_asked = True
        self.clock = Clock()
        self.members = Members(member("pod-1"), member_timeout=PATIENCE, clock=self.clock)
        self.eligible = Eligibility(
            self.members,
            revision=lambda: self.revision,
            members_known=lambda: self.has_asked,
            problem=lambda: self.problem,
            refused_by=lambda: self.refused_by,
            patience=PATIENCE,
            clock=self.clock,
        )

    def hears(self, **is_fit: bool) -> None:
        """Others say whether they are fit to lead, by the last letter of their names."""
        for name, fit in is_fit.items():
            self.sees(f"pod-{name[-1]}")
            self.eligible.note_fitness(f"instance of pod-{name[-1]}", fit)

    def steps_down(self, *, after: float = 0.0) -> bool:
        self.clock.now += after
        return bool(self.eligible.reason_to_step_down(True))

    def sees(self, *names: str) -> None:
        for name in names:
            self.members.mark_alive(member(name))
        self.members.refresh()


@pytest.fixture
def replica() -> Replica:
    return Replica()


def test_a_started_replica_is_not_eligible_until_members_are_known_or_time_is_up(replica: Replica) -> None:
    replica.has_asked = False
    assert not replica.eligible()
    replica.clock.now += PATIENCE
    assert replica.eligible()


def test_a_single_replica_is_eligible(replica: Replica) -> None:
    assert replica.eligible()


def test_a_replica_with_an_older_revision_is_not_eligible(replica: Replica) -> None:
    replica.sees("pod-0", "pod-2")
    replica.eligible.note_revision("instance of pod-0", 6)
    replica.eligible.note_revision("instance of pod-2", 5)
    replica.clock.now += 100.0
    replica.members.mark_reachable()
    replica.sees("pod-0", "pod-2")
    assert not replica.eligible()
    replica.revision = 6
    assert replica.eligible()


def test_the_revision_of_a_member_that_left_does_not_count(replica: Replica) -> None:
    replica.sees("pod-0")
    replica.eligible.note_revision("instance of pod-0", 6)
    assert not replica.eligible()
    replica.members.mark_left("instance of pod-0")
    replica.members.refresh()
    assert replica.eligible()


def test_a_started_replica_waits_a_limited_time_for_missing_revisions(replica: Replica) -> None:
    replica.sees("pod-0")
    assert not replica.eligible()
    replica.eligible.note_revision("instance of pod-0", 0)
    assert replica.eligible()
    replica.sees("pod-2")
    replica.clock.now += PATIENCE
    replica.sees("pod-0", "pod-2")
    assert replica.eligible()


# --- fitness to lead


def test_a_replica_with_a_problem_hesitates_to_lead(replica: Replica) -> None:
    assert not replica.eligible.hesitates()
    replica.problem = "cannot write"
    assert replica.eligible.hesitates()
    assert replica.eligible.reason_to_step_down(False) == ""


def test_a_leader_with_a_problem_steps_down_for_a_replica_that_is_fit(replica: Replica) -> None:
    assert not replica.steps_down()
    replica.problem = "cannot write"
    replica.hears(pod0=True)
    assert not replica.steps_down()
    assert not replica.steps_down(after=PATIENCE)  # the other one may not have noticed a fault of both
    replica.hears(pod0=True)
    assert replica.eligible.reason_to_step_down(True) == "cannot write"


def test_a_leader_stays_when_no_other_is_fit(replica: Replica) -> None:
    replica.steps_down()
    replica.problem = "cannot write"
    replica.steps_down()
    replica.clock.now += PATIENCE
    replica.hears(pod0=False, pod2=False)
    assert not replica.steps_down()
    replica.hears(pod0=False, pod2=True)
    assert replica.steps_down()


def test_a_problem_that_lasts_a_moment_changes_nothing(replica: Replica) -> None:
    for _ in range(5):
        replica.problem = "cannot write"
        replica.hears(pod0=True)
        assert not replica.steps_down(after=PATIENCE - 0.1)
        replica.problem = ""
        assert not replica.steps_down()


def test_the_fitness_of_a_replica_that_is_gone_does_not_count(replica: Replica) -> None:
    replica.steps_down()
    replica.problem = "cannot write"
    replica.steps_down()
    replica.clock.now += PATIENCE
    replica.hears(pod0=True)
    replica.members.mark_left("instance of pod-0")
    replica.members.refresh()
    assert not replica.steps_down()


def test_a_leader_refused_by_a_majority_that_says_nothing_else_steps_down_once(replica: Replica) -> None:
    replica.steps_down()
    replica.problem, replica.refused_by = "nobody accepts its requests", 1
    assert not replica.steps_down(after=2 * PATIENCE)
    replica.refused_by = 2
    assert replica.steps_down(after=PATIENCE)
    replica.eligible.reason_to_step_down(False)
    assert not replica.steps_down(after=PATIENCE)  # elected again, since nobody else was: it stays
    assert not replica.steps_down(after=PATIENCE)


def test_fitness_says_nothing_about_the_revision(replica: Replica) -> None:
    replica.hears(pod0=True)
    assert not replica.eligible()
    replica.eligible.note_revision("instance of pod-0", 0)
    assert replica.eligible()
