"""Elections in simulated time: clocks that differ, a lease store that loses data, a network that loses messages, and an
inventory file that some replicas cannot write."""

from __future__ import annotations

import contextlib
import heapq
import itertools
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TypeVar

from promsnmp.cluster.election.lease import LeaseRecord, LeaseState, vacancy
from promsnmp.cluster.election.rules import Candidate, Timing
from promsnmp.errors import NotLeader
from promsnmp.support.claim import Claim

Answer = TypeVar("Answer")

TIMING = Timing(duration=30.0, renew=10.0, read_interval=1.0)


class SimulatedTime:
    """Simulated time: runs scheduled actions in order."""

    def __init__(self) -> None:
        self.now = 0.0
        self._coming: list[tuple[float, int, Callable[[], object]]] = []
        self._numbers = itertools.count()

    def at(self, moment: float, what: Callable[[], object]) -> None:
        heapq.heappush(self._coming, (max(moment, self.now), next(self._numbers), what))

    def run(self, until: float) -> Iterator[float]:
        """Runs actions until ``until``; yields the time after each of them."""
        while self._coming and self._coming[0][0] <= until:
            self.now, _, what = heapq.heappop(self._coming)
            what()
            yield self.now


@dataclass
class SimulatedLeaseStore:
    """A lease store that works, and that can be emptied or rolled back.

    It guarantees what RedisLeaseStore and KubernetesLeaseStore guarantee, and no more: the first reader marks an empty
    store, and after a failover (a rollback) another server answers, with the writes that were replicated to it.
    """

    record: LeaseRecord | None = None
    forced: bool = False
    beats: int = 0
    store: int = 0
    """The server that answers."""
    is_named: bool = True
    """False: all servers have the same name, as where INFO is not allowed."""
    history: list[LeaseRecord | None] = field(default_factory=list)
    """The earlier records, oldest first."""
    on_write: Callable[[LeaseRecord | None], object] = lambda replaced: None
    """Called with the record that a write has replaced."""

    @property
    def version(self) -> tuple[str, int]:
        return "" if self.record is None else self.record.beat, self.store

    def read(self) -> LeaseState:
        if self.record is None:
            self._put(vacancy(""))
        return LeaseState(self.record, self.version, self.forced, str(self.store))

    def write(self, record: LeaseRecord, expected: LeaseState) -> bool:
        if expected.version != self.version:
            return False
        if self.forced and not record.released and self._renews(record):
            return False
        replaced = self.record
        self._put(record)
        self.on_write(replaced)
        return True

    def _put(self, record: LeaseRecord) -> None:
        self.history.append(self.record)
        self.beats += 1
        self.record, self.forced = replace(record, beat=str(self.beats), store=str(self.store)), False

    def _renews(self, record: LeaseRecord) -> bool:
        return (
            self.record is not None
            and record.instance == self.record.instance
            and record.fencing_token == self.record.fencing_token
        )

    def force(self) -> None:
        """Forces an election, as ``DEL leader`` does."""
        self.forced = self.record is not None and not self.record.released

    def empty(self) -> None:
        self.record, self.forced = None, False

    def roll_back(self, writes: int) -> None:
        """Loses the last ``writes``, as a failover may."""
        if self.history and writes:
            self.store += self.is_named
            self.record, self.forced = self.history[-min(writes, len(self.history))], False

    def restore(self, record: LeaseRecord) -> None:
        """Loses all writes since ``record`` was stored."""
        self.store += self.is_named
        self.record, self.forced = record, False


@dataclass
class SimulatedFile:
    """The inventory file, as far as elections need it: the claim, and the lock that a writer holds."""

    claim: Claim = field(default_factory=Claim)
    locked_by: object = None


