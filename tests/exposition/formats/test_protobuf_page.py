"""A page in protobuf has what the text has, by Google's decoder, and what only protobuf carries."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from promsnmp.exposition.families import Exposition
from promsnmp.exposition.formats import openmetrics, protobuf_page
from promsnmp.exposition.formats.start_times import StartTimes
from promsnmp.exposition.labels import label_text
from promsnmp.exposition.utilization.histogram import InterfaceCounters, Utilization, classic_samples
from tests.support.exposition.client_model import by_name, counts, labels, start_of

BOOT, LATER = 1_700_000_000.25, 1_700_000_500.5
ROW = {"ifName": 'uplink "1"\\2\n', "ifIndex": "7"}


def page_of(*families: tuple[str, str, list[tuple[dict[str, str], float]]], help_text: str = "help") -> bytes:
    exposition = Exposition()
    for name, kind, samples in families:
        exposition.add(name, kind, help_text, samples)
    return exposition.render()


def protobuf_of(page: bytes, starts: StartTimes | None = None, utilization: Utilization | None = None) -> bytes:
    series = None if utilization is None else utilization.current_series()
    return b"".join(protobuf_page.from_text(page, starts, series))


def busy(*, polls: int = 4) -> Utilization:
    found = Utilization()
    for number in range(polls):
        octets = 1_000_000 * number
        found.observe([InterfaceCounters(label_text(ROW), 1e9, octets, octets, 64)], at=10.0 * number, ticks=None)
    return found


def test_samples_keep_names_labels_types_and_values() -> None:
    page = page_of(
        ("ifInOctets", "counter", [(ROW, 123.0), ({}, 2.0**53 - 1)]),
        ("temperature", "gauge", [({"a": "ü", "b": ""}, -1.5), ({"c": "x"}, float("inf"))]),
        help_text='one \\ two\nthree "four"',
    )
    families = by_name(protobuf_of(page))
    counter, gauge = families["ifInOctets"], families["temperature"]
    assert counter.help == 'one \\ two\nthree "four"'
    assert [(labels(one), one.counter.value) for one in counter.metric] == [(ROW, 123.0), ({}, 2.0**53 - 1)]
    assert [(labels(one), one.gauge.value) for one in gauge.metric] == [
        ({"a": "ü", "b": ""}, -1.5), ({"c": "x"}, float("inf")),
    ]  # fmt: skip
    assert all(start_of(one) is None for one in counter.metric)


@given(st.lists(st.tuples(st.text(max_size=9), st.floats().map(lambda number: number + 0.0)), max_size=9))  # no -0.0
def test_any_label_and_value_comes_back(rows: list[tuple[str, float]]) -> None:
    samples = [({"n": str(number), "text": text}, value) for number, (text, value) in enumerate(rows)]
    families = by_name(protobuf_of(page_of(("x", "gauge", samples))))
    read = [(labels(one), one.gauge.value) for one in families["x"].metric] if rows else []
    assert repr(read) == repr(samples)


def test_only_counters_of_the_device_have_a_start() -> None:
    page = page_of(
        ("ifInOctets", "counter", [(ROW, 1.0), ({"ifIndex": "8"}, 2.0), ({"ifIndex": "9"}, 3.0)]),
        ("ifMtu", "gauge", [(ROW, 1500.0)]),
        ("snmp_trap_total", "counter", [({"trap": "linkDown"}, 3.0)]),
    )
    starts = StartTimes(BOOT, {label_text(ROW): LATER, label_text({"ifIndex": "9"}): 0.0})
    families = by_name(protobuf_of(page, starts))
    assert [start_of(one) for one in families["ifInOctets"].metric] == [LATER, BOOT, None]
    assert [one.counter.value for one in families["ifInOctets"].metric] == [1.0, 2.0, 3.0]
    assert start_of(families["snmp_trap_total"].metric[0]) is None


def test_interfaces_have_their_native_histograms_where_they_are_known() -> None:
    utilization = busy()
    exposition = Exposition()
    exposition.own_family("interface_utilization", "histogram", "help").extend(utilization.samples())
    page = exposition.render()
    for known in (utilization, None):
        (metric,) = by_name(protobuf_of(page, None, known))["interface_utilization"].metric
        assert labels(metric) == ROW
        assert metric.histogram.sample_count == 3
        assert [(one.upper_bound, one.cumulative_count) for one in metric.histogram.bucket][:3] == [
            (1.0, 3), (5.0, 3), (10.0, 3),
        ]  # fmt: skip
        assert sum(counts(metric.histogram).values()) == (3 if known else 0)
    assert classic_samples(()) == []


def test_a_page_that_was_rendered_in_openmetrics_gives_the_same() -> None:
    page = page_of(("ifInOctets", "counter", [(ROW, 1.0)]), ("b_total", "counter", [({}, 2.0)]))
    again = b"".join(openmetrics.to_text(b"".join(openmetrics.from_text(page))))
    assert protobuf_of(again, StartTimes(BOOT)) == protobuf_of(page, StartTimes(BOOT))


def test_an_empty_page_is_empty() -> None:
    assert protobuf_of(b"") == b""
