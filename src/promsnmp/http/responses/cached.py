"""A response that is built once and sent many times: bytes, their ETag, and their gzip.

Every Prometheus reads ``/targets`` every minute, and it changes only with the inventory.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable

from fastapi import Request, Response
from fastapi.responses import StreamingResponse

from promsnmp.http.responses.negotiation import accepts_gzip


class CachedResponse:
    """Content of one media type: compressed, as most clients accept it, and plain for the others (``plain`` yields it
    in chunks, ``size`` bytes together)."""

    def __init__(
        self, gzip: bytes, *, media_type: str, etag: str, plain: Callable[[], Iterable[bytes]], size: int
    ) -> None:
        self.gzip = gzip
        self.media_type = media_type
        self.etag = etag
        self.plain = plain
        self._size = size

    def answer(self, request: Request) -> Response:
        """The content, or 304 when the client has it (RFC 9110 section 13.1.2)."""
        headers = {"etag": self.etag, "vary": "Accept-Encoding", "cache-control": "no-cache"}
        if _matches(request.headers.get("if-none-match", ""), self.etag):
            return Response(status_code=304, headers=headers)
        if accepts_gzip(request.headers.get("accept-encoding", "")):
            headers["content-encoding"] = "gzip"
            return Response(self.gzip, media_type=self.media_type, headers=headers)
        headers["content-length"] = str(self._size)
        return StreamingResponse(_chunks(self.plain()), media_type=self.media_type, headers=headers)


async def _chunks(chunks: Iterable[bytes]) -> AsyncIterator[bytes]:
    """Asynchronous, because Starlette would otherwise use a thread for each chunk."""
    for chunk in chunks:
        yield chunk


def _matches(header: str, etag: str) -> bool:
    """Weak comparison (RFC 9110 section 8.8.3.2) with any of the tags in ``header``."""
    own = etag.removeprefix("W/")
    return any(tag.strip() == "*" or tag.strip().removeprefix("W/") == own for tag in header.split(","))
