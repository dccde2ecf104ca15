"""The first thing that requests meet."""

from __future__ import annotations

import asyncio

import pytest
from starlette.types import Message, Receive, Scope, Send

from promsnmp.http.middleware.request_metrics import UNKNOWN, RequestMetricsMiddleware
from promsnmp.observe.counts import RequestCounts


class App:
    """Answers 200 and remembers what it was asked."""

    def __init__(self) -> None:
        self.scopes: list[Scope] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scopes.append(scope)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"body"})


async def _nothing() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


async def ask(front: RequestMetricsMiddleware, path: str, method: str = "GET") -> list[Message]:
    """What ``front`` sends for one request."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    await front({"type": "http", "method": method, "path": path}, _nothing, send)
    return sent


async def test_hot_paths_never_see_the_rest() -> None:
    fast_routes, fallback = App(), App()
    front = RequestMetricsMiddleware(fast_routes={"/snmp": fast_routes}, fallback=fallback, counts=RequestCounts())
    for path in ("/snmp", "/snmp/", "/other"):
        await ask(front, path)
    assert [scope["path"] for scope in fast_routes.scopes] == ["/snmp"]
    assert [scope["path"] for scope in fallback.scopes] == ["/snmp/", "/other"]


async def test_head_is_asked_as_get_and_counted_as_head() -> None:
    fast_routes, counts = App(), RequestCounts()
    await ask(
        RequestMetricsMiddleware(fast_routes={"/snmp": fast_routes}, fallback=App(), counts=counts), "/snmp", "HEAD"
    )
    assert fast_routes.scopes[0]["method"] == "GET"
    assert list(counts.totals) == [("HEAD", "/snmp", 200)]


async def test_paths_that_clients_make_up_share_one_count() -> None:
    counts = RequestCounts()
    front = RequestMetricsMiddleware(fast_routes={}, fallback=App(), counts=counts)
    for number in range(3):
        await ask(front, f"/made/up/{number}")
    assert {key: total[0] for key, total in counts.totals.items()} == {("GET", UNKNOWN, 200): 3.0}


async def test_an_application_that_fails_counts_as_500_and_is_no_longer_in_flight() -> None:
    async def fails(scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError("a bug")

    counts = RequestCounts()
    front = RequestMetricsMiddleware(fast_routes={"/snmp": fails}, fallback=App(), counts=counts)
    with pytest.raises(RuntimeError):
        await ask(front, "/snmp")
    assert list(counts.totals) == [("GET", "/snmp", 500)]
    assert front.in_flight == set()


async def test_a_request_is_in_flight_until_it_is_answered_and_503_when_it_is_given_up() -> None:
    async def waits(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.Event().wait()

    front = RequestMetricsMiddleware(fast_routes={"/snmp": waits}, fallback=App(), counts=RequestCounts())
    task = asyncio.create_task(ask(front, "/snmp"))
    while not front.in_flight:
        await asyncio.sleep(0)
    task.cancel()
    sent = await task
    assert sent[0]["status"] == 503
    assert front.in_flight == set()
