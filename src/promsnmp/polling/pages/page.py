"""A rendered page: what a scrape of one device returns, kept gzipped in the formats that scrapes ask for."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum

from promsnmp.errors import SnmpError
from promsnmp.exposition.formats import openmetrics, text
from promsnmp.exposition.utilization import histogram
from promsnmp.support.compression import GzipWriter, compress, decompress, decompress_parts, decompressed_size

LARGE = 1024 * 1024
"""Bytes of a page, uncompressed, from which on it is not converted or decompressed on the event loop."""


class Format(Enum):
    """Exposition formats; the value is the Content-Type."""

    TEXT = text.CONTENT_TYPE
    OPENMETRICS = openmetrics.CONTENT_TYPE


class RenderedPage:
    """One device's samples as of ``taken_at`` (seconds, monotonic), rendered and compressed once per format."""

    __slots__ = ("compressed", "modules", "taken_at", "valid_from")

    def __init__(self, taken_at: float, modules: tuple[str, ...], bodies: Mapping[Format, bytes | GzipWriter]) -> None:
        """``bodies`` are the page in some formats, plain or written already."""
        self.taken_at = taken_at
        self.modules = modules
        self.valid_from = taken_at
        """An invalidation after this time counts for it: when its poll began, or when it was handed over."""
        self.compressed = {
            body_format: body.finish() if isinstance(body, GzipWriter) else compress(body)
            for body_format, body in bodies.items()
        }

    @property
    def octets(self) -> int:
        """Bytes of memory that the page takes, in all its formats."""
        return sum(map(len, self.compressed.values()))

    def has(self, body_format: Format) -> bool:
        """Whether the body of this format exists already."""
        return body_format in self.compressed

    def size(self, body_format: Format) -> int:
        """Bytes of the page in a format that exists, uncompressed."""
        return decompressed_size(self.compressed[body_format])

    @property
    def is_large(self) -> bool:
        """Whether converting or decompressing the page takes longer than an event loop can wait."""
        return max(map(decompressed_size, self.compressed.values()), default=0) > LARGE

    def gzipped(self, body_format: Format) -> bytes:
        """The page in a format, gzipped; converted from the other format when it was not rendered in this one."""
        if body_format not in self.compressed:
            other, made = next(iter(self.compressed.items()))
            convert = openmetrics.to_text if other is Format.OPENMETRICS else openmetrics.from_text
            self.compressed[body_format] = _gzipped(convert(decompress(made)))
        return self.compressed[body_format]

    def plain(self, body_format: Format) -> bytes:
        """The page in a format, uncompressed."""
        return decompress(self.gzipped(body_format))

    def any_parts(self) -> Iterator[bytes]:
        """The page in a format that exists, uncompressed, in parts; nothing is kept, so that a thread may ask."""
        made = self.compressed.get(Format.TEXT) or next(iter(self.compressed.values()), None)
        return iter(()) if made is None else decompress_parts(made)

    def plain_parts(self, body_format: Format) -> Iterator[bytes]:
        """The page in a format, uncompressed, in parts."""
        return decompress_parts(self.gzipped(body_format))

    async def without_utilization(self) -> RenderedPage:
        """The same page without utilisation histograms; a large one is made outside the event loop."""
        return await asyncio.to_thread(self._without_utilization) if self.is_large else self._without_utilization()

    def _without_utilization(self) -> RenderedPage:
        bodies = {one: _without_family(self.plain(one), _HEADERS[one]) for one in self.compressed}
        return RenderedPage(self.taken_at, self.modules, bodies)

    @classmethod
    def handed_over(
        cls, taken_at: float, modules: tuple[str, ...], compressed: dict[Format, bytes], *, valid_from: float
    ) -> RenderedPage:
        """A page of another replica."""
        page = cls(taken_at, modules, {})
        page.compressed, page.valid_from = compressed, valid_from
        return page


_HEADERS = {Format.TEXT: b"\n# HELP ", Format.OPENMETRICS: b"\n# TYPE "}
"""With what a family begins."""
_UTILIZATION = histogram.NAME.encode() + b" "


def _without_family(page: bytes, header: bytes) -> bytes:
    begin = page.find(header + _UTILIZATION) + 1
    if not begin and not page.startswith(header[1:] + _UTILIZATION):
        return page
    ends = [at for mark in (header, b"\n# EOF\n") if (at := page.find(mark, begin)) >= 0]
    return page[:begin] + page[min(ends) + 1 if ends else len(page) :]


def _gzipped(parts: Iterable[bytes]) -> bytes:
    writer = GzipWriter()
    for part in parts:
        writer.write(part)
    return writer.finish()


class PollFailure:
    """A failed poll: ``taken_at`` (seconds, monotonic) and the reason."""

    __slots__ = ("error", "taken_at")

    octets = 0

    def __init__(self, taken_at: float, error: SnmpError) -> None:
        self.taken_at = taken_at
        self.error = error
