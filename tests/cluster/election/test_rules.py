"""The rules of an election: by cases, and by thousands of simulated elections in which everything goes wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promsnmp.cluster.election.rules import Candidate, LeaseRecord, LeaseState, Timing, lease_clock, vacancy
from promsnmp.errors import NotLeader
from tests.support.cluster.simulated import FAULTS, SimulatedElections, SimulatedReplica

TIMING = Timing(duration=30.0, renew=10.0, read_interval=1.0)


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def record(
    name: str, *, fencing_token: int, beat: str = "1", released: bool = False, duration: float = 30.0
) -> LeaseRecord:
    return LeaseRecord(name, f"instance of {name}", f"{name}:8080", fencing_token, duration, released, beat)


class Voter:
    """A candidate with a clock set by hand."""

    def __init__(self, name: str = "a", min_token: int = 0) -> None:
        self.clock = Clock()
        self.min_token = min_token
        me = record(name, fencing_token=0)
        self.candidate = Candidate(me, TIMING, min_token=lambda: self.min_token, clock=self.clock)

    def sees(self, found: LeaseRecord | None, *, forced: bool = False) -> LeaseRecord | None:
        return self.candidate.on_read(LeaseState(found, 1, forced))

    def takes(self, found: LeaseRecord | None = None) -> LeaseRecord:
        """Takes the lead, at once; returns its record as the register has it."""
        wanted = self.sees(found)
        assert wanted is not None
        self.candidate.on_written(wanted, sent_at=self.clock.now)
        assert self.candidate.leads
        return replace(wanted, beat="new")


# --- taking the lead


def test_the_first_replica_ever_takes_the_lead_at_once() -> None:
    voter = Voter()
    assert not voter.candidate.leads
    assert voter.takes().fencing_token == 1
    assert voter.candidate.fencing_token() == 1


def test_it_leads_only_once_the_register_has_accepted_its_record() -> None:
    voter = Voter()
    assert voter.sees(None) is not None
    assert not voter.candidate.leads
    with pytest.raises(NotLeader):
        voter.candidate.fencing_token()


def test_a_lead_that_was_given_up_is_taken_at_once_in_the_next_term() -> None:
    assert Voter().takes(record("b", fencing_token=7, released=True)).fencing_token == 8


def test_a_leader_of_whom_nothing_is_heard_is_waited_for_as_long_as_its_lease() -> None:
    voter, held = Voter(), record("b", fencing_token=7)
    assert voter.sees(held) is None
    voter.clock.now += 29.9
    assert voter.sees(held) is None
    assert voter.candidate.leader == held
    voter.clock.now += 0.1
    wanted = voter.sees(held)
    assert wanted is not None
    assert (wanted.holder, wanted.fencing_token) == ("a", 8)


def test_every_renewal_starts_the_wait_again() -> None:
    voter = Voter()
    for beat in range(5):
        assert voter.sees(record("b", fencing_token=7, beat=str(beat))) is None
        voter.clock.now += 29.0


def test_a_leader_with_a_longer_lease_is_waited_for_as_long_as_that() -> None:
    voter, held = Voter(), record("b", fencing_token=1, duration=60.0)
    assert voter.sees(held) is None
    voter.clock.now += 59.0
    assert voter.sees(held) is None
    voter.clock.now += 1.0
    assert voter.sees(held) is not None


def test_a_restarted_replica_of_the_leaders_name_waits_like_everyone_else() -> None:
    before = replace(record("a", fencing_token=3), instance="the process before")
    voter = Voter("a")
    assert voter.sees(before) is None
    voter.clock.now += 30.0
    assert voter.takes(before).fencing_token == 4


def test_terms_grow_past_the_inventory_files() -> None:
    voter = Voter(min_token=41)
    assert voter.sees(record("b", fencing_token=3, released=True)) is None  # older than the file: the register forgot
    voter.clock.now += 30.0
    wanted = voter.sees(record("b", fencing_token=3, released=True))
    assert wanted is not None
    assert wanted.fencing_token == 42


def test_an_empty_register_that_cannot_be_marked_at_first_is_still_an_empty_one() -> None:
    voter = Voter()
    assert voter.sees(None) is not None  # which is not accepted
    assert voter.takes(vacancy("mark")).fencing_token == 1


# --- leading


def test_a_renewal_is_due_after_the_interval_and_extends_the_lease() -> None:
    voter = Voter()
    held = voter.takes()
    until = voter.candidate.lease_end
    voter.clock.now += 9.9
    assert voter.sees(held) is None
    voter.clock.now += 0.1
    renewal = voter.sees(held)
    assert renewal is not None
    assert renewal.fencing_token == held.fencing_token
    voter.candidate.on_written(renewal, sent_at=voter.clock.now)
    assert voter.candidate.lease_end == until + 10.0


def test_it_stops_before_its_lease_can_have_run_out_counted_from_before_the_renewal_was_sent() -> None:
    voter = Voter()
    wanted = voter.sees(None)
    assert wanted is not None
    sent_at = voter.clock.now
    voter.clock.now += 5.0  # the answer took that long
    voter.candidate.on_written(wanted, sent_at=sent_at)
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
    voter.candidate.on_written(wanted, sent_at=sent_at)
    assert not voter.candidate.leads


def test_a_leader_that_slept_past_its_lease_may_not_write_when_it_wakes() -> None:
    voter = Voter()
    voter.takes()
    voter.clock.now += 60.0
    with pytest.raises(NotLeader):
        voter.candidate.fencing_token()


def test_a_leader_whose_lease_ran_out_but_was_taken_by_nobody_leads_again_in_a_new_term() -> None:
    voter = Voter()
    held = voter.takes()
    voter.clock.now += 60.0
    assert voter.takes(held).fencing_token == held.fencing_token + 1


def test_a_successor_ends_the_lead() -> None:
    voter = Voter()
    held = voter.takes()
    assert voter.sees(record("b", fencing_token=held.fencing_token + 1)) is None
    assert not voter.candidate.leads
    assert "b took the lead" in voter.candidate.reason


def test_an_inventory_of_a_later_term_ends_the_lead() -> None:
    voter = Voter()
    held = voter.takes()
    voter.min_token = held.fencing_token + 1
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
    assert given_up.fencing_token == held.fencing_token


def test_whoever_stepped_down_lets_others_try_first_and_takes_the_lead_again_when_nobody_did() -> None:
    voter = Voter()
    held = voter.takes()
    voter.candidate.step_down("asked to")
    released = replace(held, released=True)
    voter.clock.now += 4.9
    assert voter.sees(released) is None
    voter.clock.now += 0.1
    assert voter.takes(released).fencing_token == held.fencing_token + 1


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
    voter.candidate.step_down("it ends", abstain_for=1e9)
    voter.candidate.on_written(wanted, sent_at=voter.clock.now)
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
    assert again.fencing_token == held.fencing_token
    assert voter.candidate.leads


def test_nobody_else_takes_the_lead_from_an_emptied_register_before_a_lease_has_passed() -> None:
    voter = Voter()
    assert voter.sees(record("b", fencing_token=5)) is None
    voter.clock.now += 10.0
    assert voter.sees(None) is None
    voter.clock.now += 29.9
    assert voter.sees(None) is None
    voter.clock.now += 0.1
    assert voter.takes().fencing_token == 6


def test_a_register_that_fell_back_to_an_older_leader_is_waited_for_too() -> None:
    voter = Voter()
    assert voter.sees(record("b", fencing_token=5)) is None
    assert voter.sees(record("c", fencing_token=4, released=True)) is None
    voter.clock.now += 30.0
    assert voter.takes(record("c", fencing_token=4, released=True)).fencing_token == 6


def test_a_replica_that_knows_a_term_by_the_file_alone_waits_too() -> None:
    voter = Voter(min_token=5)
    assert voter.sees(None) is None
    voter.clock.now += 30.0
    assert voter.takes().fencing_token == 6


def test_the_clock_of_leases_is_shared_by_the_processes_of_this_machine_and_only_grows() -> None:
    first = lease_clock()
    assert lease_clock() >= first


# --- everything at once

WAYS = st.sampled_from((*FAULTS, "empty", "roll_back"))
"""A register that forgets is drawn more often: most of what was ever found took one."""
GAPS = st.one_of(st.floats(0.05, 2.0), st.floats(1.0, 40.0))


@settings(max_examples=120, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    faults=st.lists(st.tuples(WAYS, GAPS), min_size=1, max_size=20),
)
def test_there_are_never_two_leaders_and_terms_only_grow(seed: int, faults: list[tuple[str, float]]) -> None:
    elections = SimulatedElections(seed)
    world, terms = elections.world, dict[int, SimulatedReplica]()
    moment = 0.0
    for fault, expected in faults:
        moment += expected
        world.at(moment, getattr(elections, fault))
    world.at(moment + 60.0, elections.calm)
    world.at(moment + 60.0, elections.start)
    for now in world.run(moment + 260.0):
        assert len(elections.leaders) <= 1, f"two leaders at {now}"
        for one in elections.leaders:
            term = one.candidate.fencing_token()
            assert terms.setdefault(term, one) is one, f"two leaders had term {term}"
            assert term >= elections.file_term
            elections.file_term = term
    assert elections.leaders, "nobody leads in the end"
