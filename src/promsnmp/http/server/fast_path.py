"""Answers scrapes whose page is in memory straight from the HTTP parser, without ASGI.

Most of the cost of such a scrape is the machinery for requests that wait: a task, an event, a scope. A page in memory
needs none of it. So this protocol asks ``fast_answer`` first and writes its answer to the socket; every other request
takes uvicorn's usual way. A request that it has answered before is not even parsed (``repeated_requests.py``). The
responses are the same either way, which the tests check.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from promsnmp.http.responses.sending import HeaderList
from promsnmp.http.security.auth import CERTIFICATE
from promsnmp.http.server.bounded_protocol import BoundedProtocol
from promsnmp.http.server.repeated_requests import RepeatedRequests
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


@dataclass(frozen=True, slots=True, kw_only=True)
class FastPath:
    """What is answered at once: GETs of ``path`` with a query to which ``answer`` has the answer.

    ``counts`` gets the requests; ``client_name`` names the clients.
    """

    path: str
    prefix: bytes
    answer: FastAnswer
    counts: RequestCounts
    client_name: ClientName
    repeated: RepeatedRequests


class FastPathProtocol(BoundedProtocol):
    """One connection of a server that has a fast path."""

    fast_path: FastPath
    _certificate: str | None = None
    _answered: tuple[bytes, HeaderList] | None = None
    """Query string and headers of the request that was parsed last, if it was answered at once."""
    _is_between = True
    """Whether the parser is between two requests."""
    _is_miss = False
    """Whether the answer to the request that is parsed next is not in memory."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        tls = transport.get_extra_info("ssl_object")
        certificate = tls.getpeercert(binary_form=True) if tls is not None else None
        if certificate is not None:
            self._certificate = self.fast_path.client_name(certificate)
            if self._certificate is None:
                log.warning(
                    "closed a connection from %s: none of the certificate's names is in client_allowed_sans",
                    self.client,
                )
                transport.abort()

    def data_received(self, data: bytes) -> None:
        known = self.fast_path.repeated.get(data)
        if known is not None and self._may_answer():
            self._unset_keepalive_if_required()
            if self._answer_at_once(*known):
                return
            self._is_miss = True  # it need not be looked for again
        is_whole = self._is_between and known is None
        super().data_received(data)
        if is_whole and self._answered is not None and self._begun == 1 and self._is_between:
            self.fast_path.repeated.note(data, *self._answered)

    def _may_answer(self) -> bool:
        """Whether what comes now is a new request, and nothing is in front of it."""
        return (
            self._is_between
            and self._ignored is None
            and self.idle_since() is not None
            and not self.pipeline
            and not self.flow.write_paused
            and not self.transport.is_closing()
        )

    def on_headers_complete(self) -> None:
        is_miss, self._is_miss = self._is_miss, False
        if is_miss or not self.url.startswith(self.fast_path.prefix) or not _is_simple(self):
            super().on_headers_complete()
            return
        query = self.url[len(self.fast_path.prefix) :].partition(b"#")[0]
        if self._answer_at_once(query, self.headers):
            self._answered = query, self.headers
            self._unparsed = 0
        else:
            super().on_headers_complete()

    def _answer_at_once(self, query: bytes, request_headers: HeaderList) -> bool:
        began, fast_path = time.perf_counter(), self.fast_path
        answer = fast_path.answer(query, request_headers)
        if answer is None:
            return False
        headers, body = answer
        head = _head([*self.server_state.default_headers, *headers])
        if len(body) < LARGE:
            self.transport.write(head + body)
        else:
            self.transport.writelines((head, body))  # no copy: many clients may be reading this page
        self._on_answered()
        self.server_state.total_requests += 1
        fast_path.counts.record("GET", fast_path.path, 200, seconds=time.perf_counter() - began)
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)
        return True

    def on_message_begin(self) -> None:
        self._answered = None
        self._is_between = False
        super().on_message_begin()
        if self._certificate is not None:
            self.scope[CERTIFICATE] = self._certificate  # type: ignore[literal-required]  # a key of ours

    def on_message_complete(self) -> None:
        self._is_between = True
        if self._answered is None:
            super().on_message_complete()


def fast_path_protocol(
    path: str, fast_answer: FastAnswer, counts: RequestCounts, client_name: ClientName = lambda _: None
) -> type[BoundedProtocol]:
    """A protocol class for uvicorn that answers GETs of ``path`` at once when ``fast_answer`` has the answer, and names
    the client by ``client_name``."""

    class ServedProtocol(FastPathProtocol):
        fast_path = FastPath(
            path=path,
            prefix=path.encode() + b"?",
            answer=fast_answer,
            counts=counts,
            client_name=client_name,
            repeated=RepeatedRequests(),
        )

    return ServedProtocol


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
