"""Counts of requests, HEAD, and requests in flight."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from promsnmp.http.middleware.request_metrics import UNKNOWN, RequestMetricsMiddleware
from promsnmp.observe.counts import RequestCounts


class App:
    """Answers 200 and keeps the scopes of its requests."""

    def __init__(self) -> None:
        self.scopes: list[Scope] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scopes.append(scope)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"body"})


async def _nothing() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


async def ask(middleware: RequestMetricsMiddleware, app: ASGIApp, path: str, method: str = "GET") -> list[Message]:
    """What ``app`` behind ``middleware`` sends for one request."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    await middleware.wrap(app)({"type": "http", "method": method, "path": path}, _nothing, send)
    return sent


async def test_head_is_asked_as_get_and_counted_as_head() -> None:
    app, counts = App(), RequestCounts()
    await ask(RequestMetricsMiddleware(counts), app, "/snmp", "HEAD")
    assert app.scopes[0]["method"] == "GET"
    assert [method for method, _, _ in counts.totals] == ["HEAD"]


async def test_a_request_counts_under_the_path_of_its_route() -> None:
    async def routed(scope: Scope, receive: Receive, send: Send) -> None:
        scope["route"] = SimpleNamespace(path="/devices/{device}")
        await App()(scope, receive, send)

    counts = RequestCounts()
    await ask(RequestMetricsMiddleware(counts), routed, "/devices/7")
    assert list(counts.totals) == [("GET", "/devices/{device}", 200)]


async def test_paths_without_a_route_share_one_count() -> None:
    counts = RequestCounts()
    middleware = RequestMetricsMiddleware(counts)
    for number in range(3):
        await ask(middleware, App(), f"/made/up/{number}")
    assert {key: total[0] for key, total in counts.totals.items()} == {("GET", UNKNOWN, 200): 3.0}


async def test_an_application_that_fails_counts_as_500_and_is_no_longer_in_flight() -> None:
    async def fails(scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError("a bug")

    counts = RequestCounts()
    middleware = RequestMetricsMiddleware(counts)
    with pytest.raises(RuntimeError):
        await ask(middleware, fails, "/snmp")
    assert list(counts.totals) == [("GET", UNKNOWN, 500)]
    assert middleware.in_flight == set()


async def test_a_request_is_in_flight_until_answered_and_503_when_cancelled() -> None:
    async def waits(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.Event().wait()

    middleware = RequestMetricsMiddleware(RequestCounts())
    task = asyncio.create_task(ask(middleware, waits, "/snmp"))
    while not middleware.in_flight:
        await asyncio.sleep(0)
    task.cancel()
    sent = await task
    assert sent[0]["status"] == 503
    assert middleware.in_flight == set()
