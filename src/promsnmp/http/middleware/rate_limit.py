"""Refuses requests beyond the ``rate_limit`` of the web configuration with 429, except those for the health.

Replicas tell each other their state outside of it, too: a busy replica must not look like a dead one.
"""

from __future__ import annotations

from http import HTTPStatus

from starlette.types import ASGIApp, Receive, Scope, Send

from promsnmp.http.responses.errors import send_error
from promsnmp.http.route_policy import AccessLevel, policy_of
from promsnmp.http.security.web_config_watcher import WebConfigWatcher
from promsnmp.support.token_bucket import TokenBucket

_EXEMPT = (AccessLevel.HEALTH, AccessLevel.PEER)


class RateLimitMiddleware:
    """The limit that ``web`` has at the moment."""

    def __init__(self, web: WebConfigWatcher) -> None:
        self._web = web
        self._rate: tuple[float, int] | None = None
        self._bucket: TokenBucket | None = None

    @property
    def is_active(self) -> bool:
        """Whether there is a limit."""
        return self._web.current.rate is not None

    def wrap(self, app: ASGIApp) -> ASGIApp:
        """``app``, behind the limit."""

        async def limited(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http" or policy_of(scope).access in _EXEMPT or self._allows():
                await app(scope, receive, send)
            else:
                text = "too many requests: rate_limit of the web configuration"
                await send_error(send, scope, HTTPStatus.TOO_MANY_REQUESTS, text, [(b"cache-control", b"no-store")])

        return limited

    def _allows(self) -> bool:
        if self._web.current.rate != self._rate:
            self._rate = self._web.current.rate
            self._bucket = None
            if self._rate is not None:
                interval, burst = self._rate
                self._bucket = TokenBucket(rate=1 / interval, burst=burst)
        return self._bucket is None or self._bucket.take()
