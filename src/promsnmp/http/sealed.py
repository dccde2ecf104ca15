"""Requests of other replicas: recognised by their seal before anything else looks at them, or refused.

A seal is an answer to "who asks?" like any other credentials, so it is one of access control's ``Authenticator``; and
it marks a request as passed on already, which is how handlers know that they must answer it themselves.
"""

from __future__ import annotations

from typing import Protocol

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from promsnmp.cluster.peers import PATH
from promsnmp.cluster.seals import HEADER, Peer, Seals
from promsnmp.errors import PeerError
from promsnmp.http.origin import Headers

PEER = "promsnmp.peer"
"""Key of an ASGI scope: the ``Peer`` that sealed the request."""
MAX_NEWS = 64 * 1024
"""Bytes of what replicas tell of themselves, at most."""

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
                    await answer(send, 403, f"{error}\n".encode())
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


class Receiver(Protocol):
    """What takes the news of other replicas: their Team."""

    def received(self, body: bytes) -> bytes: ...


class PeerRoute:
    """``/-/peer``: what replicas tell each other."""

    def __init__(self, team: Receiver) -> None:
        self._team = team

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        peer = scope.get(PEER)
        if not isinstance(peer, Peer) or scope["method"] != "POST":
            await answer(send, 403, b"only replicas tell each other of themselves here\n")
            return
        try:
            body = await read_all(receive, most=MAX_NEWS)
            if not peer.fits(body):
                raise PeerError("the body is not the one that was sealed")
            news = self._team.received(body)
        except (PeerError, TooLarge) as error:
            await answer(send, 400, f"{error}\n".encode())
            return
        await answer(send, 200, news, kind=b"application/json")


def peer_routes(team: Receiver | None, door: Door) -> dict[str, ASGIApp]:
    """The paths for replicas alone; none where there is no team."""
    return {} if team is None else {PATH: door.around(PeerRoute(team))}


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
