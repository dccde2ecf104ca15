"""A leader that stops to lead during a request passes it to the next one."""

from __future__ import annotations

from typing import Any

from starlette.types import Message, Receive, Scope, Send

from promsnmp.cluster.election.backend_none import AlwaysLeader
from promsnmp.cluster.peers.forward_write import NOT_LEADER, ForwardedRequest
from promsnmp.cluster.peers.signing import PeerIdentity
from promsnmp.errors import NotLeader
from promsnmp.http.middleware.leader_proxy import LeaderProxy
from promsnmp.http.middleware.peer_auth import PEER
from promsnmp.http.responses.bodies import read_body
from promsnmp.http.responses.sending import send_text
from promsnmp.http.route_policy import POLICY, RoutePolicy
from promsnmp.support.http_client import HttpResponse

BODY = [b'{"sysName": ', b'"switch-1"}']


class Leadership(AlwaysLeader):
    backend = "redis"

    def __init__(self) -> None:
        super().__init__("pod-0", "192.0.2.1:8080")
        self.leads = True


class Forwarder:
    """The next leader; without ``answer`` nobody leads."""

    def __init__(self, answer: HttpResponse | None) -> None:
        self.answer = answer
        self.requests: list[ForwardedRequest] = []

    async def forward(self, request: ForwardedRequest) -> HttpResponse:
        self.requests.append(request)
        if self.answer is None:
            raise NotLeader("an election is in progress")
        return self.answer


async def responses(
    next_leader: Forwarder, *, reads: bool = True, loses_lead: bool = True, status: int = 503, peer: object = None
) -> list[Message]:
    """What the client of a write gets whose handler answers with ``status`` after the lead is lost."""
    leadership = Leadership()

    async def handler(scope: Scope, receive: Receive, send: Send) -> None:
        if reads:
            assert await read_body(scope, receive, max_bytes=100) == b"".join(BODY)
        leadership.leads = not loses_lead
        await send_text(send, status, "from the handler")

    messages = [{"type": "http.request", "body": part, "more_body": part is BODY[0]} for part in BODY]
    sent: list[Message] = []

    async def receive() -> Message:
        return messages.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    scope: dict[str, Any] = {
        "type": "http", "method": "POST", "path": "/promsnmp/devices", "raw_path": b"/promsnmp/devices",
        "query_string": b"", "headers": [], "client": ("192.0.2.9", 1), POLICY: RoutePolicy(leader_only=True),
    }  # fmt: skip
    if peer is not None:
        scope[PEER] = peer
    proxy = LeaderProxy(leadership, next_leader)  # type: ignore[arg-type]
    await proxy.wrap(handler)(scope, receive, send)
    return sent


CREATED = HttpResponse(201, [], b"created")


async def test_a_write_that_a_leader_refuses_because_it_stops_to_lead_goes_to_the_next_one() -> None:
    for reads in (True, False):  # before and after the handler has read the body
        next_leader = Forwarder(CREATED)
        start, body = await responses(next_leader, reads=reads)
        assert (start["status"], body["body"]) == (201, b"created")
        assert [one.body for one in next_leader.requests] == [b"".join(BODY)]


async def test_it_is_refused_when_there_is_no_next_leader() -> None:
    start, body = await responses(Forwarder(None))
    assert start["status"] == 503
    assert (b"retry-after", b"5") in start["headers"]
    assert b"no leader available" in body["body"]


async def test_no_other_answer_is_forwarded() -> None:
    for loses_lead, status in ((False, 503), (True, 201), (True, 409), (True, 504)):
        next_leader = Forwarder(CREATED)
        start, body = await responses(next_leader, loses_lead=loses_lead, status=status)
        assert (start["status"], body["body"]) == (status, b"from the handler\n")
        assert not next_leader.requests


async def test_another_replica_forwards_its_request_itself() -> None:
    next_leader = Forwarder(CREATED)
    start, _ = await responses(next_leader, peer=PeerIdentity("pod-1", "eva@192.0.2.9", "request-1"))
    assert start["status"] == 503
    assert (NOT_LEADER, b"1") in start["headers"]
    assert not next_leader.requests
