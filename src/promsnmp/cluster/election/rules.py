"""The rules of leader election for one candidate: no I/O, and the clock is an argument.

All replicas share a *lease store* of one record: who leads, with which fencing token, and whether that leader released
the lease. A candidate reads the record, and writes it by compare-and-set: then it is *elected*. That alone does not
prevent two leaders, since a leader may be asleep while its lease ends. So each candidate measures time by its own
clock, as client-go's leader election does (tools/leaderelection):

- The leader believes that it leads until ``duration`` less a margin after the moment *before* it sent its last renewal.
- Every other candidate waits for ``duration`` from the moment *after* it saw a change, unless the leader released the
  lease.

An elected candidate leads only when its *claim*, term and process, is in the inventory file. It writes the claim under
the lock of the file, and only if the file has no later claim than the one that its election follows (``after``).

Each new leadership has a higher *fencing token* (``term`` in the stored record, in the file and in the log): higher
than that of the record, than any that this candidate saw, and than that of the claim in the file. A candidate that
stopped leading, or lost its lease before it led, never uses that token again, whatever the lease store answers: a late
or false answer to a renewal that it had sent before counts for nothing, and it takes the lease with the next token.

Why there are never two leaders:

1. A candidate takes over when what it sees has not changed since a moment S, ``duration`` ago. What it sees is unique:
   each write makes a new ``beat``, an empty store has one, too, and a server that may have lost writes (restarted,
   failed over) has another name, ``store``. The write compares both, so no other write was accepted between S and
   then. Every earlier lease is counted from before its write was sent, so from before S, and ends after
   ``duration - margin`` by its leader's clock. That is earlier than S + ``duration`` by the candidate's clock while
   clocks run at speeds between 1 - e and 1 + e, and ``(duration - margin) / (1 - e) < duration / (1 + e)``: with a
   margin of a tenth, while e is at most 5 %.
2. Every change starts the wait again, also a change to a lower token than one that this candidate saw. Whoever wrote
   the lower token may lead: the higher one may have been written by a process that never got an answer, and then been
   lost. A new claim in the file is a change, too.
3. No candidate waits for a leader that released the lease, or because of its own record. Both count only if no write
   can have followed: the record is on the server that it was written to, no higher token is known, and the file has no
   later claim. In all other cases every candidate waits, and a leader that steps down writes no release.
4. Nothing else makes a leader: not an answer that is late or lost, not a process that wakes up. A forced election makes
   the leader step down when it reads that; until it has released the lease, the others wait as usual.
5. Two candidates never lead in one term, and none follows a released record that a leader has followed already,
   whatever the lease store returns: the file has one claim, and the second candidate finds the first one's. It does
   not lead then, and everybody waits.

Assumptions: all replicas have one ``duration`` (a longer one counts if it was seen). The clock keeps running while
processes sleep and while machines are suspended. A Redis that was replaced because it could not be reached stops
accepting writes no later than it is replaced. Rule 1 needs a lease store that does not go back unnoticed: without the
names of servers (INFO of Redis is not allowed, or a proxy answers it) a renewal may be lost unseen, and then a leader
may be followed before it has noticed; each of the two has its own term, and only the later one can write.

What the lease store returns is not trusted: an invalid record, and one whose term is too far above every known one
(``MAX_STEP``), counts as lost. The leader writes its record again, and without a leader all wait for a lease.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from promsnmp.cluster.election.lease import MAX_STEP, LeaseRecord, LeaseState
from promsnmp.errors import NotLeader
from promsnmp.support.claim import MAX_NUMBER, Claim

Clock = Callable[[], float]


def lease_clock() -> float:
    """Seconds of a clock that never jumps, and that keeps counting while the machine is suspended.

    CLOCK_BOOTTIME (clock_gettime(2)) on Linux, the monotonic clock elsewhere. All processes of a machine read the same
    clock.
    """
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds: how long a lease lasts, how often the leader renews it, how often every candidate reads it."""

    duration: float = 30.0
    renew: float = 10.0
    read_interval: float = 1.0

    @property
    def margin(self) -> float:
        """How long before the end of its lease a leader stops: for clocks of unequal speed, and for stopping."""
        return self.duration / 10


@dataclass(frozen=True, slots=True)
class WantedClaim:
    """A claim for the inventory file, which may be written unless the file has a later one than ``after``."""

    claim: Claim
    after: Claim


