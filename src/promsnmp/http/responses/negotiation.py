"""Which exposition format and coding an answer has, by the request's Accept headers (RFC 9110 section 12.5).

A client's headers are the same at every scrape, so what was worked out for them is kept.
"""

from __future__ import annotations

from functools import lru_cache

from promsnmp.http.responses.cached import accepts_gzip
from promsnmp.polling.page import Format

_OPENMETRICS = ("application/openmetrics-text", "application/*")
_TEXT = ("text/plain", "text/*", "*/*")
"""Media ranges that fit a format, the most precise first."""
_VERSIONS = ("", "1.0.0", "0.0.4")


@lru_cache(maxsize=256)
def choose_format(accept: str) -> Format:
    """OpenMetrics when it is asked for with a q that is not 0 and not below that of text, else text."""
    weights: dict[str, float] = {}
    for part in accept.split(","):
        kind, weight, version = _element(part)
        if version in _VERSIONS:
            weights[kind] = max(weight, weights.get(kind, 0.0))
    openmetrics, text = _weight(weights, _OPENMETRICS), _weight(weights, _TEXT)
    return Format.OPENMETRICS if openmetrics > 0.0 and openmetrics >= text else Format.TEXT


def _weight(weights: dict[str, float], ranges: tuple[str, ...]) -> float:
    """The q of the most precise range that is there (RFC 9110 section 12.5.1), 0 when none is."""
    return next((weights[one] for one in ranges if one in weights), 0.0)


def _element(part: str) -> tuple[str, float, str]:
    """Media range, q and version of one element of Accept; a q that is no number counts as 0."""
    kind, *parameters = (piece.strip() for piece in part.split(";"))
    weight, version = 1.0, ""
    for parameter in parameters:
        name, _, value = (piece.strip() for piece in parameter.partition("="))
        if name.lower() == "version":
            version = value.strip('"')
        elif name.lower() == "q":
            try:
                weight = float(value)
            except ValueError:
                weight = 0.0
    return kind.lower(), weight, version


@lru_cache(maxsize=256)
def wants_gzip(accept_encoding: str) -> bool:
    """Whether the answer may be gzip-compressed."""
    return accepts_gzip(accept_encoding)
