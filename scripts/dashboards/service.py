"""What Grafana shows of PromSNMP itself: one dashboard. ``dashboards.py`` makes JSON of it."""

from __future__ import annotations

from scripts.dashboards.panels import GREEN, RED, YELLOW, Dashboard, Panel, Variable

SERVICE = Variable(name="job", label="Job", query="label_values(promsnmp_build_info, job)")
REPLICAS = Variable(
    name="instance", label="Replica", query='label_values(promsnmp_build_info{job="$job"}, instance)', multi=True
)
OF = '{job="$job", instance=~"$instance"}'
HITS = '{job="$job", instance=~"$instance", result="hit"}'
GOOD = ((RED, None), (GREEN, 1.0))


def rate(name: str, *by: str, labels: str = OF) -> str:
    return f"sum by ({', '.join(by)}) (rate({name}{labels}[$__rate_interval]))"


def quantile(share: float, name: str, *by: str) -> str:
    return f"histogram_quantile({share}, {rate(f'{name}_bucket', *by, 'le')})"


ITSELF = Dashboard(
    title="PromSNMP",
    text="PromSNMP itself: replicas, polls, cache, inventory, requests.",
    file="promsnmp",
    variables=(SERVICE, REPLICAS),
    panels=(
        Panel(title="Replicas up", kind="stat", width=4, height=4, steps=GOOD, queries={"": f"sum(up{OF})"}),
        Panel(
            title="Leaders", kind="stat", width=4, height=4, steps=(*GOOD, (RED, 2.0)),
            queries={"": f"sum(promsnmp_leader_election_is_leader{OF})"},
        ),
        Panel(title="Devices", kind="stat", width=4, height=4, queries={"": f"max(promsnmp_devices{OF})"}),
        Panel(
            title="Inventory saved", kind="stat", width=4, height=4, steps=GOOD,
            queries={"": f"min(promsnmp_inventory_healthy{OF})"},
        ),
        Panel(
            title="Cache hit rate", kind="stat", unit="percentunit", width=4, height=4,
            steps=((RED, None), (YELLOW, 0.5), (GREEN, 0.9)),
            queries={"": f"{rate('cache_gets_total', labels=HITS)} / {rate('cache_gets_total')}"},
        ),
        Panel(
            title="Last discovery", kind="stat", unit="dateTimeFromNow", width=4, height=4,
            queries={"": f"max(promsnmp_last_discovery_timestamp{OF}) * 1000"},
        ),
        Panel(
            title="Polls by outcome", unit="cps", stack=True,
            queries={"{{outcome}}": rate("promsnmp_polls_total", "outcome")},
        ),
        Panel(
            title="Polls by replica", unit="cps", stack=True, text="Each device is polled by one replica.",
            queries={"{{instance}}": rate("promsnmp_polls_total", "instance")},
        ),
        Panel(
            title="Poll duration", unit="s",
            queries={
                "p50": quantile(0.5, "promsnmp_poll_duration_seconds"),
                "p90": quantile(0.9, "promsnmp_poll_duration_seconds"),
                "p99": quantile(0.99, "promsnmp_poll_duration_seconds"),
            },
        ),
        Panel(
            title="Poll lag", unit="s",
            text="How late polls start. If it grows, the replicas cannot poll everything in time.",
            queries={
                "p50": quantile(0.5, "promsnmp_poll_lag_seconds"),
                "p90": quantile(0.9, "promsnmp_poll_lag_seconds"),
                "p99": quantile(0.99, "promsnmp_poll_lag_seconds"),
            },
        ),
        Panel(
            title="Leader", height=6,
            queries={"{{instance}}": f"max by (instance) (promsnmp_leader_election_is_leader{OF})"},
        ),
        Panel(
            title="Inventory revision", height=6,
            text="A replica whose line stays below the others does not see the newest inventory.",
            queries={"{{instance}}": f"max by (instance) (promsnmp_inventory_revision{OF})"},
        ),
        Panel(
            title="Devices by owner", height=6, stack=True,
            text="Devices that each replica polls; together, every device once.",
            queries={"{{instance}}": f"max by (instance) (promsnmp_cluster_owned_devices{OF})"},
        ),
        Panel(
            title="Replicas known to each", height=6, text="The lines coincide unless a replica is cut off.",
            queries={"{{instance}}": f"max by (instance) (promsnmp_cluster_members{OF})"},
        ),
        Panel(
            title="Requests", unit="reqps", stack=True,
            queries={"{{uri}} {{status}}": rate("http_server_requests_seconds_count", "uri", "status")},
        ),
        Panel(
            title="Request duration", unit="s", text="Mean by path.",
            queries={
                "{{uri}}": (
                    f"{rate('http_server_requests_seconds_sum', 'uri')} "
                    f"/ ({rate('http_server_requests_seconds_count', 'uri')} > 0)"
                )
            },
        ),
        Panel(
            title="Memory", unit="bytes",
            queries={"{{instance}}": f"max by (instance) (process_resident_memory_bytes{OF})"},
        ),
        Panel(title="CPU", unit="percentunit", queries={"{{instance}}": rate("process_cpu_seconds_total", "instance")}),
        Panel(title="Pages in the cache", queries={"{{instance}}": f"max by (instance) (cache_size{OF})"}),
        Panel(
            title="Event loop lag", unit="s", text="99th percentile.",
            queries={"{{instance}}": quantile(0.99, "promsnmp_event_loop_lag_seconds", "instance")},
        ),
        Panel(
            title="Replicas", kind="table", width=24, height=6, units={"Uptime": "s"}, hide=("is",),
            queries={
                "is": f"max by (instance, version, python, compiled) (promsnmp_build_info{OF})",
                "Uptime": f"time() - max by (instance) (process_start_time_seconds{OF})",
                "Open files": f"max by (instance) (process_open_fds{OF})",
            },
        ),
    ),
)  # fmt: skip

BOARDS = (ITSELF,)
