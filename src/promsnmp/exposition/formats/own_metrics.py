"""Writes PromSNMP's own metrics as protobuf: prometheus-client collects them, but writes only text.

The series are the same in every format, so names are those of the text format: a counter's family ends in ``_total``,
and samples that only OpenMetrics has (``_created``) are gauges.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from prometheus_client.metrics_core import Metric
from prometheus_client.samples import Sample

from promsnmp.exposition.formats import protobuf
from promsnmp.exposition.formats.protobuf import FamilyType, LabelPairs

_KINDS = {
    "counter": FamilyType.COUNTER,
    "gauge": FamilyType.GAUGE,
    "info": FamilyType.GAUGE,
    "stateset": FamilyType.GAUGE,
}


def own_families(families: Iterable[Metric]) -> bytes:
    """The families as delimited messages."""
    return b"".join([message for one in families for message in _messages(one)])


def _messages(metric: Metric) -> Iterator[bytes]:
    if metric.type == "histogram":
        yield protobuf.family(metric.name, FamilyType.HISTOGRAM, metric.documentation, _histograms(metric))
    elif metric.type == "summary":
        yield protobuf.family(metric.name, FamilyType.SUMMARY, metric.documentation, _summaries(metric))
    by_name: dict[str, list[Sample]] = {}
    for sample in metric.samples:
        if sample.name.endswith("_created") or metric.type not in ("histogram", "summary"):
            by_name.setdefault(sample.name, []).append(sample)
    for name, samples in by_name.items():
        kind = FamilyType.GAUGE if name == f"{metric.name}_created" else _KINDS.get(metric.type, FamilyType.UNTYPED)
        values = [protobuf.value(kind, _labels(one), one.value) for one in samples]
        yield protobuf.family(name, kind, metric.documentation, values)


def _histograms(metric: Metric) -> Iterator[bytes]:
    for labels, samples in _series(metric, "le").items():
        numbers = _numbers(metric, samples)
        yield protobuf.histogram(
            labels,
            count=int(numbers.get("_count", 0)),
            total=numbers.get("_sum", 0.0),
            buckets=[(float(one.labels["le"]), int(one.value)) for one in samples if "le" in one.labels],
        )


def _summaries(metric: Metric) -> Iterator[bytes]:
    for labels, samples in _series(metric, "quantile").items():
        numbers = _numbers(metric, samples)
        yield protobuf.summary(
            labels,
            count=int(numbers.get("_count", 0)),
            total=numbers.get("_sum", 0.0),
            quantiles=[(float(one.labels["quantile"]), one.value) for one in samples if "quantile" in one.labels],
        )


def _series(metric: Metric, excluded_label: str) -> dict[LabelPairs, list[Sample]]:
    """The samples of each histogram or summary, by their labels except that of the bucket or quantile."""
    out: dict[LabelPairs, list[Sample]] = {}
    for sample in metric.samples:
        if sample.name != f"{metric.name}_created":
            out.setdefault(_labels(sample, without=excluded_label), []).append(sample)
    return out


def _numbers(metric: Metric, samples: Iterable[Sample]) -> dict[str, float]:
    return {one.name.removeprefix(metric.name): one.value for one in samples}


def _labels(sample: Sample, *, without: str = "") -> tuple[tuple[str, str], ...]:
    return tuple(sorted((name, content) for name, content in sample.labels.items() if name != without))
