"""One replica among others: all that belongs to that, put together from the settings, started, shown and ended.

What the cluster has to know of the inventory (its key, term and revision) it asks for by ``Ledger``: the two do not
know each other.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import ssl
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

from prometheus_client.metrics_core import Metric

from promsnmp.cluster.election.backend_none import AlwaysLeader
from promsnmp.cluster.election.eligibility import Fitness
from promsnmp.cluster.election.rules import Candidate, Record, Timing
from promsnmp.cluster.election.runner import Elector, Leader, Leadership
from promsnmp.cluster.factory import Backend, open_backend
from promsnmp.cluster.health import election_component, members_component
from promsnmp.cluster.members.gossip import Team
from promsnmp.cluster.members.members import Member, Members
from promsnmp.cluster.members.peer_status import News
from promsnmp.cluster.members.redis_heartbeat import Heartbeats
from promsnmp.cluster.peers.client import FINDINGS, Peers
from promsnmp.cluster.peers.forward_scrape import Forwarder
from promsnmp.cluster.peers.forward_write import Delegation, Landed, OutcomeUnknown, Sent, Wish
from promsnmp.cluster.peers.signing import Seals
from promsnmp.errors import InventoryUnavailable, NotLeader
from promsnmp.observe import families
from promsnmp.observe.health import Component
from promsnmp.settings import Settings

log = logging.getLogger(__name__)

KNOWN_WITHIN = 3.0
"""Seconds that the start of polling waits for the other replicas to be known."""
CLAIM_EVERY = 2.0
"""Seconds between two attempts of a new leader to put its term into the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """What the inventory tells the cluster; each is asked whenever it is wanted."""

    key: Callable[[], bytes]
    term: Callable[[], int]
    revision: Callable[[], int]
    writes: Callable[[], Sequence[str]]
    """The numbers of the last writes, the newest last; ``kept`` of them at most."""
    kept: int
    reload: Callable[[], Awaitable[object]]
    """Take over the file as it is now."""
    claim: Callable[[], Awaitable[object]]
    """Put the present term into the file; raises InventoryUnavailable."""


