"""Compresses a long JSON list chunk by chunk, so that a change of one element costs the work of its chunk only.

A gzip member (RFC 1952) may hold any number of deflate blocks (RFC 1951), and a chunk that ends with a flush ends on an
octet. So chunks that were compressed separately make one member when they are concatenated.

The level is in ``support/compression.py``.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple, TypeVar

from isal import isal_zlib

from promsnmp.http.responses.cached import CachedResponse
from promsnmp.inventory.targets import TargetGroup
from promsnmp.support.compression import GZIP_LEVEL

T = TypeVar("T")

HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
"""RFC 1952 section 2.3: deflate, no flags, no time, no extra flags, unknown system."""
LAST_BLOCK = b"\x03\x00"
"""RFC 1951 section 3.2.3: an empty block that is the last one."""
BOUNDARY = 0x7F
"""An element whose digest has none of these bits begins a chunk: one in 128, and always the same ones."""


class GzipChunk(NamedTuple):
    """A part of the text, compressed, and its share of the trailer of the gzip member: CRC and size."""

    deflated: bytes
    crc: int
    size: int


def compress_chunk(text: bytes) -> GzipChunk:
    """The chunk of a text."""
    engine = isal_zlib.compressobj(GZIP_LEVEL, wbits=-isal_zlib.MAX_WBITS)
    deflated = engine.compress(text) + engine.flush(isal_zlib.Z_FULL_FLUSH)
    return GzipChunk(deflated, isal_zlib.crc32(text), len(text))


FIRST, BETWEEN, LAST = compress_chunk(b"["), compress_chunk(b",\n"), compress_chunk(b"]\n")


def join_chunks(chunks: Iterable[GzipChunk]) -> tuple[bytes, int]:
    """The gzip member of all chunks, and the size of their text."""
    parts, crc, size = [HEADER], 0, 0
    for chunk in chunks:
        parts.append(chunk.deflated)
        crc = isal_zlib.crc32_combine(crc, chunk.crc, chunk.size)
        size += chunk.size
    parts += [LAST_BLOCK, struct.pack("<II", crc, size & 0xFFFFFFFF)]
    return b"".join(parts), size


class ChunkedListBuilder:
    """Builds one list after the other, and keeps the chunks of the last one."""

    def __init__(self, media_type: str) -> None:
        self._media_type = media_type
        self._chunks: dict[tuple[int, ...], tuple[Sequence[TargetGroup], GzipChunk]] = {}

    def build(self, groups: Sequence[TargetGroup]) -> CachedResponse:
        """The list of ``groups``. Its ETag does not depend on their order."""
        before, now = self._chunks, {}
        for part in _parts(groups):
            key = tuple(map(id, part))
            now[key] = before.get(key) or (
                part,
                compress_chunk(_joined(part)),
            )  # keeps the part alive, so that its ids stay its own
        self._chunks = now
        digest = sum(group.digest for group in groups) % 2**64
        gzip, size = join_chunks(_list(FIRST, BETWEEN, LAST, (chunk for _, chunk in now.values())))
        return CachedResponse(
            gzip,
            media_type=self._media_type,
            etag=f'W/"{len(groups):x}-{digest:016x}"',
            plain=lambda: _list(b"[", b",\n", b"]\n", (_joined(part) for part, _ in now.values())),
            size=size,
        )


def _parts(groups: Sequence[TargetGroup]) -> Iterable[Sequence[TargetGroup]]:
    begins = [number for number, group in enumerate(groups) if not group.digest & BOUNDARY]
    edges = sorted({0, *begins, len(groups)})
    return (groups[begin:end] for begin, end in pairwise(edges))


def _joined(groups: Sequence[TargetGroup]) -> bytes:
    return b",\n".join([group.text for group in groups])


def _list(first: T, between: T, last: T, parts: Iterable[T]) -> Iterator[T]:
    """The parts, with ``first``, ``between`` and ``last`` around them."""
    yield first
    for number, part in enumerate(parts):
        if number:
            yield between
        yield part
    yield last
