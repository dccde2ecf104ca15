"""The rules of leader election: single cases, and thousands of simulated elections with random faults."""

from __future__ import annotations

from dataclasses import replace

import pytest

from promsnmp.cluster.election.lease import MAX_STEP, LeaseRecord, LeaseState, vacancy
from promsnmp.cluster.election.rules import Candidate, Timing, lease_clock
from promsnmp.errors import NotLeader
from promsnmp.support.claim import MAX_NUMBER, Claim

TIMING = Timing(duration=30.0, renew=10.0, read_interval=1.0)


NO_CLAIM = Claim()


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
    """A candidate with a clock set by hand, which sees ``file``, the claim in the inventory file, at once."""

    def __init__(self, name: str = "a", file: Claim = NO_CLAIM) -> None:
        self.clock = Clock()
        self.file = file
        self.hesitates = False
        me = record(name, fencing_token=0)
        self.candidate = Candidate(
            me, TIMING, claim_in_file=lambda: self.file, hesitates=lambda: self.hesitates, clock=self.clock
        )

    def sees(self, found: LeaseRecord | None, *, forced: bool = False) -> LeaseRecord | None:
        return self.candidate.on_read(LeaseState(found, 1, forced))

    def is_elected(self, found: LeaseRecord | None = None) -> LeaseRecord:
        """Takes the lease at once; returns its record as the lease store has it."""
        wanted = self.sees(found)
        assert wanted is not None
        self.candidate.on_written(wanted, sent_at=self.clock.now)
        assert self.candidate.is_elected
        return replace(wanted, beat="new")

    def claims(self) -> None:
        """Writes its claim into the file."""
        wanted = self.candidate.wanted_claim
        assert wanted is not None
        self.file = wanted.claim
        self.candidate.on_claimed(wanted.claim)

    def takes(self, found: LeaseRecord | None = None) -> LeaseRecord:
        """Becomes the leader at once; returns its record as the lease store has it."""
        taken = self.is_elected(found)
        self.claims()
        assert self.candidate.leads
        return taken


# --- becoming the leader


def test_the_very_first_replica_leads_at_once() -> None:
    voter = Voter()
    assert not voter.candidate.leads
    assert voter.takes().fencing_token == 1
    assert voter.candidate.claim() == Claim(1, "instance of a")


def test_a_candidate_leads_only_after_the_lease_store_accepted_its_record() -> None:
    voter = Voter()
    assert voter.sees(None) is not None
    assert not voter.candidate.leads
    with pytest.raises(NotLeader):
        voter.candidate.claim()


def test_a_released_lease_is_taken_at_once_with_the_next_token() -> None:
    assert Voter().takes(record("b", fencing_token=7, released=True)).fencing_token == 8


def test_a_candidate_waits_for_the_lease_of_a_silent_leader() -> None:
    voter, held = Voter(), record("b", fencing_token=7)
    assert voter.sees(held) is None
    voter.clock.now += 29.9
    assert voter.sees(held) is None
    assert voter.candidate.leader == held
    voter.clock.now += 0.1
    wanted = voter.sees(held)
    assert wanted is not None
    assert (wanted.holder, wanted.fencing_token) == ("a", 8)


def test_every_renewal_restarts_the_wait() -> None:
    voter = Voter()
    for beat in range(5):
        assert voter.sees(record("b", fencing_token=7, beat=str(beat))) is None
        voter.clock.now += 29.0


def test_a_candidate_waits_for_a_longer_lease_of_the_leader() -> None:
    voter, held = Voter(), record("b", fencing_token=1, duration=60.0)
    assert voter.sees(held) is None
    voter.clock.now += 59.0
    assert voter.sees(held) is None
    voter.clock.now += 1.0
    assert voter.sees(held) is not None


def test_a_restarted_replica_with_the_leaders_name_waits_like_the_others() -> None:
    before = replace(record("a", fencing_token=3), instance="the process before")
    voter = Voter("a")
    assert voter.sees(before) is None
    voter.clock.now += 30.0
    assert voter.takes(before).fencing_token == 4


def test_a_new_token_is_higher_than_the_inventory_files() -> None:
    voter = Voter(file=Claim(41, "another"))
    assert voter.sees(record("b", fencing_token=3, released=True)) is None  # older than the file: the store lost data
    voter.clock.now += 30.0
    wanted = voter.sees(record("b", fencing_token=3, released=True))
    assert wanted is not None
    assert wanted.fencing_token == 42


def test_an_empty_lease_store_may_be_marked_later() -> None:
    voter = Voter()
    assert voter.sees(None) is not None  # this write is not accepted
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


def test_a_leader_stops_before_its_lease_ends_counted_from_sending_the_renewal() -> None:
    voter = Voter()
    wanted = voter.sees(None)
    assert wanted is not None
    sent_at = voter.clock.now
    voter.clock.now += 5.0  # the answer took that long
    voter.candidate.on_written(wanted, sent_at=sent_at)
    voter.claims()
    voter.clock.now = sent_at + 26.9
    assert voter.candidate.leads
    voter.clock.now = sent_at + 27.0
    assert not voter.candidate.leads
    assert voter.candidate.expire()
    assert not voter.candidate.expire()
    assert "renewed" in voter.candidate.reason


