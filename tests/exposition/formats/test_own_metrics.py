"""PromSNMP's own metrics as protobuf: the same series as in text."""

from __future__ import annotations

import math

from prometheus_client import CollectorRegistry, Counter, Enum, Gauge, Histogram, Info, Summary
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import (
    HistogramMetricFamily,
    Metric,
    SummaryMetricFamily,
    UntypedMetricFamily,
)
from prometheus_client.parser import text_string_to_metric_families

from promsnmp.exposition.formats.own_metrics import own_families
from promsnmp.observe import metric_families
from promsnmp.observe.counts import PollCounts, RequestCounts
from promsnmp.observe.registry import SelfMetrics
from tests.support.exposition import client_model

Series = dict[tuple[str, frozenset[tuple[str, str]]], float]
FIELDS = {"COUNTER": "counter", "GAUGE": "gauge", "UNTYPED": "untyped"}


def series_of(body: bytes) -> Series:
    """All series of a protobuf body, named as in text."""
    out: Series = {}
    for family in client_model.by_name(body).values():
        kind = client_model.TYPES[family.type]
        for metric in family.metric:
            labels = frozenset(client_model.labels(metric).items())
            if kind in FIELDS:
                out[family.name, labels] = getattr(metric, FIELDS[kind]).value
                continue
            one = metric.histogram if kind == "HISTOGRAM" else metric.summary
            out[f"{family.name}_count", labels] = one.sample_count
            out[f"{family.name}_sum", labels] = one.sample_sum
            for part in one.bucket if kind == "HISTOGRAM" else ():
                bound = "+Inf" if part.upper_bound == math.inf else str(part.upper_bound)
                out[f"{family.name}_bucket", labels | {("le", bound)}] = part.cumulative_count
            for part in one.quantile if kind == "SUMMARY" else ():
                out[family.name, labels | {("quantile", str(part.quantile))}] = part.value
    return out


def series_in(text: str) -> Series:
    return {
        (one.name, frozenset(one.labels.items())): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }


def types_of(body: bytes) -> dict[str, str]:
    return {name: client_model.TYPES[one.type] for name, one in client_model.by_name(body).items()}


def test_every_kind_of_metric_has_the_same_series_as_in_text() -> None:
    registry = CollectorRegistry()
    counter = Counter("jobs", "Jobs.", ["kind"], registry=registry)
    counter.labels('a "b"\\\n').inc(3)
    counter.labels("c").inc(0)
    Gauge("level", "Level.", registry=registry).set(-2.5)
    waits = Histogram("wait_seconds", "Wait.", ["who"], buckets=[0.5, 2.5], registry=registry)
    waits.labels("x").observe(1)
    waits.labels("y").observe(9)
    Summary("size_bytes", "Size.", registry=registry).observe(7)
    Info("build", "Build.", registry=registry).info({"version": "1"})
    Enum("state", "State.", states=["up", "down"], registry=registry).state("down")
    body = own_families(registry.collect())
    assert series_of(body) == series_in(generate_latest(registry).decode())
    types = types_of(body)
    assert types["jobs_total"] == "COUNTER"
    assert types["jobs_created"] == types["level"] == types["build_info"] == types["state"] == "GAUGE"
    assert (types["wait_seconds"], types["size_bytes"]) == ("HISTOGRAM", "SUMMARY")


def test_a_metric_without_a_type_is_untyped() -> None:
    body = own_families([UntypedMetricFamily("odd", "Odd.", value=3)])
    assert types_of(body) == {"odd": "UNTYPED"}
    assert series_of(body) == {("odd", frozenset()): 3}


def test_quantiles_of_a_summary_are_kept() -> None:
    family = SummaryMetricFamily("size", "Size.", count_value=2, sum_value=3.0)
    family.add_sample("size", {"quantile": "0.5"}, 1.25)
    found = series_of(own_families([family]))
    assert found["size", frozenset({("quantile", "0.5")})] == 1.25
    assert found["size_count", frozenset()] == 2


def test_a_family_without_samples_does_no_harm() -> None:
    assert series_of(own_families([Metric("none", "None.", "gauge"), HistogramMetricFamily("no", "No.")])) == {}


def test_all_of_promsnmps_own_metrics_are_written() -> None:
    polls, requests = PollCounts(), RequestCounts()
    polls.record("success", seconds=0.2)
    requests.record("GET", "/snmp", 200, seconds=0.1)
    metrics = SelfMetrics(
        lambda: metric_families.poll_families(polls), lambda: metric_families.request_families(requests)
    )
    found, text = series_of(own_families(metrics.collect())), series_in(metrics.text().decode())
    assert found.keys() == text.keys()
    assert found["promsnmp_poll_duration_seconds_count", frozenset()] == 1
