"""A rendered page: what a scrape of one device returns, kept gzipped in the formats that scrapes ask for."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum

from promsnmp.errors import SnmpError
from promsnmp.exposition.formats import openmetrics, protobuf, protobuf_page, text
from promsnmp.exposition.formats.start_times import StartTimes
from promsnmp.exposition.utilization import histogram
from promsnmp.exposition.utilization.histogram import UtilizationSeries
from promsnmp.support.compression import GzipWriter, compress, decompress, decompress_parts, decompressed_size
from promsnmp.support.steps import Steps, run_steps

LARGE = 1024 * 1024
"""Bytes of a page, uncompressed, from which on it is not converted or decompressed on the event loop."""


class Format(Enum):
    """Exposition formats; the value is the Content-Type."""

    TEXT = text.CONTENT_TYPE
    OPENMETRICS = openmetrics.CONTENT_TYPE
    PROTOBUF = protobuf.CONTENT_TYPE


class RenderedPage:
    """One device's samples as of ``taken_at`` (seconds, monotonic), rendered and compressed once per format.

    Protobuf is made from one of the texts, which a page always has.
    """

    __slots__ = ("_series", "_starts", "compressed", "modules", "taken_at", "valid_from")

    def __init__(
        self,
        taken_at: float,
        modules: tuple[str, ...],
        bodies: Mapping[Format, bytes | GzipWriter],
        *,
        starts: StartTimes | None = None,
        series: Sequence[UtilizationSeries] | None = None,
    ) -> None:
        """``bodies`` are the page as text in some formats, plain or written already. ``starts`` and ``series`` are what
        only protobuf shows: when the counters began, and the histograms of the interfaces with native buckets."""
        self._starts = starts
        self._series = series
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
        """The page in a format, gzipped; converted from another one when it was not rendered in this one."""
        if body_format not in self.compressed:
            run_steps(self.convert(body_format))
        return self.compressed[body_format]

    def convert(self, body_format: Format) -> Steps[None]:
        """Makes the page in another format, in steps."""
        writer = GzipWriter()
        for part in self._converted(body_format):
            writer.write(part)
            yield
        self.compressed[body_format] = writer.finish()

    def _converted(self, body_format: Format) -> Iterator[bytes]:
        other, made = next(iter(self.texts().items()))
        page = decompress(made)
        if body_format is Format.OPENMETRICS:
            return openmetrics.from_text(page)
        if other is Format.OPENMETRICS:
            if body_format is Format.TEXT:
                return openmetrics.to_text(page)
            page = b"".join(openmetrics.to_text(page))
        return protobuf_page.from_text(page, self._starts, self._series)

    def texts(self) -> dict[Format, bytes]:
        """The page in the formats that are text and exist."""
        return {one: body for one, body in self.compressed.items() if one is not Format.PROTOBUF}

    def plain(self, body_format: Format) -> bytes:
        """The page in a format, uncompressed."""
        return decompress(self.gzipped(body_format))

    def any_parts(self) -> Iterator[bytes]:
        """The page in a format that exists, uncompressed, in parts; nothing is kept, so that a thread may ask."""
        made = self.compressed.get(Format.TEXT) or self.compressed.get(Format.OPENMETRICS)
        return iter(()) if made is None else decompress_parts(made)

    def plain_parts(self, body_format: Format) -> Iterator[bytes]:
        """The page in a format, uncompressed, in parts."""
        return decompress_parts(self.gzipped(body_format))

    def changed(self, texts: dict[Format, bytes]) -> RenderedPage:
        """The same poll with other ``texts``, gzipped; protobuf, if there was any, is made from them."""
        page = RenderedPage(self.taken_at, self.modules, {}, starts=self._starts, series=self._series)
        page.compressed, page.valid_from = texts, self.valid_from
        for one in self.compressed:
            page.gzipped(one)
        return page

    async def without_utilization(self) -> RenderedPage:
        """The same page without utilisation histograms; a large one is made outside the event loop."""
        return await asyncio.to_thread(self._without_utilization) if self.is_large else self._without_utilization()

    def _without_utilization(self) -> RenderedPage:
        bodies = {one: _without_family(self.plain(one), _HEADERS[one]) for one in self.texts()}
        page = RenderedPage(self.taken_at, self.modules, bodies, starts=self._starts)
        for one in self.compressed:
            page.gzipped(one)
        return page

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


class PollFailure:
    """A failed poll: ``taken_at`` (seconds, monotonic) and the reason."""

    __slots__ = ("error", "taken_at")

    octets = 0

    def __init__(self, taken_at: float, error: SnmpError) -> None:
        self.taken_at = taken_at
        self.error = error
