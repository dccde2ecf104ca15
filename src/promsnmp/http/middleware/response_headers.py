"""Adds the headers of the web configuration (``http_server_config``) to every response, refusals included."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from promsnmp.http.responses.sending import HeaderList
from promsnmp.http.security.web_config_watcher import WebConfigWatcher


class ResponseHeadersMiddleware:
    """The headers that ``web`` has at the moment; those that a response has of its own win."""

    def __init__(self, web: WebConfigWatcher) -> None:
        self._web = web

    def wrap(self, app: ASGIApp) -> ASGIApp:
        """``app``, whose responses get the headers."""

        async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
            has_headers = scope["type"] == "http" and self._web.current.headers
            await app(scope, receive, self._completing(send) if has_headers else send)

        return wrapped

    def complete(self, headers: HeaderList) -> HeaderList:
        """``headers`` of a response, and those of the web configuration that it does not have."""
        return [*headers, *self._missing(headers)] if self._web.current.headers else headers

    def _completing(self, send: Send) -> Send:
        async def send_more(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": self.complete(list(message.get("headers", ())))}
            await send(message)

        return send_more

    def _missing(self, headers: Iterable[tuple[bytes, bytes]]) -> HeaderList:
        present = {name.lower() for name, _ in headers}
        configured = ((name.lower().encode(), value.encode()) for name, value in self._web.current.headers.items())
        return [(name, value) for name, value in configured if name not in present]
