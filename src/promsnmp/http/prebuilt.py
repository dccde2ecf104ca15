"""An answer that is made once and handed out many times: bytes, their ETag, and their gzip.

``/targets`` is asked for by every Prometheus every minute and changes only with the inventory.
"""

from __future__ import annotations

import hashlib

from fastapi import Request, Response
from isal import igzip


class Prebuilt:
    """``body`` of one media type, compressed as well; only so when ``keep_body`` is false."""

    def __init__(self, body: bytes, media_type: str, *, keep_body: bool = True) -> None:
        self.media_type = media_type
        self.etag = f'W/"{hashlib.sha256(body).hexdigest()[:32]}"'
        self.gzip = compress(body)
        self._body = body if keep_body else None

    @property
    def body(self) -> bytes:
        return decompress(self.gzip) if self._body is None else self._body

    def answer(self, request: Request) -> Response:
        """The whole, or 304 when the client has it (RFC 9110 section 13.1.2)."""
        headers = {"etag": self.etag, "vary": "Accept-Encoding", "cache-control": "no-cache"}
        if _matches(request.headers.get("if-none-match", ""), self.etag):
            return Response(status_code=304, headers=headers)
        if accepts_gzip(request.headers.get("accept-encoding", "")):
            headers["content-encoding"] = "gzip"
            return Response(self.gzip, media_type=self.media_type, headers=headers)
        return Response(self.body, media_type=self.media_type, headers=headers)


def compress(body: bytes) -> bytes:
    """gzip (RFC 1952) at isal's middle level."""
    return igzip.compress(body, 1)


def decompress(body: bytes) -> bytes:
    """The content of ``compress``."""
    return bytes(igzip.decompress(body))  # type: ignore[no-untyped-call]


def _matches(header: str, etag: str) -> bool:
    """Weak comparison (RFC 9110 section 8.8.3.2) with any of the tags in ``header``."""
    wanted = etag.removeprefix("W/")
    return any(tag.strip() == "*" or tag.strip().removeprefix("W/") == wanted for tag in header.split(","))


def accepts_gzip(header: str) -> bool:
    """Whether ``Accept-Encoding`` allows gzip (RFC 9110 section 12.5.3): by name, or else by ``*``."""
    weights = dict(weighted(part) for part in header.split(",") if part.strip())
    return weights.get("gzip", weights.get("x-gzip", weights.get("*", 0.0))) > 0.0


def weighted(part: str) -> tuple[str, float]:
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
