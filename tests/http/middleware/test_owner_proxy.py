"""What a replica does not find in its inventory, while another one has a newer inventory."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from promsnmp.cluster.members.members import Member
from promsnmp.cluster.peers.signing import PeerIdentity
from promsnmp.errors import PeerError
from promsnmp.http.middleware.owner_proxy import OwnerProxy
from promsnmp.http.middleware.peer_auth import PEER
from promsnmp.http.responses.sending import send_text
from promsnmp.http.route_policy import POLICY, RoutePolicy
from promsnmp.support.http_client import HttpResponse

NEWER = Member("pod-1", "another", "192.0.2.2:8080", 0.0)


class Forwarder:
    """The replica with the newer inventory."""

    def __init__(self, answer: HttpResponse | None) -> None:
        self.answer = answer
        self.asked: list[bytes] = []

    async def fetch(self, owner: Member, target: bytes, *_: object, **__: object) -> HttpResponse:
        assert owner is NEWER
        self.asked.append(target)
        if self.answer is None:
            raise PeerError("no answer")
        return self.answer


async def answer(forwarder: Forwarder, *, status: int, newer: Member | None = NEWER, **more: Any) -> tuple[int, bytes]:
    async def handler(scope: Scope, receive: Receive, send: Send) -> None:
        await send_text(send, status, "from here")

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    nothing: Any = SimpleNamespace(rules=None)
    route: Any = SimpleNamespace(time_limit=lambda _: 10.0)
    proxy = OwnerProxy(route, nothing, forwarder, None, nothing, better_informed=lambda: newer)  # type: ignore[arg-type]
    scope = {
        "type": "http", "method": "GET", "path": "/promsnmp/devices/new", "raw_path": b"/promsnmp/devices/new",
        "query_string": b"", "headers": [], "client": ("192.0.2.9", 1), POLICY: RoutePolicy(), **more,
    }  # fmt: skip
    await proxy.wrap(handler)(scope, None, send)  # type: ignore[arg-type]
    return sent[0]["status"], sent[1]["body"]


async def test_a_replica_that_is_behind_asks_another_one_for_what_it_does_not_know() -> None:
    forwarder = Forwarder(HttpResponse(200, [], b"from there"))
    assert await answer(forwarder, status=404) == (200, b"from there")
    assert forwarder.asked == [b"/promsnmp/devices/new"]


@pytest.mark.parametrize("there", [None, HttpResponse(404, [], b"neither"), HttpResponse(403, [], b"no")])
async def test_its_own_answer_counts_when_the_other_one_has_nothing_better(there: HttpResponse | None) -> None:
    assert await answer(Forwarder(there), status=404) == (404, b"from here\n")


@pytest.mark.parametrize(
    ("status", "newer", "more"),
    [
        (200, NEWER, {}),
        (404, None, {}),
        (404, NEWER, {"method": "DELETE"}),
        (404, NEWER, {PEER: PeerIdentity("pod-2")}),
    ],
)
async def test_nothing_else_is_passed_on(status: int, newer: Member | None, more: dict[str, Any]) -> None:
    forwarder = Forwarder(HttpResponse(200, [], b"from there"))
    assert await answer(forwarder, status=status, newer=newer, **more) == (status, b"from here\n")
    assert not forwarder.asked
