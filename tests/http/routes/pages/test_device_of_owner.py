"""The page of a device that another replica polls comes from there."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from fastapi import Request

from promsnmp.cluster.members.hash_ring import HashRing
from promsnmp.errors import PeerError, UnknownDevice
from promsnmp.http.middleware.peer_auth import PEER
from promsnmp.http.routes.pages.answers import VIEWER_HEADER
from promsnmp.http.routes.pages.interface import device
from promsnmp.http.security.sessions import Sessions
from promsnmp.support.http_client import HttpResponse


class Replica:
    """One of two replicas, with one device that the other one owns; ``answer`` is what the other one answers."""

    def __init__(self, answer: HttpResponse | PeerError, *, owner: str = "other", has_peers: bool = True) -> None:
        self.asked: list[tuple[str, str, bytes, list[tuple[bytes, bytes]], str]] = []
        me, other = (SimpleNamespace(name=name, instance=name, address=f"{name}:8080") for name in ("me", "other"))
        members = {"me": me, "other": other}

        async def request(
            address: str, method: str, target: bytes, headers: list[tuple[bytes, bytes]], *, timeout: float, user: str
        ) -> HttpResponse:
            self.asked.append((address, method, target, headers, user))
            if isinstance(answer, PeerError):
                raise answer
            return answer

        async def page(name: str, **_: object) -> tuple[int, str]:
            return 200, f"own {name}"

        def find(wanted: str) -> SimpleNamespace:
            if wanted != "switch":
                raise UnknownDevice("unknown device")
            return SimpleNamespace(id=next(key for key in map(str, range(100)) if ring.owner(key) == owner))

        async def identify(_: object) -> str:
            return "basic:alice"

        ring = HashRing(["me", "other"], "me")
        self.services = cast(
            "Any",
            SimpleNamespace(
                people=SimpleNamespace(page=page),
                devices=SimpleNamespace(find=find),
                access=SimpleNamespace(identify=identify),
                login=SimpleNamespace(sessions=Sessions(lambda _: b"key", lambda _: None, lifetime=60)),
                cluster=SimpleNamespace(
                    has_peers=has_peers,
                    members=SimpleNamespace(me=me, ring=ring, find=members.get),
                    peers=SimpleNamespace(request=request),
                ),
            ),
        )

    async def get(self, name: str = "switch", **scope: object) -> str:
        headers = [(b"accept", b"text/html"), (b"cookie", b"secret"), (b"accept-encoding", b"gzip")]
        asked = {
            "type": "http", "method": "GET", "path": f"/devices/{name}", "query_string": b"find=x", "headers": headers,
            "client": ("192.0.2.9", 1), **scope,
        }  # fmt: skip
        answer = await device(Request(asked), name, self.services)
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
        return bytes(answer.body).decode()


ANSWER = HttpResponse(200, [], b"the owner's page")


async def test_the_owner_is_asked_with_the_user_and_without_what_is_no_business_of_its() -> None:
    replica = Replica(ANSWER)
    assert await replica.get() == "the owner's page"
    ((address, method, target, headers, user),) = replica.asked
    assert (address, method, target) == ("other:8080", "GET", b"/devices/switch?find=x")
    assert headers[0] == (b"accept", b"text/html")
    assert [name for name, _ in headers] == [b"accept", VIEWER_HEADER]  # whoever may change something gets forms
    assert user == "anonymous@192.0.2.9"


@pytest.mark.parametrize(
    "answer", [PeerError("no connection"), HttpResponse(404, [], b"?"), HttpResponse(503, [], b"")]
)
async def test_this_replica_answers_when_the_owner_does_not(answer: HttpResponse | PeerError) -> None:
    assert await Replica(answer).get() == "own device"


async def test_nobody_is_asked_for_own_devices_unknown_ones_and_those_of_other_replicas_requests() -> None:
    for replica, name, scope in (
        (Replica(ANSWER, owner="me"), "switch", {}),
        (Replica(ANSWER, has_peers=False), "switch", {}),
        (Replica(ANSWER), "unknown", {}),
        (Replica(ANSWER), "switch", {PEER: object()}),
    ):
        assert await replica.get(name, **scope) == "own device"
        assert replica.asked == []
