"""A small HTTP/1.1 client for one server: replicas call each other with it, thousands of times a minute.

A general client costs several times as much per request as the answer itself, and hides its retries. Here the caller
must know whether a request was sent, because that decides whether it may be sent again. httptools (C) parses. Answers
are read whole; they are pages and small documents.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

import httptools

from promsnmp.errors import PeerError
from promsnmp.support.proxy.http_proxy import HttpProxy, tunnel

HeaderPairs = Sequence[tuple[bytes, bytes]]

CONNECT_TIMEOUT = 1.0
"""Seconds to connect: within one site it takes milliseconds."""
MAX_IDLE = 30.0
"""Seconds to keep an idle connection: less than our server's 75, so that the client closes first."""
MAX_BODY = 128 * 1024 * 1024
MAX_HEAD = 64 * 1024
"""Bytes of a response that are read without the end of its headers, at most."""


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A server's response; header names are in lower case."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes = field(repr=False)

    def header(self, name: bytes) -> bytes:
        """The value of the first header of this name; empty when the response lacks it."""
        return next((value for one, value in self.headers if one == name), b"")


class RequestNotSent(PeerError):
    """No connection could be made, so the request had no effect."""


class ConnectionRefused(RequestNotSent):
    """Nothing listens at the address."""


class CertificateNotTrusted(RequestNotSent):
    """The server's certificate is not trusted, or has another name; the text has the reason only."""


class HttpClient:
    """Keep-alive connections to ``host:port``: one for each concurrent request."""

    def __init__(
        self,
        address: str,
        *,
        tls: ssl.SSLContext | None = None,
        connect_timeout: float = CONNECT_TIMEOUT,
        proxy: HttpProxy | None = None,
    ) -> None:
        """``proxy``: connections go through it, with TLS in a tunnel."""
        self._proxy = proxy
        host, _, port = address.rpartition(":")
        self.address = address
        self._host, self._port = host.strip("[]"), int(port)
        self._tls = tls
        self._connect_timeout = connect_timeout
        self._idle: list[_Connection] = []
        self._is_closed = False

    async def request(
        self,
        method: str,
        target: bytes,
        headers: HeaderPairs = (),
        body: bytes = b"",
        *,
        timeout: float,  # noqa: ASYNC109  # of the whole exchange; distinct from a cancellation by the caller
        fresh: bool = False,
        max_body: int = MAX_BODY,
    ) -> HttpResponse:
        """The response to one request; ``target`` is path and query, and ``max_body`` the bytes of its body, at most.

        With ``fresh`` the request goes over a new connection: the server may be closing an idle one at this moment, and
        then nobody knows whether the request had an effect. Without it, such a request is sent once more.
        Raises PeerError; RequestNotSent when no connection could be made.
        """
        message = self._message(method, target, headers, body)
        try:
            async with asyncio.timeout(timeout):
                connection = None if fresh else self._idle_connection()
                if connection is not None:
                    try:
                        return await self._exchange(connection, message, max_body)
                    except _ClosedBeforeResponse:
                        pass
                return await self._exchange(await self._connect(), message, max_body)
        except TimeoutError:
            raise PeerError(f"{self.address} did not answer within {timeout:g} s") from None
        except _ClosedBeforeResponse:
            raise PeerError(f"{self.address} closed the connection without a response") from None

    def close(self) -> None:
        """Closes idle connections, and each other one after its request."""
        self._is_closed = True
        while self._idle:
            self._idle.pop().close()

    def _message(self, method: str, target: bytes, headers: HeaderPairs, body: bytes) -> bytes:
        if self._proxy is not None and self._tls is None:  # the absolute form (RFC 9112 section 3.2.2)
            target = b"http://%b%b" % (self.address.encode(), target)
            if self._proxy.authorization:
                headers = [*headers, (b"proxy-authorization", self._proxy.authorization)]
        lines = [b"%b %b HTTP/1.1\r\nhost: %b\r\n" % (method.encode(), target, self.address.encode())]
        lines += [b"%b: %b\r\n" % pair for pair in headers]
        if body or method not in ("GET", "HEAD"):
            lines.append(b"content-length: %d\r\n" % len(body))
        return b"".join([*lines, b"\r\n", body])

    def _idle_connection(self) -> _Connection | None:
        now = time.monotonic()
        while self._idle:
            connection = self._idle.pop()
            if connection.is_open and now - connection.used_at < MAX_IDLE:
                return connection
            connection.close()
        return None

    async def _connect(self) -> _Connection:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._connect_timeout):
                if self._proxy is None:
                    _, made = await loop.create_connection(_Connection, self._host, self._port, ssl=self._tls)
                elif self._tls is None:
                    _, made = await loop.create_connection(_Connection, self._proxy.host, self._proxy.port)
                else:
                    opened = await tunnel(self._proxy, self.address)
                    _, made = await loop.create_connection(
                        _Connection, sock=opened, ssl=self._tls, server_hostname=self._host
                    )
        except TimeoutError:
            raise RequestNotSent(f"{self.address} does not accept a connection") from None
        except ssl.SSLCertVerificationError as error:
            raise CertificateNotTrusted(error.verify_message or str(error)) from None
        except OSError as error:  # ssl.SSLError is one
            reason = error.strerror or str(error) or type(error).__name__
            kind = ConnectionRefused if isinstance(error, ConnectionRefusedError) else RequestNotSent
            raise kind(f"{self.address} cannot be reached: {reason}") from None
        return made

    async def _exchange(self, connection: _Connection, message: bytes, max_body: int) -> HttpResponse:
        try:
            answer = await connection.exchange(message, max_body)
        except BaseException:  # raised again
            connection.close()
            raise
        if connection.is_open and not self._is_closed:
            self._idle.append(connection)
            self._drop_stale()
        else:
            connection.close()
        return answer

    def _drop_stale(self) -> None:
        """Closes expired connections; the least recently used are first."""
        while self._idle and time.monotonic() - self._idle[0].used_at > MAX_IDLE:
            self._idle.pop(0).close()


