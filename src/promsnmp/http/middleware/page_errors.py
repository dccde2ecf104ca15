"""Answers the browsers of people with pages where programs get errors as JSON, and asks who must log in to do so.

In one place, for all who refuse: access control, the limits, the leader proxy, the handlers, and the leader itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any, Protocol
from urllib.parse import quote, urlencode

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from promsnmp.http.middleware.forwarding import target_of
from promsnmp.http.middleware.peer_auth import PEER
from promsnmp.http.responses.negotiation import parse_accept
from promsnmp.http.responses.sending import HeaderList, body_headers, send_response
from promsnmp.http.route_policy import SAFE_METHODS, policy_of
from promsnmp.http.security.origin import HeaderMap, headers_of

HTML = b"text/html; charset=utf-8"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
PAGE_HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cache-control": "no-store",
    "vary": "Accept, HX-Request",
}
MAX_ERROR = 1024 * 1024
"""Bytes of an error that is shown as a page."""
MAX_NEXT = 2_000
"""Characters of a path to which a login leads back; a longer one leads to the overview."""
_KEPT = (b"retry-after", b"allow", b"set-cookie")
_OTHER_SITES = ("cross-site", "same-site")


class ErrorPages(Protocol):
    """Makes pages that say what is wrong."""

    def error_page(self, path: str, status: int, text: str, problems: Sequence[str]) -> str:
        """What is wrong with a request for ``path``, and problems one by one."""

    def continue_page(self, path: str) -> str:
        """A page that asks for ``path`` (with its query) once more, without a click."""


class PageErrorsMiddleware:
    """``page`` makes the pages; None when pages are off. ``can_log_in``: whether people can log in."""

    def __init__(self, page: ErrorPages | None, can_log_in: Callable[[], bool]) -> None:
        self._page = page
        self._can_log_in = can_log_in

    def wrap(self, app: ASGIApp) -> ASGIApp:
        """``app``, whose errors people can read."""
        if (page := self._page) is None:
            return app

        async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http" and policy_of(scope).is_page:
                await app(scope, receive, _Presenter(scope, send, page, can_log_in=self._can_log_in))
            else:
                await app(scope, receive, send)

        return wrapped


class _Presenter:
    """A ``send`` that turns a JSON answer for a browser into a page."""

    def __init__(self, scope: Scope, send: Send, page: ErrorPages, *, can_log_in: Callable[[], bool]) -> None:
        self._scope = scope
        self._send = send
        self._page = page
        self._can_log_in = can_log_in
        self._start: Message | None = None
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and self._is_shown(message):
            self._start = message
        elif self._start is None:
            await self._send(message)
        else:
            self._body += message.get("body", b"")[: MAX_ERROR - len(self._body)]
            if not message.get("more_body"):
                await self._present(self._start)

    def _is_shown(self, start: Message) -> bool:
        """JSON that says what has become of a request. What a request asks for, such as the map, may be JSON itself."""
        kind = next((value for name, value in start["headers"] if name.lower() == b"content-type"), b"")
        is_content = self._scope["method"] in SAFE_METHODS and start["status"] < HTTPStatus.BAD_REQUEST
        if PEER in self._scope or is_content or not kind.startswith(b"application/json"):
            return False
        headers = headers_of(self._scope)
        return is_fragment(headers) or is_browser(headers)

    async def _present(self, start: Message) -> None:
        headers, status = headers_of(self._scope), int(start["status"])
        kept = [(name, value) for name, value in start["headers"] if name.lower() in _KEPT]
        needs_login = status == 401 and self._can_log_in()
        if is_fragment(headers):
            # no WWW-Authenticate: it would make the browser ask by a dialog over an open page
            more = [(b"hx-redirect", self._login(_shown(self._scope)))] if needs_login else []
            await send_response(self._send, status, body_headers(self._body, b"application/json", more), self._body)
            return
        if needs_login and self._scope["method"] in SAFE_METHODS:
            await self._ask_who(headers)
            return
        text, problems = _read(self._body)
        html = self._page.error_page(self._scope["path"], status, text, problems).encode()
        await send_response(self._send, status, [*body_headers(html, HTML, _page_headers()), *kept], html)

    async def _ask_who(self, headers: HeaderMap) -> None:
        """Sends the browser to the login. When a page of another site has led here, the browser keeps the cookie of
        the session back (SameSite=Strict), so it is sent here once more, by a page of this service."""
        is_foreign = headers.get("sec-fetch-site", "") in _OTHER_SITES
        target = _shown(self._scope)
        if is_foreign and own_path(target) == target:
            html = self._page.continue_page(target).encode()
            await send_response(self._send, 200, body_headers(html, HTML, _page_headers()), html)
            return
        place = [(b"location", self._login(target)), (b"cache-control", b"no-store")]
        await send_response(self._send, 303, body_headers(b"", HTML, place), b"")

    def _login(self, target: str) -> bytes:
        """Where to log in."""
        return f"{to_overview(self._scope['path'])}login?{urlencode({'next': own_path(target)})}".encode()


def is_fragment(headers: HeaderMap) -> bool:
    """Whether a page that is open asks for its live part. The header is that of htmx, which accepts anything."""
    return headers.get("hx-request", "") == "true"


def is_browser(headers: HeaderMap) -> bool:
    """Whether HTML is named in the Accept header: programs send ``*/*``, or nothing."""
    accepted = parse_accept(headers.get("accept", "")[:2048])
    return any(one.name == "text/html" and one.weight > 0 for one in accepted)


def to_overview(path: str) -> str:
    """The way from a path to the overview: relative, since a proxy may have put the service below a path."""
    return "../" * (path.count("/") - 1)


def own_path(text: str) -> str:
    """A path of this service, as a login may lead back to; the overview for anything else."""
    is_path = text.startswith("/") and not text.startswith(("//", "/\\"))
    return text if is_path and text.isascii() and text.isprintable() and len(text) <= MAX_NEXT else "/"


def _shown(scope: Scope) -> str:
    """The target of a request, in ASCII."""
    return quote(target_of(scope).decode("latin-1"), safe="/?&=%+:@!$'()*,;~-._")


def _page_headers() -> HeaderList:
    return [(name.encode(), value.encode()) for name, value in PAGE_HEADERS.items() if name != "x-content-type-options"]


def _read(body: bytes) -> tuple[str, Sequence[str]]:
    """What an error says, and its problems."""
    try:
        found: Any = json.loads(body)
        problems = found.get("problems") or ()
        return str(found.get("error") or found.get("message") or ""), [str(one) for one in problems][:100]
    except (ValueError, AttributeError, TypeError):
        return "", ()
