"""Requests of other replicas: recognised by their seal before anything else looks at them, or refused.

A seal is an answer to "who asks?" like any other credentials, so it is one of access control's ``Authenticator``; and
it marks a request as passed on already, which is how handlers know that they must answer it themselves.
"""

from __future__ import annotations

from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from promsnmp.cluster.peers.client import DETECTED_MODULES_PATH, STATUS_PATH
from promsnmp.cluster.peers.forward_write import NOT_LEADER, PEER_REFUSED
from promsnmp.cluster.peers.signing import SIGNATURE_HEADER, PeerIdentity, RequestSigner
from promsnmp.errors import NotLeader, PeerError
from promsnmp.http.security.origin import HeaderMap

PEER = "promsnmp.peer"
"""Key of an ASGI scope: the ``PeerIdentity`` that sealed the request."""
MAX_STATUS = 64 * 1024
MAX_DETECTED_MODULES = 64 * 1024 * 1024
"""Bytes of what replicas tell of themselves, and of what they found out, at most."""

HeaderList = list[tuple[bytes, bytes]]


class BodyTooLarge(Exception):
    """A body is larger than it may be."""


class PeerAuthMiddleware:
    """What every request passes first: sealed ones are marked, wrongly sealed ones refused."""

    def __init__(self, signer: RequestSigner) -> None:
        self._signer = signer

    def wrap(self, app: ASGIApp) -> ASGIApp:
        """``app``, behind this door."""

        async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http" and (signature := signature_of(scope["headers"])) is not None:
                try:
                    peer = self._signer.verify(signature, scope["method"], target_of(scope))
                except PeerError as error:
                    await send_body(send, 403, f"{error}\n".encode(), [(PEER_REFUSED, b"1")])
                    return
                scope[PEER] = peer
                if peer.user:
                    scope["client"] = (peer.user.rpartition("@")[2], 0)
            await app(scope, receive, send)

        return wrapped


class PeerAuthenticator:
    """An Authenticator (see auth.py): a replica, on behalf of a user that it has let in."""

    configured = False
    challenge = ""

    async def principal(self, scope: Scope, headers: HeaderMap) -> str | None:
        peer = scope.get(PEER)
        if not isinstance(peer, PeerIdentity):
            return None
        return peer.user.rpartition("@")[0] or f"replica:{peer.name}"


class PeerRoute:
    """A path for replicas alone: ``handle`` gets what one sends (at most ``max_bytes`` bytes) and gives the answer.

    It may raise PeerError and ValueError for what it does not understand, and NotLeader.
    """

    def __init__(self, handle: Callable[[bytes], bytes], *, max_bytes: int) -> None:
        self._handle = handle
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        peer = scope.get(PEER)
        if not isinstance(peer, PeerIdentity) or scope["method"] != "POST":
            await send_body(send, 403, b"only replicas tell each other of themselves here\n")
            return
        try:
            body = await read_asgi_body(receive, max_bytes=self._max_bytes)
            if not peer.matches(body):
                raise PeerError("the body is not the one that was sealed")
            reply = self._handle(body)
        except NotLeader:
            await send_body(send, 503, b"this replica is not the leader\n", [(NOT_LEADER, b"1")])
        except (PeerError, ValueError, BodyTooLarge) as error:
            await send_body(send, 400, f"{error}\n".encode())
        else:
            await send_body(send, 200, reply, kind=b"application/json")


def peer_routes(
    peer_auth: PeerAuthMiddleware,
    *,
    on_status: Callable[[bytes], bytes] | None,
    on_detected_modules: Callable[[bytes], bytes],
) -> dict[str, ASGIApp]:
    """The paths for replicas alone; none where ``on_status`` are not expected, since there are no others."""
    if on_status is None:
        return {}
    return {
        STATUS_PATH: peer_auth.wrap(PeerRoute(on_status, max_bytes=MAX_STATUS)),
        DETECTED_MODULES_PATH: peer_auth.wrap(PeerRoute(on_detected_modules, max_bytes=MAX_DETECTED_MODULES)),
    }


def signature_of(headers: HeaderList) -> bytes | None:
    """The seal of a request, None when it has none; several are as good as a wrong one."""
    values = [value for name, value in headers if name == SIGNATURE_HEADER]
    return b" ".join(values) if values else None


def target_of(scope: Scope) -> bytes:
    """Path and query as they were sent."""
    path: bytes = scope.get("raw_path") or scope["path"].encode()
    query: bytes = scope["query_string"]
    return path + b"?" + query if query else path


async def read_asgi_body(receive: Receive, *, max_bytes: int) -> bytes:
    """The body of a request. Raises BodyTooLarge as soon as it is known to be larger than ``max_bytes`` bytes."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return bytes(body)
        body += message.get("body", b"")
        if len(body) > max_bytes:
            raise BodyTooLarge(f"the body is larger than {max_bytes} bytes")
        if not message.get("more_body"):
            return bytes(body)


def replay_body(body: bytes, receive: Receive) -> Receive:
    """``receive`` for an application that is to read ``body``, which was read already."""
    first = True

    async def receive_again() -> Message:
        nonlocal first
        if not first:
            return await receive()
        first = False
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_again


async def send_body(
    send: Send,
    status: int,
    body: bytes,
    headers: HeaderList | None = None,
    *,
    kind: bytes = b"text/plain; charset=utf-8",
) -> None:
    """Sends a whole answer."""
    head = [(b"content-type", kind), (b"content-length", b"%d" % len(body)), (b"x-content-type-options", b"nosniff")]
    await send({"type": "http.response.start", "status": status, "headers": [*head, *(headers or [])]})
    await send({"type": "http.response.body", "body": body})