def test_an_answer_later_than_the_lease_makes_no_leader() -> None:
    voter = Voter()
    wanted = voter.sees(None)
    assert wanted is not None
    sent_at = voter.clock.now
    voter.clock.now += 27.0
    voter.candidate.on_written(wanted, sent_at=sent_at)
    assert not voter.candidate.leads


def test_a_leader_that_slept_past_its_lease_cannot_write_when_it_wakes() -> None:
    voter = Voter()
    voter.takes()
    voter.clock.now += 60.0
    with pytest.raises(NotLeader):
        voter.candidate.claim()


def test_a_leader_without_a_successor_leads_again_with_a_new_token() -> None:
    voter = Voter()
    held = voter.takes()
    voter.clock.now += 60.0
    assert voter.takes(held).fencing_token == held.fencing_token + 1


def test_a_successor_ends_leadership() -> None:
    voter = Voter()
    held = voter.takes()
    assert voter.sees(record("b", fencing_token=held.fencing_token + 1)) is None
    assert not voter.candidate.leads
    assert "b took over" in voter.candidate.reason


def test_an_inventory_with_a_higher_token_ends_leadership() -> None:
    voter = Voter()
    held = voter.takes()
    voter.file = Claim(held.fencing_token + 1, "another")
    voter.sees(held)
    assert not voter.candidate.leads


# --- a token that was lost is not used again


def test_a_renewal_that_is_answered_after_the_lease_has_ended_does_not_continue_it() -> None:
    voter = Voter()
    held = voter.takes()
    voter.clock.now += 26.0
    renewal = voter.sees(held)
    assert renewal is not None
    sent_at = voter.clock.now
    voter.clock.now += 2.0
    assert not voter.candidate.leads
    voter.candidate.on_written(renewal, sent_at=sent_at)
    assert not voter.candidate.leads
    assert voter.takes(replace(renewal, beat="2")).fencing_token == held.fencing_token + 1


def test_a_renewal_that_is_answered_long_after_stepping_down_does_not_count() -> None:
    voter = Voter()
    held = voter.takes()
    voter.clock.now += 10.0
    renewal = voter.sees(held)
    assert renewal is not None
    sent_at = voter.clock.now
    voter.candidate.step_down("asked to")
    voter.clock.now += 6.0  # by then it may lead again
    voter.candidate.on_written(renewal, sent_at=sent_at)
    assert not voter.candidate.is_elected
    assert voter.takes(replace(renewal, beat="2")).fencing_token == held.fencing_token + 1


def test_a_released_record_that_is_shown_as_held_again_is_followed_with_the_next_token() -> None:
    voter = Voter()
    held = voter.takes()
    voter.candidate.step_down("asked to")
    release = voter.sees(held)
    assert release is not None
    voter.candidate.on_written(release, sent_at=voter.clock.now)
    voter.clock.now += 5.0
    assert voter.takes(held).fencing_token == held.fencing_token + 1


def test_a_token_that_was_lost_before_its_claim_was_written_is_not_used_again() -> None:
    voter = Voter()
    held = voter.is_elected()
    voter.clock.now += 26.0
    renewal = voter.sees(held)
    assert renewal is not None
    sent_at = voter.clock.now
    voter.clock.now += 2.0
    voter.candidate.on_written(renewal, sent_at=sent_at)
    assert voter.candidate.wanted_claim is None


# --- stepping down


def test_stepping_down_ends_leadership_at_once_and_then_releases_the_lease() -> None:
    voter = Voter()
    held = voter.takes()
    voter.candidate.step_down("asked to")
    assert not voter.candidate.leads
    release = voter.sees(held)
    assert release is not None
    assert release.released
    assert release.fencing_token == held.fencing_token


def test_a_replica_that_stepped_down_lets_others_try_first_and_then_leads_again() -> None:
    voter = Voter()
    held = voter.takes()
    voter.candidate.step_down("asked to")
    released = replace(held, released=True)
    voter.clock.now += 4.9
    assert voter.sees(released) is None
    voter.clock.now += 0.1
    assert voter.takes(released).fencing_token == held.fencing_token + 1


def test_a_forced_election_makes_the_leader_step_down_while_the_others_wait() -> None:
    leader, other = Voter("a"), Voter("b")
    held = leader.takes()
    assert other.sees(held, forced=True) is None
    release = leader.sees(held, forced=True)
    assert release is not None
    assert release.released
    assert not leader.candidate.leads
    assert other.takes(replace(release, beat="released")).holder == "b"


def test_a_lease_granted_after_stepping_down_is_released() -> None:
    voter = Voter()
    wanted = voter.sees(None)
    assert wanted is not None
    voter.candidate.step_down("it ends", abstain_for=1e9)
    voter.candidate.on_written(wanted, sent_at=voter.clock.now)
    assert not voter.candidate.leads
    release = voter.sees(replace(wanted, beat="1"))
    assert release is not None
    assert release.released


