"""Devices as JSON from an HTTP server, such as those of Prometheus's ``http_sd_configs``.

Errors name host and port only: path and query of a URL may be secrets.
"""

from __future__ import annotations

import asyncio
import base64
import ssl
from urllib.parse import urlsplit

from promsnmp.errors import PeerError, SourceError
from promsnmp.settings.device_sources.definitions import HttpSource
from promsnmp.sources.model import Reading
from promsnmp.sources.readers.document import Defaults, parse_document, read_devices
from promsnmp.sources.readers.secrets import read_secret
from promsnmp.support.http_client import HttpClient, HttpResponse

CONNECT_TIMEOUT = 10.0
_PORTS = {"http": 80, "https": 443}
_OK, _NOT_MODIFIED = 200, 304
_JSON = (b"application/json", b"text/json", b"text/plain", b"")
"""Content types of an answer that is read; a login page is HTML."""


class HttpReader:
    """The devices that ``source.url`` returns."""

    def __init__(self, source: HttpSource, defaults: Defaults) -> None:
        self._source = source
        self._defaults = defaults
        parts = urlsplit(source.url)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        self._address = f"{host}:{parts.port or _PORTS[parts.scheme]}"
        self._target = (parts.path or "/").encode() + (f"?{parts.query}".encode() if parts.query else b"")
        self._is_tls = parts.scheme == "https"
        self._etag, self._last = b"", Reading()

    async def read(self) -> Reading:
        """Raises SourceError; an answer other than 200 and 304 is one."""
        answer = await self._answer()
        if answer.status == _NOT_MODIFIED and self._etag:
            return self._last
        if answer.status != _OK:
            hint = "; use the address that it leads to" if 300 <= answer.status < 400 else ""
            raise SourceError(f"{self._address} answered {answer.status}{hint}")
        kind = answer.header(b"content-type").partition(b";")[0].strip().lower()
        if kind not in _JSON and not kind.endswith(b"+json"):
            raise SourceError(f"{self._address} answered with {kind.decode('ascii', 'replace')[:40]!r}, not JSON")
        self._last = await asyncio.to_thread(self._parsed, answer.body)
        self._etag = answer.header(b"etag")[:1024]
        return self._last

    async def has_changed(self) -> bool:
        return False

    async def close(self) -> None:
        pass

    def _parsed(self, body: bytes) -> Reading:
        return read_devices(parse_document(body, is_yaml=False), self._defaults)

    async def _answer(self) -> HttpResponse:
        headers, tls = await asyncio.to_thread(self._prepared)
        client = HttpClient(self._address, tls=tls, connect_timeout=CONNECT_TIMEOUT)
        try:
            return await client.request(
                "GET", self._target, headers, timeout=self._source.timeout / 1000, max_body=self._source.max_bytes
            )
        except PeerError as error:
            text = str(error)
            raise SourceError(text if self._address in text else f"{self._address}: {text}") from None
        finally:
            client.close()

    def _prepared(self) -> tuple[list[tuple[bytes, bytes]], ssl.SSLContext | None]:
        """Headers, and what TLS needs, read again each time: files of secrets and certificates are renewed."""
        source = self._source
        headers = [(b"user-agent", b"promsnmp"), (b"accept", b"application/json"), (b"accept-encoding", b"identity")]
        headers.append((b"x-prometheus-refresh-interval-seconds", b"%d" % max(source.interval // 1000, 1)))
        if self._etag:
            headers.append((b"if-none-match", self._etag))
        if source.user:
            pair = f"{source.user}:{read_secret(source.password_file, source.password_env)}".encode()
            headers.append((b"authorization", b"Basic " + base64.b64encode(pair)))
        elif token := read_secret(source.token_file, source.token_env):
            headers.append((b"authorization", b"Bearer " + token.encode()))
        return headers, self._context() if self._is_tls else None

    def _context(self) -> ssl.SSLContext:
        source = self._source
        try:
            context = ssl.create_default_context(cafile=source.ca_file)
            if source.cert_file is not None:
                context.load_cert_chain(source.cert_file, source.key_file, password=lambda: b"")
        except OSError as error:  # ssl.SSLError is one
            names = ", ".join(str(one) for one in (source.ca_file, source.cert_file, source.key_file) if one)
            raise SourceError(f"cannot use {names}: {error.strerror or error}") from None
        return context
