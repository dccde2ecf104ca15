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
        self.has_asked = True
        self.clock = Clock()
        self.members = Members(member("pod-1"), member_timeout=PATIENCE, clock=self.clock)
        self.eligible = Eligibility(
            self.members, revision=lambda: self.revision, members_known=lambda: self.has_asked, clock=self.clock
        )

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
