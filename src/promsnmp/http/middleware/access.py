"""What a request meets before its handler: the rate limit, the question who asks, and headers for the answer.

Plain ASGI, around the API and around the hot paths alike. Scrapes that are answered from memory never become ASGI
requests (``fast_path.py``), so ``wrap_fast_answer`` lets them through where nothing of this needs to be asked.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from http import HTTPStatus

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from promsnmp.http.security.auth import PRINCIPAL, AccessControl, AccessLevel, Refusal, access_level
from promsnmp.http.security.web_config_watcher import WebConfigWatcher
from promsnmp.http.server.fast_path import FastAnswer, HeaderList

PLAIN = ("/snmp", "/metrics")
"""Paths whose errors are plain text, since Prometheus shows them."""


class RateLimit:
    """A token bucket: one request per ``interval`` seconds, and ``burst`` at once after a pause."""

    def __init__(self, interval: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._interval = interval
        self._burst = burst
        self._clock = clock
        self._left = float(burst)
        self._seen = clock()

    def allows(self) -> bool:
        now = self._clock()
        self._left = min(self._left + (now - self._seen) / self._interval, self._burst)
        self._seen = now
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True


class AccessMiddleware:
    """Around ``app``; ``web`` says what the web configuration asks for at the moment."""

    def __init__(self, access: AccessControl, web: WebConfigWatcher) -> None:
        self.access = access
        self._web = web
        self._rate: tuple[float, int] | None = None
        self._limit: RateLimit | None = None

    def wrap(self, app: ASGIApp) -> ASGIApp:
        """``app``, behind this gate."""

        async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
            await self._handle(app, scope, receive, send)

        return wrapped

    def wrap_fast_answer(self, inner: FastAnswer) -> FastAnswer:
        """``inner`` for scrapes from memory: with the headers, and with no answer where somebody has to be asked."""

        def wrapped(query_string: bytes, headers: HeaderList) -> tuple[HeaderList, bytes] | None:
            if self._web.current.rate or self.access.protect_scrapes:
                return None
            answer = inner(query_string, headers)
            if answer is None or not self._web.current.headers:
                return answer
            return [*answer[0], *self._missing_headers(answer[0])], answer[1]

        return wrapped

    async def _handle(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        if self._web.current.headers:
            send = self._with_headers(send)
        decision = self._rate_limited(scope) or await self.access.authorize(scope)
        if isinstance(decision, Refusal):
            await _refuse(decision, scope["path"], send)
        else:
            scope[PRINCIPAL] = decision
            await app(scope, receive, send)

    def _rate_limited(self, scope: Scope) -> Refusal | None:
        if self._web.current.rate != self._rate:
            self._rate = self._web.current.rate
            self._limit = RateLimit(*self._rate) if self._rate else None
        if (
            self._limit is None
            or access_level(scope["method"], scope["path"]) is AccessLevel.HEALTH
            or self._limit.allows()
        ):
            return None
        return Refusal(HTTPStatus.TOO_MANY_REQUESTS, "too many requests: rate_limit of the web configuration")

    def _with_headers(self, send: Send) -> Send:
        async def send_more(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", ()))
                message = {**message, "headers": [*headers, *self._missing_headers(headers)]}
            await send(message)

        return send_more

    def _missing_headers(self, headers: Iterable[tuple[bytes, bytes]]) -> HeaderList:
        """Headers of the web configuration, without those that the answer has of its own."""
        there = {name.lower() for name, _ in headers}
        configured = ((name.lower().encode(), value.encode()) for name, value in self._web.current.headers.items())
        return [(name, value) for name, value in configured if name not in there]


async def _refuse(refusal: Refusal, path: str, send: Send) -> None:
    if path in PLAIN:
        kind, body = "text/plain; charset=utf-8", f"{refusal.text}\n".encode()
    else:
        document = {"error": refusal.text, "status": int(refusal.status), "path": path}
        kind, body = "application/json", json.dumps(document).encode()
    headers = [("content-type", kind), ("content-length", str(len(body))), ("cache-control", "no-store")]
    encoded = [(name.encode(), value.encode("latin-1")) for name, value in (*headers, *refusal.headers)]
    await send({"type": "http.response.start", "status": int(refusal.status), "headers": encoded})
    await send({"type": "http.response.body", "body": body})
