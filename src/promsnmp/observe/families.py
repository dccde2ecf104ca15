"""PromSNMP's own counts as metric families, made at the scrape.

Pure functions of what they are given, so that the parts that count need not know Prometheus. Names that Micrometer
gave the original (``cache_gets_total``, ``http_server_requests_seconds``) are kept: dashboards know them.
"""

from __future__ import annotations

import platform
from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus

from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
    SummaryMetricFamily,
)

from promsnmp.observe.counts import DiscoveryCounts, Distribution, PollCounts, RequestCounts


def gauge(name: str, text: str, value: float, labels: Mapping[str, str] | None = None) -> GaugeMetricFamily:
    """A gauge of one sample."""
    family = GaugeMetricFamily(name, text, labels=list(labels or {}))
    family.add_metric(list((labels or {}).values()), value)
    return family


def histogram(name: str, text: str, values: Distribution) -> HistogramMetricFamily:
    """A histogram without labels."""
    return HistogramMetricFamily(name, text, buckets=values.cumulative(), sum_value=values.total)


def build_families(*, version: str, compiled: bool) -> Iterator[Metric]:
    labels = {"version": version, "python": platform.python_version(), "compiled": str(compiled).lower()}
    yield gauge("promsnmp_build_info", "What is running; the value is always 1.", 1, labels)


def site_families(site: Mapping[str, str]) -> Iterator[Metric]:
    """``site`` maps label names (``tenant_id``, ``site_id``, ...) to texts."""
    yield gauge("promsnmp_site_info", "The site that this PromSNMP serves; the value is always 1.", 1, site)


def cache_families(*, hits: int, misses: int, size: int) -> Iterator[Metric]:
    gets = CounterMetricFamily("cache_gets", "Pages asked of the cache, by result.", labels=["cache", "result"])
    gets.add_metric(["metrics", "hit"], hits)
    gets.add_metric(["metrics", "miss"], misses)
    yield gets
    yield gauge("cache_size", "Pages in the cache.", size, {"cache": "metrics"})


def dropped_families(dropped: Mapping[str, int]) -> Iterator[Metric]:
    family = CounterMetricFamily(
        "promsnmp_dropped", "Values that devices returned but that are on no page, by reason.", labels=["reason"]
    )
    for reason, count in sorted(dropped.items()):
        family.add_metric([reason], count)
    yield family


def config_families(*, read_at: float, healthy: bool) -> Iterator[Metric]:
    """``read_at`` is Unix time; named as Prometheus names its own."""
    yield gauge(
        "promsnmp_config_last_reload_successful",
        "Whether the files of modules could be used when last read (1), or those read before are used on (0).",
        float(healthy),
    )
    yield gauge(
        "promsnmp_config_last_reload_success_timestamp_seconds",
        "Unix time at which the files of modules in use were read.",
        read_at,
    )


def poll_families(polls: PollCounts) -> Iterator[Metric]:
    ended = CounterMetricFamily("promsnmp_polls", "Polls of devices, by how they ended.", labels=["outcome"])
    for outcome, count in polls.outcomes.items():
        ended.add_metric([outcome], count)
    yield ended
    yield histogram("promsnmp_poll_duration_seconds", "How long polls of devices took.", polls.duration)
    yield histogram("promsnmp_poll_lag_seconds", "How late polls in the background started.", polls.lag)


def loop_families(lag: Distribution) -> Iterator[Metric]:
    yield histogram("promsnmp_event_loop_lag_seconds", "How late the event loop woke a task that slept.", lag)


def inventory_families(
    *, devices: int, seeds: int, revision: int, changed_at: float, healthy: bool
) -> Iterator[Metric]:
    """``changed_at`` is Unix time, 0 when unknown."""
    yield gauge("promsnmp_devices", "Devices in the inventory.", devices)
    yield gauge("promsnmp_discovery_seeds", "Seeds in the inventory, which discovery starts from.", seeds)
    yield gauge(
        "promsnmp_inventory_revision",
        "Revision of the inventory in use; it grows with each change, and is the same on all replicas.",
        revision,
    )
    yield gauge(
        "promsnmp_inventory_last_write_timestamp_seconds",
        "Unix time at which the inventory file was last written; 0 when there is none.",
        changed_at,
    )
    yield gauge(
        "promsnmp_inventory_healthy",
        "Whether the inventory file could be read and written when last tried.",
        1 if healthy else 0,
    )


