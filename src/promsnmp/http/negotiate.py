"""Which exposition format and coding an answer has, by the request's Accept headers (RFC 9110 section 12.5).

The headers of a client are the same at every scrape, so what was worked out for them is kept.
"""

from __future__ import annotations

from functools import lru_cache

from promsnmp.collect.page import Format
from promsnmp.http.prebuilt import accepts_gzip

_TYPES = {
    "application/openmetrics-text": Format.OPENMETRICS,
    "text/plain": Format.TEXT,
    "text/*": Format.TEXT,
    "application/*": Format.OPENMETRICS,
    "*/*": Format.TEXT,
}
_VERSIONS = {Format.OPENMETRICS: ("1.0.0",), Format.TEXT: ("0.0.4",)}


@lru_cache(maxsize=256)
def choose_format(accept: str) -> Format:
    """The format that ``accept`` prefers: the highest q; among equals OpenMetrics if named, else text.

    What nobody asked for by a q above 0 is not chosen; when nothing fits the answer is text all the same.
    """
    best: dict[Format, tuple[float, int]] = {}
    for part in accept.split(","):
        kind, weight, version = _element(part)
        found = _TYPES.get(kind)
        if found is None or (version and version not in _VERSIONS[found]):
            continue
        precision = 0 if kind == "*/*" else 1 if kind.endswith("/*") else 2
        if precision >= best.get(found, (0.0, -1))[1]:
            best[found] = (max(weight, best[found][0]) if best.get(found, (0, -1))[1] == precision else weight, precision)
    wanted, plain = best.get(Format.OPENMETRICS), best.get(Format.TEXT)
    if wanted is None or wanted[0] <= 0.0:
        return Format.TEXT
    if plain is None or wanted > plain:
        return Format.OPENMETRICS
    return Format.OPENMETRICS if wanted[0] >= plain[0] else Format.TEXT


def _element(part: str) -> tuple[str, float, str]:
    """Media type, q and version of one element of Accept; a q that is no number counts as 0."""
    kind, *parameters = (piece.strip() for piece in part.split(";"))
    weight, version = 1.0, ""
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "q":
            try:
                weight = float(value)
            except ValueError:
                weight = 0.0
        elif name.strip().lower() == "version":
            version = value.strip().strip('"')
    return kind.lower(), weight, version


@lru_cache(maxsize=256)
def wants_gzip(accept_encoding: str) -> bool:
    """Whether the answer may be gzip-compressed."""
    return accepts_gzip(accept_encoding)
