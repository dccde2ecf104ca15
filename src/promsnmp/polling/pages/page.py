"""A rendered page: what a scrape of one device returns, kept gzipped in the formats that scrapes ask for."""

from __future__ import annotations

from enum import Enum

from promsnmp.errors import SnmpError
from promsnmp.exposition.formats import openmetrics, text
from promsnmp.support.compression import compress, decompress


class Format(Enum):
    """Exposition formats; the value is the Content-Type."""

    TEXT = text.CONTENT_TYPE
    OPENMETRICS = openmetrics.CONTENT_TYPE


class RenderedPage:
    """One device's samples as of ``taken_at`` (seconds, monotonic), rendered and compressed once per format."""

    __slots__ = ("_bodies", "modules", "taken_at")

    def __init__(self, taken_at: float, modules: tuple[str, ...], bodies: dict[Format, bytes]) -> None:
        self.taken_at = taken_at
        self.modules = modules
        self._bodies = {one: compress(body) for one, body in bodies.items()}

    def has(self, body_format: Format) -> bool:
        """Whether the body of this format exists already."""
        return body_format in self._bodies

    def gzipped(self, body_format: Format) -> bytes:
        """The page in a format, gzipped; converted from the other format when it was not rendered in this one."""
        body = self._bodies.get(body_format)
        if body is None:
            other, made = next(iter(self._bodies.items()))
            convert = openmetrics.to_text if other is Format.OPENMETRICS else openmetrics.from_text
            body = self._bodies[body_format] = compress(convert(decompress(made)))
        return body

    def plain(self, body_format: Format) -> bytes:
        """The page in a format, uncompressed."""
        return decompress(self.gzipped(body_format))


class PollFailure:
    """A failed poll: ``taken_at`` (seconds, monotonic) and the reason."""

    __slots__ = ("error", "taken_at")

    def __init__(self, taken_at: float, error: SnmpError) -> None:
        self.taken_at = taken_at
        self.error = error
