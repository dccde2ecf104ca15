"""PromSNMP's own metrics in each format."""

from __future__ import annotations

import gzip
import subprocess

import httpx
import pytest
from starlette.datastructures import Headers

from promsnmp.http.routes.metrics import render_own_metrics
from promsnmp.observe.registry import OPENMETRICS_TYPE, TEXT_TYPE, SelfMetrics
from tests.support.service.inventory_document import inventory_document
from tests.support.tools import require_tool

PROMETHEUS = (
    "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,"
    "text/plain;version=1.0.0;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1"
)


@pytest.mark.parametrize(
    ("accept", "openmetrics"),
    [
        ("", False),
        ("*/*", False),
        ("text/plain", False),
        ("application/openmetrics-text", True),
        (PROMETHEUS, True),
        ("application/openmetrics-text;q=0.1, text/plain", False),
        ("application/openmetrics-text;q=0", False),
    ],
)
def test_openmetrics_is_sent_when_preferred(accept: str, openmetrics: bool) -> None:
    answer = render_own_metrics(SelfMetrics(), Headers({"accept": accept}))
    assert answer.headers["content-type"] == (OPENMETRICS_TYPE if openmetrics else TEXT_TYPE)
    assert bytes(answer.body).endswith(b"# EOF\n") is openmetrics


def test_gzip_is_sent_when_accepted() -> None:
    answer = render_own_metrics(SelfMetrics(), Headers({"accept-encoding": "gzip"}))
    assert answer.headers["content-encoding"] == "gzip"
    assert b"process_cpu_seconds_total" in gzip.decompress(bytes(answer.body))


@pytest.mark.parametrize("path", ["/metrics", "/actuator/prometheus"])
def test_promtool_accepts_own_metrics(client: httpx.Client, path: str) -> None:
    promtool = require_tool("promtool", package="prometheus")
    client.get("/nowhere")
    text = client.get(path).content
    done = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_own_metrics_have_what_dashboards_ask_for(client: httpx.Client) -> None:
    text = client.get("/metrics").text
    for line in (
        'cache_gets_total{cache="metrics",result="hit"} ',
        'cache_gets_total{cache="metrics",result="miss"} ',
        'cache_size{cache="metrics"} ',
        'promsnmp_polls_total{outcome="timeout"} ',
        "promsnmp_poll_duration_seconds_count ",
        "promsnmp_poll_lag_seconds_count ",
        "promsnmp_event_loop_lag_seconds_count ",
        "promsnmp_build_info{",
        "promsnmp_leader_election_is_leader 1.0",
        "promsnmp_last_discovery_timestamp ",
        "promsnmp_devices ",
        'site_label="Wien"',
        "process_resident_memory_bytes ",
        "python_gc_collections_total{",
    ):
        assert line in text


def test_own_metrics_count_devices(client: httpx.Client) -> None:
    client.post("/promsnmp/inventory", json=inventory_document())
    assert "promsnmp_devices 1.0" in client.get("/metrics").text