def leadership_families(*, leader: bool, discovered_at: float) -> Iterator[Metric]:
    """``discovered_at`` is Unix time, 0 when no discovery ever ended."""
    yield gauge("promsnmp_leader_election_is_leader", "Whether this replica is the leader.", 1 if leader else 0)
    yield gauge(
        "promsnmp_last_discovery_timestamp",
        "Unix time at which the last discovery ended; 0 when none has.",
        discovered_at,
    )


def discovery_families(counts: DiscoveryCounts, *, stale: int, next_at: float = 0.0) -> Iterator[Metric]:
    """``stale``: devices of the inventory that are lost now; ``next_at``: Unix time, 0 when nothing is planned."""
    yield _counted("promsnmp_discovery_jobs", "Searches for devices, by how they ended.", "outcome", counts.outcomes)
    yield histogram("promsnmp_discovery_duration_seconds", "How long searches for devices took.", counts.duration)
    yield _counted("promsnmp_discovery_devices", "Devices, by what searches made of them.", "change", counts.findings)
    yield _counted("promsnmp_discovery_errors", "What went wrong in searches, by kind.", "kind", counts.errors)
    yield CounterMetricFamily("promsnmp_discovery_addresses", "Addresses that searches asked.", counts.addresses)
    yield CounterMetricFamily("promsnmp_discovery_packets", "Packets that searches sent.", counts.packets)
    yield gauge(
        "promsnmp_discovery_next_run_timestamp_seconds",
        "Unix time at which all saved seeds will be searched next; 0 when that is not planned.",
        next_at,
    )
    yield gauge("promsnmp_devices_lost", "Devices of the inventory that searches have not found for long.", stale)


def _counted(name: str, text: str, label: str, counts: Mapping[str, int]) -> CounterMetricFamily:
    family = CounterMetricFamily(name, text, labels=[label])
    for value, count in sorted(counts.items()):
        family.add_metric([value], count)
    return family


def election_families(
    *, backend: str, answers: bool, transitions: int, since_renewal: float, term: int
) -> Iterator[Metric]:
    """``since_renewal`` in seconds, infinite when nothing was ever heard of a leader."""
    yield gauge(
        "promsnmp_leader_election_backend_up",
        "Whether the backend of the leader's election answered when last asked.",
        1 if answers else 0,
        {"backend": backend},
    )
    family = CounterMetricFamily(
        "promsnmp_leader_election_transitions", "How often this replica has become the leader since it started."
    )
    family.add_metric([], transitions)
    yield family
    yield gauge(
        "promsnmp_leader_election_last_renewal_age_seconds",
        "Seconds since the leader's lease was last renewed, as far as this replica has seen.",
        since_renewal,
    )
    yield gauge("promsnmp_leader_election_term", "The leader's term; it grows with each election.", term)


def cluster_families(*, members: int, scrapes: Mapping[str, int], changes: Mapping[str, int]) -> Iterator[Metric]:
    """``scrapes`` and ``changes`` count requests passed on to other replicas, by how that ended."""
    yield gauge("promsnmp_cluster_members", "Replicas that this one knows of, itself included.", members)
    family = CounterMetricFamily(
        "promsnmp_cluster_forwards",
        "Requests passed on to another replica: scrapes to the device's owner, changes to the leader; by outcome.",
        labels=["kind", "outcome"],
    )
    for kind, counts in (("scrape", scrapes), ("change", changes)):
        for outcome, count in counts.items():
            family.add_metric([kind, outcome.replace(" ", "_")], count)
    yield family


def request_families(requests: RequestCounts) -> Iterable[Metric]:
    family = SummaryMetricFamily(
        "http_server_requests_seconds",
        "HTTP requests answered and the time that took, by path template and status.",
        labels=["method", "uri", "status", "outcome"],
    )
    for (method, template, status), (count, seconds) in sorted(requests.totals.items()):
        family.add_metric([method, template, str(status), request_outcome(status)], int(count), seconds)
    return [family]


def login_families(failed: int) -> Iterator[Metric]:
    yield CounterMetricFamily("promsnmp_failed_logins", "Requests whose credentials were wrong.", value=failed)


def request_outcome(status: int) -> str:
    """Micrometer's ``outcome`` tag: the name of the status's class (RFC 9110 section 15)."""
    names = {1: "INFORMATIONAL", 2: "SUCCESS", 3: "REDIRECTION", 4: "CLIENT_ERROR", 5: "SERVER_ERROR"}
    return names.get(status // 100, "UNKNOWN") if status >= HTTPStatus.CONTINUE else "UNKNOWN"
