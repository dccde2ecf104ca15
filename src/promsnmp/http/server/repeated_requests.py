"""Remembers scrapes by their octets: Prometheus sends the same ones at every scrape of a target, so that the second
time nothing has to be parsed."""

from __future__ import annotations

from promsnmp.http.responses.sending import HeaderList

MAX_REQUEST = 2048
"""Octets of a request that is remembered."""
MAX_MEMORY = 16 * 1024 * 1024
"""Octets of memory; beyond it, everything is forgotten."""
_OVERHEAD = 512
"""Octets of memory of a request besides its text, which the query repeats in part."""
_PLAIN_HEADERS = frozenset(
    (b"host", b"user-agent", b"accept", b"accept-encoding", b"x-prometheus-scrape-timeout-seconds")
)
"""What Prometheus sends. A request with anything else, as a password or a signature, is parsed each time."""
_MAX_HEADERS = 256
"""Different sets of headers that requests may share."""


class RepeatedRequests:
    """Query string and headers by the octets of a whole request."""

    __slots__ = ("_headers", "_octets", "_requests")

    def __init__(self) -> None:
        self._requests: dict[bytes, tuple[bytes, HeaderList]] = {}
        self._headers: dict[tuple[tuple[bytes, bytes], ...], HeaderList] = {}
        self._octets = 0

    def get(self, request: bytes) -> tuple[bytes, HeaderList] | None:
        """Query string and headers of a request, if it is known."""
        return self._requests.get(request) if len(request) <= MAX_REQUEST else None

    def note(self, request: bytes, query_string: bytes, headers: HeaderList) -> None:
        """Remembers a whole request, unless it is large or unusual."""
        if len(request) > MAX_REQUEST or not all(name in _PLAIN_HEADERS for name, _ in headers):
            return
        octets = 2 * len(request) + _OVERHEAD
        if self._octets + octets > MAX_MEMORY or len(self._headers) >= _MAX_HEADERS:
            self._requests.clear()
            self._headers.clear()
            self._octets = 0
        self._octets += octets
        shared = self._headers.setdefault(tuple(headers), headers)
        self._requests[bytes(request)] = query_string, shared
