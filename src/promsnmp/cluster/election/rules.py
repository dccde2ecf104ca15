"""What an election is: the rules of one candidate, without I/O and with the clock given.

All replicas share a *register* of one record: who leads, in which term, and whether that was given up. A candidate
reads it, and writes by compare-and-set. That alone does not keep two leaders apart, since a leader may be asleep while
its lease ends; so time is counted as client-go's leader election counts it (tools/leaderelection), by one's own clock:

- The leader believes that it leads until ``duration`` less a margin after the moment *before* its last renewal left.
- Anybody else waits ``duration`` after the moment *after* it saw the register change, unless the leader gave it up.

Each time that somebody takes the lead, the *term* grows: past that of the record, past any that this candidate saw, and
past ``min_token``, which is the term in the inventory file.

Why there are never two leaders:

1. A candidate takes the lead over what it has seen unchanged since a moment S, ``duration`` ago. What it saw is the
   only one of its kind: each write makes a new ``beat``, an empty register has one, too, and a server that may have
   lost writes (restarted, failed over) has another name, ``store``. Both are compared when the record is written, so
   no other write was accepted between S and then. Every earlier lease is counted from before its write was sent, so
   from before S, and ends after ``duration - margin`` by its leader's clock. That is earlier than S + ``duration`` by
   the candidate's clock while clocks run at speeds between 1 - e and 1 + e, and
   ``(duration - margin) / (1 - e) < duration / (1 + e)``: with a margin of a tenth, while e is at most 5 %.
2. Every change starts the wait again, also a change to an earlier term than one that this candidate saw. Whoever wrote
   it may lead: the later term may have been written by a process that never got an answer, and then been lost.
3. Nobody waits for a leader that gave the lead up, nor for its own record. Both count only if no write can have come
   after them: they are on the server that they were written to, and there is no later term. Elsewhere everybody waits,
   and a leader that steps down does not write that it did.
4. Nothing else makes a leader: no answer that is late or lost, no process that wakes up. An election that is forced
   makes the leader step down once it reads that; until it says so, the others wait as ever.

What this takes for granted: all replicas have one ``duration`` (a longer one counts if it was seen). The clock runs
while processes sleep, and machines. A Redis that was replaced because it could not be reached stops to take writes
no later than it is replaced. And the first leader of all, which does not wait: a candidate that reads an empty
register, never saw another record and finds no term in the file takes it that nobody has ever led.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from promsnmp.errors import NotLeader

Clock = Callable[[], float]


def lease_clock() -> float:
    """Seconds of a clock that never jumps, and that counts the time in which the machine was suspended, too.

    That is CLOCK_BOOTTIME (clock_gettime(2)); elsewhere than on Linux the monotonic clock. All processes of one machine
    read the same.
    """
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds: how long a lease is, how often it is renewed, how often everyone looks."""

    duration: float = 30.0
    renew: float = 10.0
    read_interval: float = 1.0

    @property
    def margin(self) -> float:
        """How much earlier than its lease's end a leader stops: for clocks of unequal speed, and for stopping."""
        return self.duration / 10


@dataclass(frozen=True, slots=True)
class LeaseRecord:
    """What the register holds of a leader."""

    holder: str
    """The replica's name."""
    instance: str
    """Tells processes apart, also those that have one name."""
    address: str
    """``host:port`` at which the others reach the leader."""
    fencing_token: int
    duration: float
    """Seconds of the leader's lease, by its own settings."""
    released: bool = False
    """The leader has given it up: nobody leads."""
    beat: str = ""
    """Another one after each write, never used before; set by the register."""
    store: str = ""
    """The server that took it in, as ``LeaseState.store``; set by the register."""


def vacancy(beat: str, store: str = "") -> LeaseRecord:
    """What an empty register holds: given up, in term 0. ``beat`` is another one each time that it is emptied."""
    return LeaseRecord("", "", "", 0, 0.0, released=True, beat=beat, store=store)


@dataclass(frozen=True, slots=True)
class LeaseState:
    """The register as it was read; ``version`` is what a write is compared with."""

    record: LeaseRecord | None
    """None: nothing, and the register could not be marked as empty (see ``vacancy``)."""
    version: object = None
    forced: bool = False
    """Somebody took the leader's name out of the register by hand: there is to be an election."""
    store: str = ""
    """The server that was read: another one after a restart or a failover, when writes may have been lost. Empty where
    none ever are."""

    @property
    def fencing_token(self) -> int:
        return 0 if self.record is None else self.record.fencing_token

    @property
    def is_held(self) -> bool:
        """Somebody has the lead, and has not given it up."""
        return self.record is not None and not self.record.released

    def is_of(self, instance: str) -> bool:
        return self.record is not None and self.record.instance == instance

    def changed_from(self, before: LeaseState | None) -> bool:
        return before is None or (self.record, self.store) != (before.record, before.store)


