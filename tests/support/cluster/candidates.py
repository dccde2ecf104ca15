"""Candidates that are driven by hand: one lease store, one clock, and the claim in one inventory file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from promsnmp.cluster.election.lease import LeaseRecord
from promsnmp.cluster.election.rules import Candidate, Timing
from promsnmp.support.claim import Claim
from tests.support.cluster.simulated import SimulatedLeaseStore

TIMING = Timing(duration=30.0, renew=10.0, read_interval=1.0)


class Candidates:
    """Candidates that share one lease store, one clock, and the claim in one file.

    All know the claim at once, except those in ``behind``, which know what they knew then.
    """

    def __init__(self) -> None:
        self.now = 1000.0
        self.memory = SimulatedLeaseStore()
        self.file = Claim()
        self.candidates: list[Candidate] = []
        self.cannot_write = False
        self.behind: dict[str, Claim] = {}
        """The claim that a replica knows, by name."""

    def join(self, name: str, *, duration: float = 30.0) -> Candidate:
        me = LeaseRecord(name, f"instance {len(self.candidates)}", f"{name}:8080", 0, duration)
        timing = Timing(duration, TIMING.renew, TIMING.read_interval)
        made = Candidate(me, timing, claim_in_file=lambda: self.behind.get(name, self.file), clock=lambda: self.now)
        self.candidates.append(made)
        return made

    @property
    def leaders(self) -> list[Candidate]:
        return [one for one in self.candidates if one.leads]

    def wait(self, seconds: float) -> None:
        self.now += seconds

    def look(self, one: Candidate, *, answered: bool = True) -> None:
        """One round. Without ``answered``, the write arrives and its answer is lost."""
        with self.looking(one) as arrives:
            if arrives and answered:
                self.answer(one, arrives[0])

    @contextmanager
    def looking(self, one: Candidate) -> Iterator[list[LeaseRecord]]:
        """One round that leaves the answer to the block; yields the accepted record, if there is one."""
        state = self.memory.read()
        record = one.on_read(state)
        yield [record] if record is not None and self.memory.write(record, state) else []
        self.check()

    def answer(self, one: Candidate, record: LeaseRecord) -> None:
        one.on_written(record, sent_at=self.now)
        self.claim(one)

    def claim(self, one: Candidate) -> None:
        """Writes the candidate's claim into the file, unless ``cannot_write`` or a later one is there."""
        wanted = one.wanted_claim
        if self.cannot_write:
            return
        if wanted is not None and self.file.is_later_than(wanted.after):
            one.on_claim_refused(self.file)
        elif wanted is not None:
            self.file = wanted.claim
            one.on_claimed(wanted.claim)
        self.check()

    def check(self) -> None:
        assert len(self.leaders) <= 1
        assert not any(self.file.is_later_than(one.claim()) for one in self.leaders)

    def lead(self, one: Candidate) -> None:
        self.look(one)
        assert one.leads
