"""Runs the election: reads and writes the lease store for a candidate, writes its claim into the inventory file, and
notifies the program of the leader.

Whatever the lease store does (hang, fail, answer late), a round ends after ``timeout`` seconds, and leadership ends on
time: a timer and the clock decide that, not an answer. Nor does a claim that takes long hold up a round.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from promsnmp.cluster.election.backend import LeaseStore
from promsnmp.cluster.election.claim_writer import ClaimWriter, WriteClaim
from promsnmp.cluster.election.lease import LeaseRecord
from promsnmp.cluster.election.rules import Candidate, Clock, lease_clock
from promsnmp.cluster.peers.record_mac import SEPARATE
from promsnmp.errors import CoordinatorError
from promsnmp.support.claim import Claim
from promsnmp.support.listeners import Listeners

log = logging.getLogger(__name__)

Listener = Callable[[], object]

NOT_ASKED = "not asked yet"
RELEASE_TIMEOUT = 1.5
"""Seconds that releasing the lease may take at the end."""


@dataclass(frozen=True, slots=True)
class Leader:
    """The leader: its name, ``host:port``, and its fencing token (0: no elections)."""

    name: str
    address: str
    fencing_token: int


class Leadership(Protocol):
    """The leader, for the rest of the program."""

    backend: str
    transitions: int
    """How often this replica became the leader."""

    @property
    def leads(self) -> bool:
        """Whether this replica is the leader at this moment."""

    @property
    def leader(self) -> Leader | None:
        """The leader, as far as this replica knows."""

    @property
    def since_renewal(self) -> float:
        """Seconds since the last renewal by a leader; infinite when there was none."""

    @property
    def backend_problem(self) -> str:
        """Why the backend fails now; empty when it answers."""

    @property
    def problem(self) -> str:
        """What is wrong with the election now: the backend, the record in it, or the claim that this replica must write
        before it leads; empty when all is well."""

    def claim(self) -> Claim | None:
        """The claim of this leader; None without elections. Raises NotLeader. Callable from any thread."""

    def subscribe(self, listener: Listener) -> None:
        """Calls ``listener`` when this replica becomes the leader or stops leading, and when the leader changes."""

    def start(self) -> None: ...

    async def step_down(self, reason: str) -> None:
        """Releases the lease if this replica holds it, and lets other replicas take it first."""

    async def leave(self) -> None:
        """Releases the lease for good, and goes on to follow the leader."""

    async def stop(self) -> None:
        """Releases the lease for good, and ends."""


class ElectionRunner:
    """A Leadership with elections."""

    def __init__(
        self,
        candidate: Candidate,
        lease_store: LeaseStore,
        write_claim: WriteClaim,
        *,
        reason_to_step_down: Callable[[bool], str] = lambda is_elected: "",
        timeout: float = 5.0,
        clock: Clock = lease_clock,
    ) -> None:
        """``reason_to_step_down`` is called in each round with whether this replica is elected; empty: none."""
        self.candidate = candidate
        self.backend = lease_store.backend
        self.transitions = 0
        self.backend_problem = NOT_ASKED
        self._claims = ClaimWriter(candidate, write_claim, on_change=self._publish)
        self._reason_to_step_down = reason_to_step_down
        self._record_problem = ""
        self._lease_store = lease_store
        self._timeout = timeout
        self._clock = clock
        self._listeners = Listeners[[]]("change of the leader")
        self._published: tuple[bool, Leader | None] = False, None
        self._task: asyncio.Task[None] | None = None
        self._expiry_timer: asyncio.TimerHandle | None = None
        self._lock = asyncio.Lock()
        self._has_left = False

    @property
    def leads(self) -> bool:
        return self.candidate.leads

    @property
    def leader(self) -> Leader | None:
        record = self.candidate.leader
        if record is None:
            return None
        return Leader(record.holder, "" if self._is_foreign(record) else record.address, record.fencing_token)

    @property
    def problem(self) -> str:
        if self.backend_problem or self.candidate.problem:
            return self.backend_problem or self.candidate.problem
        record = self.candidate.leader
        if record is not None and self._is_foreign(record):
            return f"{record.holder} of another installation of PromSNMP holds the lease in {self.backend}; {SEPARATE}"
        claim_problem = self._claims.problem
        return claim_problem and f"this replica is elected, but its claim cannot be written: {claim_problem}"

    @property
    def since_renewal(self) -> float:
        return self._clock() - max(self.candidate.renewed_at, self.candidate.changed_at)

    def claim(self) -> Claim:
        return self.candidate.claim()

    def subscribe(self, listener: Listener) -> None:
        self._listeners.subscribe(listener)

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="election of the leader")

    async def step_down(self, reason: str) -> None:
        self.candidate.step_down(reason)
        await self._release()

    async def leave(self) -> None:
        self._has_left = True
        self.candidate.step_down("this replica is stopping", abstain_for=float("inf"))
        was_running = self._task is not None
        await self._end_rounds()  # one that hangs must not delay the release
        await self._claims.stop()
        await self._release()
        if was_running:
            self.start()

    async def stop(self) -> None:
        if not self._has_left:
            await self.leave()
        await self._end_rounds()
        if self._expiry_timer is not None:
            self._expiry_timer.cancel()

    async def _end_rounds(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task], timeout=RELEASE_TIMEOUT)

    async def run_once(self) -> None:
        """One round: reads the lease, and writes it when necessary. Raises nothing."""
        async with self._lock:
            problem = ""
            try:
                async with asyncio.timeout(self._timeout):
                    await self._read_and_write()
            except TimeoutError:
                problem = f"no answer within {self._timeout:g} s"
            except CoordinatorError as error:
                problem = str(error)
            self._note_problems(problem)
        self._claims.start_if_wanted()
        self._publish()

    async def _read_and_write(self) -> None:
        if reason := self._reason_to_step_down(self.candidate.is_elected):
            log.warning("stepping down, another replica can lead better: %s", reason)
            self.candidate.step_down(reason)
        state = await self._lease_store.read()
        record = self.candidate.on_read(state)
        self._publish()
        if record is None:
            return
        sent_at = self._clock()
        if await self._lease_store.write(record, state):
            self.candidate.on_written(record, sent_at=sent_at)
            if not record.released:
                log.debug("leader: term %d, lease until %.3f", record.fencing_token, self.candidate.lease_end)

    async def _release(self) -> None:
        self._publish()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(RELEASE_TIMEOUT):
                await self.run_once()

    async def _run(self) -> None:
        while True:
            try:
                await self.run_once()
            except Exception:  # elections must go on for the life of the process
                log.exception("unexpected error in a round of the election")
            await asyncio.sleep(self.candidate.timing.read_interval * random.uniform(0.9, 1.1))

    def _is_foreign(self, record: LeaseRecord) -> bool:
        mine = self.candidate.installation
        return bool(mine and record.installation) and record.installation != mine

    def _note_problems(self, problem: str) -> None:
        """Logs one line when the backend fails, and one when it answers again; the same for an invalid record."""
        before, self.backend_problem = self.backend_problem, problem
        if problem and before in ("", NOT_ASKED):
            log.warning("leader election is paused, no usable answer from %s: %s", self.backend, problem)
        elif before not in ("", NOT_ASKED) and not problem:
            log.info("leader election continues, %s answers again", self.backend)
        if problem:
            return
        before, self._record_problem = self._record_problem, self.candidate.problem
        if self._record_problem and not before:
            log.error("election in %s: %s", self.backend, self._record_problem)
        elif before and not self._record_problem:
            log.info("election in %s: the leader's record is valid again", self.backend)

    def _publish(self) -> None:
        """Logs changes and notifies listeners; sets a timer for the end of the lease."""
        self.candidate.expire()
        led_before, leader_before = self._published
        leads, leader = self.leads, self.leader
        if leads and self._expiry_timer is None:
            self._set_expiry_timer()
        if (leads, leader) == (led_before, leader_before):
            return
        self._published = leads, leader
        self._log(led_before, leader_before)
        self._listeners.notify()

    def _log(self, led_before: bool, leader_before: Leader | None) -> None:
        candidate, leads, leader = self.candidate, *self._published
        if led_before and not (leads and leader_before == leader):
            text = "this replica is no longer the leader, since %.3f, term %d: %s"
            log.info(text, candidate.lost_at, leader_before.fencing_token if leader_before else 0, candidate.reason)
        if leads:
            self.transitions += 1
            text = "this replica is the leader since %.3f, term %d, lease until %.3f unless renewed"
            log.info(text, self._clock(), candidate.own_token, candidate.lease_end)
        elif leader is not None:
            log.info(
                "the leader is %s (%s), term %d",
                leader.name,
                leader.address or "not a replica of this cluster",
                leader.fencing_token,
            )
        elif leader_before is not None and not led_before:
            log.info("there is no leader, %s released the lease", leader_before.name)

    def _set_expiry_timer(self) -> None:
        loop = asyncio.get_running_loop()
        self._expiry_timer = loop.call_later(
            max(self.candidate.lease_end - self._clock(), 0.0) + 0.001, self._on_expiry
        )

    def _on_expiry(self) -> None:
        self._expiry_timer = None
        self._publish()
