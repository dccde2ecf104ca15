"""Counts requests, makes HEAD work wherever GET does, and knows the requests in flight, for which a shutdown waits."""

from __future__ import annotations

import asyncio
import logging
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from promsnmp.http.responses.sending import send_text
from promsnmp.observe.counts import RequestCounts

log = logging.getLogger(__name__)

UNKNOWN = "UNKNOWN"
"""The label of requests without a route (Micrometer's word)."""


class RequestMetricsMiddleware:
    """Counts into ``counts``."""

    def __init__(self, counts: RequestCounts) -> None:
        self._counts = counts
        self._number = 0
        self.in_flight: set[int] = set()
        """Numbers of the requests that are being answered now."""

    def wrap(self, app: ASGIApp) -> ASGIApp:
        """``app``, whose requests are counted."""

        async def counted(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http":
                await self._count(app, scope, receive, send)
            else:
                await app(scope, receive, send)

        return counted

    async def _count(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        status = 0

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        inner = _as_get(scope) if scope["method"] == "HEAD" else scope
        self._number += 1
        number = self._number
        self.in_flight.add(number)
        try:
            await app(inner, receive, watched)
        except asyncio.CancelledError:  # happens at the end of the shutdown only
            log.warning("a %s request of %s did not finish before the shutdown", scope["method"], _template(inner))
            if not status:
                await send_text(watched, 503, "PromSNMP is shutting down.", [(b"connection", b"close")])
        finally:
            self.in_flight.discard(number)
            seconds = time.perf_counter() - started
            self._counts.record(scope["method"], _template(inner), status or 500, seconds=seconds)


def _as_get(scope: Scope) -> Scope:
    """The same request as a GET. The server drops the body of the response (RFC 9110 section 9.3.2)."""
    return {**scope, "method": "GET"}


def _template(scope: Scope) -> str:
    """The path of the route, not of the request: a label must not hold text from clients."""
    return getattr(scope.get("route"), "path", UNKNOWN)
