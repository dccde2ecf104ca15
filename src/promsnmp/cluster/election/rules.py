"""The rules of leader election for one candidate: no I/O, and the clock is an argument.

All replicas share a *lease store* of one record: who leads, with which fencing token, and whether that leader released
the lease. A candidate reads the record, and writes it by compare-and-set. That alone does not prevent two leaders,
since a leader may be asleep while its lease ends. So each candidate measures time by its own clock, as client-go's
leader election does (tools/leaderelection):

- The leader believes that it leads until ``duration`` less a margin after the moment *before* it sent its last renewal.
- Every other candidate waits for ``duration`` from the moment *after* it saw the record change, unless the leader
  released the lease.

Each new leadership has a higher *fencing token* (``term`` in the stored record and in the log): higher than that of the
record, than any that this candidate saw, and than ``min_token``, which is the token in the inventory file.

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
   lost.
3. No candidate waits for a leader that released the lease, or because of its own record. Both count only if no write
   can have followed: the record is on the server that it was written to, and no higher token is known. In all other
   cases every candidate waits, and a leader that steps down writes no release.
4. Nothing else makes a leader: not an answer that is late or lost, not a process that wakes up. A forced election makes
   the leader step down when it reads that; until it has released the lease, the others wait as usual.

Assumptions: all replicas have one ``duration`` (a longer one counts if it was seen). The clock keeps running while
processes sleep and while machines are suspended. A Redis that was replaced because it could not be reached stops
accepting writes no later than it is replaced. And the very first leader does not wait: a candidate that reads an empty
store, never saw another record and finds no token in the file assumes that nobody has ever led.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from promsnmp.errors import NotLeader

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
class LeaseRecord:
    """What the lease store holds about a leader."""

    holder: str
    """The replica's name."""
    instance: str
    """Identifies the process; two processes may have the same name."""
    address: str
    """``host:port`` at which the others reach the leader."""
    fencing_token: int
    duration: float
    """Seconds of the leader's lease, by its own settings."""
    released: bool = False
    """The leader released the lease: nobody leads."""
    beat: str = ""
    """Unique for each write; set by the lease store."""
    store: str = ""
    """The server that accepted it, as ``LeaseState.store``; set by the lease store."""
    mac: str = ""
    """Signature of the replica that wrote it (signed_store.py)."""


def vacancy(beat: str, store: str = "") -> LeaseRecord:
    """The record of an empty lease store: released, token 0. ``beat`` differs each time that the store is emptied."""
    return LeaseRecord("", "", "", 0, 0.0, released=True, beat=beat, store=store)


@dataclass(frozen=True, slots=True)
class LeaseState:
    """What was read from the lease store; a write is compared with ``version``."""

    record: LeaseRecord | None
    """None when the store has no record and could not be marked as empty (see ``vacancy``)."""
    version: object = None
    forced: bool = False
    """Somebody removed the leader's name from the store by hand, to force an election."""
    store: str = ""
    """The server that was read: another one after a restart or a failover, when writes may have been lost. Empty for a
    store that never loses writes."""

    @property
    def fencing_token(self) -> int:
        return 0 if self.record is None else self.record.fencing_token

    @property
    def is_held(self) -> bool:
        """Whether a replica leads and has not released the lease."""
        return self.record is not None and not self.record.released

    def is_of(self, instance: str) -> bool:
        return self.record is not None and self.record.instance == instance

    def changed_from(self, before: LeaseState | None) -> bool:
        return before is None or (self.record, self.store) != (before.record, before.store)


