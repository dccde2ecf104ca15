"""Verifies the signature of requests from other replicas, refuses a wrong one, and signs the answers.

A signature is a kind of credentials, so access control has an ``Authenticator`` for it. It also marks a request as
forwarded: the replica that gets it must answer it and not forward it again. The body is compared with the signature
before anything else reads it, and headers that the signature does not cover are dropped.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from promsnmp.cluster.peers.challenge import CHALLENGE_PATH, MAX_CHALLENGE
from promsnmp.cluster.peers.client import (
    DETECTED_MODULES_PATH,
    HANDOVER_PATH,
    NEIGHBOURS_PATH,
    POLL_STATUS_PATH,
    READ_LEASE_PATH,
    RECENT_TRAPS_PATH,
    REFUSED,
    REFUSED_COPY,
    REFUSED_RECIPIENT,
    REFUSED_SIGNATURE,
    SESSIONS_PATH,
    STATUS_PATH,
    TRAPS_PATH,
    digest_of,
)
from promsnmp.cluster.peers.forward_write import NOT_LEADER
from promsnmp.cluster.peers.signing import (
    SIGNATURE_HEADER,
    InvalidSignature,
    OtherRecipient,
    PeerIdentity,
    RequestVerifier,
    SignedRequest,
    UsedBefore,
)
from promsnmp.cluster.read_leases import messages as read_leases
from promsnmp.errors import NotLeader, PeerError
from promsnmp.http.middleware.forwarding import target_of
from promsnmp.http.responses.bodies import BodyTooLarge, read_body, replay_body
from promsnmp.http.responses.errors import send_error
from promsnmp.http.responses.sending import JSON, HeaderList, body_headers, send_response, send_text
from promsnmp.http.route_policy import AccessLevel, PlainRoute, RoutePolicy
from promsnmp.http.security.origin import HeaderMap
from promsnmp.polling.handover import messages as handover

PEER = "promsnmp.peer"
"""Key of an ASGI scope: the ``PeerIdentity`` that signed the request."""
MAX_BODY = 64 * 1024 * 1024
"""Bytes of a forwarded body, at most: the largest inventory that is accepted."""
MAX_QUESTION = 1024
"""Bytes of a question that has no parameters."""
MAX_TRAPS = 512 * 1024
"""Bytes of a message about traps, at most."""
MAX_STATUS = 64 * 1024
"""Bytes of a replica's status, at most."""
_POST = frozenset({"POST"})


class PeerAuthMiddleware:
    """Checks signed requests by ``verifier``; None where there are no other replicas, and signatures mean nothing."""

    def __init__(self, verifier: RequestVerifier | None) -> None:
        self._verifier = verifier

    def wrap(self, app: ASGIApp) -> ASGIApp:
        """``app``, whose scope has the ``PeerIdentity`` of a signed request."""
        if (verifier := self._verifier) is None:
            return app

        async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
            signature = signature_of(scope["headers"]) if scope["type"] == "http" else None
            if signature is None:
                await app(scope, receive, send)
                return
            try:
                request = verifier.verify(signature, scope["method"], target_of(scope), scope["headers"])
            except InvalidSignature as error:
                await _refuse(send, error, REFUSED_SIGNATURE)
                return
            signed_send = _AnswerSigner(send, verifier, request)
            body = await _accepted_body(verifier, request, scope, receive, signed_send)
            if body is not None:
                _enter(scope, request, body)
                await app(scope, replay_body(body, receive), signed_send)

        return wrapped


async def _accepted_body(
    verifier: RequestVerifier, request: SignedRequest, scope: Scope, receive: Receive, send: Send
) -> bytes | None:
    """The body, when it is the signed one, and the request is for this process and no copy; else None, and the request
    is answered."""
    try:
        verifier.accept(request)
        body = await read_body(scope, receive, max_bytes=MAX_BODY)
        if await digest_of(body) != request.digest:
            raise InvalidSignature("the body does not match its signature")
        return body
    except OtherRecipient as error:
        await _refuse(send, error, REFUSED_RECIPIENT)
    except UsedBefore as error:
        await _refuse(send, error, REFUSED_COPY)
    except InvalidSignature as error:
        await _refuse(send, error, REFUSED_SIGNATURE)
    except BodyTooLarge as error:
        await send_text(send, error.status_code, error.detail)
    except ClientDisconnect:
        pass
    return None


async def _refuse(send: Send, error: PeerError, reason: bytes) -> None:
    await send_text(send, 403, str(error), [(REFUSED, reason)])


def _enter(scope: Scope, request: SignedRequest, body: bytes) -> None:
    """Leaves in the scope what is signed, and nothing else."""
    scope["headers"] = [*request.headers, (b"content-length", b"%d" % len(body))] if body else request.headers
    scope[PEER] = request.identity
    if request.identity.user:
        scope["client"] = (request.identity.user.rpartition("@")[2], 0)


