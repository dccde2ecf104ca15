"""A rendered page: what a scrape of one device returns, kept gzipped in the formats that scrapes ask for."""

from __future__ import annotations

import asyncio
from enum import Enum

from promsnmp.errors import SnmpError
from promsnmp.exposition.formats import openmetrics, text
from promsnmp.exposition.utilization import histogram
from promsnmp.support.compression import compress, decompress

LARGE = 256 * 1024
"""Compressed bytes; reading a larger page would keep the event loop busy."""


class Format(Enum):
    """Exposition formats; the value is the Content-Type."""

    TEXT = text.CONTENT_TYPE
    OPENMETRICS = openmetrics.CONTENT_TYPE


class RenderedPage:
    """One device's samples as of ``taken_at`` (seconds, monotonic), rendered and compressed once per format."""

    __slots__ = ("compressed", "modules", "taken_at", "valid_from")

    def __init__(self, taken_at: float, modules: tuple[str, ...], bodies: dict[Format, bytes]) -> None:
        self.taken_at = taken_at
        self.modules = modules
        self.valid_from = taken_at
        """An invalidation after this time counts for it: when its poll began, or when it was handed over."""
        self.compressed = {one: compress(body) for one, body in bodies.items()}

    def has(self, body_format: Format) -> bool:
        """Whether the body of this format exists already."""
        return body_format in self.compressed

    def gzipped(self, body_format: Format) -> bytes:
        """The page in a format, gzipped; converted from the other format when it was not rendered in this one."""
        body = self.compressed.get(body_format)
        if body is None:
            other, made = next(iter(self.compressed.items()))
            convert = openmetrics.to_text if other is Format.OPENMETRICS else openmetrics.from_text
            body = self.compressed[body_format] = compress(convert(decompress(made)))
        return body

    def plain(self, body_format: Format) -> bytes:
        """The page in a format, uncompressed."""
        return decompress(self.gzipped(body_format))

    async def without_utilization(self) -> RenderedPage:
        """The same page without utilisation histograms; a large one is made outside the event loop."""
        is_large = sum(map(len, self.compressed.values())) > LARGE
        return await asyncio.to_thread(self._without_utilization) if is_large else self._without_utilization()

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


class PollFailure:
    """A failed poll: ``taken_at`` (seconds, monotonic) and the reason."""

    __slots__ = ("error", "taken_at")

    def __init__(self, taken_at: float, error: SnmpError) -> None:
        self.taken_at = taken_at
        self.error = error