class Candidate:
    """One replica's part in the election.

    The runner calls ``on_read`` with what it read, writes the record that this returns, and calls ``on_written`` when
    the store accepted it. ``leads`` and ``fencing_token`` may be called from any thread.
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
        """``me`` has name, instance and address; the other fields are set here. ``eligible`` returns whether this
        candidate may be elected now."""
        self.timing = timing
        self.reason = "not elected yet"
        """Why this candidate does not lead, for people."""
        self.own_token = 0
        """The fencing token of its last leadership."""
        self.renewed_at = -math.inf
        """By the clock, just before the last successful renewal was sent."""
        self.lost_at = -math.inf
        """When it last stopped leading; by the clock."""
        self.changed_at = -math.inf
        """When this candidate last saw the record change: a replica took over, renewed or released the lease."""
        self.leader: LeaseRecord | None = None
        """The leader's record, as last seen; None without a leader."""
        self._me = replace(me, duration=timing.duration, released=False, beat="")
        self._min_token = min_token
        self._eligible = eligible
        self._clock = clock
        self._lease_end = -math.inf
        self._leading = False
        self._last_record: LeaseState | None = None
        self._highest_token = 0
        """The highest fencing token known."""
        self._others_lead_until = -math.inf
        """Until then another replica may believe that it leads."""
        self._abstains_until = -math.inf
        """Until then this candidate does not try to lead."""

    @property
    def lease_end(self) -> float:
        """When this candidate stops believing that it leads, unless it renews; by the clock."""
        return self._lease_end

    @property
    def leads(self) -> bool:
        """Whether this candidate leads at this moment."""
        return self._leading and self._clock() < self._lease_end

    def fencing_token(self) -> int:
        """The fencing token of the present leadership. Raises NotLeader when this candidate does not lead now."""
        if not self.leads:
            raise NotLeader("not written: this replica is not the leader (any more); try again")
        return self.own_token

    # ------------------------------------------------------------------------------------------------ what was read

    def on_read(self, state: LeaseState) -> LeaseRecord | None:
        """Handles what was read just now; returns the record to write, or None."""
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
        """Stops leading when the lease ran out without a renewal; returns whether that happened just now."""
        if not self._leading or self._clock() < self._lease_end:
            return False
        self._lose("its lease could not be renewed in time")
        return True

    def _note_record(self, state: LeaseState, now: float) -> None:
        """Computes how long another replica may believe that it leads."""
        last, self._last_record = self._last_record, state
        if state.changed_from(last):
            records = [one.record for one in (state, last) if one is not None and one.record is not None]
            longest = max([self.timing.duration, *(one.duration for one in records)])
            self._others_lead_until = max(self._others_lead_until, now + longest)
            if state.fencing_token:
                self.changed_at = now
            elif last is not None and last.record is not None:  # emptied: an unseen leader is possible
                self._highest_token = max(self._highest_token, 1)
        self._highest_token = max(self._highest_token, self._min_token(), state.fencing_token)

    def _reason_to_stop(self, state: LeaseState) -> str:
        """Why this candidate must stop leading; empty when it need not."""
        record = state.record
        if self._min_token() > self.own_token:
            return f"the inventory was written in term {self._min_token()}, after its own"
        if record is None or record.fencing_token < self.own_token:
            return ""  # the store lost data: nobody takes over before this lease has ended
        if record.instance != self._me.instance or record.fencing_token != self.own_token:
            return f"{record.holder} took over the leadership"
        return "an election was forced" if state.forced or record.released else ""

    def _has_forgotten(self, state: LeaseState) -> bool:
        """Whether the store lost writes that followed this one, or may have."""
        return state.fencing_token < self._highest_token or (
            state.record is not None and state.record.store != state.store
        )

    def _is_free(self, state: LeaseState) -> bool:
        """Whether no other replica can believe that it leads, however recent the last change."""
        if self._has_forgotten(state):
            return False
        if state.is_of(self._me.instance):
            return (
                state.fencing_token == self.own_token or state.fencing_token > self._min_token()
            )  # otherwise another replica led with that token
        return not state.is_held

    # --------------------------------------------------------------------------------------------- what was written

    def on_written(self, record: LeaseRecord, *, sent_at: float) -> None:
        """The store accepted ``record``; ``sent_at`` is the clock just before it was sent."""
        if record.released or (self._leading and record.fencing_token != self.own_token):
            return
        if record.fencing_token != self.own_token and record.fencing_token <= self._min_token():
            return  # another replica led with that token: it is in the file
        self._highest_token = max(self._highest_token, record.fencing_token)
        now, lease_end = self._clock(), sent_at + self.timing.duration - self.timing.margin
        if now >= lease_end or now < self._abstains_until:
            return  # the answer came too late, or this candidate stepped down meanwhile
        self.own_token, self.renewed_at, self._lease_end, self._leading = record.fencing_token, sent_at, lease_end, True
        self.leader, self.reason = record, ""

    # ----------------------------------------------------------------------------------------------------- step down

    def step_down(self, reason: str, *, abstain_for: float | None = None) -> None:
        """Stops leading at once, and does not try to lead for ``abstain_for`` seconds (default: five reads).

        The next ``on_read`` returns the record that releases the lease.
        """
        self._abstains_until = self._clock() + (5 * self.timing.read_interval if abstain_for is None else abstain_for)
        if self._leading:
            self._lose(reason)

    def _lose(self, reason: str) -> None:
        self.lost_at = min(self._clock(), self._lease_end)
        self._leading = False
        self._lease_end = -math.inf
        self.leader, self.reason = None, reason
