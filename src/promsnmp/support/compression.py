"""gzip for everything that PromSNMP serves: one library (isal) and one level, chosen here."""

from __future__ import annotations

from collections.abc import Iterator

from isal import igzip, isal_zlib

GZIP_LEVEL = 1
"""isal's level: level 1 gives half the size of level 0 for almost no more time; level 3 takes ten times as long."""

PART = 256 * 1024
"""Bytes of a large body that are handled at a time."""
_RAW = -15
"""zlib's wbits for a stream without header and checksum."""
_GZIP = 31
"""zlib's wbits for a gzip member with the largest window."""


def compress(body: bytes) -> bytes:
    """``body`` as one gzip member (RFC 1952)."""
    return igzip.compress(body, GZIP_LEVEL)


def pack(block: bytes) -> bytes:
    """``block`` in less memory, for ``unpack``: text that is seldom changed and needed at each poll."""
    return isal_zlib.compress(block, GZIP_LEVEL, _RAW)


def unpack(packed: bytes) -> bytes:
    """The content of ``pack``."""
    return isal_zlib.decompress(packed, _RAW)


class GzipWriter:
    """One gzip member that is written in parts; what is written need not be in memory as a whole."""

    __slots__ = ("_compressed", "_compressor", "_pending", "_pending_size", "size")

    def __init__(self) -> None:
        self._compressor = isal_zlib.compressobj(GZIP_LEVEL, wbits=_GZIP)
        self._compressed: list[bytes] = []
        self._pending: list[bytes] = []
        self._pending_size = 0
        self.size = 0
        """Bytes written so far, uncompressed."""

    def write(self, part: bytes) -> None:
        """Adds a part."""
        self.size += len(part)
        self._pending.append(part)
        self._pending_size += len(part)
        if self._pending_size > PART:
            self._compress()

    def finish(self) -> bytes:
        """The whole member."""
        self._compress()
        self._compressed.append(self._compressor.flush())
        return b"".join(self._compressed)

    def _compress(self) -> None:
        self._compressed.append(self._compressor.compress(b"".join(self._pending)))
        self._pending.clear()
        self._pending_size = 0


def decompress_parts(body: bytes) -> Iterator[bytes]:
    """The content of a gzip member, in parts of at most PART bytes."""
    decompressor = isal_zlib.decompressobj(wbits=_GZIP)
    while not decompressor.eof:
        part = decompressor.decompress(body, PART)
        body = decompressor.unconsumed_tail
        if not part and not body:
            break
        yield part


def decompressed_size(body: bytes) -> int:
    """Bytes of the content of one gzip member below 4 GiB: its field ISIZE (RFC 1952 section 2.3.1)."""
    return int.from_bytes(body[-4:], "little")


def decompress(body: bytes) -> bytes:
    """The content of one or more gzip members."""
    return bytes(igzip.decompress(body))  # type: ignore[no-untyped-call]  # the library has no types
