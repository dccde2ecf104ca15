"""The rules of an election: by cases, and by thousands of simulated elections in which everything goes wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promsnmp.cluster.election.rules import Candidate, Record, Seen, Timing, lease_clock
from promsnmp.errors import NotLeader
from tests.support.cluster.simulated import FAULTS, Elections, Replica

TIMING = Timing(duration=30.0, renew=10.0, look=1.0)


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def record(name: str, *, term: int, beat: str = "1", released: bool = False, duration: float = 30.0) -> Record:
    return Record(name, f"instance of {name}", f"{name}:8080", term, duration, released, beat)


class Voter:
    """A candidate with a clock set by hand."""

    def __init__(self, name: str = "a", floor: int = 0) -> None:
        self.clock = Clock()
        self.floor = floor
        me = record(name, term=0)
        self.candidate = Candidate(me, TIMING, floor=lambda: self.floor, clock=self.clock)

    def sees(self, found: Record | None, *, forced: bool = False) -> Record | None:
        return self.candidate.observed(Seen(found, 1, forced))

    def takes(self, found: Record | None = None) -> Record:
        """Takes the lead, at once; returns its record as the register has it."""
        wanted = self.sees(found)
        assert wanted is not None
        self.candidate.written(wanted, sent_at=self.clock.now)
        assert self.candidate.leads
        return replace(wanted, beat="new")


# --- taking the lead


def test_the_first_replica_ever_takes_the_lead_at_once() -> None:
    voter = Voter()
    assert not voter.candidate.leads
    assert voter.takes().term == 1
    assert voter.candidate.fence() == 1


def test_it_leads_only_once_the_register_has_accepted_its_record() -> None:
    voter = Voter()
    assert voter.sees(None) is not None
    assert not voter.candidate.leads
    with pytest.raises(NotLeader):
        voter.candidate.fence()


def test_a_lead_that_was_given_up_is_taken_at_once_in_the_next_term() -> None:
    assert Voter().takes(record("b", term=7, released=True)).term == 8


def test_a_leader_of_whom_nothing_is_heard_is_waited_for_as_long_as_its_lease() -> None:
    voter, held = Voter(), record("b", term=7)
    assert voter.sees(held) is None
    voter.clock.now += 29.9
    assert voter.sees(held) is None
    assert voter.candidate.leader == held
    voter.clock.now += 0.1
    wanted = voter.sees(held)
    assert wanted is not None
    assert (wanted.holder, wanted.term) == ("a", 8)


def test_every_renewal_starts_the_wait_again() -> None:
    voter = Voter()
    for beat in range(5):
        assert voter.sees(record("b", term=7, beat=str(beat))) is None
        voter.clock.now += 29.0


def test_a_leader_with_a_longer_lease_is_waited_for_as_long_as_that() -> None:
    voter, held = Voter(), record("b", term=1, duration=60.0)
    assert voter.sees(held) is None
    voter.clock.now += 59.0
    assert voter.sees(held) is None
    voter.clock.now += 1.0
    assert voter.sees(held) is not None


def test_a_restarted_replica_of_the_leaders_name_waits_like_everyone_else() -> None:
    before = replace(record("a", term=3), instance="the process before")
    voter = Voter("a")
    assert voter.sees(before) is None
    voter.clock.now += 30.0
    assert voter.takes(before).term == 4


def test_terms_grow_past_the_inventory_files() -> None:
    voter = Voter(floor=41)
    assert voter.sees(record("b", term=3, released=True)) is None  # older than the file: the register forgot
    voter.clock.now += 30.0
    wanted = voter.sees(record("b", term=3, released=True))
    assert wanted is not None
    assert wanted.term == 42


# --- leading


def test_a_renewal_is_due_after_the_interval_and_extends_the_lease() -> None:
    voter = Voter()
    held = voter.takes()
    until = voter.candidate.until
    voter.clock.now += 9.9
    assert voter.sees(held) is None
    voter.clock.now += 0.1
    renewal = voter.sees(held)
    assert renewal is not None
    assert renewal.term == held.term
    voter.candidate.written(renewal, sent_at=voter.clock.now)
    assert voter.candidate.until == until + 10.0


def test_it_stops_before_its_lease_can_have_run_out_counted_from_before_the_renewal_was_sent() -> None:
    voter = Voter()
    wanted = voter.sees(None)
    assert wanted is not None
    sent_at = voter.clock.now
    voter.clock.now += 5.0  # the answer took that long
    voter.candidate.written(wanted, sent_at=sent_at)
    voter.clock.now = sent_at + 26.9
    assert voter.candidate.leads
    voter.clock.now = sent_at + 27.0
    assert not voter.candidate.leads
    assert voter.candidate.expire()
    assert not voter.candidate.expire()
    assert "renewed" in voter.candidate.reason


def test_an_answer_that_took_as_long_as_the_lease_makes_nobody_leader() -> None:
    voter = Voter()
    wanted = voter.sees(None)
    assert wanted is not None
    sent_at = voter.clock.now
    voter.clock.now += 27.0
    voter.candidate.written(wanted, sent_at=sent_at)
    assert not voter.candidate.leads


def test_a_leader_that_slept_past_its_lease_may_not_write_when_it_wakes() -> None:
    voter = Voter()
    voter.takes()
    voter.clock.now += 60.0
    with pytest.raises(NotLeader):
        voter.candidate.fence()


def test_a_leader_whose_lease_ran_out_but_was_taken_by_nobody_leads_again_in_a_new_term() -> None:
    voter = Voter()
    held = voter.takes()
    voter.clock.now += 60.0
    assert voter.takes(held).term == held.term + 1


def test_a_successor_ends_the_lead() -> None:
    voter = Voter()
    held = voter.takes()
    assert voter.sees(record("b", term=held.term + 1)) is None
    assert not voter.candidate.leads
    assert "b took the lead" in voter.candidate.reason


def test_an_inventory_of_a_later_term_ends_the_lead() -> None:
    voter = Voter()
    held = voter.takes()
    voter.floor = held.term + 1
    voter.sees(held)
    assert not voter.candidate.leads


# --- giving up


def test_stepping_down_ends_the_lead_at_once_and_then_gives_it_up_in_the_register() -> None:
    voter = Voter()
    held = voter.takes()
    voter.candidate.step_down("asked to")
    assert not voter.candidate.leads
    given_up = voter.sees(held)
    assert given_up is not None
    assert given_up.released
    assert given_up.term == held.term


def test_whoever_stepped_down_lets_others_try_first_and_takes_the_lead_again_when_nobody_did() -> None:
    voter = Voter()
    held = voter.takes()
    voter.candidate.step_down("asked to")
    released = replace(held, released=True)
    voter.clock.now += 4.9
    assert voter.sees(released) is None
    voter.clock.now += 0.1
    assert voter.takes(released).term == held.term + 1


def test_an_election_forced_by_hand_makes_the_leader_step_down_and_the_others_wait_for_that() -> None:
    leader, other = Voter("a"), Voter("b")
    held = leader.takes()
    assert other.sees(held, forced=True) is None
    given_up = leader.sees(held, forced=True)
    assert given_up is not None
    assert given_up.released
    assert not leader.candidate.leads
    assert other.takes(replace(given_up, beat="given up")).holder == "b"


def test_a_lead_accepted_after_stepping_down_is_not_taken_but_given_up() -> None:
    voter = Voter()
    wanted = voter.sees(None)
    assert wanted is not None
    voter.candidate.step_down("it ends", aside=1e9)
    voter.candidate.written(wanted, sent_at=voter.clock.now)
    assert not voter.candidate.leads
    given_up = voter.sees(replace(wanted, beat="1"))
    assert given_up is not None
    assert given_up.released


# --- a register that forgets


def test_the_leader_writes_itself_into_an_emptied_register_in_the_same_term() -> None:
    voter = Voter()
    held = voter.takes()
    voter.clock.now += 1.0
    again = voter.sees(None)
    assert again is not None
    assert again.term == held.term
    assert voter.candidate.leads


def test_nobody_else_takes_the_lead_from_an_emptied_register_before_a_lease_has_passed() -> None:
    voter = Voter()
    assert voter.sees(record("b", term=5)) is None
    voter.clock.now += 10.0
    assert voter.sees(None) is None
    voter.clock.now += 29.9
    assert voter.sees(None) is None
    voter.clock.now += 0.1
    assert voter.takes().term == 6


def test_a_register_that_fell_back_to_an_older_leader_is_waited_for_too() -> None:
    voter = Voter()
    assert voter.sees(record("b", term=5)) is None
    assert voter.sees(record("c", term=4, released=True)) is None
    voter.clock.now += 30.0
    assert voter.takes(record("c", term=4, released=True)).term == 6


def test_a_replica_that_knows_a_term_by_the_file_alone_waits_too() -> None:
    voter = Voter(floor=5)
    assert voter.sees(None) is None
    voter.clock.now += 30.0
    assert voter.takes().term == 6


def test_the_clock_of_leases_is_shared_by_the_processes_of_this_machine_and_only_grows() -> None:
    first = lease_clock()
    assert lease_clock() >= first


# --- everything at once

GAPS = st.one_of(st.floats(0.05, 2.0), st.floats(1.0, 40.0))


@settings(max_examples=120, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    faults=st.lists(st.tuples(st.sampled_from(FAULTS), GAPS), min_size=1, max_size=20),
)
def test_there_are_never_two_leaders_and_terms_only_grow(seed: int, faults: list[tuple[str, float]]) -> None:
    those = Elections(seed)
    world, terms = those.world, dict[int, Replica]()
    moment = 0.0
    for fault, after in faults:
        moment += after
        world.at(moment, getattr(those, fault))
    world.at(moment + 60.0, those.calm)
    world.at(moment + 60.0, those.start)
    for now in world.run(moment + 260.0):
        assert len(those.leaders) <= 1, f"two leaders at {now}"
        for one in those.leaders:
            term = one.candidate.fence()
            assert terms.setdefault(term, one) is one, f"two leaders had term {term}"
            assert term >= those.file_term
            those.file_term = term
    assert those.leaders, "nobody leads in the end"
