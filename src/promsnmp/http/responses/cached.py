"""An answer that is made once and handed out many times: bytes, their ETag, and their gzip.

``/targets`` is asked for by every Prometheus every minute and changes only with the inventory.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable

from fastapi import Request, Response
from fastapi.responses import StreamingResponse


class CachedResponse:
    """Content of one media type: compressed, as most ask for it, and plain for the others (``plain`` makes that, in
    pieces of ``size`` bytes together)."""

    def __init__(
        self, gzip: bytes, *, media_type: str, etag: str, plain: Callable[[], Iterable[bytes]], size: int
    ) -> None:
        self.gzip = gzip
        self.media_type = media_type
        self.etag = etag
        self.plain = plain
        self._size = size

    def answer(self, request: Request) -> Response:
        """The whole, or 304 when the client has it (RFC 9110 section 13.1.2)."""
        headers = {"etag": self.etag, "vary": "Accept-Encoding", "cache-control": "no-cache"}
        if _matches(request.headers.get("if-none-match", ""), self.etag):
            return Response(status_code=304, headers=headers)
        if accepts_gzip(request.headers.get("accept-encoding", "")):
            headers["content-encoding"] = "gzip"
            return Response(self.gzip, media_type=self.media_type, headers=headers)
        headers["content-length"] = str(self._size)
        return StreamingResponse(_chunks(self.plain()), media_type=self.media_type, headers=headers)


async def _chunks(chunks: Iterable[bytes]) -> AsyncIterator[bytes]:
    """Asynchronous, because Starlette would go through a thread for each piece otherwise."""
    for chunk in chunks:
        yield chunk


def _matches(header: str, etag: str) -> bool:
    """Weak comparison (RFC 9110 section 8.8.3.2) with any of the tags in ``header``."""
    own = etag.removeprefix("W/")
    return any(tag.strip() == "*" or tag.strip().removeprefix("W/") == own for tag in header.split(","))


def accepts_gzip(header: str) -> bool:
    """Whether ``Accept-Encoding`` allows gzip (RFC 9110 section 12.5.3): by name, or else by ``*``."""
    weights = dict(parse_weight(part) for part in header.split(",") if part.strip())
    return weights.get("gzip", weights.get("x-gzip", weights.get("*", 0.0))) > 0.0


def parse_weight(part: str) -> tuple[str, float]:
    """(coding, q) of one element; a q that is no number counts as 0."""
    coding, *parameters = (piece.strip() for piece in part.split(";"))
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "q":
            try:
                return coding.lower(), float(value)
            except ValueError:
                return coding.lower(), 0.0
    return coding.lower(), 1.0
