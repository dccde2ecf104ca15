"""POST requests to one receiver: URL, credentials, TLS, and what its status means for a delivery.

Errors name host and port only: user, password and path of a URL may be secrets.
"""

from __future__ import annotations

import base64
import ssl
from collections.abc import Mapping, Sequence
from urllib.parse import unquote, urlsplit

from promsnmp.errors import PeerError, SettingsError
from promsnmp.support.http_client import HeaderPairs, HttpClient, HttpResponse
from promsnmp.support.proxy.http_proxy import HttpProxy, proxy_for
from promsnmp.traps.outputs.worker import LONGEST_PAUSE, DeliveryFailed, DeliveryRefused

TIMEOUT = 10.0
"""Seconds of one request."""
CONNECT_TIMEOUT = 5.0
MAX_ANSWER = 64 * 1024
_REFUSED = (400, 413, 422)
"""The body is wrong: sending it again does not help. Other errors can go away, or are of the configuration."""
_REDIRECTS = (301, 302, 303, 307, 308)
_QUOTED = 200
_PORTS = {"http": 80, "https": 443}


class HttpTarget:
    """One receiver. ``path`` is appended to the URL's unless that has it."""

    def __init__(
        self,
        url: str,
        *,
        setting: str,
        path: str = "",
        token: str = "",
        headers: Mapping[str, str] | None = None,
        ca_file: str = "",
    ) -> None:
        """Raises SettingsError, which names ``setting`` and not the URL."""
        try:
            parts = urlsplit(url)
            port = parts.port or _PORTS[parts.scheme]
        except (ValueError, KeyError):
            raise SettingsError(f"{setting}: not a URL such as http://host:port") from None
        if not parts.hostname or parts.fragment or any(ord(one) <= 0x20 or ord(one) > 0x7E for one in url):
            raise SettingsError(f"{setting}: not a URL such as http://host:port")
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        self.address = f"{host}:{port}"
        base = parts.path.rstrip("/")
        full = base if path and base.endswith(path) else base + path
        self._target = (full or "/").encode() + (f"?{parts.query}".encode() if parts.query else b"")
        self._headers = [(b"user-agent", b"promsnmp"), *_authorization(parts.username, parts.password, token)]
        self._headers += [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()]
        self._client = HttpClient(
            self.address, tls=_context(ca_file, setting) if parts.scheme == "https" else None,
            connect_timeout=CONNECT_TIMEOUT, proxy=_proxy(parts.scheme, parts.hostname, port, setting),
        )  # fmt: skip

    async def post(self, body: bytes, headers: HeaderPairs = (), *, kind: bytes = b"application/json") -> HttpResponse:
        """The response with a status 2xx. Raises DeliveryFailed, DeliveryRefused."""
        try:
            answer = await self._client.request(
                "POST", self._target, (*self._headers, (b"content-type", kind), *headers), body,
                timeout=TIMEOUT, max_body=MAX_ANSWER,
            )  # fmt: skip
        except PeerError as error:
            raise DeliveryFailed(str(error)) from None
        if 200 <= answer.status < 300:
            return answer
        if answer.status in _REDIRECTS:
            raise DeliveryFailed(
                f"{self.address} answered {answer.status}: redirects are not followed, set the URL that it leads to"
            )
        text = " ".join(answer.body[:_QUOTED].decode("utf-8", "replace").split())
        message = f"{self.address} answered {answer.status}: {text}"
        if answer.status in _REFUSED:
            raise DeliveryRefused(message)
        raise DeliveryFailed(message, pause=_retry_after(answer), summary=f"{self.address} answered {answer.status}")

    def close(self) -> None:
        self._client.close()


def _retry_after(answer: HttpResponse) -> float:
    """Seconds of ``Retry-After`` (RFC 9110 section 10.2.3); 0 without one, and for a date."""
    value = answer.header(b"retry-after")
    return min(float(value), LONGEST_PAUSE) if value.isdigit() and len(value) < 10 else 0.0


def _authorization(user: str | None, password: str | None, token: str) -> Sequence[tuple[bytes, bytes]]:
    if token:
        return [(b"authorization", b"Bearer " + token.encode())]
    if user is None:
        return []
    pair = f"{unquote(user)}:{unquote(password or '')}".encode()
    return [(b"authorization", b"Basic " + base64.b64encode(pair))]


def _proxy(scheme: str, host: str, port: int, setting: str) -> HttpProxy | None:
    try:
        return proxy_for(scheme, host, port)
    except ValueError as error:
        raise SettingsError(f"{setting}: {error}") from None


def _context(ca_file: str, setting: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file or None)
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(f"{setting}: cannot read the certificates in {ca_file}: {error}") from None
