"""Requests of other replicas: recognised by their seal before anything else looks at them, or refused.

A seal is an answer to "who asks?" like any other credentials, so it is one of access control's ``Authenticator``; and
it marks a request as passed on already, which is how handlers know that they must answer it themselves.
"""

from __future__ import annotations

from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from promsnmp.cluster.peers.client import FINDINGS, PATH
from promsnmp.cluster.peers.forward_write import NOT_LEADER, REFUSED
from promsnmp.cluster.peers.signing import HEADER, Peer, Seals
from promsnmp.errors import NotLeader, PeerError
from promsnmp.http.security.origin import Headers

PEER = "promsnmp.peer"
"""Key of an ASGI scope: the ``Peer`` that sealed the request."""
MAX_NEWS = 64 * 1024
MAX_FINDINGS = 64 * 1024 * 1024
"""Bytes of what replicas tell of themselves, and of what they found out, at most."""

Pairs = list[tuple[bytes, bytes]]


class TooLarge(Exception):
    """A body is larger than it may be."""


class Door:
    """What every request passes first: sealed ones are marked, wrongly sealed ones refused."""

    def __init__(self, seals: Seals) -> None:
        self._seals = seals

    def around(self, app: ASGIApp) -> ASGIApp:
        """``app``, behind this door."""

        async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http" and (seal := seal_of(scope["headers"])) is not None:
                try:
                    peer = self._seals.check(seal, scope["method"], target_of(scope))
                except PeerError as error:
                    await answer(send, 403, f"{error}\n".encode(), [(REFUSED, b"1")])
                    return
                scope[PEER] = peer
                if peer.user:
                    scope["client"] = (peer.user.rpartition("@")[2], 0)
            await app(scope, receive, send)

        return guarded


class SealedCallers:
    """An Authenticator (see auth.py): a replica, on behalf of a user that it has let in."""

    configured = False
    challenge = ""

    async def principal(self, scope: Scope, headers: Headers) -> str | None:
        peer = scope.get(PEER)
        if not isinstance(peer, Peer):
            return None
        return peer.user.rpartition("@")[0] or f"replica:{peer.name}"


class PeerRoute:
    """A path for replicas alone: ``take`` gets what one sends (at most ``most`` bytes) and gives the answer.

    It may raise PeerError and ValueError for what it does not understand, and NotLeader.
    """

    def __init__(self, take: Callable[[bytes], bytes], *, most: int) -> None:
        self._take = take
        self._most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        peer = scope.get(PEER)
        if not isinstance(peer, Peer) or scope["method"] != "POST":
            await answer(send, 403, b"only replicas tell each other of themselves here\n")
            return
        try:
            body = await read_all(receive, most=self._most)
            if not peer.fits(body):
                raise PeerError("the body is not the one that was sealed")
            said = self._take(body)
        except NotLeader:
            await answer(send, 503, b"this replica is not the leader\n", [(NOT_LEADER, b"1")])
        except (PeerError, ValueError, TooLarge) as error:
            await answer(send, 400, f"{error}\n".encode())
        else:
            await answer(send, 200, said, kind=b"application/json")


def peer_routes(
    door: Door, *, news: Callable[[bytes], bytes] | None, findings: Callable[[bytes], bytes]
) -> dict[str, ASGIApp]:
    """The paths for replicas alone; none where ``news`` are not expected, since there are no others."""
    if news is None:
        return {}
    return {
        PATH: door.around(PeerRoute(news, most=MAX_NEWS)),
        FINDINGS: door.around(PeerRoute(findings, most=MAX_FINDINGS)),
    }


def seal_of(headers: Pairs) -> bytes | None:
    """The seal of a request, None when it has none; several are as good as a wrong one."""
    found = [value for name, value in headers if name == HEADER]
    return b" ".join(found) if found else None


def target_of(scope: Scope) -> bytes:
    """Path and query as they were sent."""
    path: bytes = scope.get("raw_path") or scope["path"].encode()
    query: bytes = scope["query_string"]
    return path + b"?" + query if query else path


async def read_all(receive: Receive, *, most: int) -> bytes:
    """The body of a request. Raises TooLarge as soon as it is known to be larger than ``most`` bytes."""
    found = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return bytes(found)
        found += message.get("body", b"")
        if len(found) > most:
            raise TooLarge(f"the body is larger than {most} bytes")
        if not message.get("more_body"):
            return bytes(found)


def replayed(body: bytes, receive: Receive) -> Receive:
    """``receive`` for an application that is to read ``body``, which was read already."""
    first = True

    async def again() -> Message:
        nonlocal first
        if not first:
            return await receive()
        first = False
        return {"type": "http.request", "body": body, "more_body": False}

    return again


async def answer(
    send: Send, status: int, body: bytes, headers: Pairs | None = None, *, kind: bytes = b"text/plain; charset=utf-8"
) -> None:
    """Sends a whole answer."""
    head = [(b"content-type", kind), (b"content-length", b"%d" % len(body)), (b"x-content-type-options", b"nosniff")]
    await send({"type": "http.response.start", "status": status, "headers": [*head, *(headers or [])]})
    await send({"type": "http.response.body", "body": body})
