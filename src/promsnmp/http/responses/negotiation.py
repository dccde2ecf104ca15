"""Chooses the exposition format and the coding of a response by the Accept headers (RFC 9110 section 12.5).

A client sends the same headers at every scrape, so the choice is remembered. Of a long header only the beginning is
read: no honest client sends one, and reading it and remembering it would take time and memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from promsnmp.exposition.formats import text
from promsnmp.polling.pages.page import Format

PROTOBUF = "application/vnd.google.protobuf"
_OPENMETRICS = ("application/openmetrics-text", "application/*")
_TEXT = ("text/plain", "text/*", "*/*")
"""Media ranges that fit a format, the most precise first."""
_VERSIONS = ("", "1.0.0", "0.0.4")
_PROTOBUF_PARAMETERS = {"proto": "io.prometheus.client.MetricFamily", "encoding": "delimited"}
"""What the parameters of protobuf's media type must say where they are present."""


MAX_LENGTH = 2048
"""Characters of a header that are read."""
_ESCAPINGS = ("allow-utf-8", "underscores", "dots", "values")
"""Of names that are no names of text format 0.0.4; we have none, so all are the same here."""


class AcceptElement(NamedTuple):
    """One element of an Accept header: its media range or coding, its q, and its other parameters, all names in lower
    case. A q that is not a number counts as 0."""

    name: str
    weight: float
    parameters: Mapping[str, str]


def parse_accept(header: str) -> Iterator[AcceptElement]:
    """The elements of ``Accept`` or ``Accept-Encoding``."""
    for part in header.split(","):
        name, *pairs = part.split(";")
        if name.strip():
            parameters = dict(_parameter(pair) for pair in pairs)
            yield AcceptElement(name.strip().lower(), _number(parameters.pop("q", "1")), parameters)


def _parameter(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name.strip().lower(), value.strip().strip('"')


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


class Choice(NamedTuple):
    """The format of a response, and the Content-Type that says so."""

    format: Format
    content_type: bytes


def choose_format(accept: str) -> Choice:
    """Protobuf or OpenMetrics when it is asked for with a q that is not 0 and not below that of the others, else text.

    Protobuf only when it is named, and in the form that we send. Text is of version 1.0.0 when that is preferred: it
    differs from 0.0.4 only in names that need quotes, and those we do not have.
    """
    return _choose_format(accept[:MAX_LENGTH])


def accepts_gzip(accept_encoding: str) -> bool:
    """Whether ``Accept-Encoding`` allows gzip (RFC 9110 section 12.5.3): by name, or else by ``*``."""
    return _accepts_gzip(accept_encoding[:MAX_LENGTH])


@lru_cache(maxsize=256)
def _choose_format(accept: str) -> Choice:
    elements = list(parse_accept(accept))
    if _prefers_protobuf(elements):
        return Choice(Format.PROTOBUF, Format.PROTOBUF.value.encode())
    weights = _weights(element for element in elements if element.parameters.get("version", "") in _VERSIONS)
    openmetrics = _weight(weights, _OPENMETRICS)
    if openmetrics > 0.0 and openmetrics >= _weight(weights, _TEXT):
        return Choice(Format.OPENMETRICS, Format.OPENMETRICS.value.encode())
    return Choice(Format.TEXT, _text_type(elements).encode())


def _prefers_protobuf(elements: Sequence[AcceptElement]) -> bool:
    ours = [element for element in elements if element.name == PROTOBUF and _is_our_protobuf(element)]
    protobuf = _weights(ours).get(PROTOBUF, 0.0)
    others = _weights(elements)
    return protobuf > 0.0 and all(protobuf >= _weight(others, ranges) for ranges in (_OPENMETRICS[:1], _TEXT))


def _text_type(elements: Iterable[AcceptElement]) -> str:
    """The Content-Type of text: of the version that has the higher q."""
    texts = [one for one in elements if one.name == _TEXT[0] and one.parameters.get("version", "") in _VERSIONS]
    best = max(texts, key=lambda one: one.weight, default=None)
    if best is None or best.weight <= 0.0 or best.parameters.get("version") != "1.0.0":
        return Format.TEXT.value
    escaping = best.parameters.get("escaping", "")
    return f"{text.CONTENT_TYPE_1}; escaping={escaping if escaping in _ESCAPINGS else 'underscores'}"


@lru_cache(maxsize=256)
def _accepts_gzip(accept_encoding: str) -> bool:
    weights = {element.name: element.weight for element in parse_accept(accept_encoding)}
    return weights.get("gzip", weights.get("x-gzip", weights.get("*", 0.0))) > 0.0


def _is_our_protobuf(element: AcceptElement) -> bool:
    """Whether the element means our messages; a parameter that is missing leaves the choice to us."""
    return all(element.parameters.get(name, value) == value for name, value in _PROTOBUF_PARAMETERS.items())


def _weights(elements: Iterable[AcceptElement]) -> dict[str, float]:
    """The highest q of each media range."""
    weights: dict[str, float] = {}
    for element in elements:
        weights[element.name] = max(element.weight, weights.get(element.name, 0.0))
    return weights


def _weight(weights: Mapping[str, float], ranges: Iterable[str]) -> float:
    """The q of the most precise range that is there (RFC 9110 section 12.5.1), 0 when none is."""
    return next((weights[item] for item in ranges if item in weights), 0.0)