class Cluster:
    """This replica's view of all. ``port`` is the one that it listens on; ``tls`` gives what the others are asked with,
    when that is TLS. Raises SettingsError."""

    def __init__(
        self,
        settings: Settings,
        ledger: Ledger,
        *,
        port: int,
        tls: Callable[[], ssl.SSLContext | None] = lambda: None,
    ) -> None:
        self._ledger = ledger
        self._backend: Backend = open_backend(settings, port)
        me = _me(settings, self._backend.address, port)
        self.members = Members(me, patience=settings.cluster_member_timeout / 1000)
        self.seals = Seals(ledger.key, me.name)
        self.peers = Peers(self.seals, tls=tls)
        self.forwarder = Forwarder(self.peers)
        self._fitness = Fitness(
            self.members, revision=ledger.revision, asked=lambda: self.team is None or self.team.has_asked
        )
        self.leadership: Leadership = self._elect(settings, me)
        self.team = self._gather(settings, me)
        self.delegation = Delegation(
            self.leadership, self.peers, leader=self.leader, mark=self._mark, landed=self._landed
        )
        self._heard_leader: Leader | None = None
        self._last_leader: Leader | None = None
        self._reloading: asyncio.Future[object] | None = None
        self._tasks: set[asyncio.Future[object]] = set()

    def _elect(self, settings: Settings, me: Member) -> Leadership:
        register = self._backend.register
        if register is None:
            return AlwaysLeader(me.name, me.address)
        duration, renew = settings.election_lease_duration / 1000, settings.election_renew_interval / 1000
        look = min(self._backend.look, renew / 2)
        mine = Record(me.name, me.instance, me.address, 0, duration)
        candidate = Candidate(mine, Timing(duration, renew, look), floor=self._ledger.term, fit=self._fitness)
        return Elector(candidate, register, patience=duration / 3)

    def _gather(self, settings: Settings, me: Member) -> Team | None:
        if settings.backend == "none":
            return None
        link, dns = self._backend.link, self._backend.dns
        if link is None and dns is None:
            log.warning("replicas do not know each other, and each polls every device: set CLUSTER_SERVICE")
        hearts = Heartbeats(link, me, prefix=settings.redis_key_prefix) if link is not None else None
        return Team(self.members, self.peers, tell=self._news, hear=self._hear, heartbeats=hearts, dns=dns)

    # -------------------------------------------------------------------------------------------------- its life

    def start(self) -> None:
        self.leadership.subscribe(self._on_leader)
        self.leadership.start()
        if self.team is not None:
            self.team.subscribe(lambda: self.forwarder.keep(self.members.present))
            self.team.start()

    async def known(self) -> None:
        """Returns when the other replicas are known, or when that takes too long."""
        if self.team is not None:
            await self.team.known(within=KNOWN_WITHIN)

    async def leave(self) -> None:
        """Gives the lead up and says goodbye, while requests in flight are still answered."""
        await asyncio.gather(self.leadership.stop(), *([self.team.leave()] if self.team is not None else []))

    async def stop(self) -> None:
        """Closes all connections."""
        if self.team is not None:
            await self.team.stop()
        for task in self._tasks:
            task.cancel()
        self.peers.close()
        await self._backend.close()

    # ------------------------------------------------------------------------------------- what others are told

    def changed(self) -> None:
        """There is a new leader or a new revision of the inventory: the others are told."""
        if self.team is not None and self.leadership.leads:
            self.team.announce()

    async def tell_findings(self, body: bytes) -> bool:
        """Tells the leader what this replica found out of devices; whether it took it."""
        try:
            answer = await self.delegation.ask(Wish("POST", FINDINGS.encode(), (), body, ""))
        except (NotLeader, OutcomeUnknown):
            return False
        return answer is not None and answer.status == 200

    def leader(self) -> Leader | None:
        """Who leads, by the backend; while that cannot be asked, by what other replicas say, if it is newer."""
        known, heard = self.leadership.leader, self._heard_leader
        if self.leadership.problem and heard is not None and (known is None or heard.term > known.term):
            return heard
        return known

    def _news(self) -> News:
        known = None if self.leadership.problem else self.leadership.leader
        return News(self.members.me, self._ledger.revision(), known)

    def _hear(self, news: News) -> None:
        self._fitness.heard(news.member.instance, news.revision)
        if news.leader is not None and (self._heard_leader is None or news.leader.term >= self._heard_leader.term):
            self._heard_leader = news.leader
        if news.revision > self._ledger.revision():
            self._spawn(self._ledger.reload())

    def _on_leader(self) -> None:
        self._last_leader = self.leadership.leader or self._last_leader
        self.changed()
        if self.leadership.leads:
            self._spawn(self._claim())

    async def _claim(self) -> None:
        """Puts the new leader's term into the inventory file, as soon as that can be written."""
        reason = ""
        while self.leadership.leads:
            try:
                await self._ledger.claim()
            except InventoryUnavailable as error:
                if str(error) != reason:
                    reason = str(error)
                    log.warning("the leader cannot put its term into the inventory file: %s", reason)
                await asyncio.sleep(CLAIM_EVERY)
            else:
                return

    def _mark(self) -> str:
        return next(reversed(self._ledger.writes()), "")

    async def _landed(self, sent: Sent) -> Landed:
        if self._reloading is None or self._reloading.done():  # once for all whom a leader left without an answer
            self._reloading = asyncio.ensure_future(self._ledger.reload())
        await asyncio.shield(self._reloading)
        writes = self._ledger.writes()
        if sent.number in writes:
            return Landed.YES
        has_all = len(writes) < self._ledger.kept or sent.mark in writes
        return Landed.NO if has_all and self._ledger.term() > sent.term else Landed.OPEN

    def _spawn(self, work: Awaitable[object]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # ---------------------------------------------------------------------------------------------- how it is shown

    def check_election(self) -> Component:
        """Role, leader and backend, for the health."""
        known = self.leader()
        return election_component(
            self.leadership, name=self.members.me.name, role=self.role, leader=known, last=known or self._last_leader
        )

    def check_members(self) -> Component:
        """Who is there, for the health."""
        problems = {**self.team.problems, **self.team.refusals} if self.team is not None else {}
        return members_component(self.members, problems)

    @property
    def role(self) -> str:
        return "leader" if self.leadership.leads else "follower"

    def families(self) -> Iterable[Metric]:
        leadership = self.leadership
        yield from families.election_families(
            backend=leadership.backend,
            answers=not leadership.problem,
            transitions=leadership.transitions,
            since_renewal=leadership.since_renewal,
            term=leader.term if (leader := self.leader()) is not None else 0,
        )
        yield from families.cluster_families(
            members=len(self.members.present),
            scrapes=self.forwarder.counts,
            changes=self.delegation.counts,
        )


def _me(settings: Settings, address: str, port: int) -> Member:
    host = f"[{address}]" if ":" in address else address
    return Member(settings.pod_name, secrets.token_hex(8), f"{host}:{port}", time.time())
