"""Gets the page of a device from the replica that owns the device, so that any replica can be scraped.

When the owner does not answer in time, this replica polls the device. When the owner seems to be cut off from the
devices, its response says so, and the next replica in line polls.

A scrape never shows an older collection than a scrape that ended before it began, whichever replicas answered. For that
an owner answers from memory only while it holds the read leases of all other replicas (``cluster/read_leases``), and
otherwise by a poll that begins after the scrape arrived. A replica that polled in place of the owner answers after it
has revoked its leases for the device. Utilisation histograms are shown only by an owner with all leases.

A replica that stops may show nothing from some moment on, and one that starts may have to wait until all others know
it. Neither is a reason for a scrape to fail: it is passed to another replica (``_ask_others``), which may answer.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from promsnmp.cluster.members.hash_ring import HashRing
from promsnmp.cluster.members.members import Member, Members
from promsnmp.cluster.peers.client import LARGE
from promsnmp.cluster.peers.forward_scrape import ScrapeForwarder
from promsnmp.cluster.peers.signing import RequestVerifier, body_digest
from promsnmp.cluster.read_leases.exchange import LeaseExchange
from promsnmp.errors import ModuleError, PeerError, TargetError
from promsnmp.exposition.utilization.histogram import UtilizationSeries
from promsnmp.http.middleware.forwarding import (
    as_accepted,
    compressed_only,
    forwarded_headers,
    forwarded_user,
    target_of,
)
from promsnmp.http.middleware.peer_auth import PEER, signature_of
from promsnmp.http.responses.sending import Body, HeaderList, body_headers, relay_response, send_response
from promsnmp.http.route_policy import policy_of
from promsnmp.http.routes.scrape import ScrapeAnswer, ScrapeRoute, read_response_options
from promsnmp.support.http_client import HttpResponse

OWNER_TIMEOUT = 1.5
"""Seconds that an owner has to answer; a third of the scrape's time, if that is less."""
PATIENCE = 0.9
"""Part of the scrape's time that a replica with a newer inventory has to answer: it may have to poll the device."""
PERMIT_TIMEOUT = 30.0
"""Seconds that a page waits, at most, until no other replica can show an older one."""
MAX_OTHERS = 3
"""Replicas that are asked when this one may not answer."""
ASK_AGAIN = 0.25
"""Seconds after which a replica that stops asks them again."""
LEAVING = b"this replica stops, and no other one answers; retry later\n"
CUT_OFF = b"x-promsnmp-cut-off"
"""Header of an owner that seems to reach no device at all."""
MAX_OWNERS = 50_000
"""Devices whose owner is remembered; their names have at most 260 characters."""
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
        leases: LeaseExchange,
        *,
        invalidate: Callable[[str], None] = lambda _: None,
        cut_off: Callable[[], bool] = lambda: False,
        better_informed: Callable[[], Member | None] = lambda: None,
    ) -> None:
        self._route = route
        self._members = members
        self._scrape_forwarder = scrape_forwarder
        self._verifier = verifier
        self._leases = leases
        self._rules = leases.rules
        self._invalidate = invalidate
        self._cut_off = cut_off
        self._better_informed = better_informed
        self._ring: HashRing | None = None
        self._owners: dict[str, Member | None] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in ("GET", "HEAD"):
            await self._route(scope, receive, send)
            return
        arrived = time.monotonic()
        await self._leases.begun()
        if self._is_uncertain() and await self._pass_on(scope, send, arrived):
            return
        owner = self._owner_of(scope["query_string"])
        if owner is None:
            is_valid = await self._leases.confirm()
            owner = self._owner_of(scope["query_string"])  # it may have changed meanwhile
            if owner is None:
                await self._serve_own(scope, send, arrived, from_memory=is_valid)
                return
        if PEER not in scope and (response := await self._ask(owner, scope)) is not None:
            await relay_response(send, response)
        else:
            await self._send(scope, send, await self._answer_foreign(scope, arrived), arrived)

    def fast_answer(self, query_string: bytes, headers: HeaderList) -> ScrapeAnswer | None:
        """The response, when this replica owns the device, holds all read leases and has the page in memory; None for
        a wrong signature."""
        if self._rules.has_peers:
            if self._rules.clock() >= self._rules.valid_until or self._owner_of(query_string) is not None:
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

    def histograms(self, query_string: bytes) -> Sequence[UtilizationSeries]:
        """As ``ScrapeRoute.histograms``; none unless this replica owns the device and holds all read leases."""
        series = self._route.histograms(query_string)
        return series if self._owner_of(query_string) is None and self._rules.is_valid else ()

    def wrap(self, app: ASGIApp) -> ASGIApp:
        """``app``, whose ``owner_first`` routes the owner of the target answers; what is unknown here, a replica with a
        newer inventory is asked for."""

        async def proxied(scope: Scope, receive: Receive, send: Send) -> None:
            is_reading = scope["type"] == "http" and scope["method"] in ("GET", "HEAD") and PEER not in scope
            owner = None
            if scope["type"] == "http" and policy_of(scope).owner_first and b"target=" in scope["query_string"]:
                await self._leases.confirm()
                owner = self._owner_of(scope["query_string"]) if PEER not in scope else None
            response = await self._ask(owner, scope) if owner is not None else None
            if response is not None:
                await relay_response(send, response)
            elif is_reading and self._better_informed() is not None:
                await self._serve_behind(app, scope, receive, send)
            else:
                await app(scope, receive, send)

        return proxied

    async def _serve_behind(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers while another replica has a newer inventory: it may have what is unknown here."""
        held: list[Message] = []

        async def send_unless_unknown(message: Message) -> None:
            if held or (message["type"] == "http.response.start" and message["status"] == UNKNOWN):
                held.append(message)
            else:
                await send(message)

        await app(scope, receive, send_unless_unknown)
        if not held:
            return
        response = await self._ask_better(scope, UNKNOWN)
        if response is not None:
            await relay_response(send, response)
            return
        for message in held:
            await send(message)

    async def _serve_own(self, scope: Scope, send: Send, arrived: float, *, from_memory: bool) -> None:
        query, headers = scope["query_string"], scope["headers"]
        answer = await self._route.answer(
            query, headers, arrived=arrived, from_memory=from_memory, permit=self._permit_own
        )
        response = await self._ask_better(scope, answer[0]) if PEER not in scope else None
        if response is not None:
            await relay_response(send, response)
        else:
            await self._send(scope, send, answer, arrived)

    async def _ask_better(self, scope: Scope, status: int) -> HttpResponse | None:
        """The answer of a replica that may know the target, or reach the device, when this one does not."""
        if status == UNKNOWN and (other := self._better_informed()) is not None:
            return await self._ask(other, scope, within=self._time_limit(scope) * PATIENCE)
        if (
            status in UNREADABLE
            and self._cut_off()
            and (other := self._successor_of(scope["query_string"])) is not None
        ):
            response = await self._ask(other, scope)
            return response if response is not None and response.status == 200 else None
        return None

    def _is_uncertain(self) -> bool:
        """Whether this replica stops, or the others may not know that it runs, so that it may be unable to answer."""
        if self._rules.may_show_nothing or (self._rules.is_dropped and self._members.others):
            return True
        return self._rules.is_draining and not self._rules.is_valid

    async def _pass_on(self, scope: Scope, send: Send, arrived: float) -> bool:
        """Sends the answer of another replica, or a refusal when this one may not answer any more; returns
        whether anything was sent. A request that another replica has forwarded is not forwarded again."""
        if (shard := self._shard(scope["query_string"])) is None:
            return False  # every replica answers with the same error
        response = None if PEER in scope else await self._ask_others(scope, shard, arrived)
        if response is not None:
            await relay_response(send, response)
        elif self._rules.may_show_nothing:
            await send_response(send, 503, body_headers(LEAVING), LEAVING)
        else:
            return False
        return True

    async def _ask_others(self, scope: Scope, shard: str, arrived: float) -> HttpResponse | None:
        """The answer of the replica that owns the device next, or of those that would own it after that one. They have
        little time, or all that is left of the scrape's when this replica may not answer itself."""
        deadline = arrived + self._time_limit(scope)
        asked: set[asyncio.Task[HttpResponse | None]] = set()
        try:
            while (left := deadline - time.monotonic()) > 0:
                for other in self._next_owners(shard):
                    within = left if self._rules.may_show_nothing else min(OWNER_TIMEOUT, left / 3)
                    asked.add(asyncio.create_task(self._ask(other, scope, within=within)))
                    if (response := await _first_answer(asked, within=OWNER_TIMEOUT)) is not None:
                        return response
                if not self._rules.may_show_nothing:
                    return None
                await asyncio.sleep(ASK_AGAIN)
            return None
        finally:
            for task in asked:
                task.cancel()

    def _next_owners(self, shard: str) -> list[Member]:
        """The other replicas that are asked, the next owner of the device first."""
        ranks = {name: rank for rank, name in enumerate(self._members.ring.ranked(shard))}
        return sorted(self._members.others, key=lambda one: ranks.get(one.name, len(ranks)))[:MAX_OTHERS]

    async def _send(self, scope: Scope, send: Send, answer: tuple[int, HeaderList, Body], arrived: float) -> None:
        """Sends an answer of this replica, or that of another one when this one began to stop meanwhile."""
        status, headers, body = answer
        if PEER in scope:
            if status in UNREADABLE and self._cut_off():
                headers.append((CUT_OFF, b"1"))
        elif status == 503 and self._is_uncertain() and await self._pass_on(scope, send, arrived):
            return
        await send_response(send, status, headers, body)

    async def _answer_foreign(self, scope: Scope, arrived: float) -> tuple[int, HeaderList, Body]:
        """The answer in place of the owner, by a poll that begins after the scrape arrived."""
        return await self._route.answer(
            scope["query_string"],
            scope["headers"],
            owned=False,
            arrived=arrived,
            from_memory=False,
            permit=self._permit_foreign,
        )

    async def _permit_own(self, shard: str, seconds: float) -> bool:
        """Allows a page to be sent that was made as the device's owner; says whether it may show histograms."""
        if not self._owns(shard):  # not any more
            return await self._permit_foreign(shard, seconds)
        if self._rules.is_valid:
            return True
        await self._leases.until_known(within=min(seconds, PERMIT_TIMEOUT))
        return False if self._owns(shard) else await self._permit_foreign(shard, seconds)

    async def _permit_foreign(self, shard: str, seconds: float) -> bool:
        """Allows a page to be sent that was polled in place of the device's owner."""
        self._invalidate(shard)
        await self._leases.revoke(shard, within=min(seconds, PERMIT_TIMEOUT))
        return False

    def _owns(self, shard: str) -> bool:
        return self._members.ring.is_mine(shard) and not self._rules.is_draining

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
            if len(self._owners) >= MAX_OWNERS:
                self._owners.clear()
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


async def _first_answer(
    asked: set[asyncio.Task[HttpResponse | None]],
    *,
    within: float,
) -> HttpResponse | None:
    """The first answer of those that were asked; None without one in that time, or when all have failed. Those
    that failed are removed."""
    end = time.monotonic() + within
    while asked and (left := end - time.monotonic()) > 0:
        done, _ = await asyncio.wait(asked, timeout=left, return_when=asyncio.FIRST_COMPLETED)
        asked -= done
        for response in (task.result() for task in done):
            if response is not None:
                return response
    return None
