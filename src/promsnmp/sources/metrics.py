"""Sources in PromSNMP's own metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric

from promsnmp.sources.state import SourceState

_GAUGES: tuple[tuple[str, str, Callable[[SourceState], float]], ...] = (
    ("up", "Whether the last reading of a source succeeded.", lambda one: float(not one.error and one.read_at > 0)),
    ("devices", "Devices in the inventory that come from a source.", lambda one: one.result.devices),
    ("held_removals", "Removals that are held back until somebody confirms them.", lambda one: len(one.result.held)),
    ("conflicts", "Devices that a source may not add or change.", lambda one: len(one.result.conflicts)),
    ("problems", "Entries of a source that cannot be used.", lambda one: len(one.result.problems)),
    (
        "last_success_timestamp_seconds",
        "Unix time of the last reading that succeeded; 0: none since this replica leads.",
        lambda one: one.succeeded_at,
    ),
)


def source_families(states: Iterable[SourceState]) -> Iterator[Metric]:
    """One sample for each source, by name."""
    known = list(states)
    for name, text, value in _GAUGES:
        family = GaugeMetricFamily(f"promsnmp_source_{name}", text, labels=["source"])
        for state in known:
            family.add_metric([state.rules.name], value(state))
        yield family
    readings = CounterMetricFamily("promsnmp_source_readings", "Readings, by outcome.", labels=["source", "outcome"])
    changes = CounterMetricFamily(
        "promsnmp_source_changes", "Changes of devices because of a source.", labels=["source", "change"]
    )
    for state in known:
        for outcome, count in state.outcomes.items():
            readings.add_metric([state.rules.name, outcome], count)
        for change, count in state.changes.items():
            changes.add_metric([state.rules.name, change], count)
    yield readings
    yield changes