class Candidate:
    """One replica's part in the election.

    ``on_read`` is called with what was read and says what to write, ``on_written`` with what was accepted. Any thread
    may ask ``leads`` and ``fencing_token``.
    """

    def __init__(
        self,
        me: LeaseRecord,
        timing: Timing,
        *,
        min_token: Callable[[], int] = lambda: 0,
        eligible: Callable[[], bool] = lambda: True,
        clock: Clock = lease_clock,
    ) -> None:
        """``me`` carries name, instance and address; its other fields are set here. ``eligible`` says whether it may be
        elected now."""
        self.timing = timing
        self.reason = "not elected yet"
        """Why it does not lead, for people."""
        self.own_token = 0
        """Of the last lead of its own."""
        self.renewed_at = -math.inf
        """By the clock, just before the last successful renewal was sent."""
        self.lost_at = -math.inf
        """When it stopped leading for the last time; by the clock."""
        self.changed_at = -math.inf
        """When the register was last seen to change: somebody took, renewed or gave up the lead."""
        self.leader: LeaseRecord | None = None
        """The record of whoever leads, as last seen; None when nobody does."""
        self._me = replace(me, duration=timing.duration, released=False, beat="")
        self._min_token = min_token
        self._eligible = eligible
        self._clock = clock
        self._lease_end = -math.inf
        self._leading = False
        self._last_record: LeaseState | None = None
        self._highest_token = 0
        """The highest term that is known of."""
        self._others_lead_until = -math.inf
        """Until then somebody else may believe that it leads."""
        self._abstains_until = -math.inf
        """Until then the lead is left to others."""

    @property
    def lease_end(self) -> float:
        """When this candidate stops believing that it leads, unless it renews; by the clock."""
        return self._lease_end

    @property
    def leads(self) -> bool:
        """Whether it leads at this moment."""
        return self._leading and self._clock() < self._lease_end

    def fencing_token(self) -> int:
        """The number of the present term. Raises NotLeader when this candidate does not lead at this moment."""
        if not self.leads:
            raise NotLeader("not written: this replica is not the leader (any more); try again")
        return self.own_token

    # ------------------------------------------------------------------------------------------------ what was read

    def on_read(self, state: LeaseState) -> LeaseRecord | None:
        """Takes in what was read just now; returns the record to write, None for nothing."""
        now = self._clock()
        self.expire()
        self._note_record(state, now)
        if self._leading and (problem := self._reason_to_stop(state)):
            self.step_down(problem)
        mine = replace(self._me, fencing_token=self.own_token)
        if self._leading:
            is_due = now - self.renewed_at >= self.timing.renew
            return mine if is_due or self._has_forgotten(state) else None
        record, is_free = state.record, self._is_free(state)
        self.leader = record if state.is_held and not state.is_of(self._me.instance) else None
        if now < self._abstains_until:
            return replace(record, released=True) if record and state.is_held and is_free else None
        may_take = is_free or now >= self._others_lead_until
        return replace(mine, fencing_token=self._highest_token + 1) if may_take and self._eligible() else None

    def expire(self) -> bool:
        """Notices that the lease has run out without a renewal; whether it has, just now."""
        if not self._leading or self._clock() < self._lease_end:
            return False
        self._lose("its lease could not be renewed in time")
        return True

    def _note_record(self, state: LeaseState, now: float) -> None:
        """Works out how long somebody else may believe that it leads."""
        last, self._last_record = self._last_record, state
        if state.changed_from(last):
            records = [one.record for one in (state, last) if one is not None and one.record is not None]
            longest = max([self.timing.duration, *(one.duration for one in records)])
            self._others_lead_until = max(self._others_lead_until, now + longest)
            if state.fencing_token:
                self.changed_at = now
            elif last is not None and last.record is not None:  # emptied: there may have been a leader, not seen here
                self._highest_token = max(self._highest_token, 1)
        self._highest_token = max(self._highest_token, self._min_token(), state.fencing_token)

    def _reason_to_stop(self, state: LeaseState) -> str:
        """Why this candidate cannot go on leading; empty when it can."""
        record = state.record
        if self._min_token() > self.own_token:
            return f"the inventory was written in term {self._min_token()}, after its own"
        if record is None or record.fencing_token < self.own_token:
            return ""  # forgotten, since nobody takes the lead before this lease has ended
        if record.instance != self._me.instance or record.fencing_token != self.own_token:
            return f"{record.holder} took the lead"
        return "an election was forced" if state.forced or record.released else ""

    def _has_forgotten(self, state: LeaseState) -> bool:
        """Whether the register lost what was written after this, or may have."""
        return state.fencing_token < self._highest_token or (
            state.record is not None and state.record.store != state.store
        )

    def _is_free(self, state: LeaseState) -> bool:
        """Whether nobody else can believe that it leads, however short the time since the last change."""
        if self._has_forgotten(state):
            return False
        if state.is_of(self._me.instance):
            return (
                state.fencing_token == self.own_token or state.fencing_token > self._min_token()
            )  # else somebody else led in that term
        return not state.is_held

    # --------------------------------------------------------------------------------------------- what was written

    def on_written(self, record: LeaseRecord, *, sent_at: float) -> None:
        """``record`` was accepted by the register; ``sent_at`` was read from the clock just before it was sent."""
        if record.released or (self._leading and record.fencing_token != self.own_token):
            return
        if record.fencing_token != self.own_token and record.fencing_token <= self._min_token():
            return  # somebody else led in that term: it is in the file
        self._highest_token = max(self._highest_token, record.fencing_token)
        now, lease_end = self._clock(), sent_at + self.timing.duration - self.timing.margin
        if now >= lease_end or now < self._abstains_until:
            return  # it came too late, or the lead was given up while it was under way
        self.own_token, self.renewed_at, self._lease_end, self._leading = record.fencing_token, sent_at, lease_end, True
        self.leader, self.reason = record, ""

    # ----------------------------------------------------------------------------------------------------- giving up

    def step_down(self, reason: str, *, abstain_for: float | None = None) -> None:
        """Stops leading, at once, and leaves the lead to others for ``abstain_for`` seconds (default: five looks).

        What is read next is answered with the record that gives the lead up.
        """
        self._abstains_until = self._clock() + (5 * self.timing.read_interval if abstain_for is None else abstain_for)
        if self._leading:
            self._lose(reason)

    def _lose(self, reason: str) -> None:
        self.lost_at = min(self._clock(), self._lease_end)
        self._leading = False
        self._lease_end = -math.inf
        self.leader, self.reason = None, reason
