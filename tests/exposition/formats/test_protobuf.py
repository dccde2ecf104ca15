"""Protobuf expositions, read by Google's decoder."""

from __future__ import annotations

import math
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promsnmp.exposition.formats import protobuf
from promsnmp.exposition.formats.protobuf import FamilyType
from promsnmp.exposition.labels import label_text
from promsnmp.exposition.utilization.histogram import BOUNDS, HELP, NAME, InterfaceCounters, Utilization
from promsnmp.exposition.utilization.native import ZERO, ZERO_THRESHOLD, bucket_of
from tests.support.exposition import client_model

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
NAMES = st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_]{0,20}", fullmatch=True)
MBIT100 = 100e6


def only(body: bytes) -> Any:
    (family,) = client_model.read(body)
    return family


@pytest.mark.parametrize(
    ("kind", "field"), [(FamilyType.COUNTER, "counter"), (FamilyType.GAUGE, "gauge"), (FamilyType.UNTYPED, "untyped")]
)
def test_a_number_is_in_the_field_of_its_type(kind: FamilyType, field: str) -> None:
    family = only(protobuf.family("n", kind, "why", [protobuf.value(kind, [("a", "b")], -1.5)]))
    assert (family.name, family.help, client_model.TYPES[family.type]) == ("n", "why", kind.name)
    (metric,) = family.metric
    assert [one.name for one, _ in metric.ListFields()] == ["label", field]
    assert getattr(metric, field).value == -1.5
    assert client_model.labels(metric) == {"a": "b"}


@given(st.floats(), st.lists(st.tuples(NAMES, TEXTS), max_size=4), TEXTS)
def test_any_number_label_and_help_reads_back(number: float, labels: list[tuple[str, str]], why: str) -> None:
    family = only(protobuf.family("n", FamilyType.GAUGE, why, [protobuf.value(FamilyType.GAUGE, labels, number)]))
    (metric,) = family.metric
    assert struct.pack("<d", metric.gauge.value) == struct.pack("<d", number)
    assert [(one.name, one.value) for one in metric.label] == labels
    assert family.help == why


def test_zero_is_sent_as_a_value() -> None:
    (metric,) = only(protobuf.family("n", FamilyType.COUNTER, "", [protobuf.value(FamilyType.COUNTER, [], 0.0)])).metric
    assert metric.counter.HasField("value")


def test_families_are_sent_with_their_lengths_in_front() -> None:
    long = "x" * 70_000  # a length of three bytes
    one = protobuf.family("one", FamilyType.GAUGE, long, [protobuf.value(FamilyType.GAUGE, [], 1)])
    two = protobuf.family("two", FamilyType.GAUGE, "", [])
    assert [(family.name, len(family.metric)) for family in client_model.read(one + two)] == [("one", 1), ("two", 0)]


def test_a_summary_has_count_sum_and_quantiles() -> None:
    metric = protobuf.summary([("a", "b")], count=3, total=4.5, quantiles=[(0.5, 1.0), (0.9, 2.0)])
    family = only(protobuf.family("n", FamilyType.SUMMARY, "", [metric]))
    found = family.metric[0].summary
    assert (found.sample_count, found.sample_sum) == (3, 4.5)
    assert [(one.quantile, one.value) for one in found.quantile] == [(0.5, 1.0), (0.9, 2.0)]


def test_a_classic_histogram_has_buckets_and_nothing_native() -> None:
    metric = protobuf.histogram([], count=3, total=4.5, buckets=[(1.0, 2), (math.inf, 3)])
    found = only(protobuf.family("n", FamilyType.HISTOGRAM, "", [metric])).metric[0].histogram
    assert [(one.upper_bound, one.cumulative_count) for one in found.bucket] == [(1.0, 2), (math.inf, 3)]
    assert [one.name for one, _ in found.ListFields()] == ["sample_count", "sample_sum", "bucket"]


def test_a_native_histogram_without_observations_differs_from_a_classic_one() -> None:
    metric = protobuf.histogram([], count=0, total=0.0, buckets=[], native={})
    found = only(protobuf.family("n", FamilyType.HISTOGRAM, "", [metric])).metric[0].histogram
    assert (found.schema, found.zero_threshold, found.zero_count) == (3, ZERO_THRESHOLD, 0)
    assert not found.positive_span
    assert found.HasField("sample_count")


@given(
    st.dictionaries(st.integers(-1000, 1000), st.integers(1, 2**50), max_size=40), st.integers(min_value=0, max_value=9)
)
def test_native_buckets_read_back_as_they_were_counted(counts: dict[int, int], zeros: int) -> None:
    metric = protobuf.histogram([], count=1, total=2.0, buckets=[], native={**counts, ZERO: zeros})
    found = only(protobuf.family("n", FamilyType.HISTOGRAM, "", [metric])).metric[0].histogram
    assert client_model.counts(found) == counts
    assert found.zero_count == zeros


@given(st.dictionaries(NAMES, TEXTS, max_size=4))
def test_labels_of_a_page_read_back(labels: dict[str, str]) -> None:
    assert protobuf.read_labels(label_text(labels)) == sorted(labels.items())


def test_without_interfaces_there_is_no_family() -> None:
    assert protobuf.utilization_family([]) == b""


@given(st.lists(st.integers(0, 125), max_size=30))
def test_utilisation_is_the_same_in_both_forms(percents: list[int]) -> None:
    labels = label_text({"ifDescr": 'a "port"\\1\n', "ifAlias": ""})
    one, octets = Utilization(), 0
    one.observe([InterfaceCounters(labels, MBIT100, octets, 0, 64)], at=0.0, ticks=None)
    for poll, percent in enumerate(percents, 1):
        octets += percent * 1_250_000  # in ten seconds of 100 Mbit/s
        one.observe([InterfaceCounters(labels, MBIT100, octets, 0, 64)], at=poll * 10.0, ticks=None)
    family = only(protobuf.utilization_family(one.current_series()))
    assert (family.name, family.help, client_model.TYPES[family.type]) == (NAME, HELP, "HISTOGRAM")
    (metric,) = family.metric
    assert client_model.labels(metric) == {"ifDescr": 'a "port"\\1\n', "ifAlias": ""}
    found = metric.histogram
    assert found.sample_count == len(percents)
    assert found.sample_sum == sum(percents)
    assert {one.upper_bound: one.cumulative_count for one in found.bucket} == {
        bound: sum(percent <= bound for percent in percents) for bound in (*BOUNDS, math.inf)
    }
    assert found.zero_count == percents.count(0)
    busy = [bucket_of(percent) for percent in percents if percent]
    assert client_model.counts(found) == {bucket: busy.count(bucket) for bucket in busy}