class _AnswerSigner:
    """A ``send`` that holds the answer back until it is complete, and adds its signature."""

    def __init__(self, send: Send, verifier: RequestVerifier, request: SignedRequest) -> None:
        self._send = send
        self._verifier = verifier
        self._request = request
        self._start: Message = {}
        self._body: list[bytes] = []

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
            return
        self._body.append(message.get("body", b""))
        if message.get("more_body"):
            return
        body = b"".join(self._body)
        digest = await digest_of(body)
        headers = [(name.lower(), value) for name, value in self._start.get("headers", ())]
        header = self._verifier.sign_answer(self._request, self._start["status"], headers, digest)
        await self._send({**self._start, "headers": [*headers, header]})
        await self._send({"type": "http.response.body", "body": body})


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
    """Answers a path for replicas: ``handle`` gets the body (at most ``max_bytes`` bytes) and returns the response, or
    something to await for it.

    It may raise PeerError and ValueError for a body that it does not understand, and NotLeader. Only ``proven``
    replicas may use the path, unless it is for the proof.
    """

    def __init__(
        self, handle: Callable[[bytes], bytes | Awaitable[bytes]], *, max_bytes: int, proven: bool = True
    ) -> None:
        self._handle = handle
        self._max_bytes = max_bytes
        self._proven = proven

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "POST" or (self._proven and not isinstance(scope.get(PEER), PeerIdentity)):
            await send_text(send, 403, "only replicas may use this path")
            return
        try:
            made = self._handle(await read_body(scope, receive, max_bytes=self._max_bytes))
            reply = made if isinstance(made, bytes) else await made
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


_PATHS = (
    CHALLENGE_PATH, STATUS_PATH, DETECTED_MODULES_PATH, READ_LEASE_PATH, HANDOVER_PATH, POLL_STATUS_PATH,
    NEIGHBOURS_PATH, SESSIONS_PATH, TRAPS_PATH, RECENT_TRAPS_PATH,
)  # fmt: skip


def peer_routes(
    *,
    on_status: Callable[[bytes], bytes] | None,
    on_detected_modules: Callable[[bytes], bytes],
    on_challenge: Callable[[bytes], bytes],
    on_read_lease: Callable[[bytes], bytes],
    on_handover: Callable[[bytes], bytes],
    on_poll_status: Callable[[bytes], bytes | Awaitable[bytes]],
    on_neighbours: Callable[[bytes], bytes | Awaitable[bytes]],
    on_session: Callable[[bytes], bytes],
    on_traps: Callable[[bytes], bytes | Awaitable[bytes]],
    on_recent_traps: Callable[[bytes], bytes],
) -> list[PlainRoute]:
    """The routes for replicas. Without ``on_status`` there are no other replicas, and nothing is there for anybody."""
    policy = RoutePolicy(access=AccessLevel.PEER)
    if on_status is None:
        return [PlainRoute(path, _not_found, policy, _POST) for path in _PATHS]
    routes = {
        CHALLENGE_PATH: PeerRoute(on_challenge, max_bytes=MAX_CHALLENGE, proven=False),
        STATUS_PATH: PeerRoute(on_status, max_bytes=MAX_STATUS),
        DETECTED_MODULES_PATH: PeerRoute(on_detected_modules, max_bytes=MAX_BODY),
        READ_LEASE_PATH: PeerRoute(on_read_lease, max_bytes=read_leases.MAX_MESSAGE),
        HANDOVER_PATH: PeerRoute(on_handover, max_bytes=handover.MAX_MESSAGE),
        POLL_STATUS_PATH: PeerRoute(on_poll_status, max_bytes=MAX_QUESTION),
        NEIGHBOURS_PATH: PeerRoute(on_neighbours, max_bytes=MAX_QUESTION),
        SESSIONS_PATH: PeerRoute(on_session, max_bytes=MAX_QUESTION),
        TRAPS_PATH: PeerRoute(on_traps, max_bytes=MAX_TRAPS),
        RECENT_TRAPS_PATH: PeerRoute(on_recent_traps, max_bytes=MAX_QUESTION),
    }
    return [PlainRoute(path, route, policy, _POST) for path, route in routes.items()]


async def _not_found(scope: Scope, receive: Receive, send: Send) -> None:
    await send_error(send, scope, 404, "Not Found")


def signature_of(headers: HeaderList) -> bytes | None:
    """The signature of a request, None when it has none; several are as good as a wrong one."""
    values = [value for name, value in headers if name == SIGNATURE_HEADER]
    return b" ".join(values) if values else None
