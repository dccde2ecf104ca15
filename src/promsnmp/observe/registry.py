"""PromSNMP's own metrics: one registry, read by ``/metrics``, ``/actuator/prometheus`` and ``/actuator/metrics``.

The registry is not prometheus-client's global one, so that two instances fit into one process (tests do that). Values
that change often are counted in ``counts.py``; the sources registered here read them at the scrape.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.registry import Collector

FamilySource = Callable[[], Iterable[Metric]]
"""Returns the current state of some families."""

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
        """Adds sources, which are read from the next scrape on."""
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
    """A source with the interface that the registry requires."""

    def __init__(self, source: FamilySource) -> None:
        self._source = source

    def collect(self) -> Iterable[Metric]:
        return self._source()

    def describe(self) -> Iterable[Metric]:
        """Returns nothing: otherwise the registry would call each source before the parts behind it exist."""
        return ()