@dataclass
class SimulatedNetwork:
    """How long messages take (seconds), and which share of them is lost; ``random`` decides."""

    random: random.Random
    slowest: float = 0.2
    lost: float = 0.0

    @property
    def patience(self) -> float:
        """Seconds until a request counts as unanswered."""
        return 0.8 if self.slowest < 0.4 else 5.0

    def delay(self) -> float | None:
        """Seconds that a message takes; None when it is lost."""
        return None if self.random.random() < self.lost else self.random.random() * self.slowest

    def lateness(self) -> float | None:
        """Seconds until a lost message arrives after all (a proxy or the kernel delayed it); None: never."""
        return None if self.random.random() < 0.5 else self.random.random() * 60.0


class SimulatedReplica:
    """A candidate that reads the lease store in a loop, in a process that may sleep, stop cleanly, or die.

    It knows the claim in the file as of its last look at it, which may be seconds ago.
    """

    def __init__(
        self,
        world: SimulatedTime,
        lease_store: SimulatedLeaseStore,
        network: SimulatedNetwork,
        file: SimulatedFile,
        *,
        name: str,
        number: int,
        rate: float = 1.0,
        offset: float = 0.0,
    ) -> None:
        self.world, self.lease_store, self.network, self.file = world, lease_store, network, file
        self.rate, self.offset = rate, offset
        self.asleep_until = 0.0
        self.dead = False
        self.is_cut_off = False
        self.cannot_write = False
        self.known_claim = file.claim
        me = LeaseRecord(name, f"instance-{number}", "192.0.2.1:8080", 0, TIMING.duration)
        self.candidate = Candidate(me, TIMING, claim_in_file=lambda: self.known_claim, clock=self.clock)
        self._turn = 0
        self.look()
        self.read_file()
        self.try_to_claim()

    def clock(self) -> float:
        return self.world.now * self.rate + self.offset

    @property
    def leads(self) -> bool:
        return not self.dead and self.candidate.leads

    def stop(self) -> None:
        """As on SIGTERM: steps down, and ends a little later."""
        self.awake(lambda: self.candidate.step_down("it ends", abstain_for=1e9))
        self.world.at(self.world.now + 3.0, self.kill)

    def kill(self) -> None:
        self.dead = True
        self._unlock()

    def awake(self, what: Callable[[], object]) -> None:
        """Does ``what`` now, or as soon as the process runs again."""
        if self.dead:
            return
        if self.world.now < self.asleep_until:
            self.world.at(self.asleep_until, lambda: self.awake(what))
        else:
            what()

    def look(self) -> None:
        """One round: read, decide, write. Answers that arrive after the next round began are ignored."""
        self._turn += 1
        self._ask(self.lease_store.read, self._decide)
        again = self.network.patience + self.network.random.random() * 0.4
        self.world.at(self.world.now + again, lambda: self.awake(self.look))

    def read_file(self) -> None:
        self.known_claim = self.file.claim
        self.world.at(self.world.now + 2.0, lambda: self.awake(self.read_file))

    def try_to_claim(self) -> None:
        """Writes the claim into the file if necessary, which takes a while, and holds the lock meanwhile."""
        pause, takes = self.network.random.random() * 0.5, self.network.random.random()
        self.world.at(self.world.now + pause + 2 * takes, lambda: self.awake(self.try_to_claim))
        wanted = self.candidate.wanted_claim
        if wanted is None or self.cannot_write or self.file.locked_by is not None:
            return
        self.file.locked_by = self
        self.known_claim = found = self.file.claim

        def end() -> None:
            self._unlock()
            if found != wanted.claim and found.is_later_than(wanted.after):
                self.candidate.on_claim_refused(found)
                return
            with contextlib.suppress(NotLeader):
                self.candidate.check_elected(wanted.claim)
                self.known_claim = self.file.claim = wanted.claim
                self.candidate.on_claimed(wanted.claim)

        self.world.at(self.world.now + takes, lambda: self.awake(end))

    def _unlock(self) -> None:
        if self.file.locked_by is self:
            self.file.locked_by = None

    def _decide(self, state: LeaseState) -> None:
        record = self.candidate.on_read(state)
        if record is not None:
            sent_at = self.clock()
            self._ask(
                lambda: self.lease_store.write(record, state),
                lambda done: self.candidate.on_written(record, sent_at=sent_at) if done else None,
            )

    def _ask(self, question: Callable[[], Answer], use: Callable[[Answer], object]) -> None:
        turn, request_delay, response_delay = self._turn, self.network.delay(), self.network.delay()
        if request_delay is None:
            request_delay, response_delay = self.network.lateness(), None
        if request_delay is None or self.is_cut_off:
            return

        def arrive() -> None:
            answer = question()
            if response_delay is not None and not self.is_cut_off:
                self.world.at(
                    self.world.now + response_delay, lambda: self.awake(lambda: self._on_time(turn, answer, use))
                )

        self.world.at(self.world.now + request_delay, arrive)

    def _on_time(self, turn: int, answer: Answer, use: Callable[[Answer], object]) -> None:
        if turn == self._turn:
            use(answer)


