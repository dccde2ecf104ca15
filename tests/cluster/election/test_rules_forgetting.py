"""Elections with a lease store that loses data: cases that simulated elections once found, and the simulations.

In each case there is at some moment a leader that others do not know, and a candidate whose wait is over, or seems to
be.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promsnmp.support.claim import Claim
from tests.support.cluster.candidates import Candidates
from tests.support.cluster.simulated import FAULTS, SimulatedElections, SimulatedReplica


@pytest.fixture
def cluster() -> Candidates:
    return Candidates()


def test_candidates_that_saw_a_higher_token_wait_for_a_leader_with_a_lower_one(cluster: Candidates) -> None:
    lost, knows, fresh = (cluster.join(name) for name in ("lost", "knows", "fresh"))
    for _ in range(5):  # writes its record again and again, and never gets an answer
        cluster.look(lost, answered=False)
    cluster.look(knows)
    assert knows.own_token == 0
    assert cluster.file == Claim()
    cluster.memory.empty()
    cluster.file = Claim(2, "another")
    cluster.look(fresh)
    cluster.wait(1.0)
    cluster.look(knows)
    cluster.wait(29.0)
    cluster.lead(fresh)
    assert fresh.own_token == 3
    for _ in range(4):  # the leader with token 3 renews, and the candidate that saw token 5 waits
        cluster.wait(9.0)
        cluster.look(knows)
        cluster.wait(1.0)
        cluster.look(fresh)
    assert fresh.leads
    cluster.wait(29.0)  # it died
    cluster.look(knows)
    assert not knows.leads
    cluster.wait(30.0)
    cluster.lead(knows)
    assert knows.own_token == 6


def test_a_failover_to_a_record_seen_before_is_a_change(cluster: Candidates) -> None:
    leader, other = cluster.join("leader"), cluster.join("other")
    cluster.lead(leader)
    cluster.look(other)
    cluster.wait(25.0)
    cluster.look(leader)  # renewed, but the other candidate does not see it
    cluster.memory.roll_back(1)
    cluster.wait(5.0)
    cluster.look(other)
    cluster.wait(22.0)
    cluster.look(other)
    assert not cluster.leaders
    cluster.wait(8.0)
    cluster.lead(other)


def test_a_second_failover_to_a_record_seen_before_is_a_change(cluster: Candidates) -> None:
    leader, other = cluster.join("leader"), cluster.join("other")
    cluster.lead(leader)
    cluster.memory.history.append(cluster.memory.record)
    cluster.memory.roll_back(1)
    cluster.look(other)
    cluster.wait(25.0)
    cluster.look(leader)  # written to the second server
    cluster.memory.roll_back(1)
    cluster.wait(5.0)
    cluster.look(other)
    assert cluster.leaders == [leader]


def test_after_a_failover_the_leader_writes_its_record_at_once(cluster: Candidates) -> None:
    leader = cluster.join("leader")
    cluster.lead(leader)
    cluster.wait(1.0)
    cluster.look(leader)
    cluster.memory.roll_back(1)
    cluster.look(leader)
    assert cluster.memory.record is not None
    assert (cluster.memory.record.instance, cluster.memory.record.fencing_token) == (
        "instance 0",
        leader.claim().term,
    )


def test_emptying_the_lease_store_twice_starts_the_wait_again(cluster: Candidates) -> None:
    leader, other = cluster.join("leader"), cluster.join("other")
    cluster.file = Claim(1, "another")
    cluster.look(other)
    cluster.look(leader)
    cluster.wait(30.0)
    cluster.lead(leader)
    cluster.memory.empty()
    cluster.wait(1.0)
    cluster.look(other)
    assert not other.leads
    cluster.wait(29.0)
    cluster.look(other)
    assert not other.leads
    cluster.wait(1.0)
    cluster.lead(other)


def test_a_write_based_on_a_read_before_the_store_was_emptied_is_refused(cluster: Candidates) -> None:
    leader, other = cluster.join("leader"), cluster.join("other")
    state = cluster.memory.read()
    late = other.on_read(state)
    assert late is not None
    cluster.lead(leader)
    cluster.memory.empty()
    assert not cluster.memory.write(late, state)
    cluster.memory.read()
    assert not cluster.memory.write(late, state)


def test_a_first_leader_whose_answer_is_late_does_not_lead_beside_another(cluster: Candidates) -> None:
    slow, quick = cluster.join("slow"), cluster.join("quick")
    with cluster.looking(slow) as accepted:
        cluster.memory.empty()
        cluster.lead(quick)
        cluster.answer(slow, accepted[0])
        assert cluster.leaders == [quick]


@pytest.mark.parametrize("is_answered", [True, False])
def test_a_first_candidate_that_never_led_does_not_lead_because_of_its_record(
    cluster: Candidates, is_answered: bool
) -> None:
    leader, other = cluster.join("leader"), cluster.join("other")
    with cluster.looking(leader) as accepted:
        cluster.memory.empty()
        with cluster.looking(other) as too:
            cluster.answer(leader, accepted[0])
            if is_answered:
                cluster.answer(other, too[0])
    cluster.look(other)
    assert cluster.leaders == [leader]
    other.step_down("asked to")
    cluster.look(other)
    assert cluster.memory.record is not None
    assert not cluster.memory.record.released


def test_a_candidate_waits_when_the_empty_lease_store_was_emptied_again(cluster: Candidates) -> None:
    leader, other = cluster.join("leader"), cluster.join("other")
    state = cluster.memory.read()
    assert other.on_read(state) is not None  # this write does not arrive
    cluster.look(leader, answered=False)
    cluster.memory.empty()
    cluster.look(other)
    assert not other.leads
    cluster.wait(30.0)
    cluster.lead(other)
    assert other.own_token == 2


def test_a_lease_released_before_a_failover_is_not_taken_at_once(cluster: Candidates) -> None:
    first, second, third = (cluster.join(name) for name in ("first", "second", "third"))
    cluster.lead(first)
    first.step_down("asked to")
    cluster.look(first)
    with cluster.looking(second) as accepted:
        cluster.memory.roll_back(1)  # the second candidate's write is lost, but not the answer to it
        cluster.look(third)
        assert not third.leads
        cluster.answer(second, accepted[0])
        assert second.leads
    cluster.look(second)
    cluster.wait(29.0)
    cluster.look(third)
    assert not third.leads


def test_a_candidate_does_not_lead_because_a_failover_restored_its_record(cluster: Candidates) -> None:
    first, second = cluster.join("first"), cluster.join("second")
    cluster.lead(first)
    cluster.look(second)
    cluster.wait(30.0)
    with cluster.looking(second) as accepted:
        cluster.memory.roll_back(1)
        cluster.look(first)
        assert not first.leads
        cluster.answer(second, accepted[0])
        assert second.leads


def test_no_release_is_written_after_a_failover(cluster: Candidates) -> None:
    first, second, fresh = (cluster.join(name) for name in ("first", "second", "fresh"))
    cluster.lead(first)
    cluster.look(second)
    cluster.wait(30.0)
    with cluster.looking(second) as accepted:
        cluster.memory.roll_back(1)
        first.step_down("asked to")
        cluster.look(first)
        assert cluster.memory.record is not None
        assert not cluster.memory.record.released
        cluster.look(fresh)
        cluster.answer(second, accepted[0])
        assert cluster.leaders == [second]


def test_candidates_wait_for_a_sleeping_leader_after_a_forced_election_and_data_loss(
    cluster: Candidates,
) -> None:
    asleep, other, fresh = (cluster.join(name) for name in ("asleep", "other", "fresh"))
    cluster.lead(asleep)
    cluster.look(other)
    cluster.wait(5.0)
    cluster.memory.force()
    cluster.look(other)
    cluster.wait(10.0)
    cluster.memory.empty()
    for _ in range(29):
        cluster.wait(1.0)
        cluster.look(other)
        cluster.look(fresh)
        assert cluster.leaders in ([asleep], [])
    cluster.look(asleep)  # wakes up
    assert not asleep.leads
    cluster.wait(2.0)
    cluster.lead(other)


def test_a_longer_lease_counts_in_full_after_the_store_lost_it(cluster: Candidates) -> None:
    long, other = cluster.join("long", duration=60.0), cluster.join("other")
    cluster.lead(long)
    cluster.look(other)
    cluster.wait(9.0)
    cluster.look(long)
    cluster.wait(1.0)
    cluster.look(long)  # renewed, but the write is lost
    for _ in range(2):
        cluster.memory.empty()
        cluster.look(other)
    for _ in range(59):
        cluster.look(other)
        assert not other.leads
        cluster.wait(1.0)
    cluster.wait(1.0)
    cluster.lead(other)


# --- simulated elections

WAYS = st.sampled_from((*FAULTS, "empty", "roll_back"))
"""Faults that lose data are drawn more often: most failures found so far needed one."""
GAPS = st.one_of(st.floats(0.05, 2.0), st.floats(1.0, 40.0))


FAULTY = st.lists(st.tuples(WAYS, GAPS), min_size=1, max_size=20)
SEEDS = st.integers(0, 2**32)


def play(elections: SimulatedElections, faults: list[tuple[str, float]]) -> Iterator[float]:
    """Plays elections with faults, and then long enough without any for a leader; yields each moment."""
    world, moment = elections.world, 0.0
    for fault, gap in faults:
        moment += gap
        world.at(moment, getattr(elections, fault))
    world.at(moment + 60.0, elections.calm)
    world.at(moment + 60.0, elections.start)
    yield from world.run(moment + 260.0)


class Leaderships:
    """Each leadership in ``elections`` has a term of its own; ``follow`` is called at each moment."""

    def __init__(self, elections: SimulatedElections) -> None:
        self._elections = elections
        self._leading: dict[SimulatedReplica, int] = {}
        self._terms: dict[int, SimulatedReplica] = {}

    def follow(self) -> None:
        before, self._leading = self._leading, {one: one.candidate.claim().term for one in self._elections.leaders}
        for one, term in self._leading.items():
            if before.get(one) != term:
                assert term not in self._terms, f"term {term} began twice"
                self._terms[term] = one


@settings(max_examples=60, deadline=None)
@given(seed=SEEDS, faults=FAULTY)
def test_there_are_never_two_leaders_and_tokens_only_grow(seed: int, faults: list[tuple[str, float]]) -> None:
    elections, highest = SimulatedElections(seed), 0
    leaderships = Leaderships(elections)
    for now in play(elections, faults):
        leaderships.follow()
        assert len(elections.leaders) <= 1, f"two leaders at {now}"
        for one in elections.leaders:
            claim = one.candidate.claim()
            assert elections.file.claim == claim, f"{claim} leads at {now}, and the file has {elections.file.claim}"
            assert claim.term >= highest
            highest = claim.term
    assert elections.leaders, "nobody leads in the end"


@settings(max_examples=40, deadline=None)
@given(seed=SEEDS, faults=FAULTY)
def test_two_replicas_never_lead_in_one_term_when_a_lease_store_goes_back_unnoticed(
    seed: int, faults: list[tuple[str, float]]
) -> None:
    elections = SimulatedElections(seed, named_stores=False)
    leaderships, before = Leaderships(elections), elections.file.claim
    for _ in play(elections, faults):
        leaderships.follow()
        assert not before.is_later_than(elections.file.claim)
        before = elections.file.claim
    assert elections.leaders, "nobody leads in the end"
