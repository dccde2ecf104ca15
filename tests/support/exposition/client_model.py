"""Decodes protobuf expositions with Google's library, by the messages of prometheus/client_model's metrics.proto."""

from __future__ import annotations

import io
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Field
from google.protobuf.proto import parse_length_prefixed, serialize_length_prefixed

PACKAGE = "io.prometheus.client"
STRING, DOUBLE = Field.TYPE_STRING, Field.TYPE_DOUBLE
UINT32, UINT64, SINT32, SINT64, INT32, INT64 = (
    Field.TYPE_UINT32, Field.TYPE_UINT64, Field.TYPE_SINT32, Field.TYPE_SINT64, Field.TYPE_INT32, Field.TYPE_INT64,
)  # fmt: skip
MANY = {
    *[("Histogram", f"{sign}_{what}") for sign in ("positive", "negative") for what in ("span", "delta")],
    ("Histogram", "bucket"), ("Metric", "label"), ("MetricFamily", "metric"), ("Summary", "quantile"),
}  # fmt: skip
"""The repeated fields."""

MESSAGES: dict[str, dict[str, tuple[int, Any]]] = {
    "LabelPair": {"name": (1, STRING), "value": (2, STRING)},
    "Gauge": {"value": (1, DOUBLE)},
    "Timestamp": {"seconds": (1, INT64), "nanos": (2, INT32)},  # google.protobuf.Timestamp
    "Counter": {"value": (1, DOUBLE), "start_timestamp": (3, "Timestamp")},
    "Untyped": {"value": (1, DOUBLE)},
    "Quantile": {"quantile": (1, DOUBLE), "value": (2, DOUBLE)},
    "Summary": {"sample_count": (1, UINT64), "sample_sum": (2, DOUBLE), "quantile": (3, "Quantile")},
    "Bucket": {"cumulative_count": (1, UINT64), "upper_bound": (2, DOUBLE)},
    "BucketSpan": {"offset": (1, SINT32), "length": (2, UINT32)},
    "Histogram": {
        "sample_count": (1, UINT64),
        "sample_count_float": (4, DOUBLE),
        "sample_sum": (2, DOUBLE),
        "bucket": (3, "Bucket"),
        "schema": (5, SINT32),
        "zero_threshold": (6, DOUBLE),
        "zero_count": (7, UINT64),
        "zero_count_float": (8, DOUBLE),
        "negative_span": (9, "BucketSpan"),
        "negative_delta": (10, SINT64),
        "positive_span": (12, "BucketSpan"),
        "positive_delta": (13, SINT64),
    },
    "Metric": {
        "label": (1, "LabelPair"),
        "gauge": (2, "Gauge"),
        "counter": (3, "Counter"),
        "summary": (4, "Summary"),
        "untyped": (5, "Untyped"),
        "histogram": (7, "Histogram"),
        "timestamp_ms": (6, INT64),
    },
    "MetricFamily": {"name": (1, STRING), "help": (2, STRING), "type": (3, "MetricType"), "metric": (4, "Metric")},
}
TYPES = ("COUNTER", "GAUGE", "SUMMARY", "UNTYPED", "HISTOGRAM", "GAUGE_HISTOGRAM")


def _file() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(name="metrics.proto", package=PACKAGE, syntax="proto2")
    kinds = file.enum_type.add(name="MetricType")
    for number, name in enumerate(TYPES):
        kinds.value.add(name=name, number=number)
    for message, fields in MESSAGES.items():
        message_type = file.message_type.add(name=message)
        for name, (number, kind) in fields.items():
            field = message_type.field.add(name=name, number=number)
            field.label = Field.LABEL_REPEATED if (message, name) in MANY else Field.LABEL_OPTIONAL
            if isinstance(kind, str):
                field.type = Field.TYPE_ENUM if kind == "MetricType" else Field.TYPE_MESSAGE
                field.type_name = f".{PACKAGE}.{kind}"
            else:
                field.type = kind
    return file


_POOL = descriptor_pool.DescriptorPool()
_POOL.Add(_file())
FAMILY: Any = message_factory.GetMessageClass(_POOL.FindMessageTypeByName(f"{PACKAGE}.MetricFamily"))


def read(body: bytes) -> list[Any]:
    """All families of delimited messages. Fails on bytes that Google's encoder would write differently."""
    stream, out, again = io.BytesIO(body), [], io.BytesIO()
    while stream.tell() < len(body):
        family = parse_length_prefixed(FAMILY, stream)
        assert family is not None
        serialize_length_prefixed(family, again)
        out.append(family)
    assert again.getvalue() == body
    return out


def by_name(body: bytes) -> dict[str, Any]:
    """The families by name; each must occur once."""
    families = read(body)
    families_by_name = {family.name: family for family in families}
    assert len(families_by_name) == len(families)
    return families_by_name


def labels(metric: Any) -> dict[str, str]:
    return {pair.name: pair.value for pair in metric.label}


def counts(histogram: Any) -> dict[int, int]:
    """The native buckets of a histogram that are not empty: observations by the bucket's number."""
    buckets: dict[int, int] = {}
    deltas = iter(histogram.positive_delta)
    at = count = 0
    for span in histogram.positive_span:
        at += span.offset
        for _ in range(span.length):
            count += next(deltas)
            assert count >= 0
            if count:
                buckets[at] = count
            at += 1
    assert next(deltas, None) is None
    return buckets


def start_of(metric: Any) -> float | None:
    """The start of a counter in Unix seconds; None when it has none."""
    if not metric.counter.HasField("start_timestamp"):
        return None
    start = metric.counter.start_timestamp
    return float(start.seconds + start.nanos / 1e9)