class Candidate:
    """One replica's part in the election.

    The runner calls ``on_read`` with what it read, writes the record that this returns, and calls ``on_written`` when
    the store accepted it. Then it writes ``wanted_claim`` into the file, and calls ``on_claimed`` or
    ``on_claim_refused``. ``leads``, ``claim`` and ``check_elected`` may be called from any thread.
    """

    def __init__(
        self,
        me: LeaseRecord,
        timing: Timing,
        *,
        claim_in_file: Callable[[], Claim] = Claim,
        eligible: Callable[[], bool] = lambda: True,
        hesitates: Callable[[], bool] = lambda: False,
        clock: Clock = lease_clock,
    ) -> None:
        """``me`` has name, instance and address; the other fields are set here. ``claim_in_file`` returns the last
        known claim in the inventory file, ``eligible`` whether this candidate may be elected now, and ``hesitates``
        whether it leaves the lease to others until nobody has taken it for a whole lease."""
        self.timing = timing
        self.reason = "not elected yet"
        """Why this candidate does not lead, for people."""
        self.problem = ""
        """What is wrong with the record that was read last, or with the terms; empty when nothing is."""
        self.own_token = 0
        self.leader: LeaseRecord | None = None
        """Who leads, as far as is known; this candidate when it leads."""
        self.renewed_at = -math.inf
        """When this candidate sent its last accepted renewal; by the clock, as all moments here."""
        self.changed_at = -math.inf
        """When the record of a leader was last seen to change."""
        self.lost_at = -math.inf
        """When this candidate last stopped leading."""
        self._me = replace(me, duration=timing.duration)
        self._claim_in_file = claim_in_file
        self._eligible = eligible
        self._hesitates = hesitates
        self._clock = clock
        self._lease_end = -math.inf
        self._elected = False
        self._claimed = False
        self._after = Claim()
        """The claim that the election of this candidate follows."""
        self._refused_token = 0
        """The highest own token whose claim was refused: whoever made the other claim may lead."""
        self._last_seen: tuple[LeaseState, Claim] | None = None
        self._highest_token = 0
        """The highest fencing token known."""
        self._others_lead_until = -math.inf
        """Until then another replica may believe that it leads."""
        self._abstains_until = -math.inf
        """Until then this candidate does not try to lead."""
        self._vacant_since = math.inf
        """Since then anybody could take the lease, and nobody has."""

    @property
    def installation(self) -> str:
        """The installation of this replica; empty when unknown."""
        return self._me.installation

    @property
    def lease_end(self) -> float:
        """When this candidate stops believing that it leads, unless it renews; by the clock."""
        return self._lease_end

    @property
    def is_elected(self) -> bool:
        """Whether this candidate holds the lease at this moment. It leads when its claim is in the file, too."""
        return self._elected and self._clock() < self._lease_end

    @property
    def leads(self) -> bool:
        """Whether this candidate leads at this moment."""
        return self._claimed and self.is_elected

    def claim(self) -> Claim:
        """The claim of the present leadership. Raises NotLeader when this candidate does not lead now."""
        if not self.leads:
            raise NotLeader("not written: this replica is not the leader (any more); try again")
        return self._me_as(self.own_token).claim

    # ------------------------------------------------------------------------------------------------ what was read

    def on_read(self, state: LeaseState) -> LeaseRecord | None:
        """Handles what was read just now; returns the record to write, or None."""
        now, claim = self._clock(), self._claim_in_file()
        self.expire()
        state = self._checked(state, claim)
        self._note_change(state, claim, now)
        if (wanted := self.wanted_claim) is not None and claim != wanted.claim and claim.is_later_than(wanted.after):
            self.on_claim_refused(claim)
        if self._elected and (problem := self._reason_to_stop(state, claim)):
            self.step_down(problem)
        if self._elected:
            is_due = now - self.renewed_at >= self.timing.renew
            return self._me_as(self.own_token) if is_due or self._has_forgotten(state) else None
        record, is_free = state.record, self._is_free(state, claim)
        self.leader = record if state.is_held and not state.is_of(self._me.instance) else None
        if now < self._abstains_until:
            return replace(record, released=True) if record and state.is_held and is_free else None
        if not self._takes_over(is_free or now >= self._others_lead_until, now):
            return None
        self._after = record.claim if record is not None and is_free else claim
        return self._me_as(self._highest_token + 1)

    def expire(self) -> bool:
        """Stops leading when the lease ran out without a renewal; returns whether that happened just now."""
        if not self._elected or self._clock() < self._lease_end:
            return False
        self._lose("its lease could not be renewed in time")
        return True

    def _me_as(self, fencing_token: int) -> LeaseRecord:
        return replace(self._me, fencing_token=fencing_token)

    def _checked(self, state: LeaseState, claim: Claim) -> LeaseState:
        """``state``, without its record when that is not to be believed; notes the problem."""
        known = max(self._highest_token, claim.term)
        if state.fencing_token > known + MAX_STEP:
            text = f"the term {state.fencing_token} is more than 2^32 above {known}, the highest one known here"
            state = replace(state, record=None, problem=text)
        self.problem = f"the leader's record is invalid and counts as lost: {state.problem}" if state.problem else ""
        if known >= MAX_NUMBER:
            self.problem = "no further term: all terms up to 2^62 are used up"
        return state

    def _note_change(self, state: LeaseState, claim: Claim, now: float) -> None:
        """Computes how long another replica may believe that it leads."""
        (last, last_claim), self._last_seen = self._last_seen or (None, None), (state, claim)
        is_new_claim = claim != last_claim and claim.instance != self._me.instance
        if is_new_claim or state.changed_from(last):
            records = [one.record for one in (state, last) if one is not None and one.record is not None]
            longest = max([self.timing.duration, *(one.duration for one in records)])
            self._others_lead_until = max(self._others_lead_until, now + longest)
        if state.changed_from(last):
            if state.fencing_token:
                self.changed_at = now
            elif last is not None and last.record is not None:  # emptied: an unseen leader is possible
                self._highest_token = max(self._highest_token, 1)
        self._highest_token = max(self._highest_token, claim.term, state.fencing_token)

    def _reason_to_stop(self, state: LeaseState, claim: Claim) -> str:
        """Why this candidate must stop leading; empty when it need not."""
        record, mine = state.record, self._me_as(self.own_token).claim
        if claim.is_later_than(mine):
            return f"another replica claimed term {claim.term} in the inventory file"
        if record is None or record.fencing_token < self.own_token:
            return ""  # the store lost data: nobody takes over before this lease has ended
        if record.claim != mine:
            return f"{record.holder} took over the leadership"
        return "an election was forced" if state.forced or record.released else ""

    def _has_forgotten(self, state: LeaseState) -> bool:
        """Whether the store lost writes that followed this one, or may have."""
        return (
            bool(state.problem)
            or state.fencing_token < self._highest_token
            or (state.record is not None and state.record.store != state.store)
        )

    def _is_free(self, state: LeaseState, claim: Claim) -> bool:
        """Whether no other replica can believe that it leads, however recent the last change."""
        record = state.record
        if self._has_forgotten(state) or (record is not None and claim.is_later_than(record.claim)):
            return False
        if state.is_of(self._me.instance):
            return state.fencing_token > self._refused_token
        return not state.is_held

    def _takes_over(self, is_vacant: bool, now: float) -> bool:
        """Whether to try to lead now; ``is_vacant``: no other replica can believe that it leads."""
        self._vacant_since = min(self._vacant_since, now) if is_vacant else math.inf
        if not is_vacant or self._highest_token >= MAX_NUMBER or not self._eligible():
            return False
        return not self._hesitates() or now - self._vacant_since >= self.timing.duration

    # --------------------------------------------------------------------------------------------- what was written

    def on_written(self, record: LeaseRecord, *, sent_at: float) -> None:
        """The store accepted ``record``; ``sent_at`` is the clock just before it was sent."""
        self.expire()
        is_renewal = self._elected and record.fencing_token == self.own_token
        if record.released or not (is_renewal or self._may_be_elected_by(record)):
            return
        self._highest_token = max(self._highest_token, record.fencing_token)
        now, lease_end = self._clock(), sent_at + self.timing.duration - self.timing.margin
        if now >= lease_end or now < self._abstains_until:
            return  # the answer came too late, or this candidate stepped down meanwhile
        self.own_token, self.renewed_at, self._lease_end, self._elected = record.fencing_token, sent_at, lease_end, True
        if not is_renewal:
            self._claimed, self.leader, self.reason = False, None, "its claim is not in the inventory file yet"
        elif self._claimed:
            self.leader, self.reason = record, ""

    def _may_be_elected_by(self, record: LeaseRecord) -> bool:
        """Whether ``record`` begins a new leadership: not with a token that this candidate had before and lost."""
        return not self._elected and record.fencing_token > self.own_token

    # ------------------------------------------------------------------------------------------- claims in the file

    @property
    def wanted_claim(self) -> WantedClaim | None:
        """The claim that this candidate must write before it leads; None when it is not elected, or leads already."""
        if self._claimed or not self.is_elected:
            return None
        return WantedClaim(self._me_as(self.own_token).claim, self._after)

    def check_elected(self, claim: Claim) -> None:
        """Raises NotLeader when the lease in which ``claim`` is to be written has ended."""
        if not self.is_elected or claim.term != self.own_token:
            raise NotLeader(f"not written: the lease of term {claim.term} has ended")

    def on_claimed(self, claim: Claim) -> None:
        """``claim`` is in the file, and this candidate leads if it is elected still."""
        if claim.term == self.own_token and self.is_elected and not self._claimed:
            self._claimed, self.leader, self.reason = True, self._me_as(self.own_token), ""

    def on_claim_refused(self, found: Claim) -> None:
        """The file has ``found``, a later claim than expected: its replica may lead, so this one waits for a lease."""
        now = self._clock()
        self._refused_token = max(self._refused_token, self.own_token)
        self._highest_token = max(self._highest_token, found.term)
        self._others_lead_until = max(self._others_lead_until, now + self.timing.duration)
        if self._elected and not self._claimed:
            self.step_down(f"another replica claimed term {found.term} in the inventory file first")

    # ----------------------------------------------------------------------------------------------------- step down

    def step_down(self, reason: str, *, abstain_for: float | None = None) -> None:
        """Stops leading at once, and does not try to lead for ``abstain_for`` seconds (default: five reads).

        The next ``on_read`` returns the record that releases the lease.
        """
        self._abstains_until = self._clock() + (5 * self.timing.read_interval if abstain_for is None else abstain_for)
        if self._elected:
            self._lose(reason)

    def _lose(self, reason: str) -> None:
        self.lost_at = min(self._clock(), self._lease_end)
        self._elected = False
        self._lease_end = -math.inf
        self.leader, self.reason = None, reason
