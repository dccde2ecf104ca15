"""gzip for everything that PromSNMP serves: one library (isal) and one level, chosen here."""

from __future__ import annotations

from isal import igzip

GZIP_LEVEL = 1
"""isal's level: level 1 gives half the size of level 0 for almost no more time; level 3 takes ten times as long."""


def compress(body: bytes) -> bytes:
    """``body`` as one gzip member (RFC 1952)."""
    return igzip.compress(body, GZIP_LEVEL)


def decompress(body: bytes) -> bytes:
    """The content of one or more gzip members."""
    return bytes(igzip.decompress(body))  # type: ignore[no-untyped-call]  # the library has no types
