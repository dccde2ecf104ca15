"""What only the leader does, asked of any replica: passed on to the leader, and answered with its answer.

That is everything under /promsnmp that changes something, and what only the leader knows (searches). Whoever asks needs
not know who leads; that several replicas run shows only where there is no leader, as a 503 with Retry-After.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from promsnmp.cluster.election.runner import Leadership
from promsnmp.cluster.peers.forward_write import NOT_LEADER, ForwardedRequest, OutcomeUnknown, WriteForwarder
from promsnmp.cluster.peers.signing import SIGNATURE_HEADER, PeerIdentity
from promsnmp.errors import NotLeader
from promsnmp.http.middleware.peer_auth import (
    PEER,
    BodyTooLarge,
    HeaderList,
    read_asgi_body,
    replay_body,
    send_body,
    target_of,
)
from promsnmp.http.security.auth import ANONYMOUS, PRINCIPAL
from promsnmp.http.services import REQUEST_ID
from promsnmp.support.http_client import HttpResponse

MAX_BODY = 64 * 1024 * 1024
"""Bytes that are passed on, at most: the largest inventory that is taken."""
RETRY_AFTER = b"5"
"""Seconds; an election after a crash takes longer, one after a graceful stop less."""
SAFE_METHODS = ("GET", "HEAD", "OPTIONS", "TRACE")
DISCOVERY_PREFIX = "/promsnmp/discovery"

_NOT_FORWARDED_NAMES = (
    "host connection keep-alive te trailer transfer-encoding content-length upgrade expect authorization cookie origin "
    "referer forwarded via x-real-ip"
)
_NOT_FORWARDED = frozenset([SIGNATURE_HEADER, *_NOT_FORWARDED_NAMES.encode().split()])
_NOT_FORWARDED_PREFIXES = (b"x-forwarded-", b"sec-fetch-")
"""Headers that are between two ends of one connection (RFC 9110 section 7.6.1), or between the caller and this replica:
who asks is in the seal."""
_NOT_RELAYED = (b"connection", b"keep-alive", b"transfer-encoding", b"content-length", b"date", b"server")


def is_leader_only(method: str, path: str) -> bool:
    """Whether only the leader does this."""
    return path.startswith("/promsnmp/") and (method not in SAFE_METHODS or path.startswith(DISCOVERY_PREFIX))


class LeaderProxy:
    """Around the API: what is for the leader goes there."""

    def __init__(self, leadership: Leadership, write_forwarder: WriteForwarder) -> None:
        self._leadership = leadership
        self._write_forwarder = write_forwarder

    def wrap(self, app: ASGIApp) -> ASGIApp:
        """``app``, of which some things are only done where the leader is."""
        if self._leadership.backend == "none":
            return app

        async def proxied(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http" or not is_leader_only(scope["method"], scope["path"]):
                await app(scope, receive, send)
            elif isinstance(peer := scope.get(PEER), PeerIdentity):
                await self._serve_peer(app, peer, scope, receive, send)
            elif self._leadership.leads:
                await app(scope, receive, self._marking_lost_lead(send))
            else:
                await self._pass_on(app, scope, receive, send)

        return proxied

    async def _serve_peer(self, app: ASGIApp, peer: PeerIdentity, scope: Scope, receive: Receive, send: Send) -> None:
        """What another replica passed on is done here, or by nobody."""
        if not self._leadership.leads:
            await _refuse(send, scope, 503, "this replica is not the leader", [(NOT_LEADER, b"1")])
            return
        try:
            body = await read_asgi_body(receive, max_bytes=MAX_BODY)
        except BodyTooLarge as error:
            await _refuse(send, scope, 413, str(error))
            return
        if not peer.matches(body):
            await _refuse(send, scope, 403, "the body is not the one that was sealed")
            return
        scope[REQUEST_ID] = peer.request_id
        await app(scope, replay_body(body, receive), self._marking_lost_lead(send))

    async def _pass_on(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body = await read_asgi_body(receive, max_bytes=MAX_BODY)
            response = await self._write_forwarder.forward(
                ForwardedRequest(
                    scope["method"], target_of(scope), forwarded_headers(scope["headers"]), body, forwarded_user(scope)
                )
            )
        except BodyTooLarge as error:
            await _refuse(send, scope, 413, str(error))
        except NotLeader as error:
            await _refuse(send, scope, 503, str(error), [(b"retry-after", RETRY_AFTER)])
        except OutcomeUnknown as error:
            await _refuse(send, scope, 504, str(error))
        else:
            if response is None:
                await app(scope, replay_body(body, receive), self._marking_lost_lead(send))
            else:
                await relay_response(send, response)

    def _marking_lost_lead(self, send: Send) -> Send:
        """A 503 of a replica that is not the leader any more says so: whoever passed the request on tries another."""

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 503 and not self._leadership.leads:
                message = {**message, "headers": [*message.get("headers", ()), (NOT_LEADER, b"1")]}
            await send(message)

        return send_marked


def forwarded_user(scope: Scope) -> str:
    """Who asks, for the replica that does it: the name that access control gave, and the address."""
    return f"{scope.get(PRINCIPAL, ANONYMOUS)}@{(scope.get('client') or ('unknown',))[0]}"


def forwarded_headers(headers: Iterable[tuple[bytes, bytes]]) -> HeaderList:
    """Of a request's headers, those that mean something to another replica."""
    return [
        (name, value)
        for name, value in headers
        if name not in _NOT_FORWARDED and not name.startswith(_NOT_FORWARDED_PREFIXES)
    ]


async def relay_response(send: Send, response: HttpResponse) -> None:
    """Sends another replica's answer as ours."""
    headers = [pair for pair in response.headers if pair[0] not in _NOT_RELAYED]
    headers.append((b"content-length", b"%d" % len(response.body)))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})


async def _refuse(send: Send, scope: Scope, status: int, text: str, headers: HeaderList | None = None) -> None:
    body = json.dumps({"error": text, "status": status, "path": scope["path"]}).encode()
    await send_body(send, status, body, headers, kind=b"application/json")