# --- a lease store that loses data


def test_the_leader_writes_its_record_into_an_emptied_store_with_the_same_token() -> None:
    voter = Voter()
    held = voter.takes()
    voter.clock.now += 1.0
    again = voter.sees(None)
    assert again is not None
    assert again.fencing_token == held.fencing_token
    assert voter.candidate.leads


def test_other_candidates_wait_for_a_full_lease_after_the_store_was_emptied() -> None:
    voter = Voter()
    assert voter.sees(record("b", fencing_token=5)) is None
    voter.clock.now += 10.0
    assert voter.sees(None) is None
    voter.clock.now += 29.9
    assert voter.sees(None) is None
    voter.clock.now += 0.1
    assert voter.takes().fencing_token == 6


def test_a_candidate_waits_when_the_store_went_back_to_an_older_leader() -> None:
    voter = Voter()
    assert voter.sees(record("b", fencing_token=5)) is None
    assert voter.sees(record("c", fencing_token=4, released=True)) is None
    voter.clock.now += 30.0
    assert voter.takes(record("c", fencing_token=4, released=True)).fencing_token == 6


def test_a_candidate_waits_when_only_the_file_has_a_token() -> None:
    voter = Voter(file=Claim(5, "another"))
    assert voter.sees(None) is None
    voter.clock.now += 30.0
    assert voter.takes().fencing_token == 6


# --- a record that is not to be believed


def test_an_invalid_record_counts_as_lost_and_the_leader_writes_its_own_again() -> None:
    leader, other = Voter("a"), Voter("b")
    held = leader.takes()
    other.sees(held)
    invalid = LeaseState(None, 1, problem="the term is no number")
    assert other.candidate.on_read(invalid) is None
    assert other.candidate.problem.endswith("the term is no number")
    again = leader.candidate.on_read(invalid)
    assert again is not None
    assert again.fencing_token == held.fencing_token
    assert leader.candidate.leads


def test_nobody_takes_an_invalid_record_for_an_empty_store() -> None:
    fresh = Voter()
    invalid = LeaseState(None, 1, problem="the term is no number")
    assert fresh.candidate.on_read(invalid) is None
    fresh.clock.now += 29.9
    assert fresh.candidate.on_read(invalid) is None
    fresh.clock.now += 0.1
    assert fresh.candidate.on_read(invalid) is not None


def test_a_term_far_above_all_known_ones_is_not_believed() -> None:
    voter = Voter(file=Claim(7, "another"))
    assert voter.sees(record("b", fencing_token=7 + MAX_STEP + 1, released=True)) is None
    assert "more than 2^32 above 7" in voter.candidate.problem
    assert voter.candidate.leader is None
    voter.clock.now += 30.0
    wanted = voter.sees(record("b", fencing_token=7 + MAX_STEP + 1, released=True))
    assert wanted is not None
    assert wanted.fencing_token == 8
    assert voter.sees(record("b", fencing_token=7 + MAX_STEP, beat="2")) is None
    assert not voter.candidate.problem
    assert voter.candidate.leader is not None


def test_a_leader_is_not_impressed_by_a_term_far_above_its_own() -> None:
    voter = Voter()
    held = voter.takes()
    again = voter.sees(record("b", fencing_token=held.fencing_token + MAX_STEP + 1))
    assert voter.candidate.leads
    assert again is not None
    assert again.fencing_token == held.fencing_token


def test_nobody_is_elected_when_all_terms_are_used_up() -> None:
    voter = Voter(file=Claim(MAX_NUMBER, "another"))
    for _ in range(3):
        assert voter.sees(record("b", fencing_token=MAX_NUMBER, released=True)) is None
        voter.clock.now += 40.0
    assert "used up" in voter.candidate.problem


# --- a candidate that would lead badly


def test_a_candidate_that_hesitates_leads_only_when_nobody_else_has_for_a_lease() -> None:
    voter = Voter()
    voter.hesitates = True
    free = record("b", fencing_token=7, released=True)
    assert voter.sees(free) is None
    voter.clock.now += 29.0
    assert voter.sees(free) is None
    assert voter.sees(record("c", fencing_token=8)) is None  # another one took it, and dies
    voter.clock.now += 30.0
    assert voter.sees(record("c", fencing_token=8)) is None
    voter.clock.now += 29.9
    assert voter.sees(record("c", fencing_token=8)) is None
    voter.clock.now += 0.1
    assert voter.takes(record("c", fencing_token=8)).fencing_token == 9


def test_a_candidate_that_no_longer_hesitates_takes_a_free_lease_at_once() -> None:
    voter = Voter()
    voter.hesitates = True
    free = record("b", fencing_token=7, released=True)
    assert voter.sees(free) is None
    voter.hesitates = False
    assert voter.sees(free) is not None


def test_the_lease_clock_never_goes_back() -> None:
    first = lease_clock()
    assert lease_clock() >= first
