"""One search from its beginning to its end: sweep, examination of who answers, and the inventory brought up to date.

The three run side by side: while addresses are asked, those that answered are examined, and every few seconds what was
found out goes into the inventory in one write. Being stopped loses nothing that was found.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass

from promsnmp.discovery.examine.examine import Examiner
from promsnmp.discovery.jobs import Job
from promsnmp.discovery.reconcile.batch_writer import Recorder, Update
from promsnmp.discovery.reconcile.stale import Silence, settle
from promsnmp.discovery.scan.credential_probe import Answer, Login
from promsnmp.discovery.scan.rate import Pace, Share
from promsnmp.discovery.scan.resolve import AT_ONCE, is_address, look_up, scope_of, text_of
from promsnmp.discovery.scan.sockets import Wire
from promsnmp.discovery.scan.sweep import TICK, Sweep
from promsnmp.errors import AuthenticationError
from promsnmp.inventory.address import normal_address
from promsnmp.inventory.model import Endpoint, Inventory
from promsnmp.snmp.credentials import Community, User
from promsnmp.snmp.v3.keys import KeyCache

log = logging.getLogger(__name__)

EXAMINED_AT_ONCE = 24
MOST_SUGGESTED = 10_000
"""Neighbours that one search follows, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What a search works with."""

    inventory: Callable[[], Inventory]
    update: Update
    pace: Pace
    keys: KeyCache
    examiner: Examiner
    lost_after: float
    """Seconds after which a device that is missed is lost."""
    clock: Callable[[], float] = time.time
    """Unix time."""


class Search:
    """Does what ``job.plan`` says, at the pace of ``share``; ``job`` shows how it goes. ``run`` it once."""

    def __init__(self, job: Job, setup: Setup, share: Share) -> None:
        self._job = job
        self._plan = job.plan
        self._setup = setup
        self._share = share
        self._loop = asyncio.get_running_loop()
        self._record = Recorder(job, setup.update)
        self._known = {
            agent.endpoint.address: (device, agent)
            for device in setup.inventory().devices
            for agent in device.agents
            if agent.endpoint.port == job.plan.port
        }
        self._names: dict[str, str] = {}
        """Addresses that host names of the inventory have now, to their names."""
        self._answers: deque[Answer] = deque()
        self._answered: set[str] = set()
        self._added: set[str] = set()
        """Addresses that were asked besides those of the plan's scope."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._wire = Wire()
        self._sweep = Sweep(
            self._plan.scope.addresses.spread(),
            port=self._plan.port,
            logins=[Login(one) for one in self._plan.credentials],
            link=self._wire,
            pace=setup.pace,
            share=share,
            found=self._on_answer,
            keys=setup.keys,
            more=self._own_login,
        )
        self._progress = job.progress = self._sweep.progress
        self._progress.addresses = self._plan.scope.size
        job.refusing = self._sweep.refusing
        users = any(isinstance(one, User) for one in self._plan.credentials)
        communities = sum(isinstance(one, Community) for one in self._plan.credentials)
        job.packets_each = (communities + users) * (setup.pace.retries + 1)

    async def run(self) -> None:
        """Searches until all is done, or the job is to stop. Raises InventoryError when what was found is not kept."""
        try:
            await self._find_names()
            for start in range(min(AT_ONCE, len(self._plan.scope.names))):
                self._spawn(self._resolve(self._plan.scope.names[start::AT_ONCE]))
            await self._sweep_on()
            self._look_again()
            await self._sweep_on()
            await self._cut_short()
            await self._record.write_all()
            if not self._job.stopping:
                await self._settle()
        finally:
            self._wire.close()
            for task in self._tasks:
                task.cancel()

    async def _sweep_on(self) -> None:
        """Steps until nothing is left to do."""
        while not self._job.stopping and not (self._sweep.done and not self._answers and not self._tasks):
            self._sweep.step(self._loop.time())
            while self._answers and len(self._tasks) < EXAMINED_AT_ONCE:
                self._spawn(self._examine(self._answers.popleft()))
            self._record.write_if_due()
            self._job.in_flight = self._sweep.in_flight
            await asyncio.sleep(TICK)

    async def _cut_short(self) -> None:
        """When it is to stop: of whoever is not examined to the end, what they said so far has to do."""
        for answer in self._answers:
            self._record.add(self._setup.examiner.glance(answer))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        assert isinstance(task, asyncio.Task)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # ------------------------------------------------------------------------------------------------------- asking

    def _own_login(self, address: str) -> Sequence[Login]:
        """The credentials that the inventory has for an address, tried last: they show that the device is there."""
        known = self._known.get(address) or self._known.get(self._names.get(address, ""))
        if known is None or known[1].credentials in self._plan.credentials:
            return ()
        try:
            return (Login(known[1].credentials),)
        except AuthenticationError:  # it lacks a passphrase, and is not polled either
            return ()

    async def _find_names(self) -> None:
        """Finds out by which addresses devices are to be met that the inventory has by host name."""
        places = await look_up([one for one in self._known if not is_address(one)], self._plan.port)
        self._names = {text_of(place): name for name, place in places.items() if place is not None}
        self._record.aliases = self._names

    async def _resolve(self, names: Sequence[str]) -> None:
        for name in names:
            place = (await look_up([name], self._plan.port))[name]
            if place is None:
                self._progress.errors["unresolved"] += 1
                log.warning("discovery: the name %s does not resolve", name)
            if place is None or not self._add(text_of(place), scope_of(place)):
                self._progress.addresses -= 1

    def _add(self, address: str, scope_id: int = 0) -> bool:
        """Asks an address of its own, unless it is excluded or asked anyway; whether it does."""
        scope = self._plan.scope
        if address in scope.excluded or self._is_asked(address):
            return False
        self._added.add(address)
        self._sweep.add(address, scope_id)
        return True

    def _is_asked(self, address: str) -> bool:
        return address in self._plan.scope.addresses or address in self._added

    def _on_answer(self, answer: Answer) -> None:
        self._answered.add(answer.address)
        self._answers.append(answer)

    async def _examine(self, answer: Answer) -> None:
        try:
            examined = await self._setup.examiner.examine(answer, with_neighbours=self._plan.neighbours.size > 0)
        except asyncio.CancelledError:
            self._record.add(self._setup.examiner.glance(answer))
            raise
        except Exception:
            log.exception("the examination of %s failed by a fault of PromSNMP's", answer.address)
            self._progress.errors["fault"] += 1
            return
        self._share.spend(examined.packets)
        self._progress.packets += examined.packets
        self._record.add(examined.facts)
        for address in examined.neighbours:
            if address in self._plan.neighbours and self._job.suggested < MOST_SUGGESTED and self._add(address):
                self._job.suggested += 1
                self._progress.addresses += 1

    # -------------------------------------------------------------------------------------------------- the silent

    def _look_again(self) -> None:
        """Asks known devices once more that did not answer: two lost packets are no reason to miss one."""
        heard = self._heard()
        for address, (device, _) in self._known.items():
            silent = self._is_asked(address) and not any(one.endpoint.address in heard for one in device.agents)
            if silent and is_address(address) and not self._job.stopping:
                self._progress.addresses += 1
                self._sweep.add(address)

    def _heard(self) -> set[str]:
        """Addresses at which something speaks SNMP."""
        return self._answered.union(self._sweep.refusing)

    async def _settle(self) -> None:
        """Marks, or removes, devices that should have been there."""
        addresses, port = {name: address for address, name in self._names.items()}, self._plan.port
        silence = Silence(
            asked=lambda place: place.port == port and self._is_asked(addresses.get(place.address, place.address)),
            answered={Endpoint(one, port) for address in self._heard() for one in self._spellings(address)},
            ended=self._setup.clock(),
        )
        lost_after, remove = self._setup.lost_after, self._plan.remove_lost

        def change(inventory: Inventory) -> Inventory:
            changed, self._job.missed = settle(inventory, silence, lost_after=lost_after, remove=remove)
            return changed

        await self._setup.update(change, self._plan.who)

    def _spellings(self, address: str) -> Iterator[str]:
        """An address as the inventory has it, and the host name by which it may have it."""
        yield normal_address(address)
        if (name := self._names.get(address)) is not None:
            yield name
