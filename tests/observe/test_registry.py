"""The registry of own metrics."""

from __future__ import annotations

from promsnmp.observe.metric_families import gauge
from promsnmp.observe.registry import SelfMetrics


def test_sources_are_read_only_at_the_scrape() -> None:
    devices = 1
    metrics = SelfMetrics(lambda: [gauge("promsnmp_devices", "Devices.", devices)])
    devices = 7
    assert b"\npromsnmp_devices 7.0\n" in metrics.text()


def test_the_process_and_python_are_there() -> None:
    text = SelfMetrics().text()
    for name in (b"process_resident_memory_bytes", b"python_info", b"python_gc_collections_total"):
        assert b"\n" + name in text


def test_two_registries_are_independent() -> None:
    first = SelfMetrics(lambda: [gauge("only_here", "One.", 1)])
    assert b"only_here" in first.text()
    assert b"only_here" not in SelfMetrics().text()


def test_openmetrics_ends_with_eof() -> None:
    assert SelfMetrics().openmetrics().endswith(b"# EOF\n")
