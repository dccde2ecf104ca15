"""One replica among others: builds the election, the members and the forwarding from the settings, runs and stops them.

The cluster and the inventory do not import each other: what the cluster needs of the inventory comes through
``InventoryPort``.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import ssl
import time
from collections.abc import Awaitable, Callable, Iterable
from functools import partial

from prometheus_client.metrics_core import Metric

from promsnmp.cluster.election.backend_none import AlwaysLeader
from promsnmp.cluster.election.eligibility import Eligibility
from promsnmp.cluster.election.lease import MAX_STEP, LeaseRecord
from promsnmp.cluster.election.rules import Candidate, Timing
from promsnmp.cluster.election.runner import ElectionRunner, Leader, Leadership
from promsnmp.cluster.election.signed_store import SignedLeaseStore
from promsnmp.cluster.factory import Coordinators, open_coordinators
from promsnmp.cluster.health import election_component, members_component
from promsnmp.cluster.inventory_port import ForwardedWriteCheck, InventoryPort
from promsnmp.cluster.members.gossip import Gossip
from promsnmp.cluster.members.members import Member, Members
from promsnmp.cluster.members.peer_inventories import InventoryVersion, PeerInventories
from promsnmp.cluster.members.peer_status import PeerStatus
from promsnmp.cluster.members.redis_heartbeat import RedisHeartbeats
from promsnmp.cluster.peers.challenge import ChallengeResponder
from promsnmp.cluster.peers.client import DETECTED_MODULES_PATH, PeerClient
from promsnmp.cluster.peers.cluster_key import ClusterKey, cluster_key_file
from promsnmp.cluster.peers.forward_scrape import ScrapeForwarder
from promsnmp.cluster.peers.forward_write import ForwardedRequest, WriteForwarder
from promsnmp.cluster.peers.replays import ReplayGuard
from promsnmp.cluster.peers.signing import RequestVerifier
from promsnmp.cluster.read_leases.exchange import LeaseExchange
from promsnmp.cluster.read_leases.rules import ReadLeases
from promsnmp.errors import NotLeader, OutcomeUnknown
from promsnmp.observe import metric_families
from promsnmp.observe.health import Component
from promsnmp.settings import Settings
from promsnmp.support.listeners import Listeners

log = logging.getLogger(__name__)

MEMBERS_TIMEOUT = 3.0
"""Seconds for which polling waits at the start until the other replicas are known."""
MIN_SILENCE = 5.0
"""Seconds, at least, that the volume may take to answer before another replica should lead."""


class Cluster:
    """This replica's view of the cluster. It listens on ``port``; ``tls`` returns the context for requests to the other
    replicas, None for plain HTTP. Raises SettingsError."""

    def __init__(
        self,
        settings: Settings,
        inventory: InventoryPort,
        *,
        port: int,
        tls: Callable[[], ssl.SSLContext | None] = lambda: None,
    ) -> None:
        self._inventory = inventory
        self._writes = ForwardedWriteCheck(inventory)
        self._coordinators: Coordinators = open_coordinators(settings, port)
        me = _me(settings, self._coordinators.address, port, inventory.installation)
        self.members = Members(me, member_timeout=settings.cluster_member_timeout / 1000)
        self.key = _cluster_key(settings)
        replays = ReplayGuard()
        self.verifier = RequestVerifier(self.key, me.instance, replays)
        self.challenges = ChallengeResponder(self.key, me, replays)
        self.peers = PeerClient(self.key, me.name, me.instance, tls=tls)
        self.scrape_forwarder = ScrapeForwarder(
            self.peers,
            is_unreachable=lambda address: self.gossip is not None and address in self.gossip.problems.unreachable,
        )
        self.peer_inventories = PeerInventories(self.members, own=self._inventory_version)
        renew = settings.election_renew_interval / 1000
        self._volume_problem = partial(inventory.volume_problem, max(renew, MIN_SILENCE))
        self.revoked = Listeners[[str | None, bool]]("revocation of a read lease")
        """Called with a device (None: all), of which no earlier poll may be shown any more; and whether that goes for
        histograms, too."""
        self.awake = Listeners[[float]]("sleep of the process")
        """Called with the seconds that this process may have slept."""
        rules = ReadLeases(
            me.instance,
            member_timeout=self.members.member_timeout,
            has_peers=settings.backend != "none",
            on_revoked=self.revoked.notify,
            on_awake=self.awake.notify,
        )
        self.read_leases = LeaseExchange(
            rules,
            self.members,
            self.peers,
            learn_members=self._learn_members,
            refresh_members=lambda: self.gossip.refresh() if self.gossip is not None else None,
            announced=lambda: self.gossip.announced if self.gossip is not None else (),
        )
        self._eligibility = Eligibility(
            self.members,
            revision=inventory.revision,
            members_known=lambda: self.gossip is None or self.gossip.has_asked,
            problem=self._unfitness,
            refused_by=lambda: len(self.gossip.problems.refusals) if self.gossip is not None else 0,
            patience=renew,
        )
        self.leadership: Leadership = self._make_leadership(settings, me)
        self.gossip = self._make_gossip(settings, me)
        self.write_forwarder = WriteForwarder(
            self.leadership,
            self.peers,
            leader=self.leader,
            last_known_write=self._writes.last_known,
            commit_status=self._writes.commit_status,
            reload=inventory.reload,
        )
        self._reported_leader: Leader | None = None
        self._last_leader: Leader | None = None
        self._tasks: set[asyncio.Future[object]] = set()

    def _make_leadership(self, settings: Settings, me: Member) -> Leadership:
        lease_store = self._coordinators.lease_store
        if lease_store is None:
            return AlwaysLeader(me.name, me.address)
        duration, renew = settings.election_lease_duration / 1000, settings.election_renew_interval / 1000
        read_interval = min(self._coordinators.read_interval, renew / 2)
        mine = LeaseRecord(me.name, me.instance, me.address, 0, duration, installation=me.installation)
        candidate = Candidate(
            mine,
            Timing(duration, renew, read_interval),
            claim_in_file=self._inventory.claim_in_file,
            eligible=self._eligibility,
            hesitates=self._eligibility.hesitates,
        )
        return ElectionRunner(
            candidate,
            SignedLeaseStore(
                lease_store,
                self.key,
                installation=me.installation,
                on_problem=partial(self._note_lease, lease_store.backend),
            ),
            self._inventory.write_claim,
            reason_to_step_down=self._eligibility.reason_to_step_down,
            timeout=duration / 3,
        )

    def _make_gossip(self, settings: Settings, me: Member) -> Gossip | None:
        if settings.backend == "none":
            return None
        redis, dns = self._coordinators.redis, self._coordinators.dns
        if redis is None and dns is None:
            log.warning("replicas cannot find each other, and each polls every device; set CLUSTER_SERVICE")
        heartbeats = None
        if redis is not None:
            heartbeats = RedisHeartbeats(
                redis,
                me,
                self.key,
                prefix=settings.redis_key_prefix,
                is_fit=lambda: not self._unfitness(),
                on_fitness=self._eligibility.note_fitness,
            )
        return Gossip(
            self.members,
            self.peers,
            own_status=self._own_status,
            on_status=self._on_peer_status,
            heartbeats=heartbeats,
            dns=dns,
            on_announced=self.read_leases.on_announced,
        )

    # ------------------------------------------------------------------------------------------------- lifecycle

    def start(self) -> None:
        self.leadership.subscribe(self._on_leader)
        self.leadership.start()
        self.read_leases.start()
        if self.gossip is not None:
            self.gossip.subscribe(self.read_leases.on_members_changed)
            self.gossip.subscribe(lambda: self.scrape_forwarder.forget_all_but(self.members.present))
            self.gossip.start()

    async def wait_for_members(self) -> None:
        """Returns when the other replicas are known, or after MEMBERS_TIMEOUT."""
        if self.gossip is not None:
            await self.gossip.wait_until_known(within=MEMBERS_TIMEOUT)

    async def _learn_members(self) -> None:
        """Returns when all sources of members were asked from now on, or after MEMBERS_TIMEOUT."""
        if self.gossip is not None:
            await self.gossip.ask_all(within=MEMBERS_TIMEOUT)

    async def leave(self, hand_over: Callable[[], Awaitable[object]]) -> None:
        """Steps down, hands over what the other replicas need, and tells them goodbye, while requests in flight are
        still answered, or passed to the next leader and the next owners."""
        await asyncio.gather(self.leadership.leave(), self._leave_members(hand_over))

    async def _leave_members(self, hand_over: Callable[[], Awaitable[object]]) -> None:
        if self.gossip is not None:
            await hand_over()
            await self.read_leases.leave()
            await self.gossip.leave()

    async def stop(self) -> None:
        """Closes all connections."""
        await self.leadership.stop()
        await self.read_leases.stop()
        if self.gossip is not None:
            await self.gossip.stop()
        for task in self._tasks:
            task.cancel()
        self.peers.close()
        await self._coordinators.close()

    # ------------------------------------------------------------------------------------- exchange with others

    def leads(self) -> bool:
        """Whether this replica leads now."""
        return self.leadership.leads

    def announce_change(self) -> None:
        """Tells the other replicas of a new leader or a new revision of the inventory, when this one leads."""
        if self.gossip is not None and self.leadership.leads:
            self.gossip.announce()

    async def send_detected_modules(self, body: bytes) -> bool:
        """Sends detected modules to the leader; returns whether it accepted them."""
        try:
            answer = await self.write_forwarder.forward(
                ForwardedRequest("POST", DETECTED_MODULES_PATH.encode(), (), body, "")
            )
        except (NotLeader, OutcomeUnknown):
            return False
        return answer is not None and answer.status == 200

    def leader(self) -> Leader | None:
        """The leader according to the backend; while the backend fails, according to other replicas, if that is
        newer."""
        known, reported = self.leadership.leader, self._reported_leader
        if (
            self.leadership.backend_problem
            and reported is not None
            and (known is None or reported.fencing_token > known.fencing_token)
        ):
            return reported
        return known

    def _unfitness(self) -> str:
        """Why this replica would lead badly; empty when it would not."""
        if problem := self._volume_problem():
            return problem
        refusal = self.gossip.problems.refused_by_all() if self.gossip is not None else ""
        return f"no other replica trusts this one: {refusal}" if refusal else ""

    def _own_status(self) -> PeerStatus:
        known = None if self.leadership.backend_problem else self.leadership.leader
        own = self._inventory_version()
        is_fit = not self._unfitness()
        return PeerStatus(self.members.me, own.revision, known, inventory_term=own.term, is_fit=is_fit)

    def _inventory_version(self) -> InventoryVersion:
        return InventoryVersion(self._inventory.claim_in_file().term, self._inventory.revision())

    def _note_lease(self, backend: str, problem: str) -> None:
        if self.gossip is not None:
            self.gossip.problems.note_records(f"the lease in {backend}", problem)

    def _on_peer_status(self, status: PeerStatus) -> None:
        self._eligibility.note_revision(status.member.instance, status.inventory.revision)
        self.peer_inventories.note(status.member.instance, status.inventory)
        if status.is_fit is not None:
            self._eligibility.note_fitness(status.member.instance, status.is_fit)
        if status.leader is not None:
            self._note_reported_leader(status.leader)
        if status.inventory > self._inventory_version():
            self._spawn(self._inventory.reload())

    def _note_reported_leader(self, leader: Leader) -> None:
        """Takes over a later leader, unless its term cannot be right."""
        last = self._reported_leader.fencing_token if self._reported_leader is not None else 0
        if last <= leader.fencing_token <= max(last, self._inventory.claim_in_file().term) + MAX_STEP:
            self._reported_leader = leader

    def _on_leader(self) -> None:
        self._last_leader = self.leadership.leader or self._last_leader
        self.announce_change()

    def _spawn(self, work: Awaitable[object]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # ------------------------------------------------------------------------------------------ health and metrics

    def check_election(self) -> Component:
        """Role, leader and backend, for the health endpoint."""
        known = self.leader()
        return election_component(
            self.leadership,
            name=self.members.me.name,
            role=self.role,
            leader=known,
            last=known or self._last_leader,
            unfit=self._unfitness(),
        )

    def check_members(self) -> Component:
        """The members, for the health endpoint."""
        problems = self.gossip.problems.all() if self.gossip is not None else {}
        if self.key.problem:
            problems = {**problems, "key": self.key.problem}
        if self.read_leases.problem:
            problems = {**problems, "readLeases": self.read_leases.problem}
        return members_component(self.members, problems)

    async def refresh_key(self) -> None:
        """Reads the key file again, for a periodic task. Raises nothing."""
        await asyncio.to_thread(self.key.refresh)

    @property
    def has_peers(self) -> bool:
        """Whether there may be other replicas."""
        return self.leadership.backend != "none"

    @property
    def role(self) -> str:
        return "leader" if self.leadership.leads else "follower"

    def families(self) -> Iterable[Metric]:
        leadership = self.leadership
        yield from metric_families.election_families(
            backend=leadership.backend,
            answers=not leadership.backend_problem,
            fit=not self._unfitness(),
            transitions=leadership.transitions,
            since_renewal=leadership.since_renewal,
            term=leader.fencing_token if (leader := self.leader()) is not None else 0,
        )
        yield from metric_families.cluster_families(
            members=len(self.members.present),
            unreachable=len(self.gossip.problems.unreachable) if self.gossip is not None else 0,
            scrapes=self.scrape_forwarder.counts,
            changes=self.write_forwarder.counts,
            holds_read_leases=self.read_leases.rules.is_valid,
        )


def _cluster_key(settings: Settings) -> ClusterKey:
    """The key that all replicas share; a single replica needs no key file."""
    if settings.backend == "none":
        return ClusterKey()
    given = settings.cluster_key.get_secret_value() if settings.cluster_key is not None else ""
    return ClusterKey(given, cluster_key_file(settings.prom_inv_file))


def _me(settings: Settings, address: str, port: int, installation: str) -> Member:
    host = f"[{address}]" if ":" in address else address
    return Member(settings.pod_name, secrets.token_hex(8), f"{host}:{port}", time.time(), installation)
