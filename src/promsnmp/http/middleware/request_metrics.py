"""What every request meets first: plain ASGI, so that hot paths never see FastAPI.

It sends hot paths to their own application, makes HEAD work wherever GET does, counts requests, and knows which are
being answered just now: the shutdown waits for those.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from promsnmp.observe.counts import RequestCounts

log = logging.getLogger(__name__)

UNKNOWN = "UNKNOWN"
"""The template that requests for no route count under (Micrometer's word)."""


class RequestMetricsMiddleware:
    """An ASGI application: ``fast_routes`` maps exact paths to applications; everything else goes to ``fallback``."""

    def __init__(self, *, fast_routes: Mapping[str, ASGIApp], fallback: ASGIApp, counts: RequestCounts) -> None:
        self._fast_routes = dict(fast_routes)
        self._fallback = fallback
        self._counts = counts
        self._number = 0
        self.in_flight: set[int] = set()
        """Numbers of the requests that are being answered now."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._fallback(scope, receive, send)
        started = time.perf_counter()
        status = 0

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        path = scope["path"]
        app = self._fast_routes.get(path)
        inner = _as_get(scope) if scope["method"] == "HEAD" else scope
        self._number += 1
        number = self._number
        self.in_flight.add(number)
        try:
            await (app or self._fallback)(inner, receive, watched)
        except asyncio.CancelledError:  # only the end of the shutdown does that
            log.warning("a %s request of %s did not finish before the shutdown", scope["method"], _template(inner))
            if not status:
                await _give_up(watched)
        finally:
            self.in_flight.discard(number)
            template = path if app else _template(inner)
            self._counts.record(scope["method"], template, status or 500, seconds=time.perf_counter() - started)


async def _give_up(send: Send) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": b"PromSNMP is shutting down.\n"})


def _as_get(scope: Scope) -> Scope:
    """The same question as a GET. The server drops the body of the answer (RFC 9110 section 9.3.2)."""
    return {**scope, "method": "GET"}


def _template(scope: Scope) -> str:
    """The path of the route that answered: a label must not hold what clients send."""
    return getattr(scope.get("route"), "path", UNKNOWN)
