"""Forwards requests that only the leader answers (``leader_only`` routes) to the leader, and relays its response.

These are writes under /promsnmp, and requests about searches, which only the leader keeps. Callers may use any replica.
They notice the replicas only while there is no leader: then they get a 503 with Retry-After, whose reason comes
from ``cluster/peers/forward_write.py``. A request that a leader refuses because it stops to lead meanwhile goes to the
next one.
"""

from __future__ import annotations

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from promsnmp.cluster.election.runner import Leadership
from promsnmp.cluster.peers.forward_write import NOT_LEADER, ForwardedRequest, WriteForwarder
from promsnmp.cluster.peers.signing import PeerIdentity
from promsnmp.errors import NotLeader, OutcomeUnknown
from promsnmp.http.middleware.forwarding import forwarded_headers, forwarded_user, target_of
from promsnmp.http.middleware.peer_auth import MAX_BODY, PEER
from promsnmp.http.responses.bodies import BodyTooLarge, read_body, replay_body
from promsnmp.http.responses.errors import send_error
from promsnmp.http.responses.sending import relay_response
from promsnmp.http.route_policy import policy_of
from promsnmp.http.services import REQUEST_ID

RETRY_AFTER = b"5"
"""Seconds; an election after a crash takes longer, one after a graceful stop less."""


class LeaderProxy:
    """Forwards by ``write_forwarder`` while another replica leads."""

    def __init__(self, leadership: Leadership, write_forwarder: WriteForwarder) -> None:
        self._leadership = leadership
        self._write_forwarder = write_forwarder

    def wrap(self, app: ASGIApp) -> ASGIApp:
        """``app``, whose ``leader_only`` routes the leader answers."""
        if self._leadership.backend == "none":
            return app

        async def proxied(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http" or not policy_of(scope).leader_only:
                await app(scope, receive, send)
            elif isinstance(peer := scope.get(PEER), PeerIdentity):
                await self._serve_peer(app, peer, scope, receive, send)
            elif self._leadership.leads:
                await self._serve(app, scope, receive, send)
            else:
                await self._forward(app, scope, receive, send)

        return proxied

    async def _serve(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers as the leader. When this replica refuses the request because it leads no more, nothing has been done,
        and the request is forwarded to the next leader."""
        read = bytearray()
        has_more = True
        is_refused = False

        async def remembering() -> Message:
            nonlocal has_more
            message = await receive()
            if message["type"] == "http.request":
                read.extend(message.get("body", b""))
                has_more = message.get("more_body", False)
            return message

        async def send_unless_refused(message: Message) -> None:
            nonlocal is_refused
            is_start = message["type"] == "http.response.start"
            is_refused = is_refused or (is_start and message["status"] == 503 and not self._leadership.leads)
            if not is_refused:
                await send(message)

        await app(scope, remembering, send_unless_refused)
        if is_refused:
            await self._forward(app, scope, replay_body(bytes(read), receive, has_more=has_more), send)

    async def _serve_peer(self, app: ASGIApp, peer: PeerIdentity, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers what another replica forwarded; a forwarded request is never forwarded again."""
        if not self._leadership.leads:
            await send_error(send, scope, 503, "this replica is not the leader", [(NOT_LEADER, b"1")])
            return
        scope[REQUEST_ID] = peer.request_id
        await app(scope, receive, self._marking_lost_lead(send))

    async def _forward(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body = await read_body(scope, receive, max_bytes=MAX_BODY)
            response = await self._write_forwarder.forward(
                ForwardedRequest(
                    scope["method"], target_of(scope), forwarded_headers(scope["headers"]), body, forwarded_user(scope)
                )
            )
        except ClientDisconnect:
            return
        except BodyTooLarge as error:
            await send_error(send, scope, error.status_code, error.detail)
        except NotLeader as error:
            text = f"no leader available ({error}); retry later"
            await send_error(send, scope, 503, text, [(b"retry-after", RETRY_AFTER)])
        except OutcomeUnknown as error:
            await send_error(send, scope, 504, str(error))
        else:
            if response is None:
                await self._serve(app, scope, replay_body(body, receive), send)
            else:
                await relay_response(send, response)

    def _marking_lost_lead(self, send: Send) -> Send:
        """Marks the 503 of a replica that lost leadership, so that the forwarding replica tries again."""

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 503 and not self._leadership.leads:
                message = {**message, "headers": [*message.get("headers", ()), (NOT_LEADER, b"1")]}
            await send(message)

        return send_marked
