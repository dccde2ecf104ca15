"""What only the leader does, asked of any replica: passed on to the leader, and answered with its answer.

That is everything under /promsnmp that changes something, and what only the leader knows (searches). Whoever asks needs
not know who leads; that several replicas run shows only where there is no leader, as a 503 with Retry-After.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from promsnmp.cluster.election.runner import Leadership
from promsnmp.cluster.peers.forward_write import NOT_LEADER, Delegation, OutcomeUnknown, Wish
from promsnmp.cluster.peers.signing import HEADER, Peer
from promsnmp.errors import NotLeader
from promsnmp.http.middleware.peer_auth import PEER, Pairs, TooLarge, answer, read_all, replayed, target_of
from promsnmp.http.security.auth import ANONYMOUS, PRINCIPAL
from promsnmp.inventory.writes.fencing import numbered
from promsnmp.support.http_client import Answer

MAX_BODY = 64 * 1024 * 1024
"""Bytes that are passed on, at most: the largest inventory that is taken."""
RETRY_AFTER = b"5"
"""Seconds; an election after a crash takes longer, one after a graceful stop less."""
SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")
SEARCHES = "/promsnmp/discovery"

_OWN_NAMES = (
    "host connection keep-alive te trailer transfer-encoding content-length upgrade expect authorization cookie origin "
    "referer forwarded via x-real-ip"
)
_OWN = frozenset([HEADER, *_OWN_NAMES.encode().split()])
_OWN_PREFIXES = (b"x-forwarded-", b"sec-fetch-")
"""Headers that are between two ends of one connection (RFC 9110 section 7.6.1), or between the caller and this replica:
who asks is in the seal."""
_NOT_PASSED_BACK = (b"connection", b"keep-alive", b"transfer-encoding", b"content-length", b"date", b"server")


def is_for_leader(method: str, path: str) -> bool:
    """Whether only the leader does this."""
    return path.startswith("/promsnmp/") and (method not in SAFE or path.startswith(SEARCHES))


class Leading:
    """Around the API: what is for the leader goes there."""

    def __init__(self, leadership: Leadership, delegation: Delegation) -> None:
        self._leadership = leadership
        self._delegation = delegation

    def around(self, app: ASGIApp) -> ASGIApp:
        """``app``, of which some things are only done where the leader is."""
        if self._leadership.backend == "none":
            return app

        async def led(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http" or not is_for_leader(scope["method"], scope["path"]):
                await app(scope, receive, send)
            elif isinstance(peer := scope.get(PEER), Peer):
                await self._of_peer(app, peer, scope, receive, send)
            elif self._leadership.leads:
                await app(scope, receive, self._admitting(send))
            else:
                await self._pass_on(app, scope, receive, send)

        return led

    async def _of_peer(self, app: ASGIApp, peer: Peer, scope: Scope, receive: Receive, send: Send) -> None:
        """What another replica passed on is done here, or by nobody."""
        if not self._leadership.leads:
            await _refuse(send, scope, 503, "this replica is not the leader", [(NOT_LEADER, b"1")])
            return
        try:
            body = await read_all(receive, most=MAX_BODY)
        except TooLarge as error:
            await _refuse(send, scope, 413, str(error))
            return
        if not peer.fits(body):
            await _refuse(send, scope, 403, "the body is not the one that was sealed")
            return
        with numbered(peer.number):
            await app(scope, replayed(body, receive), self._admitting(send))

    async def _pass_on(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body = await read_all(receive, most=MAX_BODY)
            found = await self._delegation.ask(
                Wish(scope["method"], target_of(scope), passed_on(scope["headers"]), body, user_of(scope))
            )
        except TooLarge as error:
            await _refuse(send, scope, 413, str(error))
        except NotLeader as error:
            await _refuse(send, scope, 503, str(error), [(b"retry-after", RETRY_AFTER)])
        except OutcomeUnknown as error:
            await _refuse(send, scope, 504, str(error))
        else:
            if found is None:
                await app(scope, replayed(body, receive), self._admitting(send))
            else:
                await pass_back(send, found)

    def _admitting(self, send: Send) -> Send:
        """A 503 of a replica that is not the leader any more says so: whoever passed the request on tries another."""

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 503 and not self._leadership.leads:
                message = {**message, "headers": [*message.get("headers", ()), (NOT_LEADER, b"1")]}
            await send(message)

        return sending


def user_of(scope: Scope) -> str:
    """Who asks, for the replica that does it: the name that access control gave, and the address."""
    return f"{scope.get(PRINCIPAL, ANONYMOUS)}@{(scope.get('client') or ('unknown',))[0]}"


def passed_on(headers: Iterable[tuple[bytes, bytes]]) -> Pairs:
    """Of a request's headers, those that mean something to another replica."""
    return [(name, value) for name, value in headers if name not in _OWN and not name.startswith(_OWN_PREFIXES)]


async def pass_back(send: Send, found: Answer) -> None:
    """Sends another replica's answer as ours."""
    headers = [pair for pair in found.headers if pair[0] not in _NOT_PASSED_BACK]
    headers.append((b"content-length", b"%d" % len(found.body)))
    await send({"type": "http.response.start", "status": found.status, "headers": headers})
    await send({"type": "http.response.body", "body": found.body})


async def _refuse(send: Send, scope: Scope, status: int, text: str, headers: Pairs | None = None) -> None:
    body = json.dumps({"error": text, "status": status, "path": scope["path"]}).encode()
    await answer(send, status, body, headers, kind=b"application/json")
