"""Writes Prometheus's protobuf exposition, by which every Prometheus since 2.40 takes native histograms.

The messages are those of prometheus/client_model, ``io/prometheus/client/metrics.proto``; the numbers below are its
field numbers. They are few and their encoding is simple (https://protobuf.dev/programming-guides/encoding/), so a
protobuf library would be more code than this. Fields are sent in the order of their numbers, including zeros: proto2.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Mapping, Sequence
from enum import IntEnum
from functools import lru_cache

from promsnmp.exposition.utilization import histogram as utilization
from promsnmp.exposition.utilization.histogram import UtilizationSeries
from promsnmp.exposition.utilization.native import SCHEMA, ZERO, ZERO_THRESHOLD, spans_of

CONTENT_TYPE = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"

LabelPairs = Sequence[tuple[str, str]]
BucketCounts = Iterable[tuple[float, int]]
"""Upper bounds, and how many observations are at or below each."""


class FamilyType(IntEnum):
    """MetricType."""

    COUNTER = 0
    GAUGE = 1
    SUMMARY = 2
    UNTYPED = 3
    HISTOGRAM = 4


_VARINT, _I64, _LEN = 0, 1, 2
_VALUE_FIELDS = {FamilyType.COUNTER: 3, FamilyType.GAUGE: 2, FamilyType.UNTYPED: 5}
_SUMMARY, _HISTOGRAM = 4, 7
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_OCTETS = re.compile(rb'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"', re.DOTALL)
_ONE_BYTE = [bytes((number,)) for number in range(0x80)]


def family(name: str, kind: FamilyType, help_text: str, metrics: Iterable[bytes]) -> bytes:
    """A MetricFamily with its length in front (delimited). ``metrics`` are of this ``kind``."""
    body = b"".join(
        (_text(1, name), _text(2, help_text), _unsigned(3, kind), *[_message(4, metric) for metric in metrics])
    )
    return _varint(len(body)) + body


def family_of(name: str, kind: FamilyType, help_text: str, metrics: Sequence[bytes]) -> bytes:
    """Like ``family``; ``metrics`` are fields already (``metric_prefix``, number, start)."""
    head = b"".join((_text(1, name), _text(2, help_text), _unsigned(3, kind)))
    return b"".join((_varint(len(head) + sum(map(len, metrics))), head, *metrics))


def metric_prefix(kind: FamilyType, labels: bytes, start: int) -> bytes:
    """The field ``metric`` of a family up to the eight octets of the number; ``labels`` are a label text, and ``start``
    the octets of the start that comes after the number."""
    encoded = labels_of(labels)
    size = 1 + 8 + start
    head = encoded + _varint(_VALUE_FIELDS[kind] << 3 | _LEN) + _varint(size)
    return _varint(4 << 3 | _LEN) + _varint(len(head) + size) + head + _varint(1 << 3 | _I64)


@lru_cache(maxsize=1024)
def start_timestamp(kind: FamilyType, seconds: float) -> bytes:
    """The field ``start_timestamp`` (once ``created_timestamp``) of a counter; empty for 0, which is not known."""
    if not seconds or kind is not FamilyType.COUNTER:
        return b""
    whole, rest = divmod(round(seconds * 1000), 1000)
    return _message(3, _unsigned(1, whole) + _unsigned(2, rest * 1_000_000))


def value(kind: FamilyType, labels: LabelPairs, number: float) -> bytes:
    """A Metric of one number: a counter, a gauge, or untyped."""
    return _labels(labels) + _message(_VALUE_FIELDS[kind], _double(1, number))


def summary(labels: LabelPairs, *, count: int, total: float, quantiles: Iterable[tuple[float, float]] = ()) -> bytes:
    """A Metric that is a summary; ``quantiles`` are quantiles (0 to 1) and their values."""
    parts = [_unsigned(1, count), _double(2, total)]
    parts += [_message(3, _double(1, quantile) + _double(2, number)) for quantile, number in quantiles]
    return _labels(labels) + _message(_SUMMARY, b"".join(parts))


def histogram(
    labels: LabelPairs | bytes,
    *,
    count: int,
    total: float,
    buckets: BucketCounts,
    native: Mapping[int, int] | None = None,
) -> bytes:
    """A Metric that is a classic histogram, and with ``native`` (counts by the numbers of ``bucket_of``) also a
    native one. ``labels`` may be encoded already (``labels_of``)."""
    parts = [_unsigned(1, count), _double(2, total)]
    parts += [_message(3, _unsigned(1, below) + _bound(bound)) for bound, below in buckets]
    if native is not None:
        parts += _native(native)
    return (labels if isinstance(labels, bytes) else _labels(labels)) + _message(_HISTOGRAM, b"".join(parts))


@lru_cache(maxsize=256)
def _bound(bound: float) -> bytes:
    return _double(2, bound)


def utilization_family(series: Iterable[UtilizationSeries]) -> bytes:
    """``interface_utilization`` of interfaces, classic and native in one; empty without interfaces."""
    metrics = [_utilization(one) for one in series]
    return family(utilization.NAME, FamilyType.HISTOGRAM, utilization.HELP, metrics) if metrics else b""


def labels_of(text: bytes) -> bytes:
    """The fields ``label`` of a metric, from the label text of a sample."""
    pieces = []
    for name, content in _OCTETS.findall(text):
        if b"\\" in content:
            content = _ESCAPE.sub(_unescape, content.decode()).encode()
        pair = b"\x0a%b%b\x12%b%b" % (_varint(len(name)), name, _varint(len(content)), content)
        pieces.append(b"\x0a%b%b" % (_varint(len(pair)), pair))
    return b"".join(pieces)


def read_labels(text: bytes) -> LabelPairs:
    """Name and value of each label in a sample's label text."""
    return [(name, _ESCAPE.sub(_unescape, content)) for name, content in _LABEL.findall(text.decode())]


