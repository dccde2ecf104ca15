"""Gets the page of a device from the replica that owns the device, so that any replica can be scraped.

When the owner does not answer in time, this replica polls the device, once for all scrapes that wait, and keeps the
page for half an interval, as for targets that are not polled in the background. When the owner seems to be cut off from
the devices, its response says so, and the next replica in line polls.
"""

from __future__ import annotations

from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from promsnmp.cluster.members.hash_ring import HashRing
from promsnmp.cluster.members.members import Member, Members
from promsnmp.cluster.peers.client import LARGE
from promsnmp.cluster.peers.forward_scrape import ScrapeForwarder
from promsnmp.cluster.peers.signing import RequestVerifier, body_digest
from promsnmp.errors import ModuleError, PeerError, TargetError
from promsnmp.http.middleware.forwarding import (
    as_accepted,
    compressed_only,
    forwarded_headers,
    forwarded_user,
    target_of,
)
from promsnmp.http.middleware.peer_auth import PEER, signature_of
from promsnmp.http.responses.sending import HeaderList, relay_response, send_response
from promsnmp.http.route_policy import policy_of
from promsnmp.http.routes.scrape import ScrapeAnswer, ScrapeRoute, read_response_options
from promsnmp.support.http_client import HttpResponse

OWNER_TIMEOUT = 1.5
"""Seconds that an owner has to answer; a third of the scrape's time, if that is less."""
PATIENCE = 0.9
"""Part of the scrape's time that a replica with a newer inventory has to answer: it may have to poll the device."""
CUT_OFF = b"x-promsnmp-cut-off"
"""Header of an owner that seems to reach no device at all."""
UNREADABLE = (502, 504)
"""Statuses that say that the device could not be read."""
UNKNOWN = 404
"""Status that says that the inventory does not have the target."""


class OwnerProxy:
    """``/snmp`` for several replicas, in front of ``route``, which answers on this one. ``cut_off`` says whether this
    replica seems to reach no device, ``better_informed`` returns a replica with a newer inventory, if there is one: it
    may know a target that is unknown here."""

    def __init__(
        self,
        route: ScrapeRoute,
        members: Members,
        scrape_forwarder: ScrapeForwarder,
        verifier: RequestVerifier | None,
        *,
        cut_off: Callable[[], bool] = lambda: False,
        better_informed: Callable[[], Member | None] = lambda: None,
    ) -> None:
        self._route = route
        self._members = members
        self._scrape_forwarder = scrape_forwarder
        self._verifier = verifier
        self._cut_off = cut_off
        self._better_informed = better_informed
        self._ring: HashRing | None = None
        self._owners: dict[str, Member | None] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in ("GET", "HEAD"):
            await self._route(scope, receive, send)
            return
        owner = self._owner_of(scope["query_string"])
        if PEER in scope:
            await self._serve_peer(scope, send, is_own=owner is None)
        elif owner is None:
            await self._serve_own(scope, send)
        elif (response := await self._ask(owner, scope)) is not None:
            await relay_response(send, response)
        else:
            await send_response(send, *await self._route.answer(scope["query_string"], scope["headers"], foreign=True))

    def fast_answer(self, query_string: bytes, headers: HeaderList) -> ScrapeAnswer | None:
        """The response, when this replica owns the device and has its page in memory; None for a wrong signature."""
        if self._owner_of(query_string) is not None:
            return None
        if self._verifier is not None and (signature := signature_of(headers)) is not None:
            return self._fast_peer_answer(self._verifier, signature, query_string, headers)
        return self._route.fast_answer(query_string, headers)

    def _fast_peer_answer(
        self, verifier: RequestVerifier, signature: bytes, query_string: bytes, headers: HeaderList
    ) -> ScrapeAnswer | None:
        """The signed response to another replica; what is refused here gets its refusal from the middleware."""
        try:
            request = verifier.verify(signature, "GET", b"/snmp?" + query_string, headers)
            answer = self._route.fast_answer(query_string, request.headers)
            if answer is None or len(answer[1]) >= LARGE or request.digest != body_digest(b""):
                return None
            verifier.accept(request)
        except PeerError:
            return None
        answer_headers, body = answer
        return [*answer_headers, verifier.sign_answer(request, 200, answer_headers, body_digest(body))], body

    def wrap(self, app: ASGIApp) -> ASGIApp:
        """``app``, whose ``owner_first`` routes the owner of the target answers."""

        async def proxied(scope: Scope, receive: Receive, send: Send) -> None:
            owner = None
            if scope["type"] == "http" and policy_of(scope).owner_first and b"target=" in scope["query_string"]:
                owner = self._owner_of(scope["query_string"]) if PEER not in scope else None
            response = await self._ask(owner, scope) if owner is not None else None
            if response is not None:
                await relay_response(send, response)
            else:
                await app(scope, receive, send)

        return proxied

    async def _serve_peer(self, scope: Scope, send: Send, *, is_own: bool) -> None:
        """Answers another replica, from memory or by a poll."""
        query, headers = scope["query_string"], scope["headers"]
        status, sent, body = await self._route.answer(query, headers, foreign=not is_own)
        if status in UNREADABLE and self._cut_off():
            sent.append((CUT_OFF, b"1"))
        await send_response(send, status, sent, body)

    async def _serve_own(self, scope: Scope, send: Send) -> None:
        status, headers, body = await self._route.answer(scope["query_string"], scope["headers"])
        response = None
        if status == UNKNOWN and (other := self._better_informed()) is not None:
            response = await self._ask(other, scope, within=self._time_limit(scope) * PATIENCE)
        elif (
            status in UNREADABLE
            and self._cut_off()
            and (other := self._successor_of(scope["query_string"])) is not None
        ):
            response = await self._ask(other, scope)
            response = response if response is not None and response.status == 200 else None
        if response is not None:
            await relay_response(send, response)
        else:
            await send_response(send, status, headers, body)

    async def _ask(self, owner: Member, scope: Scope, *, within: float | None = None) -> HttpResponse | None:
        """The owner's response; None without a response, or when it cannot be relayed."""
        within = min(OWNER_TIMEOUT, self._time_limit(scope) / 3) if within is None else within
        headers = compressed_only(forwarded_headers(scope["headers"]))
        try:
            response = await self._scrape_forwarder.fetch(
                owner, target_of(scope), headers, within=within, user=forwarded_user(scope)
            )
        except PeerError:
            return None
        is_usable = response.status == 200 or (response.status in UNREADABLE and not response.header(CUT_OFF))
        gzip = read_response_options(scope["headers"]).gzip
        return await as_accepted(response, gzip=gzip) if is_usable else None

    def _time_limit(self, scope: Scope) -> float:
        return self._route.time_limit(read_response_options(scope["headers"]).timeout)

    def _is_alone(self) -> bool:
        ring = self._members.ring
        return len(ring.members) < 2 and bool(ring.me)

    def _owner_of(self, query_string: bytes) -> Member | None:
        """The replica that owns the target of a query; None for this one, and when the query is wrong."""
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

    def _successor_of(self, query_string: bytes) -> Member | None:
        shard, ring = self._shard(query_string), self._members.ring
        name = ring.successor(shard) if shard is not None else None
        return self._members.find(name) if name is not None else None

    def _shard(self, query_string: bytes) -> str | None:
        try:
            return self._route.resolve(query_string).shard
        except (TargetError, ModuleError):
            return None  # every replica answers with the same error
