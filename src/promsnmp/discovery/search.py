"""Runs one search: sweeps the addresses, examines the agents that answer, and updates the inventory.

The three run concurrently: while the sweep continues, agents that answered are examined, and every few seconds the
results go into the inventory in one write. Stopping a search loses nothing that it has found.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from promsnmp.discovery.examine.examine import Examiner
from promsnmp.discovery.jobs import Job, packets_to_silent
from promsnmp.discovery.reconcile.batch_writer import BatchWriter, UpdateInventory
from promsnmp.discovery.reconcile.lost import SearchCoverage, mark_lost
from promsnmp.discovery.scan.credential_probe import AgentAnswer, CandidateCredentials
from promsnmp.discovery.scan.rate import RateShare, ScanLimits
from promsnmp.discovery.scan.resolve import AT_ONCE, is_address, resolve_names, scope_of, text_of
from promsnmp.discovery.scan.sockets import SweepSockets
from promsnmp.discovery.scan.sweep import TICK, Sweep
from promsnmp.discovery.search_log import with_progress
from promsnmp.errors import AuthenticationError
from promsnmp.inventory.address import normal_address
from promsnmp.inventory.model import Agent, AgentEndpoint, Device, Inventory
from promsnmp.snmp.credentials import Community, User
from promsnmp.snmp.v3.keys import KeyCache

log = logging.getLogger(__name__)

EXAMINED_AT_ONCE = 24
MOST_SUGGESTED = 10_000
"""Most neighbours that one search follows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchContext:
    """What all searches share."""

    inventory: Callable[[], Inventory]
    update: UpdateInventory
    scan_limits: ScanLimits
    keys: KeyCache
    examiner: Examiner
    lost_after: float
    """Seconds after which a missed device is lost."""
    clock: Callable[[], float] = time.time
    """Unix time."""