def _utilization(series: UtilizationSeries) -> bytes:
    buckets = list(series.cumulative())
    count, native = buckets[-1][1], series.native_counts()
    return histogram(labels_of(series.labels), count=count, total=series.total, buckets=buckets, native=native)


def _native(counts: Mapping[int, int]) -> list[bytes]:
    """Schema, zero threshold, zero count, positive spans and deltas. The threshold, which is not 0,
    distinguishes a native histogram without observations from a classic one."""
    spans, deltas = spans_of(counts)
    return [
        _signed(5, SCHEMA),
        _double(6, ZERO_THRESHOLD),
        _unsigned(7, counts.get(ZERO, 0)),
        *[_message(12, _signed(1, span.offset) + _unsigned(2, span.length)) for span in spans],
        *[_signed(13, delta) for delta in deltas],
    ]


def _labels(labels: LabelPairs) -> bytes:
    return b"".join([_message(1, _text(1, name) + _text(2, content)) for name, content in labels])


def unescaped(text: str) -> str:
    """A help text of text format 0.0.4 as it is."""
    return _ESCAPE.sub(_unescape, text) if "\\" in text else text


def _unescape(escaped: re.Match[str]) -> str:
    return "\n" if escaped[1] == "n" else escaped[1]


# -------------------------------------------------------------------------------------------------------- the encoding


def _varint(number: int) -> bytes:
    """Seven bits a byte, the lowest first."""
    if number < 0x80:
        return _ONE_BYTE[number]
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _unsigned(field: int, number: int) -> bytes:
    return _varint(field << 3 | _VARINT) + _varint(number)


def _signed(field: int, number: int) -> bytes:
    """sint32 and sint64: the sign goes to the lowest bit ("ZigZag")."""
    return _unsigned(field, number << 1 if number >= 0 else (-number << 1) - 1)


def _double(field: int, number: float) -> bytes:
    return _varint(field << 3 | _I64) + struct.pack("<d", number)


def _message(field: int, body: bytes) -> bytes:
    return _varint(field << 3 | _LEN) + _varint(len(body)) + body


def _text(field: int, text: str) -> bytes:
    return _message(field, text.encode())
