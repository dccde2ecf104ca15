"""Turns PromSNMP's own counts into metric families, at the scrape.

A new family is also registered: in ``_build_metrics`` of ``app.py``, or in the ``families`` of the part it describes.
Pure functions, so that the parts that count need not know Prometheus. The original PromSNMP's Micrometer names
(``cache_gets_total``, ``http_server_requests_seconds``) are kept: dashboards use them.
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
    yield gauge("promsnmp_build_info", "Version of PromSNMP and Python; the value is always 1.", 1, labels)


def site_families(site: Mapping[str, str]) -> Iterator[Metric]:
    """``site`` maps label names (``tenant_id``, ``site_id``, ...) to texts."""
    yield gauge("promsnmp_site_info", "The site that this PromSNMP serves; the value is always 1.", 1, site)


def cache_families(*, hits: int, misses: int, size: int) -> Iterator[Metric]:
    gets = CounterMetricFamily("cache_gets", "Lookups in the page cache, by result.", labels=["cache", "result"])
    gets.add_metric(["metrics", "hit"], hits)
    gets.add_metric(["metrics", "miss"], misses)
    yield gets
    yield gauge("cache_size", "Pages in the cache.", size, {"cache": "metrics"})


def dropped_families(dropped: Mapping[str, int]) -> Iterator[Metric]:
    family = CounterMetricFamily(
        "promsnmp_dropped", "Values from devices that were left out of the page, by reason.", labels=["reason"]
    )
    for reason, count in sorted(dropped.items()):
        family.add_metric([reason], count)
    yield family


def config_families(*, read_at: float, healthy: bool) -> Iterator[Metric]:
    """``read_at`` is Unix time; named as Prometheus names its own."""
    yield gauge(
        "promsnmp_config_last_reload_successful",
        "Whether the last reload of the module files succeeded; after a failure (0) the earlier ones stay in use.",
        float(healthy),
    )
    yield gauge(
        "promsnmp_config_last_reload_success_timestamp_seconds",
        "Unix time at which the module files in use were read.",
        read_at,
    )


def poll_families(polls: PollCounts) -> Iterator[Metric]:
    ended = CounterMetricFamily("promsnmp_polls", "Polls of devices, by outcome.", labels=["outcome"])
    for outcome, count in polls.outcomes.items():
        ended.add_metric([outcome], count)
    yield ended
    yield histogram("promsnmp_poll_duration_seconds", "Duration of polls of devices.", polls.duration)
    yield histogram("promsnmp_poll_lag_seconds", "Delay with which background polls started.", polls.lag)


def loop_families(lag: Distribution) -> Iterator[Metric]:
    yield histogram("promsnmp_event_loop_lag_seconds", "Delay with which the event loop woke a sleeping task.", lag)


def inventory_families(
    *, devices: int, seeds: int, revision: int, changed_at: float, healthy: bool, locks: bool | None = None
) -> Iterator[Metric]:
    """``changed_at`` is Unix time, 0 when unknown. ``locks`` is None when it is not known whether they work."""
    yield gauge("promsnmp_devices", "Devices in the inventory.", devices)
    yield gauge("promsnmp_discovery_seeds", "Discovery seeds in the inventory.", seeds)
    yield gauge(
        "promsnmp_inventory_revision",
        "Revision of the inventory in use; it grows with each change and is the same on all replicas.",
        revision,
    )
    yield gauge(
        "promsnmp_inventory_last_write_timestamp_seconds",
        "Unix time at which the inventory file was last written; 0 without a file.",
        changed_at,
    )
    yield gauge(
        "promsnmp_inventory_healthy",
        "Whether the inventory file can be read and written.",
        1 if healthy else 0,
    )
    if locks is not None:
        text = "Whether locks on the volume of the inventory file exclude other writers."
        yield gauge("promsnmp_inventory_locks", text, 1 if locks else 0)


def key_families(*, known: bool) -> Iterator[Metric]:
    """``known``: everybody knows the key of the inventory."""
    text = "Whether the inventory is encrypted with a placeholder or default key, which protects nothing."
    yield gauge("promsnmp_inventory_key_known", text, 1 if known else 0)


def leadership_families(*, leader: bool, discovered_at: float) -> Iterator[Metric]:
    """``discovered_at`` is Unix time, 0 when no discovery ever ended."""
    yield gauge("promsnmp_leader_election_is_leader", "Whether this replica is the leader.", 1 if leader else 0)
    yield gauge(
        "promsnmp_last_discovery_timestamp",
        "Unix time at which the last discovery ended; 0 before the first.",
        discovered_at,
    )


def discovery_families(counts: DiscoveryCounts, *, lost: int, next_at: float = 0.0) -> Iterator[Metric]:
    """``lost``: lost devices of the inventory; ``next_at``: Unix time, 0 when nothing is scheduled."""
    yield _counted("promsnmp_discovery_jobs", "Discovery jobs, by outcome.", "outcome", counts.outcomes)
    yield histogram("promsnmp_discovery_duration_seconds", "Duration of discovery jobs.", counts.duration)
    yield _counted(
        "promsnmp_discovery_devices",
        "Devices that discovery jobs changed, by change.",
        "change",
        counts.findings,
    )
    yield _counted("promsnmp_discovery_errors", "Errors in discovery jobs, by kind.", "kind", counts.errors)
    yield CounterMetricFamily("promsnmp_discovery_addresses", "Addresses probed by discovery jobs.", counts.addresses)
    yield CounterMetricFamily("promsnmp_discovery_packets", "Packets that searches sent.", counts.packets)
    yield gauge(
        "promsnmp_discovery_next_run_timestamp_seconds",
        "Unix time of the next scheduled search of all saved seeds; 0 when none is scheduled.",
        next_at,
    )
    text = "Devices marked lost: searches have not found them for DISCOVERY_LOST_AFTER."
    yield gauge("promsnmp_devices_lost", text, lost)


def _counted(name: str, text: str, label: str, counts: Mapping[str, int]) -> CounterMetricFamily:
    family = CounterMetricFamily(name, text, labels=[label])
    for value, count in sorted(counts.items()):
        family.add_metric([value], count)
    return family


def election_families(
    *, backend: str, answers: bool, fit: bool, transitions: int, since_renewal: float, term: int
) -> Iterator[Metric]:
    """``since_renewal`` in seconds, infinite before the first sign of a leader."""
    yield gauge(
        "promsnmp_leader_election_backend_up",
        "Whether the backend of the leader election answered the last request.",
        1 if answers else 0,
        {"backend": backend},
    )
    yield gauge(
        "promsnmp_leader_election_fit",
        "Whether this replica is fit to lead: it can write the volume, and another replica trusts it, if there is one.",
        1 if fit else 0,
    )
    family = CounterMetricFamily(
        "promsnmp_leader_election_transitions", "Times that this replica has become the leader since it started."
    )
    family.add_metric([], transitions)
    yield family
    yield gauge(
        "promsnmp_leader_election_last_renewal_age_seconds",
        "Seconds since this replica last saw the leader's lease renewed.",
        since_renewal,
    )
    yield gauge("promsnmp_leader_election_term", "Term of the leader; it grows with each election.", term)


def cluster_families(
    *,
    members: int,
    unreachable: int,
    scrapes: Mapping[str, int],
    changes: Mapping[str, int],
    holds_read_leases: bool,
) -> Iterator[Metric]:
    """``scrapes`` and ``changes`` count requests forwarded to other replicas, by outcome."""
    yield gauge("promsnmp_cluster_members", "Replicas known to this one, itself included.", members)
    yield gauge(
        "promsnmp_cluster_unreachable_members",
        "Replicas that live, but that this one cannot reach, so that it polls their devices for scrapes itself.",
        unreachable,
    )
    yield gauge(
        "promsnmp_cluster_read_leases_held",
        "Whether all other replicas let this one answer scrapes of its devices from memory; if not, each scrape polls.",
        1 if holds_read_leases else 0,
    )
    family = CounterMetricFamily(
        "promsnmp_cluster_forwards",
        "Requests forwarded to another replica: scrapes to the device's owner, changes to the leader; by outcome.",
        labels=["kind", "outcome"],
    )
    for kind, counts in (("scrape", scrapes), ("change", changes)):
        for outcome, count in counts.items():
            family.add_metric([kind, outcome.replace(" ", "_")], count)
    yield family


def request_families(requests: RequestCounts) -> Iterable[Metric]:
    family = SummaryMetricFamily(
        "http_server_requests_seconds",
        "HTTP requests and their duration, by path template and status.",
        labels=["method", "uri", "status", "outcome"],
    )
    for (method, template, status), (count, seconds) in sorted(requests.totals.items()):
        family.add_metric([method, template, str(status), request_outcome(status)], int(count), seconds)
    return [family]


def connection_families(*, connections: int, most: int, closed: Mapping[str, int]) -> Iterator[Metric]:
    """``closed`` counts connections that were refused or ended for a bound, by reason."""
    yield gauge("promsnmp_http_connections", "Open connections of HTTP clients.", connections)
    yield gauge("promsnmp_http_connections_max", "Maximum open connections (SERVER_MAX_CONNECTIONS).", most)
    text = "Connections that were refused, or closed before their client did, by reason."
    yield _counted("promsnmp_http_connections_closed", text, "reason", closed)


def login_families(failed: int) -> Iterator[Metric]:
    yield CounterMetricFamily("promsnmp_failed_logins", "HTTP requests with wrong credentials.", value=failed)


def request_outcome(status: int) -> str:
    """Micrometer's ``outcome`` tag: the name of the status's class (RFC 9110 section 15)."""
    names = {1: "INFORMATIONAL", 2: "SUCCESS", 3: "REDIRECTION", 4: "CLIENT_ERROR", 5: "SERVER_ERROR"}
    return names.get(status // 100, "UNKNOWN") if status >= HTTPStatus.CONTINUE else "UNKNOWN"
