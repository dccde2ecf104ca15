"""Replicas in simulated time: the real rules, exchange, forwarding, pages and handover; devices and network simulated.

A page says when its poll began and ended, by the time of the world. So two answers show which has the older collection.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from promsnmp.cluster.members.gossip import Gossip
from promsnmp.cluster.members.members import Member, Members
from promsnmp.cluster.members.peer_status import PeerStatus
from promsnmp.cluster.members.redis_heartbeat import RedisHeartbeats
from promsnmp.cluster.peers.client import HANDOVER_PATH, READ_LEASE_PATH, STATUS_PATH
from promsnmp.cluster.peers.cluster_key import ClusterKey
from promsnmp.cluster.peers.forward_scrape import ScrapeForwarder
from promsnmp.cluster.read_leases.exchange import LeaseExchange
from promsnmp.cluster.read_leases.rules import ReadLeases
from promsnmp.errors import PeerError
from promsnmp.exposition.utilization import histogram
from promsnmp.exposition.utilization.histogram import InterfaceCounters
from promsnmp.http.middleware.owner_proxy import OwnerProxy
from promsnmp.http.middleware.peer_auth import PEER
from promsnmp.http.routes.scrape import ScrapeRoute
from promsnmp.observe.counts import PollCounts
from promsnmp.polling.device_state import DeviceStates
from promsnmp.polling.handover.handover import Handover
from promsnmp.polling.overrides import aged_by_sleep
from promsnmp.polling.pages.cache import PageCache
from promsnmp.polling.pages.invalidations import Invalidations
from promsnmp.polling.pages.page import Format, RenderedPage
from promsnmp.polling.pages.service import PageService
from promsnmp.polling.poller import Poller
from promsnmp.polling.target import Target
from promsnmp.snmp.credentials import Community
from promsnmp.snmp.transport import SnmpEndpoint
from promsnmp.support.http_client import ConnectionRefused, HttpResponse
from promsnmp.support.listeners import Listeners
from tests.support.reads.heartbeats import SimulatedRedis, SimulatedRedisClient
from tests.support.reads.world import SimulatedProcess, World

INTERVAL = 10.0
MEMBER_TIMEOUT = 10.0
KEY = ClusterKey("the key of all simulated replicas, 32+")
LABELS = b'{ifIndex="1"} '


def target_of(device: str) -> Target:
    return Target(f"{device}/agent", device, SnmpEndpoint("192.0.2.1"), Community(), ("if_mib",))


@dataclass
class Site:
    """What all replicas share: devices, heartbeats in Redis, and the network."""

    world: World
    devices: list[str]
    replicas: list[SimulatedReplica] = field(default_factory=list)
    polls: dict[str, list[float]] = field(default_factory=dict)
    """When each device was polled."""
    redis: SimulatedRedis = field(init=False)
    slowest_poll: float = 0.3

    def __post_init__(self) -> None:
        self.redis = SimulatedRedis(self.world)

    def start(self, name: str) -> SimulatedReplica:
        made = SimulatedReplica(self, name, len(self.replicas))
        self.replicas.append(made)
        self.world.processes.append(made.process)
        made.process.spawn(made.start)
        return made

    @property
    def running(self) -> list[SimulatedReplica]:
        return [one for one in self.replicas if not one.process.is_dead]

    def find(self, address: str) -> SimulatedReplica:
        return next(one for one in self.replicas if one.me.address == address)


class _Peers:
    """As ``PeerClient``, over the simulated network."""

    def __init__(self, replica: SimulatedReplica) -> None:
        self._replica = replica

    async def request(
        self,
        address: str,
        method: str,
        target: bytes,
        headers: object = (),
        body: bytes = b"",
        *,
        timeout: float,
        user: str = "",
        elsewhere: bool = False,
        max_body: int = 0,
    ) -> HttpResponse:
        world, me, other = self._replica.site.world, self._replica, self._replica.site.find(address)
        if frozenset((me, other)) in world.reset:
            await asyncio.sleep(world.chance.random() * world.slowest)
            raise PeerError(f"{address} reset the connection")
        answered: asyncio.Future[HttpResponse] = asyncio.get_running_loop().create_future()

        def respond(response: HttpResponse | Exception) -> None:
            if answered.done():
                return
            if isinstance(response, Exception):
                answered.set_exception(response)
            else:
                answered.set_result(response)

        def back(response: HttpResponse | Exception) -> None:
            world.send(other, me, lambda: me.process.call(lambda: respond(response)))

        def arrive() -> None:
            if other.process.is_dead or other.is_closed:
                back(ConnectionRefused(f"{address} refuses"))
            else:
                other.process.spawn(lambda: other.serve_peer(target, body, back))

        world.send(me, other, arrive)
        try:
            async with asyncio.timeout(timeout):
                return await answered
        except TimeoutError:
            raise PeerError(f"{address} did not answer in time") from None

    def close_all_but(self, addresses: Iterable[str]) -> None:
        pass


class _Collector:
    """Polls simulated devices."""

    generation = 0

    def __init__(self, replica: SimulatedReplica) -> None:
        self.states = DeviceStates()
        self._replica = replica

    async def collect(self, target: Target, *, deadline: float) -> tuple[RenderedPage, None]:
        site, began, taken_at = self._replica.site, self._replica.site.world.now, time.monotonic()
        site.polls.setdefault(target.name, []).append(began)
        await asyncio.sleep(site.world.chance.uniform(0.001, site.slowest_poll))
        text = b"# HELP reading r\n# TYPE reading gauge\nreading_begin %.9f\nreading_end %.9f\n" % (
            began,
            site.world.now,
        )
        if target.owned and self._replica.handover.observes(target.shard):
            utilization = self.states.of(target).render_state.utilization
            counters = InterfaceCounters(LABELS, 1e9, int(began * 1e6), int(began * 1e6), 64)
            utilization.observe([counters], at=taken_at, ticks=None)
            text += b"# HELP %s u\n# TYPE %s histogram" % ((histogram.NAME.encode(),) * 2)
            text += b"".join(utilization.samples()) + b"\n"
        return RenderedPage(taken_at, target.modules, {Format.TEXT: text}), None


class _Route(ScrapeRoute):
    """Finds targets without an inventory."""

    def resolve(self, query_string: bytes) -> Target:
        return target_of(query_string.decode().partition("=")[2])

    def _is_outdated(self) -> bool:
        return False


class SimulatedReplica:
    """One replica. ``serve`` answers a scrape."""

    def __init__(self, site: Site, name: str, number: int) -> None:
        self.site, self.name = site, name
        self.process = SimulatedProcess(site.world)
        self.me = Member(name, f"{name} {number}", f"host-{number}:8080", site.world.now)
        self.members = Members(self.me, member_timeout=MEMBER_TIMEOUT, clock=self.process.clock)
        self.peers = _Peers(self)
        self.scrape_forwarder = ScrapeForwarder(self.peers, clock=self.process.clock)  # type: ignore[arg-type]
        self.revoked = Listeners[[str | None, bool]]("revocation")
        rules = ReadLeases(
            self.me.instance,
            member_timeout=MEMBER_TIMEOUT,
            on_revoked=lambda device, was_owner: self.handover.on_revoked(device, was_owner),
            on_awake=self._on_awake,
            clock=self.process.clock,
        )
        redis = SimulatedRedisClient(site.redis, self.process)
        self.gossip = Gossip(
            self.members,
            self.peers,  # type: ignore[arg-type]
            own_status=lambda: PeerStatus(self.me),
            on_status=lambda _: None,
            heartbeats=RedisHeartbeats(redis, self.me, KEY, clock=self.process.clock),  # type: ignore[arg-type]
            on_announced=lambda heard_by: self.read_leases.on_announced(heard_by),
        )
        self.read_leases = LeaseExchange(
            rules,
            self.members,
            self.peers,  # type: ignore[arg-type]
            learn_members=lambda: self.gossip.ask_all(within=3.0),
            refresh_members=self.gossip.refresh,
            announced=lambda: self.gossip.announced,
        )
        self.collector = _Collector(self)
        cache = PageCache(1000, 300.0, self.process.clock)
        self.page_service = PageService(self.collector, cache, PollCounts(), poll_timeout=60.0, freshness=1.0)  # type: ignore[arg-type]
        self.page_service.invalidations = Invalidations(self.process.clock)
        self.poller = Poller(self.page_service, PollCounts(), interval=INTERVAL, backoff_max=INTERVAL, concurrency=200)
        self.handover = Handover(self, self.page_service, self.collector.states)  # type: ignore[arg-type]
        self.proxy = OwnerProxy(
            self._make_route(),
            self.members,
            self.scrape_forwarder,
            None,
            self.read_leases,
            invalidate=self.page_service.invalidations.add,
        )
        self.is_stopping = False
        self.is_closed = False
        self.in_flight = 0

    def _make_route(self) -> _Route:
        nothing: object = None
        return _Route(self.page_service, nothing, nothing, modules=(), allow_adhoc=False, timeout=10.0, offset=0.5)  # type: ignore[arg-type]

    async def start(self) -> None:
        self.read_leases.start()
        self.gossip.subscribe(self.read_leases.on_members_changed)
        self.gossip.subscribe(self.handover.on_members_changed)
        self.gossip.start()
        await self.gossip.wait_until_known(within=3.0)
        await self.read_leases.wait_until_settled()
        self.gossip.subscribe(self._poll_owned)
        self._poll_owned()
        self.poller.start()

    def stop(self) -> None:
        """As on SIGTERM: it hands over, says goodbye, and ends soon."""

        async def leave() -> None:
            self.poller.pause()
            await self.handover.hand_over_all()
            await self.read_leases.leave()
            await self.gossip.leave()
            self.site.world.at(self.site.world.now + 0.5, self._end)

        self.is_stopping = True
        self.process.spawn(leave)

    def _end(self) -> None:
        """Accepts no more requests, and ends when none is in flight any more."""
        self.is_closed = True
        if self.in_flight:
            self.site.world.at(self.site.world.now + 0.1, self._end)
        else:
            self.kill()

    def kill(self) -> None:
        self.process.is_dead = True

    def _poll_owned(self) -> None:
        ring = self.members.ring
        self.poller.set_targets([target_of(one) for one in self.site.devices if ring.is_mine(one)], within=0.5)

    def _on_awake(self, seconds: float) -> None:
        self.page_service.on_awake(aged_by_sleep(map(target_of, self.site.devices), seconds, interval=INTERVAL))

    async def serve_peer(self, target: bytes, body: bytes, back: object) -> None:
        """Answers another replica by ``back``."""
        handlers = {
            STATUS_PATH: self.gossip.receive,
            READ_LEASE_PATH: self.read_leases.receive,
            HANDOVER_PATH: self.handover.receive,
        }
        assert callable(back)
        handler = handlers.get(target.decode())
        if handler is not None:
            back(HttpResponse(200, [], handler(body)))
        else:
            status, page = await self.serve(target.partition(b"?")[2], is_peer=True)
            back(HttpResponse(status, [], page))

    async def serve(self, query: bytes, *, is_peer: bool = False) -> tuple[int, bytes]:
        """Status and body of the answer to a scrape."""
        fast = self.proxy.fast_answer(query, [])
        if fast is not None:
            return 200, fast[1]
        sent: list[dict[str, object]] = []

        async def send(message: dict[str, object]) -> None:
            sent.append(message)

        scope = {"type": "http", "method": "GET", "path": "/snmp", "query_string": query, "headers": []}
        self.in_flight += 1
        try:
            await self.proxy({**scope, PEER: True} if is_peer else scope, None, send)  # type: ignore[arg-type]
        finally:
            self.in_flight -= 1
        return int(sent[0]["status"]), bytes(sent[1]["body"])  # type: ignore[call-overload]
