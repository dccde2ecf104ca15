"""A rendered page: what a scrape of one device returns, kept gzipped in the formats that scrapes ask for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import Enum

from promsnmp.errors import SnmpError
from promsnmp.exposition.formats import openmetrics, text
from promsnmp.support.compression import GzipWriter, compress, decompress, decompress_parts

LARGE = 1024 * 1024
"""Bytes of a page, uncompressed, from which on it is not converted or decompressed on the event loop."""


class Format(Enum):
    """Exposition formats; the value is the Content-Type."""

    TEXT = text.CONTENT_TYPE
    OPENMETRICS = openmetrics.CONTENT_TYPE


class RenderedPage:
    """One device's samples as of ``taken_at`` (seconds, monotonic), rendered and compressed once per format."""

    __slots__ = ("_bodies", "_sizes", "modules", "taken_at")

    def __init__(self, taken_at: float, modules: tuple[str, ...], bodies: Mapping[Format, bytes | GzipWriter]) -> None:
        """``bodies`` are the page in some formats, plain or written already."""
        self.taken_at = taken_at
        self.modules = modules
        self._bodies: dict[Format, bytes] = {}
        self._sizes: dict[Format, int] = {}
        for body_format, body in bodies.items():
            if isinstance(body, GzipWriter):
                self._add(body_format, body)
            else:
                self._sizes[body_format] = len(body)
                self._bodies[body_format] = compress(body)

    @property
    def octets(self) -> int:
        """Bytes of memory that the page takes, in all its formats."""
        return sum(map(len, self._bodies.values()))

    def has(self, body_format: Format) -> bool:
        """Whether the body of this format exists already."""
        return body_format in self._bodies

    def size(self, body_format: Format) -> int:
        """Bytes of the page in a format that exists, uncompressed."""
        return self._sizes[body_format]

    @property
    def is_large(self) -> bool:
        """Whether converting or decompressing the page takes longer than an event loop can wait."""
        return max(self._sizes.values()) > LARGE

    def gzipped(self, body_format: Format) -> bytes:
        """The page in a format, gzipped; converted from the other format when it was not rendered in this one."""
        if body_format not in self._bodies:
            other, made = next(iter(self._bodies.items()))
            convert = openmetrics.to_text if other is Format.OPENMETRICS else openmetrics.from_text
            self._add(body_format, _written(convert(decompress(made))))
        return self._bodies[body_format]

    def plain(self, body_format: Format) -> bytes:
        """The page in a format, uncompressed."""
        return decompress(self.gzipped(body_format))

    def plain_parts(self, body_format: Format) -> Iterator[bytes]:
        """The page in a format, uncompressed, in parts."""
        return decompress_parts(self.gzipped(body_format))

    def _add(self, body_format: Format, writer: GzipWriter) -> None:
        self._sizes[body_format] = writer.size
        self._bodies[body_format] = writer.finish()


def _written(parts: Iterable[bytes]) -> GzipWriter:
    writer = GzipWriter()
    for part in parts:
        writer.write(part)
    return writer


class PollFailure:
    """A failed poll: ``taken_at`` (seconds, monotonic) and the reason."""

    __slots__ = ("error", "taken_at")

    octets = 0

    def __init__(self, taken_at: float, error: SnmpError) -> None:
        self.taken_at = taken_at
        self.error = error
