"""Keeps the members up to date: reads heartbeats and DNS, and exchanges status with the other replicas.

Every couple of seconds, each replica sends its status to all others (``/-/peer``) and gets theirs. So a replica that
only cannot reach Redis stays a member; one that stops is gone at once; and a follower learns of a new revision of the
inventory, and of a new leader, before its own next check.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from promsnmp.cluster.members.announcements import Announcements
from promsnmp.cluster.members.dns import ServiceDns
from promsnmp.cluster.members.member_problems import MemberProblems, log_change
from promsnmp.cluster.members.members import Member, Members
from promsnmp.cluster.members.peer_status import PeerStatus, read_peer_status
from promsnmp.cluster.members.redis_heartbeat import RedisHeartbeats
from promsnmp.cluster.peers.client import STATUS_PATH, PeerClient, PeerNotProven, PeerRefused
from promsnmp.errors import CoordinatorError, PeerError
from promsnmp.support.http_client import HttpResponse
from promsnmp.support.listeners import Listeners

log = logging.getLogger(__name__)

MIN_ROUND = 0.1
"""Least seconds between two rounds, however many changes there are."""
ANSWER_TIMEOUT = 1.0
"""Seconds to wait for the answer of another replica."""
GOODBYE_TIMEOUT = 0.8


class Gossip:
    """The members, kept up to date.

    ``own_status`` returns this replica's status, ``on_status`` receives another one's. ``heartbeats`` and ``dns`` are
    the sources of members; without one, this replica is alone until another one contacts it. ``on_announced`` is called
    after each reading of the heartbeats, with the replicas that have read one of this replica
    (``RedisHeartbeats.heard_by``).
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
        on_announced: Callable[[Mapping[str, float]], object] = lambda heard_by: None,
    ) -> None:
        self.members = members
        self.problems = MemberProblems(patience=lambda: members.member_timeout)
        self._peers = peers
        self._read_own_status = own_status
        self._on_status = on_status
        self._heartbeats = heartbeats
        self._dns = dns
        self._on_announced = on_announced
        self._announced = Announcements(members)
        self._listeners = Listeners[[]]("change of the members")
        self._wake = asyncio.Event()
        self._beat_again = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._has_asked = asyncio.Event()
        self._has_sent = asyncio.Event()
        self._own_address: str = ""
        """This replica's address in DNS."""

    @property
    def announced(self) -> tuple[Member, ...]:
        """Replicas that have a heartbeat but have not proven themselves: no members, but they may answer scrapes."""
        return self._announced.replicas

    def subscribe(self, listener: Callable[[], object]) -> None:
        """Calls ``listener`` when a member joined or left."""
        self._listeners.subscribe(listener)

    def start(self) -> None:
        heartbeat_rounds = self._repeat(self.exchange_heartbeats, self._beat_again, self._has_asked)
        status_rounds = self._repeat(self.send_status_to_all, self._wake, self._has_sent)
        self._tasks = [
            asyncio.create_task(heartbeat_rounds, name="heartbeats"),
            asyncio.create_task(status_rounds, name="status exchange"),
        ]

    async def wait_until_known(self, *, within: float) -> None:
        """Returns when all sources and replicas were asked once, or after ``within`` seconds."""
        try:
            async with asyncio.timeout(within):
                await self._has_asked.wait()
                await self._has_sent.wait()
        except TimeoutError:
            reason = "; ".join(self.problems.of_sources.values()) or "no answer"
            log.warning("starting without knowing all replicas: %s", reason)

    async def ask_all(self, *, within: float) -> None:
        """Asks all sources of members, and then all replicas, for at most ``within`` seconds. Raises nothing."""
        try:
            async with asyncio.timeout(within):
                await self.exchange_heartbeats()
                self.refresh()
                await self.send_status_to_all()
                self.refresh()
        except TimeoutError:
            pass

    @property
    def has_asked(self) -> bool:
        """Whether all sources and replicas were asked once, successfully or not."""
        return self._has_asked.is_set() and self._has_sent.is_set()

    def announce(self) -> None:
        """Sends this replica's status to the others soon."""
        self._wake.set()

    async def leave(self) -> None:
        """Tells all replicas that this one leaves; it owns no devices after that."""
        self.members.leave()
        await self.stop()
        self.refresh()
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
        """Stops the rounds; call ``leave`` first to say goodbye."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def receive(self, body: bytes) -> bytes:
        """Processes another replica's status; returns the answer. Raises PeerError."""
        self._take_in(read_peer_status(body))
        return self._status_to_send().json()

    # -------------------------------------------------------------------------------------------------- the rounds

    async def _repeat(self, step: Callable[[], Awaitable[object]], wake: asyncio.Event, done: asyncio.Event) -> None:
        while True:
            sources_known = self._has_asked.is_set()
            try:
                await step()
                self.refresh()
            except Exception:  # gossip must go on for the life of the process
                log.exception("unexpected error in a round of gossip")
            if done is self._has_asked or sources_known:
                done.set()
            if done is self._has_asked and not self._has_sent.is_set():
                self._wake.set()  # the replicas that were announced are asked at once
            await asyncio.sleep(MIN_ROUND)
            try:
                async with asyncio.timeout(self.members.member_timeout / 5):
                    await wake.wait()
            except TimeoutError:
                pass
            wake.clear()

    async def exchange_heartbeats(self) -> None:
        """Writes this replica's heartbeat, and reads those of the others. Raises nothing."""
        if self._heartbeats is None:
            return
        try:
            before = self._announced.addresses
            async with asyncio.timeout(self.members.member_timeout / 2):
                await self._heartbeats.refresh(self._announced)
        except (CoordinatorError, TimeoutError) as error:
            self.problems.note_source(self._heartbeats.name, str(error) or "no answer in time")
        else:
            self.problems.note_source(self._heartbeats.name, "")
            self.problems.note_records(f"heartbeats in {self._heartbeats.name}", self._heartbeats.problem)
            self._on_announced(self._heartbeats.heard_by)
            if self._announced.addresses - before:
                self._wake.set()
                self._beat_again.set()  # so that they know soon that this replica has read their heartbeats

    async def send_status_to_all(self) -> None:
        """Sends this replica's status to every member, and to every address in DNS. Raises nothing."""
        addresses = {one.address for one in self.members.others} | self._announced.addresses
        if self._dns is not None:
            await self._ask_dns(self._dns)
            addresses |= set(self._dns.addresses) - {self._own_address, self.members.me.address}
        await asyncio.gather(*(self._send_status_to(one) for one in sorted(addresses)))
        self.problems.forget_all_but(addresses)
        self._peers.close_all_but(addresses | {one.address for one in self.members.others})

    async def _ask_dns(self, dns: ServiceDns) -> None:
        try:
            await dns.refresh()
        except CoordinatorError as error:
            self.problems.note_source(dns.name, str(error))
        else:
            self.members.mark_reachable()
            self.problems.note_source(dns.name, "")

    async def _send_status_to(self, address: str) -> None:
        """Sends this replica's status to another one, and processes its answer, if any."""
        body = self._status_to_send().json()
        try:
            answer = await self._request(address, body)
            self.problems.note_refusal(address, "")
            if answer.status != 200:
                raise PeerError(f"{address} answered {answer.status}: {answer.body[:200].decode(errors='replace')}")
            status = read_peer_status(answer.body)
        except PeerError as error:
            if isinstance(error, PeerNotProven):
                self.problems.note_refusal(address, str(error))
            log.debug("cannot send the status to another replica: %s", error)
            return
        if status.member.instance == self.members.me.instance:
            self._own_address = address
        else:
            self.problems.accepting.add(address)
            self._take_in(status)

    async def _request(self, address: str, body: bytes) -> HttpResponse:
        """Notes whether a member, or a replica that announces itself, can be reached. Any other address of DNS may have
        nobody yet, or any more."""
        try:
            answer = await self._peers.request(
                address, "POST", STATUS_PATH.encode(), _HEADERS, body, timeout=ANSWER_TIMEOUT, elsewhere=True
            )
        except (PeerNotProven, PeerRefused):
            self.problems.note_reached(address)
            raise
        except PeerError as error:
            if self.members.is_heard(address) or address in self._announced.addresses:
                self.problems.note_not_reached(address, str(error))
            raise
        self.problems.note_reached(address)
        return answer

    def _status_to_send(self) -> PeerStatus:
        return replace(self._read_own_status(), leaving=self.members.is_leaving)

    def _take_in(self, status: PeerStatus) -> None:
        if status.leaving:
            self.members.mark_left(status.member.instance)
        else:
            self.members.mark_alive(status.member)
        self.refresh()
        if not status.member.is_foreign_to(self.members.me):
            self._on_status(status)

    def refresh(self) -> None:
        """Drops members that are silent for too long, and tells the listeners when the members have changed."""
        self.problems.note_foreign(self.members.foreign)
        before = self.members.present
        if not self.members.refresh():
            return
        log_change(before, self.members.present)
        self._wake.set()  # new members must know this one, to say goodbye to it
        self.problems.warn_of_namesake(self.members.namesake)
        self._listeners.notify()


_HEADERS = ((b"content-type", b"application/json"),)