class SearchRun:
    """Executes ``job.plan`` at the rate of ``share``, and records its progress in ``job``. Call ``run`` once."""

    def __init__(self, job: Job, context: SearchContext, share: RateShare) -> None:
        self._job = job
        self._plan = job.plan
        self._context = context
        self._share = share
        self._loop = asyncio.get_running_loop()
        self._writer = BatchWriter(job, context.update, progress=self._note_progress)
        self._known_agents = {
            agent.endpoint.address: (device, agent)
            for device in context.inventory().devices
            for agent in device.agents
            if agent.endpoint.port == job.plan.port
        }
        self._names: dict[str, str] = {}
        """Host names of the inventory, by their current addresses."""
        self._answers: deque[AgentAnswer] = deque()
        self._answered: set[str] = set()
        self._added: set[str] = set()
        """Addresses that were asked in addition to the scope of the plan."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._examining: set[str] = set()
        self._drawn = job.done_before
        """Addresses of the scope that the sweep has taken so far."""
        self._scope_is_done = False
        self._sockets = SweepSockets()
        self._sweep = Sweep(
            self._draw(),
            port=self._plan.port,
            candidates=[CandidateCredentials(one) for one in self._plan.credentials],
            transport=self._sockets,
            scan_limits=context.scan_limits,
            share=share,
            on_answer=self._on_answer,
            keys=context.keys,
            extra_candidates=self._inventory_credentials,
            is_unconnected=self._is_unconnected,
        )
        self._progress = job.progress = self._sweep.progress
        self._progress.addresses = self._plan.scope.size
        self._progress.started = self._progress.probed = job.done_before
        job.refusing = self._sweep.refusing
        users = sum(isinstance(one, User) for one in self._plan.credentials)
        communities = sum(isinstance(one, Community) for one in self._plan.credentials)
        job.packets_per_address = packets_to_silent(communities, users, context.scan_limits.retries)

    async def run(self) -> None:
        """Searches until all is done, or the job is stopped. Raises InventoryError when results cannot be written."""
        try:
            await self._resolve_inventory_names()
            for start in range(min(AT_ONCE, len(self._plan.scope.names))):
                self._spawn(self._resolve(self._plan.scope.names[start::AT_ONCE]))
            await self._sweep_until_done()
            self._scope_is_done = not self._job.stop_requested
            self._retry_silent_devices()
            await self._sweep_until_done()
            await self._finish_early()
            await self._writer.write_all()
            if not self._job.stop_requested:
                await self._mark_lost()
        finally:
            self._sockets.close()
            for task in self._tasks:
                task.cancel()

    async def _sweep_until_done(self) -> None:
        """Calls ``step`` until nothing is left to do."""
        while not self._job.stop_requested and not (self._sweep.done and not self._answers and not self._tasks):
            self._sweep.step(self._loop.time())
            while self._answers and len(self._tasks) < EXAMINED_AT_ONCE:
                self._spawn(self._examine(self._answers.popleft()))
            self._writer.write_if_due()
            self._job.in_flight = self._sweep.in_flight
            await asyncio.sleep(TICK)

    async def _finish_early(self) -> None:
        """When the job is stopped: for agents that are not examined yet, keeps the answers of the sweep."""
        for answer in self._answers:
            self._writer.add(self._context.examiner.facts_from_answer(answer))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        assert isinstance(task, asyncio.Task)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # ----------------------------------------------------------------------------------------------------- progress

    def _draw(self) -> Iterator[str]:
        for address in self._plan.scope.addresses.spread(self._job.done_before):
            self._drawn += 1
            yield address

    def _done(self) -> int:
        """The number of addresses of the scope, from the first one that was asked on, that are all done: silent, or
        examined and passed to the writer."""
        if self._scope_is_done:
            return self._drawn
        pending = chain(self._sweep.asking, (answer.address for answer in self._answers), self._examining)
        return min(self._drawn, self._plan.scope.addresses.first_position(pending))

    def _note_progress(self) -> Callable[[Inventory], Inventory]:
        done, now = self._done(), self._context.clock()
        return lambda inventory: with_progress(inventory, self._job, done=done, now=now)

    # ------------------------------------------------------------------------------------------------------- asking

    def _known_at(self, address: str) -> tuple[Device, Agent] | None:
        return self._known_agents.get(address) or self._known_agents.get(self._names.get(address, ""))

    def _is_unconnected(self, address: str) -> bool:
        """Whether a device may answer from another address: as the inventory says, or the search says of new ones."""
        known = self._known_at(address)
        overrides = known[0].overrides if known else self._plan.new_device_defaults.overrides
        return bool(overrides.unconnected)

    def _inventory_credentials(self, address: str) -> Sequence[CandidateCredentials]:
        """The inventory's credentials for an address, tried last: they show that the device is there."""
        known = self._known_at(address)
        if known is None or known[1].credentials in self._plan.credentials:
            return ()
        try:
            return (CandidateCredentials(known[1].credentials),)
        except AuthenticationError:  # lacks a passphrase; such a device is not polled either
            return ()

    async def _resolve_inventory_names(self) -> None:
        """Resolves the host names of devices in the inventory."""
        places = await resolve_names([one for one in self._known_agents if not is_address(one)], self._plan.port)
        self._names = {text_of(place): name for name, place in places.items() if place is not None}
        self._writer.aliases = self._names

    async def _resolve(self, names: Sequence[str]) -> None:
        for name in names:
            place = (await resolve_names([name], self._plan.port))[name]
            if place is None:
                self._progress.errors["unresolved"] += 1
                log.warning("discovery: name does not resolve: %s", name)
            if place is None or not self._add(text_of(place), scope_of(place)):
                self._progress.addresses -= 1

    def _add(self, address: str, scope_id: int = 0) -> bool:
        """Adds an address, unless it is excluded or asked anyway; returns whether it was added."""
        scope = self._plan.scope
        if address in scope.excluded or self._is_asked(address):
            return False
        self._added.add(address)
        self._sweep.add(address, scope_id)
        return True

    def _is_asked(self, address: str) -> bool:
        return address in self._plan.scope.addresses or address in self._added

    def _on_answer(self, answer: AgentAnswer) -> None:
        self._answered.add(answer.address)
        self._answers.append(answer)

    async def _examine(self, answer: AgentAnswer) -> None:
        self._examining.add(answer.address)
        try:
            await self._examine_and_follow(answer)
        finally:
            self._examining.discard(answer.address)

    async def _examine_and_follow(self, answer: AgentAnswer) -> None:
        try:
            examined = await self._context.examiner.examine(answer, with_neighbours=self._plan.neighbours.size > 0)
        except asyncio.CancelledError:
            self._writer.add(self._context.examiner.facts_from_answer(answer))
            raise
        except Exception:  # a mistake about one device is counted, the search goes on
            log.exception("unexpected error while examining %s", answer.address)
            self._progress.errors["fault"] += 1
            return
        self._share.spend(examined.packets)
        self._progress.packets += examined.packets
        self._writer.add(examined.facts)
        for address in examined.neighbours:
            if address in self._plan.neighbours and self._job.neighbours_probed < MOST_SUGGESTED and self._add(address):
                self._job.neighbours_probed += 1
                self._progress.addresses += 1

    # -------------------------------------------------------------------------------------------------- silent devices

    def _retry_silent_devices(self) -> None:
        """Asks known devices that did not answer once more: two lost packets do not make a device missed.

        If an earlier leader asked a part, this process does not know which addresses answered there: it asks all known
        ones that it has not heard.
        """
        heard, resolved = self._responding(), {name: address for address, name in self._names.items()}
        for known, (device, _) in self._known_agents.items():
            address = resolved.get(known, known) if self._job.done_before else known
            places = [address] if self._job.done_before else [one.endpoint.address for one in device.agents]
            silent = self._is_asked(address) and not heard.intersection(places)
            if silent and is_address(address) and not self._job.stop_requested:
                self._progress.addresses += 1
                self._sweep.add(address)

    def _responding(self) -> set[str]:
        """Addresses that speak SNMP."""
        return self._answered.union(self._sweep.refusing)

    async def _mark_lost(self) -> None:
        """Marks, or removes, devices that did not answer."""
        addresses, port = {name: address for address, name in self._names.items()}, self._plan.port
        coverage = SearchCoverage(
            asked=lambda place: place.port == port and self._is_asked(addresses.get(place.address, place.address)),
            answered={AgentEndpoint(one, port) for address in self._responding() for one in self._spellings(address)},
            ended=self._context.clock(),
        )
        lost_after, remove = self._context.lost_after, self._plan.remove_lost

        def change(inventory: Inventory) -> Inventory:
            changed, self._job.missed_devices = mark_lost(inventory, coverage, lost_after=lost_after, remove=remove)
            return changed

        await self._context.update(change, who=self._plan.who)

    def _spellings(self, address: str) -> Iterator[str]:
        """An address in the inventory's spelling, and the host name that the inventory may have instead."""
        yield normal_address(address)
        if (name := self._names.get(address)) is not None:
            yield name