class SimulatedElections:
    """Three replicas at first, and faults: each method in FAULTS is one."""

    def __init__(self, seed: int, *, named_stores: bool = True) -> None:
        self.chance = random.Random(seed)
        self.world, self.lease_store, self.network, self.file = (
            SimulatedTime(),
            SimulatedLeaseStore(is_named=named_stores),
            SimulatedNetwork(self.chance),
            SimulatedFile(),
        )
        self.replicas: list[SimulatedReplica] = []
        if not named_stores:
            self.lease_store.on_write = self._perhaps_lose_takeover
        for _ in range(3):
            self.start()

    def _perhaps_lose_takeover(self, replaced: LeaseRecord | None) -> None:
        """A released record comes back after a candidate has followed it: the worst moment to lose writes."""
        if replaced is not None and replaced.released and self.chance.random() < 0.5:
            moment = self.world.now + self.chance.uniform(0.0, 1.5)
            self.world.at(moment, lambda: self.lease_store.restore(replaced))

    def start(self) -> None:
        number = len(self.replicas)
        self.replicas.append(
            SimulatedReplica(
                self.world,
                self.lease_store,
                self.network,
                self.file,
                name=f"pod-{number % 3}",
                number=number,
                rate=1 + self.chance.uniform(-0.04, 0.04),
                offset=self.chance.uniform(0, 1e6),
            )
        )

    @property
    def leaders(self) -> list[SimulatedReplica]:
        return [replica for replica in self.replicas if replica.leads]

    def any(self) -> SimulatedReplica:
        return self.chance.choice(self.replicas)

    def sleep(self) -> None:
        self.any().asleep_until = self.world.now + self.chance.uniform(0.1, 70.0)

    def kill(self) -> None:
        self.any().kill()

    def stop(self) -> None:
        self.any().stop()

    def restart(self) -> None:
        self.kill()
        self.start()

    def empty(self) -> None:
        self.lease_store.empty()

    def force(self) -> None:
        self.lease_store.force()

    def roll_back(self) -> None:
        self.lease_store.roll_back(self.chance.randint(1, 4))

    def step_down(self) -> None:
        replica = self.any()
        replica.awake(lambda: replica.candidate.step_down("asked to"))

    def cut_off(self) -> None:
        self.any().is_cut_off = True

    def lossy(self) -> None:
        self.network.lost, self.network.slowest = self.chance.random() / 2, self.chance.uniform(0.1, 5.0)

    def read_only(self) -> None:
        self.any().cannot_write = True

    def calm(self) -> None:
        self.network.lost, self.network.slowest = 0.0, 0.2
        for replica in self.replicas:
            replica.is_cut_off = replica.cannot_write = False


FAULTS = (
    *("sleep", "kill", "stop", "restart", "empty", "force", "roll_back", "step_down", "cut_off", "lossy"),
    *("read_only", "calm"),
)
