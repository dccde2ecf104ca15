"""The main job end to end: PromSNMP polls snmpd, and a real Prometheus discovers and scrapes it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.agents.documents import USER, community_agent, user_agent
from tests.support.service.service_process import ServiceProcess
from tests.support.tools import WEB, Process, Snmpd, free_tcp_port, require_tool, start_snmpd, wait_until

PROMETHEUS_YML = """
global:
  scrape_interval: 1s
  scrape_timeout: 1s
scrape_configs:
  - job_name: snmp
    metrics_path: /snmp
    http_sd_configs:
      - url: {url}/targets
        refresh_interval: 1s
    relabel_configs:
      - source_labels: [__address__]
        target_label: __param_target
      - source_labels: [__param_target]
        target_label: instance
      - target_label: __address__
        replacement: {host}
"""


@pytest.fixture(scope="module")
def agents(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Snmpd, Snmpd]]:
    """One snmpd with a community, one with a user."""
    with (
        start_snmpd(tmp_path_factory.mktemp("v2c")) as plain,
        start_snmpd(tmp_path_factory.mktemp("v3"), users=[USER]) as secure,
    ):
        yield plain, secure


@pytest.fixture(scope="module")
def promsnmp(agents: tuple[Snmpd, Snmpd], tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    """PromSNMP with both in its inventory, polling every second."""
    plain, secure = agents
    devices = [
        {"sysName": "host-v2c", "agents": [community_agent(plain.port)]},
        {"sysName": "host-v3", "agents": [user_agent(secure.port)]},
    ]
    with ServiceProcess(tmp_path_factory.mktemp("promsnmp"), env={"COLLECTION_INTERVAL": "1000"}) as server:
        assert server.client.post("/promsnmp/inventory", json={"devices": devices}).status_code == 200
        yield server


@pytest.fixture(scope="module")
def query(
    promsnmp: ServiceProcess, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], dict[str, float]]]:
    """Queries a Prometheus that discovers its targets at PromSNMP; returns a value for each instance."""
    program = require_tool("prometheus", package="prometheus")
    folder = tmp_path_factory.mktemp("prometheus")
    port = free_tcp_port()
    configuration = folder / "prometheus.yml"
    configuration.write_text(PROMETHEUS_YML.format(url=promsnmp.url, host=promsnmp.url.removeprefix("http://")))
    url = f"http://127.0.0.1:{port}"
    command = [
        program,
        f"--config.file={configuration}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]

    def ready() -> bool:
        try:
            return WEB.get(f"{url}/-/ready").status_code == 200
        except httpx.TransportError:
            return False

    def ask(expression: str) -> dict[str, float]:
        answer = WEB.get(f"{url}/api/v1/query", params={"query": expression}).json()
        assert answer["status"] == "success", answer
        return {one["metric"].get("instance", ""): float(one["value"][1]) for one in answer["data"]["result"]}

    with Process(command, log=folder / "prometheus.log", ready=ready, deadline=60):
        yield ask


Query = Callable[[str], dict[str, float]]
BOTH = {"host-v2c", "host-v3"}


def test_prometheus_finds_both_devices_and_they_are_up(query: Query) -> None:
    wait_until(lambda: query('up{job="snmp"} == 1').keys() == BOTH, deadline=60, what="up of both devices")


def test_octet_rates_have_values(query: Query, promsnmp: ServiceProcess) -> None:
    expression = 'max by (instance) (rate(ifHCInOctets{ifDescr="lo"}[30s]))'
    wait_until(lambda: query(expression).keys() == BOTH, deadline=60, what="rates of both devices")
    wait_until(lambda: all(rate > 0 for rate in query(expression).values()), deadline=60, what="rates above 0")


def test_a_page_shows_its_modules_and_the_age_of_its_data(query: Query) -> None:
    wait_until(lambda: query('promsnmp_module_up{module="if_mib"} == 1').keys() == BOTH, deadline=30, what="module_up")
    ages = query("time() - promsnmp_collected_timestamp_seconds")
    assert ages.keys() == BOTH
    assert all(-1 < age < 30 for age in ages.values())


def test_series_have_no_labels_of_ours_named_instance_or_job(promsnmp: ServiceProcess) -> None:
    page = promsnmp.client.get("/snmp", params={"target": "host-v2c"}).text
    assert "ifHCInOctets{" in page
    assert 'instance="' not in page
    assert 'job="' not in page


def test_a_device_that_stops_answering_goes_down_and_comes_back(
    query: Query, promsnmp: ServiceProcess, tmp_path: Path
) -> None:
    with start_snmpd(tmp_path) as third:
        port = third.port
        wait_until(lambda: query("up").keys() >= BOTH, deadline=30, what="both")
        document = json.loads(promsnmp.client.get("/promsnmp/inventory").text)
        document["devices"].append({"sysName": "host-that-dies", "agents": [community_agent(port)]})
        assert promsnmp.client.post("/promsnmp/inventory", json=document).status_code == 200
        wait_until(lambda: query("up").get("host-that-dies") == 1, deadline=60, what="the third device")
    wait_until(lambda: query("up").get("host-that-dies") == 0, deadline=60, what="its end")
    refused = promsnmp.client.get("/snmp", params={"target": "host-that-dies"})
    assert refused.status_code == 502
    assert "refused" in refused.text
    with start_snmpd(tmp_path, port=port):
        wait_until(lambda: query("up").get("host-that-dies") == 1, deadline=60, what="its return")


def test_promtool_accepts_every_page(promsnmp: ServiceProcess) -> None:
    promtool = require_tool("promtool", package="prometheus")
    for number, path in enumerate(("/snmp?target=host-v2c", "/snmp?target=host-v3", "/metrics")):
        page = promsnmp.client.get(path).text
        checked = subprocess.run(
            [promtool, "check", "metrics"], input=page, capture_output=True, text=True, check=False
        )
        assert checked.returncode in (0, 3), f"page {number}: {checked.stderr[-2000:]}"  # 3: style warnings
        assert "error while linting" not in checked.stderr
