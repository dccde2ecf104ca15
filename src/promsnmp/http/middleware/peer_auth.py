"""Verifies the signature of requests from other replicas, and refuses a wrong one.

A signature is a kind of credentials, so access control has an ``Authenticator`` for it. It also marks a request as
forwarded: the replica that gets it must answer it and not forward it again.
"""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from promsnmp.cluster.peers.client import DETECTED_MODULES_PATH, STATUS_PATH
from promsnmp.cluster.peers.forward_write import NOT_LEADER, PEER_REFUSED
from promsnmp.cluster.peers.signing import SIGNATURE_HEADER, PeerIdentity, RequestSigner
from promsnmp.errors import NotLeader, PeerError
from promsnmp.http.middleware.forwarding import target_of
from promsnmp.http.responses.bodies import BodyTooLarge, read_body
from promsnmp.http.responses.sending import JSON, HeaderList, body_headers, send_response, send_text
from promsnmp.http.route_policy import AccessLevel, PlainRoute, RoutePolicy
from promsnmp.http.security.origin import HeaderMap

PEER = "promsnmp.peer"
"""Key of an ASGI scope: the ``PeerIdentity`` that signed the request."""
_POST = frozenset({"POST"})
MAX_STATUS = 64 * 1024
MAX_DETECTED_MODULES = 64 * 1024 * 1024
"""Bytes of a replica's status, and of the modules that it detected, at most."""


class PeerAuthMiddleware:
    """Marks signed requests, and refuses those whose signature is wrong."""

    def __init__(self, signer: RequestSigner) -> None:
        self._signer = signer

    def wrap(self, app: ASGIApp) -> ASGIApp:
        """``app``, whose scope has the ``PeerIdentity`` of a signed request."""

        async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http" and (signature := signature_of(scope["headers"])) is not None:
                try:
                    peer = self._signer.verify(signature, scope["method"], target_of(scope))
                except PeerError as error:
                    await send_text(send, 403, str(error), [(PEER_REFUSED, b"1")])
                    return
                scope[PEER] = peer
                if peer.user:
                    scope["client"] = (peer.user.rpartition("@")[2], 0)
            await app(scope, receive, send)

        return wrapped


class PeerAuthenticator:
    """An Authenticator (see auth.py) for replicas, on behalf of a user that the replica has authenticated."""

    configured = False
    challenge = ""

    async def principal(self, scope: Scope, headers: HeaderMap) -> str | None:
        peer = scope.get(PEER)
        if not isinstance(peer, PeerIdentity):
            return None
        return peer.user.rpartition("@")[0] or f"replica:{peer.name}"


class PeerRoute:
    """Answers a path for replicas: ``handle`` gets the body (at most ``max_bytes`` bytes) and returns the response.

    It may raise PeerError and ValueError for a body that it does not understand, and NotLeader.
    """

    def __init__(self, handle: Callable[[bytes], bytes], *, max_bytes: int) -> None:
        self._handle = handle
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        peer = scope.get(PEER)
        if not isinstance(peer, PeerIdentity) or scope["method"] != "POST":
            await send_text(send, 403, "only replicas may use this path")
            return
        try:
            body = await read_body(scope, receive, max_bytes=self._max_bytes)
            if not peer.matches(body):
                raise PeerError("the body does not match its signature")
            reply = self._handle(body)
        except NotLeader:
            await send_text(send, 503, "this replica is not the leader", [(NOT_LEADER, b"1")])
        except ClientDisconnect:
            return
        except BodyTooLarge as error:
            await send_text(send, 400, error.detail)
        except (PeerError, ValueError) as error:
            await send_text(send, 400, str(error))
        else:
            await send_response(send, 200, body_headers(reply, JSON), reply)


def peer_routes(
    *, on_status: Callable[[bytes], bytes] | None, on_detected_modules: Callable[[bytes], bytes]
) -> list[PlainRoute]:
    """The routes for replicas; none without ``on_status``, since then there are no other replicas."""
    if on_status is None:
        return []
    policy = RoutePolicy(access=AccessLevel.PEER)
    status = PeerRoute(on_status, max_bytes=MAX_STATUS)
    detected_modules = PeerRoute(on_detected_modules, max_bytes=MAX_DETECTED_MODULES)
    return [
        PlainRoute(STATUS_PATH, status, policy, _POST),
        PlainRoute(DETECTED_MODULES_PATH, detected_modules, policy, _POST),
    ]


def signature_of(headers: HeaderList) -> bytes | None:
    """The signature of a request, None when it has none; several are as good as a wrong one."""
    values = [value for name, value in headers if name == SIGNATURE_HEADER]
    return b" ".join(values) if values else None
