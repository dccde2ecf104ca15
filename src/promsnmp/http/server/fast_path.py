"""Answers scrapes whose page is in memory straight from the HTTP parser, without ASGI.

Most of the cost of such a scrape is the machinery for requests that wait: a task, an event, a scope. A page in memory
needs none of it. So this protocol asks ``fast_answer`` first and writes its answer to the socket; every other request
takes uvicorn's usual way. The responses are the same either way, which the tests check.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

from promsnmp.http.responses.sending import HeaderList
from promsnmp.http.security.auth import CERTIFICATE
from promsnmp.http.server.bounded_protocol import BoundedProtocol
from promsnmp.observe.counts import RequestCounts

log = logging.getLogger(__name__)

LARGE = 64 * 1024
"""Bytes of a body from which on it is not copied."""
_STATUS_LINE = b"HTTP/1.1 200 OK\r\n"
_BODY_HEADERS = (b"content-length", b"transfer-encoding", b"expect", b"upgrade")

FastAnswer = Callable[[bytes, HeaderList], tuple[HeaderList, bytes] | None]
"""Headers and body for a query string and request headers; None when the answer is not in memory."""

ClientName = Callable[[bytes], str | None]
"""The name in a client's certificate (DER, verified by the handshake); None when the client is refused."""


def fast_path_protocol(
    path: str, fast_answer: FastAnswer, counts: RequestCounts, client_name: ClientName = lambda _: None
) -> type[BoundedProtocol]:
    """A protocol class for uvicorn that answers GETs of ``path`` at once when ``fast_answer`` has the answer, and names
    the client by ``client_name``."""
    prefix = path.encode() + b"?"

    class FastPathProtocol(BoundedProtocol):
        _certificate: str | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
            super().connection_made(transport)
            tls = transport.get_extra_info("ssl_object")
            certificate = tls.getpeercert(binary_form=True) if tls is not None else None
            if certificate is not None:
                self._certificate = client_name(certificate)
                if self._certificate is None:
                    log.warning(
                        "closed a connection from %s: none of the certificate's names is in client_allowed_sans",
                        self.client,
                    )
                    transport.abort()

        def on_headers_complete(self) -> None:
            if not self.url.startswith(prefix) or not _is_simple(self):
                super().on_headers_complete()
                return
            began = time.perf_counter()
            answer = fast_answer(self.url[len(prefix) :].partition(b"#")[0], self.headers)
            if answer is None:
                super().on_headers_complete()
                return
            headers, body = answer
            head = _head([*self.server_state.default_headers, *headers])
            if len(body) < LARGE:
                self.transport.write(head + body)
            else:
                self.transport.writelines((head, body))  # no copy: many clients may be reading this page
            self._answered = True
            self._unparsed = 0
            self._on_answered()
            self.server_state.total_requests += 1
            counts.record("GET", path, 200, seconds=time.perf_counter() - began)
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

        def on_message_begin(self) -> None:
            self._answered = False
            super().on_message_begin()
            if self._certificate is not None:
                self.scope[CERTIFICATE] = self._certificate  # type: ignore[literal-required]  # a key of ours

        def on_message_complete(self) -> None:
            if not self._answered:
                super().on_message_complete()

    return FastPathProtocol


def _is_simple(protocol: Any) -> bool:
    """A plain GET without a body, on a connection that stays open and has no other request in progress."""
    return (
        protocol.parser.get_method() == b"GET"
        and protocol.parser.get_http_version() == "1.1"
        and protocol.parser.should_keep_alive()
        and (protocol.cycle is None or protocol.cycle.response_complete)
        and not protocol.pipeline
        and not protocol.flow.write_paused
        and not any(name in _BODY_HEADERS for name, _ in protocol.headers)
    )


def _head(headers: HeaderList) -> bytes:
    pieces = [_STATUS_LINE]
    for name, value in headers:
        pieces += (name, b": ", value, b"\r\n")
    pieces.append(b"\r\n")
    return b"".join(pieces)
