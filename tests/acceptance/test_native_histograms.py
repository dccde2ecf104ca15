"""A real Prometheus with native histograms, and one without, scrape the utilisation of a device from /metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest

from promsnmp.sim.agent import SimulatedAgent
from tests.support.agents.busy import LABELS, PERCENT, busy_mib, device
from tests.support.agents.threads import running
from tests.support.service.service_process import ServiceProcess
from tests.support.tools import WEB, Process, free_tcp_port, require_tool, wait_until

PROMETHEUS_YML = """
global:
  scrape_interval: 1s
  scrape_timeout: 1s
scrape_configs:
  - job_name: utilization
    metrics_path: /metrics
    params:
      target: [busy]
    static_configs:
      - targets: ["{host}"]
"""
Query = Callable[[str], list[float]]


@pytest.fixture(scope="module")
def promsnmp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    """PromSNMP, polling a device with one interface that is always equally busy."""
    agent = SimulatedAgent(busy_mib())
    with (
        running(agent),
        ServiceProcess(tmp_path_factory.mktemp("promsnmp"), env={"COLLECTION_INTERVAL": "1000"}) as server,
    ):
        assert server.client.post("/promsnmp/inventory", json={"devices": [device("busy", agent.port)]}).is_success
        yield server


def prometheus(promsnmp: ServiceProcess, folder: Path, *options: str) -> Iterator[Query]:
    """Queries a Prometheus that scrapes the device from /metrics; returns the values of all series."""
    program = require_tool("prometheus", package="prometheus")
    port = free_tcp_port()
    configuration = folder / "prometheus.yml"
    configuration.write_text(PROMETHEUS_YML.format(host=promsnmp.url.removeprefix("http://")))
    url = f"http://127.0.0.1:{port}"
    command = [
        program,
        f"--config.file={configuration}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        *options,
    ]

    def ready() -> bool:
        try:
            return WEB.get(f"{url}/-/ready").status_code == 200
        except httpx.TransportError:
            return False

    def ask(expression: str) -> list[float]:
        answer = WEB.get(f"{url}/api/v1/query", params={"query": expression}).json()
        assert answer["status"] == "success", answer
        return [float(one["value"][1]) for one in answer["data"]["result"]]

    with Process(command, log=folder / "prometheus.log", ready=ready, deadline=60):
        yield ask


@pytest.fixture(scope="module")
def native(promsnmp: ServiceProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Query]:
    """With native histograms."""
    yield from prometheus(promsnmp, tmp_path_factory.mktemp("native"), "--enable-feature=native-histograms")


@pytest.fixture(scope="module")
def classic(promsnmp: ServiceProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Query]:
    """With the default configuration."""
    yield from prometheus(promsnmp, tmp_path_factory.mktemp("classic"))


def test_native_histograms_count_every_observation(native: Query) -> None:
    expression = f'histogram_count(interface_utilization{{ifIndex="1",ifDescr={LABELS["ifDescr"]!r}}}) > 2'
    wait_until(lambda: len(native(expression)) == 1, deadline=60, what="observations of the interface")
    assert native('up{job="utilization"}') == [1]


def test_a_native_quantile_is_close_to_the_utilisation_that_the_interface_has(native: Query) -> None:
    wait_until(lambda: sum(native("histogram_count(interface_utilization)")) > 4, deadline=60, what="observations")
    (median,) = native("histogram_quantile(0.5, interface_utilization)")
    assert PERCENT * 0.7 < median < PERCENT * 1.3
    (mean,) = native("histogram_sum(interface_utilization) / histogram_count(interface_utilization)")
    assert PERCENT * 0.7 < mean < PERCENT * 1.3


def test_rates_of_native_histograms_have_quantiles(native: Query) -> None:
    expression = "histogram_quantile(0.9, rate(interface_utilization[30s])) > 0"
    wait_until(lambda: len(native(expression)) == 1, deadline=60, what="a quantile of the rate")


def test_promsnmp_s_own_metrics_come_along_in_protobuf(native: Query) -> None:
    wait_until(lambda: native("promsnmp_devices") == [1], deadline=60, what="own metrics")
    for expression in (
        'promsnmp_polls_total{outcome="success"} > 0',
        'http_server_requests_seconds_count{uri="/metrics"} > 0',
        'promsnmp_poll_duration_seconds_bucket{le="+Inf"} > 0',
        "process_resident_memory_bytes > 0",
    ):
        wait_until(partial(_has_one, native, expression), deadline=30, what=expression)


def _has_one(query: Query, expression: str) -> bool:
    return len(query(expression)) == 1


def test_a_prometheus_without_native_histograms_has_the_classic_form(classic: Query) -> None:
    wait_until(lambda: sum(classic("interface_utilization_count")) > 2, deadline=60, what="observations")
    assert len(classic("interface_utilization_bucket")) == 10
    (median,) = classic("histogram_quantile(0.5, interface_utilization_bucket)")
    assert 25 <= median <= 50
    assert classic("histogram_count(interface_utilization)") == []
