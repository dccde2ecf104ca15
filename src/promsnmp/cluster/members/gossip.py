"""Keeps the members up to date: asks the coordinator who is there, tells everybody of itself, and hears from them.

Every replica tells every other one of itself every couple of seconds (``/-/peer``), and gets the same back. So a
replica that only Redis cannot be reached from is still there for the others; a member that ends is gone at once; and a
follower hears of a new revision of the inventory, and of a new leader, before it would look by itself.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace

from promsnmp.cluster.members.dns import ServiceDns
from promsnmp.cluster.members.members import Member, Members
from promsnmp.cluster.members.peer_status import PeerStatus, read_peer_status
from promsnmp.cluster.members.redis_heartbeat import RedisHeartbeats
from promsnmp.cluster.peers.client import STATUS_PATH, PeerClient
from promsnmp.errors import CoordinatorError, PeerError
from promsnmp.support.listeners import Listeners

log = logging.getLogger(__name__)

MIN_ROUND = 0.1
"""Seconds between two rounds, at least, however much there is to tell."""
ANSWER_TIMEOUT = 1.0
"""Seconds that another replica has to answer."""
GOODBYE_TIMEOUT = 0.8


class Gossip:
    """The members, kept up to date.

    ``own_status`` gives this replica's news, ``on_status`` takes another one's. ``heartbeats`` and ``dns`` are the
    coordinators; without one this replica is alone until somebody tells it otherwise.
    """

    def __init__(
        self,
        members: Members,
        peers: PeerClient,
        *,
        own_status: Callable[[], PeerStatus],
        on_status: Callable[[PeerStatus], None],
        heartbeats: RedisHeartbeats | None = None,
        dns: ServiceDns | None = None,
    ) -> None:
        self.members = members
        self.problems: dict[str, str] = {}
        """Coordinators that cannot be asked, and why."""
        self.refusals: dict[str, str] = {}
        """Addresses of replicas that do not take this one for one of theirs, and why: another key, or another time."""
        self._peers = peers
        self._read_own_status = own_status
        self._on_status = on_status
        self._heartbeats = heartbeats
        self._dns = dns
        self._listeners = Listeners[[]]("change of the members")
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._has_asked = asyncio.Event()
        self._has_sent = asyncio.Event()
        self._own_address: str = ""
        """The address by which DNS knows this replica."""
        self._warned_of: str = ""

    def subscribe(self, listener: Callable[[], object]) -> None:
        """Calls ``listener`` whenever a member came or went."""
        self._listeners.subscribe(listener)

    def start(self) -> None:
        heartbeat_rounds = self._repeat(self.exchange_heartbeats, asyncio.Event(), self._has_asked)
        status_rounds = self._repeat(self.send_status_to_all, self._wake, self._has_sent)
        self._tasks = [
            asyncio.create_task(heartbeat_rounds, name="heartbeats"),
            asyncio.create_task(status_rounds, name="news"),
        ]

    async def wait_until_known(self, *, within: float) -> None:
        """Returns once everybody was asked for the first time, or after ``within`` seconds."""
        try:
            async with asyncio.timeout(within):
                await self._has_asked.wait()
                await self._has_sent.wait()
        except TimeoutError:
            log.warning("starting without knowing all replicas: %s", "; ".join(self.problems.values()) or "no answer")

    @property
    def has_asked(self) -> bool:
        """Whether everybody was asked once, however that ended."""
        return self._has_asked.is_set() and self._has_sent.is_set()

    def announce(self) -> None:
        """Tells the others soon that there is news."""
        self._wake.set()

    async def leave(self) -> None:
        """Says goodbye to everybody, and owns nothing from now on."""
        self.members.leave()
        await self.stop()
        self._refresh()
        goodbyes: list[Awaitable[object]] = [self._send_status_to(one.address) for one in self.members.others]
        if self._heartbeats is not None:
            goodbyes.append(self._heartbeats.leave())
        tasks = [asyncio.ensure_future(one) for one in goodbyes]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=GOODBYE_TIMEOUT)
            for task in late:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def stop(self) -> None:
        """Ends without a word; ``leave`` was before it, if there was time."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def receive(self, body: bytes) -> bytes:
        """Takes in another replica's message; returns the answer to it. Raises PeerError."""
        self._take_in(read_peer_status(body))
        return self._status_to_send().json()

    # -------------------------------------------------------------------------------------------------- the rounds

    async def _repeat(self, step: Callable[[], Awaitable[object]], wake: asyncio.Event, done: asyncio.Event) -> None:
        while True:
            try:
                await step()
                self._refresh()
            except Exception:
                log.exception("a round of the replicas failed")
            done.set()
            await asyncio.sleep(MIN_ROUND)
            try:
                async with asyncio.timeout(self.members.member_timeout / 5):
                    await wake.wait()
            except TimeoutError:
                pass
            wake.clear()

    async def exchange_heartbeats(self) -> None:
        """Tells the coordinator of this replica, and asks it who else is there. Raises nothing."""
        if self._heartbeats is None:
            return
        try:
            async with asyncio.timeout(self.members.member_timeout / 2):
                await self._heartbeats.refresh(self.members)
        except (CoordinatorError, TimeoutError) as error:
            self._note("redis", str(error) or "no answer in time")
        else:
            self._note("redis", "")

    async def send_status_to_all(self) -> None:
        """Tells every replica that is known, or that DNS names, of this one. Raises nothing."""
        addresses = {one.address for one in self.members.others}
        if self._dns is not None:
            await self._ask_dns(self._dns)
            addresses |= set(self._dns.addresses) - {self._own_address, self.members.me.address}
        await asyncio.gather(*(self._send_status_to(one) for one in sorted(addresses)))
        self.refusals = {one: reason for one, reason in self.refusals.items() if one in addresses}
        self._peers.close_all_but(addresses | {one.address for one in self.members.others})

    async def _ask_dns(self, dns: ServiceDns) -> None:
        try:
            await dns.refresh()
        except CoordinatorError as error:
            self._note("dns", str(error))
        else:
            self.members.mark_reachable()
            self._note("dns", "")

    async def _send_status_to(self, address: str) -> None:
        """Tells one replica of this one, and takes in its answer, if there is any."""
        body = self._status_to_send().json()
        try:
            answer = await self._peers.request(
                address, "POST", STATUS_PATH.encode(), _HEADERS, body, timeout=ANSWER_TIMEOUT
            )
            self._note_refusal(address, answer.body.decode(errors="replace").strip() if answer.status == 403 else "")
            if answer.status != 200:
                raise PeerError(f"{address} answered {answer.status}: {answer.body[:200].decode(errors='replace')}")
            status = read_peer_status(answer.body)
        except PeerError as error:
            log.debug("cannot tell another replica: %s", error)
            return
        if status.member.instance == self.members.me.instance:
            self._own_address = address
        else:
            self._take_in(status)

    def _status_to_send(self) -> PeerStatus:
        return replace(self._read_own_status(), leaving=self.members.is_leaving)

    def _take_in(self, status: PeerStatus) -> None:
        if status.leaving:
            self.members.mark_left(status.member.instance)
        else:
            self.members.mark_alive(status.member)
        self._refresh()
        self._on_status(status)

    def _refresh(self) -> None:
        before = self.members.present
        if not self.members.refresh():
            return
        _log_change(before, self.members.present)
        self._wake.set()  # who came has to know this one, to say goodbye to it
        self._warn_of_namesake()
        self._listeners.notify()

    def _warn_of_namesake(self) -> None:
        other = self.members.namesake
        if other is not None and other.instance != self._warned_of:
            self._warned_of = other.instance
            log.error("%s at %s runs under this replica's name: give each its own POD_NAME", other.name, other.address)

    def _note_refusal(self, address: str, reason: str) -> None:
        """One line in the log when another replica refuses this one, or takes it again."""
        if reason and address not in self.refusals:
            log.error("the replica at %s refuses this one: %s", address, reason[:200])
        elif not reason and address in self.refusals:
            log.info("the replica at %s does not refuse this one any more", address)
        self.refusals.pop(address, None)
        if reason:
            self.refusals[address] = reason[:200]

    def _note(self, source: str, problem: str) -> None:
        """One line in the log when a coordinator fails, and one when it is back."""
        if problem and source not in self.problems:
            log.warning("the replicas that were known last are kept, as %s cannot be asked: %s", source, problem)
        elif not problem and source in self.problems:
            log.info("%s tells again which replicas there are", source)
        if problem:
            self.problems[source] = problem
        else:
            self.problems.pop(source, None)


_HEADERS = ((b"content-type", b"application/json"),)


def _log_change(before: Iterable[Member], after: Iterable[Member]) -> None:
    old, new = _names(before), _names(after)
    joined = [f"{name} ({new[name].address})" for name in new if old.get(name) != new[name]]
    departed = [name for name in old if name not in new]
    words = [f"{', '.join(joined)} came" if joined else "", f"{', '.join(departed)} went" if departed else ""]
    log.info("replicas: %s; now %s", " and ".join(filter(None, words)), ", ".join(new) or "none")


def _names(members: Iterable[Member]) -> Mapping[str, Member]:
    return {one.name: one for one in members}