class _ClosedBeforeResponse(Exception):
    """The server closed the connection before it sent any of its response."""


class _Connection(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self) -> None:
        self.used_at = time.monotonic()
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._answer: asyncio.Future[HttpResponse] | None = None
        self._status, self._headers, self._body, self._size = 0, list[tuple[bytes, bytes]](), list[bytes](), 0
        self._begun = False
        self._max_body, self._head_size, self._in_head = MAX_BODY, 0, True

    @property
    def is_open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    async def exchange(self, message: bytes, max_body: int) -> HttpResponse:
        """Sends a request and returns its answer. Raises PeerError or _ClosedBeforeResponse."""
        self._max_body = max_body
        if self._transport is None or self._transport.is_closing():
            raise _ClosedBeforeResponse
        self._answer = asyncio.get_running_loop().create_future()
        self._begun = False
        self._transport.write(message)
        return await self._answer

    # ------------------------------------------------------------------------------------------- of the transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one without being a subclass

    def data_received(self, data: bytes) -> None:
        if self._answer is None:  # data without a request
            self.close()
            return
        self._begun = True
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(PeerError(f"the response is not HTTP: {error}"))
            self.close()
        self._head_size += len(data) if self._in_head else 0
        if self._head_size > MAX_HEAD:
            self._fail(PeerError(f"the response has more than {MAX_HEAD} bytes of headers"))
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._fail(PeerError("the connection was lost during the response") if self._begun else _ClosedBeforeResponse())

    def _fail(self, error: Exception) -> None:
        answer, self._answer = self._answer, None
        if answer is not None and not answer.done():
            answer.set_exception(error)

    # ---------------------------------------------------------------------------------------------- of the parser

    def on_message_begin(self) -> None:
        self._headers, self._body, self._size, self._head_size, self._in_head = [], [], 0, 0, True

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        self._status, self._in_head = self._parser.get_status_code(), False

    def on_body(self, part: bytes) -> None:
        self._size += len(part)
        if self._size > self._max_body:
            self._fail(PeerError(f"the response is larger than {self._max_body} bytes"))
            self.close()
            return
        self._body.append(part)

    def on_message_complete(self) -> None:
        if 100 <= self._status < 200:  # RFC 9110 section 15.2: the final response follows
            return
        self.used_at = time.monotonic()
        answer, self._answer = self._answer, None
        if answer is not None and not answer.done():
            answer.set_result(HttpResponse(self._status, self._headers, b"".join(self._body)))
        if not self._parser.should_keep_alive() and self._transport is not None:
            self._transport.close()
