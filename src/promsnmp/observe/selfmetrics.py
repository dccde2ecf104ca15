"""PromSNMP's own metrics: one registry, read by ``/metrics``, ``/actuator/prometheus`` and ``/actuator/metrics``.

The registry is ours and not prometheus-client's global one, so two of us fit into one process (tests do that). What
changes often is not counted in it: ``counts.py`` counts, and sources registered here read the counts at the scrape.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.registry import Collector

FamilySource = Callable[[], Iterable[Metric]]
"""Gives the present state of some families."""

TEXT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"


class SelfMetrics:
    """The families of every source, with process_*, python_info and python_gc_*."""

    def __init__(self, *sources: FamilySource) -> None:
        self.registry = CollectorRegistry(auto_describe=False)
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self.add(*sources)

    def add(self, *sources: FamilySource) -> None:
        """Read ``sources`` too, from the next scrape on."""
        for source in sources:
            self.registry.register(_SourceCollector(source))

    def collect(self) -> Iterable[Metric]:
        return self.registry.collect()

    def text(self) -> bytes:
        """Exposition text 0.0.4 (TEXT_TYPE)."""
        return generate_latest(self.registry)

    def openmetrics(self) -> bytes:
        """OpenMetrics 1.0 (OPENMETRICS_TYPE)."""
        return bytes(generate_openmetrics(self.registry))


class _SourceCollector(Collector):
    """A source under the name that the registry wants."""

    def __init__(self, source: FamilySource) -> None:
        self._source = source

    def collect(self) -> Iterable[Metric]:
        return self._source()

    def describe(self) -> Iterable[Metric]:
        """Nothing: the registry would otherwise call every source while the parts behind it are being built."""
        return ()
