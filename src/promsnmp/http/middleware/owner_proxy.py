"""Scrapes at any of several replicas: every device has one owner, which has its page, and is asked for it.

The page is the same wherever one asks. When the owner does not answer, or not in time, the device is polled here, once
for all who wait; what comes of that is kept for half an interval, as for targets that nobody polls in the background.
When an owner itself seems to be cut off from the devices, it says so, and the next replica in line polls.
"""

from __future__ import annotations

from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from promsnmp.cluster.members.hash_ring import Ring
from promsnmp.cluster.members.members import Member, Members
from promsnmp.cluster.peers.forward_scrape import Forwarder
from promsnmp.cluster.peers.signing import Seals
from promsnmp.errors import ModuleError, PeerError, TargetError
from promsnmp.http.middleware.leader_proxy import pass_back, passed_on, user_of
from promsnmp.http.middleware.peer_auth import PEER, seal_of, target_of
from promsnmp.http.routes.scrape import Answer, ScrapeRoute, read_headers, send_answer
from promsnmp.support.http_client import Answer as PeerAnswer

LATE = 1.5
"""Seconds that an owner has, at most; a third of the time that the scrape may take, if that is less."""
CUT_OFF = b"x-promsnmp-cut-off"
"""Header of an owner's answer: it seems to reach no device at all."""
UNREAD = (502, 504)
"""The device could not be read."""
METRICS = ("/metrics", "/actuator/prometheus")
"""What shows a target's histograms, if a query names one."""

Headers = list[tuple[bytes, bytes]]


class SharedScrapes:
    """``/snmp`` for several replicas, in front of ``route``, which answers here. ``cut_off`` says whether this replica
    seems to reach no device."""

    def __init__(
        self,
        route: ScrapeRoute,
        members: Members,
        forwarder: Forwarder,
        seals: Seals,
        *,
        cut_off: Callable[[], bool] = lambda: False,
    ) -> None:
        self._route = route
        self._members = members
        self._forwarder = forwarder
        self._seals = seals
        self._cut_off = cut_off
        self._ring: Ring | None = None
        self._owners: dict[str, Member | None] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in ("GET", "HEAD"):
            await self._route(scope, receive, send)
            return
        owner = self._owner_asked(scope["query_string"])
        if PEER in scope:
            await self._of_peer(scope, send, is_ours=owner is None)
        elif owner is None:
            await self._of_ours(scope, send)
        elif (found := await self._ask(owner, scope)) is not None:
            await pass_back(send, found)
        else:
            await send_answer(send, *await self._route.answer(scope["query_string"], scope["headers"], away=True))

    def ready(self, query_string: bytes, headers: Headers) -> Answer | None:
        """The whole answer, when it is in memory here and the device is ours; whoever asks with a seal has a good
        one."""
        if self._is_alone():
            return self._route.ready(query_string, headers)
        if self._owner_asked(query_string) is not None:
            return None
        if (seal := seal_of(headers)) is not None:
            try:
                self._seals.check(seal, "GET", b"/snmp?" + query_string)
            except PeerError:
                return None
        return self._route.ready(query_string, headers)

    def metrics(self, app: ASGIApp) -> ASGIApp:
        """``app``, whose answers that show a target's histograms come from the target's owner."""

        async def shared(scope: Scope, receive: Receive, send: Send) -> None:
            owner = None
            if scope["type"] == "http" and scope["path"] in METRICS and b"target=" in scope["query_string"]:
                owner = self._owner_asked(scope["query_string"]) if PEER not in scope else None
            found = await self._ask(owner, scope) if owner is not None else None
            if found is not None:
                await pass_back(send, found)
            else:
                await app(scope, receive, send)

        return shared

    async def _of_peer(self, scope: Scope, send: Send, *, is_ours: bool) -> None:
        """Another replica asks: it gets what there is here, or what a poll brings."""
        query, headers = scope["query_string"], scope["headers"]
        status, sent, body = await self._route.answer(query, headers, away=not is_ours)
        if status in UNREAD and self._cut_off():
            sent.append((CUT_OFF, b"1"))
        await send_answer(send, status, sent, body)

    async def _of_ours(self, scope: Scope, send: Send) -> None:
        status, headers, body = await self._route.answer(scope["query_string"], scope["headers"])
        if status in UNREAD and self._cut_off() and (other := self._next(scope["query_string"])) is not None:
            found = await self._ask(other, scope)
            if found is not None and found.status == 200:
                await pass_back(send, found)
                return
        await send_answer(send, status, headers, body)

    async def _ask(self, owner: Member, scope: Scope) -> PeerAnswer | None:
        """The owner's answer, None when it is none that could be passed back."""
        headers = scope["headers"]
        within = min(LATE, self._route.wait(read_headers(headers).timeout) / 3)
        try:
            found = await self._forwarder.page(
                owner, target_of(scope), passed_on(headers), within=within, user=user_of(scope)
            )
        except PeerError:
            return None
        is_usable = found.status == 200 or (found.status in UNREAD and not found.header(CUT_OFF))
        return found if is_usable else None

    def _is_alone(self) -> bool:
        ring = self._members.ring
        return len(ring.members) < 2 and bool(ring.me)

    def _owner_asked(self, query_string: bytes) -> Member | None:
        """The replica that owns what a query names; None for this one, and where that cannot be told."""
        if self._is_alone():
            return None
        ring = self._members.ring
        if ring is not self._ring:
            self._ring = ring
            self._owners.clear()
        shard = self._shard(query_string)
        if shard is None:
            return None
        if shard not in self._owners:
            self._owners[shard] = None if ring.is_mine(shard) else self._members.find(ring.owner(shard))
        return self._owners[shard]

    def _next(self, query_string: bytes) -> Member | None:
        shard, ring = self._shard(query_string), self._members.ring
        name = ring.next_to_me(shard) if shard is not None else None
        return self._members.find(name) if name is not None else None

    def _shard(self, query_string: bytes) -> str | None:
        try:
            return self._route.asked(query_string).shard
        except (TargetError, ModuleError):
            return None  # the answer is an error, and the same everywhere
