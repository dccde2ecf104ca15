"""uvicorn's HTTP protocol with bounds on what a client can send before anything reads it.

The parser collects a header until it ends, and uvicorn a request until all its headers are there; neither has a limit.
So the octets are counted here as they come: a head that is too large, or has too many headers, is refused while it is
small (RFC 6585 section 5, RFC 9110 section 15.5.15), and so are requests and body pieces that come by the thousand.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any, NoReturn

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from promsnmp.http.server.connections import ConnectionEntry, ConnectionTable

MAX_HEAD = 64 * 1024
"""Octets of all header lines of a request."""
MAX_HEADERS = 100
"""Header lines of a request, trailers included."""
MAX_URL = 8 * 1024
"""Octets of path and query."""
MAX_REQUESTS = 100
"""Requests that may begin in one piece of data from the socket: nobody sends more without waiting for responses."""
MAX_BODY_PIECES = 4000
"""Pieces of bodies in one piece of data: each costs a callback, however small it is."""
LINGER_SECONDS, LINGER_OCTETS = 1.0, 1024 * 1024
"""After a refusal, how long and how much the client may go on sending before the connection is reset: a reset at once
would often discard the response before the client has read it."""
_LINE = 4
"""Octets of a header line besides name and value: colon, blank, end of line."""


class RequestRefused(Exception):
    """The client sent too much; the parser's callbacks raise it."""


class BoundedProtocol(HttpToolsProtocol):
    """One connection, with a place in ``table`` (None: without the bounds on connections)."""

    table: ConnectionTable | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.entry: ConnectionEntry | None = None
        self._served = False
        self._refusal: HTTPStatus | None = None
        self._in_body = False
        self._since = self._received_at = self.loop.time()
        """Since when a head is expected or incomplete, and when the latest octets came."""
        self._unparsed = self._head_size = self._begun = self._pieces = 0
        self._unsent = 0
        self._unsent_since = 0.0
        self._ignored: int | None = None
        """Octets that came after a refusal; None before one."""

    # ------------------------------------------------------------------------------------------ of the connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._since = self.loop.time()
        if self.entry is not None:
            self.entry.client = self
            self.entry.sock = None

    def connection_lost(self, exc: Exception | None) -> None:
        if self.entry is not None and self.table is not None:
            self.table.remove(self.entry)
        super().connection_lost(exc)
        if self.entry is not None:  # without cycles it is freed now: a garbage collection of thousands takes 50 ms
            self.entry.client = None
        self.cycle = None  # type: ignore[assignment]  # as uvicorn's own __init__ has it

    def data_received(self, data: bytes) -> None:
        if self._ignored is not None:
            self._ignored += len(data)
            if self._ignored > LINGER_OCTETS:
                self.transport.abort()
            return
        self._unset_keepalive_if_required()
        self._received_at = self.loop.time()
        self._begun = self._pieces = 0
        if len(data) <= MAX_HEAD:
            self._feed(data)
            return
        for at in range(0, len(data), MAX_HEAD):
            if not self.transport.is_closing() and self._ignored is None:
                self._feed(data[at : at + MAX_HEAD])

    def _feed(self, data: bytes) -> None:
        self._unparsed += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError:
            self._refuse(self._refusal or HTTPStatus.BAD_REQUEST)
        except httptools.HttpParserUpgrade:
            self._unsupported_upgrade_warning()
        else:
            if self._unparsed > MAX_HEAD:  # a line without end: of the head, of a trailer or of a chunk
                self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def _refuse(self, status: HTTPStatus) -> None:
        """Answers with ``status``, unless another response is on its way, and closes the connection."""
        if status is not HTTPStatus.BAD_REQUEST and self.table is not None:
            self.table.count("request_too_large")
        if self.idle_since() is None:
            self.transport.close()
            return
        text = f"{status.phrase}\n".encode()
        lines = [
            b"HTTP/1.1 %d %b" % (status, status.phrase.encode()),
            *(b"%b: %b" % pair for pair in self.server_state.default_headers),
            b"content-type: text/plain; charset=utf-8",
            b"content-length: %d" % len(text),
            b"connection: close",
            b"",
            text,
        ]
        self.transport.write(b"\r\n".join(lines))
        self._ignored = 0
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.loop.call_later(LINGER_SECONDS, self.transport.close)

    def _raise(self, status: HTTPStatus) -> NoReturn:
        self._refusal = status
        raise RequestRefused(status.phrase)

    # ------------------------------------------------------------------------------------------------ of the table

    def idle_since(self) -> float | None:
        cycle: RequestResponseCycle | None = self.cycle
        return self._since if cycle is None or cycle.response_complete else None

    def has_served(self) -> bool:
        return self._served

    def abort(self) -> None:
        self.transport.abort()

    def end_overdue(self, now: float) -> str:
        assert self.table is not None
        limits = self.table.limits
        if self._is_stalled(now, limits.stall_timeout):
            self.transport.abort()
            return "stalled"
        is_waiting = self.idle_since() is not None and (self._unparsed or not self._served)
        if not is_waiting or now - self._since < limits.head_timeout or self.transport.is_closing():
            return ""  # between two requests another timer runs
        if self._ignored is not None:
            return ""
        if self._unparsed:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT)
        else:
            self.transport.close()
        return "head_timeout"

    def _is_stalled(self, now: float, timeout: float) -> bool:
        """Whether the client has not read, or not sent the rest of its body, for ``timeout`` seconds."""
        unsent = self.transport.get_write_buffer_size()
        if unsent != self._unsent or not unsent:
            self._unsent, self._unsent_since = unsent, now
        if unsent and now - self._unsent_since >= timeout:
            return True
        return self._in_body and not self.flow.read_paused and now - self._received_at >= timeout

    # ----------------------------------------------------------------------------------------------- of the parser

    def on_message_begin(self) -> None:
        self._begun += 1
        if self._begun > MAX_REQUESTS:
            self._raise(HTTPStatus.TOO_MANY_REQUESTS)
        self._since = self._received_at
        self._head_size = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        if len(self.url) + len(url) > MAX_URL:
            self._raise(HTTPStatus.REQUEST_URI_TOO_LONG)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head_size += len(name) + len(value) + _LINE
        if len(self.headers) >= MAX_HEADERS or self._head_size > MAX_HEAD:
            self._raise(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_body = True
        self._unparsed = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._unparsed = 0
        self._pieces += 1
        if self._pieces > MAX_BODY_PIECES:
            self._raise(HTTPStatus.BAD_REQUEST)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._unparsed = 0
        self._in_body = False
        super().on_message_complete()

    def on_response_complete(self) -> None:
        self._on_answered()
        super().on_response_complete()

    def _on_answered(self) -> None:
        """A response is complete: from here on the next head is expected."""
        self._served = True
        self._since = self.loop.time()
