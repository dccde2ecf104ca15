"""A real Prometheus reads ``/targets`` and the files of ``promsnmp targets``, odd values included."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from functools import partial
from typing import Any

import httpx
import pytest

from promsnmp.cli.main import run
from tests.support.service.service_process import ServiceProcess
from tests.support.tools import PLAIN, WEB, Process, free_tcp_port, require_tool, wait_until

ODD = 'Zoë \U0001f600 "quoted" \\ {braces} $1 \t\u2028 \x07 名'
SECRET = "geheime-gemeinschaft"
PROMETHEUS_YML = """
global: {{scrape_interval: 1h, scrape_timeout: 1s}}
scrape_configs:
  - job_name: all
    metrics_path: /snmp
    http_sd_configs: [{{url: "{url}/targets", refresh_interval: 1s}}]
    relabel_configs: &documented
      - {{source_labels: [__address__], target_label: __param_target}}
      - {{source_labels: [__param_target], target_label: instance}}
      - {{target_label: __address__, replacement: "{host}"}}
      - {{source_labels: [__meta_promsnmp_location], target_label: location}}
      - {{regex: __meta_promsnmp_label_(.+), action: labelmap}}
  - job_name: eu
    metrics_path: /snmp
    http_sd_configs: [{{url: "{url}/targets?label.region=eu", refresh_interval: 1s}}]
    relabel_configs: *documented
  - job_name: file
    metrics_path: /snmp
    file_sd_configs: [{{files: ["{folder}/*.yml", "{folder}/*.json"], refresh_interval: 1s}}]
    relabel_configs: *documented
"""


def device(name: str, address: str, port: int = 161, **more: object) -> dict[str, object]:
    agent = {
        "type": "snmp-community",
        "version": 1,
        "readCommunity": SECRET,
        "endpoint": {"address": address, "port": port},
    }
    return {"sysName": name, "agents": [agent], **more}


DEVICES = [
    device("core1.example.net", "192.0.2.1", labels={"region": "eu", "owner": ODD, "_x": "1"}, sysLocation=ODD),
    device("twin", "192.0.2.2", labels={"region": "us"}, modules=["if_mib", "bgp4"]),
    device("TWIN", "192.0.2.3", 1161, labels={"region": "eu"}),
    device("two words", "2001:db8::1", 1161),
    device(ODD, "2001:db8::2"),
]
TARGETS = {"core1.example.net", "192.0.2.2", "192.0.2.3:1161", "[2001:db8::1]:1161", "2001:db8::2"}


@pytest.fixture(scope="module")
def promsnmp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    with ServiceProcess(tmp_path_factory.mktemp("promsnmp"), env={"COLLECTION_INTERVAL": "0"}) as server:
        assert server.client.post("/promsnmp/inventory", json={"devices": DEVICES}).status_code == 200
        yield server


@pytest.fixture(scope="module")
def prometheus(promsnmp: ServiceProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A Prometheus whose three jobs find all devices, some of them, and those of files."""
    program = require_tool("prometheus", package="prometheus")
    folder, files = tmp_path_factory.mktemp("prometheus"), tmp_path_factory.mktemp("files")
    assert run(["targets", "--url", promsnmp.url, "-o", str(files / "all.yml")]) == 0
    assert run(["targets", "--url", promsnmp.url, "label.region=us", "-o", str(files / "us.json")]) == 0
    configuration = folder / "prometheus.yml"
    host = promsnmp.url.removeprefix("http://")
    configuration.write_text(PROMETHEUS_YML.format(url=promsnmp.url, host=host, folder=files))
    promtool = require_tool("promtool", package="prometheus")
    subprocess.run([promtool, "check", "config", configuration], check=True, capture_output=True)
    port = free_tcp_port()
    command = [
        program,
        f"--config.file={configuration}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]

    def ready() -> bool:
        try:
            return WEB.get(f"http://127.0.0.1:{port}/-/ready").status_code == 200
        except httpx.TransportError:
            return False

    with (
        Process(command, log=folder / "prometheus.log", ready=ready, deadline=60),
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, verify=PLAIN) as client,
    ):
        yield client


def found(prometheus: httpx.Client, job: str) -> dict[str, dict[str, Any]]:
    """The active targets of a job by instance."""
    answer = prometheus.get("/api/v1/targets", params={"state": "active"}).json()
    targets = [one for one in answer["data"]["activeTargets"] if one["scrapePool"] == job]
    return {one["labels"]["instance"]: one for one in targets}


def everything(prometheus: httpx.Client, job: str) -> bool:
    """Whether a job has found all targets."""
    return found(prometheus, job).keys() >= TARGETS


@pytest.mark.parametrize(("job", "expected"), [("all", TARGETS), ("eu", {"core1.example.net", "192.0.2.3:1161"})])
def test_prometheus_finds_them_over_http(prometheus: httpx.Client, job: str, expected: set[str]) -> None:
    wait_until(lambda: found(prometheus, job).keys() == expected, deadline=60, what="the targets")


def test_values_arrive_as_they_are_and_labels_map_without_further_rules(prometheus: httpx.Client) -> None:
    for job in ("all", "file"):
        wait_until(partial(everything, prometheus, job), deadline=60, what=f"the targets of {job}")
        one = found(prometheus, job)["core1.example.net"]
        assert one["discoveredLabels"]["__meta_promsnmp_label_owner"] == ODD
        assert one["labels"] == {
            "instance": "core1.example.net", "job": job, "location": ODD, "region": "eu", "owner": ODD, "_x": "1",
        }  # fmt: skip
        assert "target=core1.example.net" in one["scrapeUrl"]
        twin = found(prometheus, job)["192.0.2.2"]
        assert "module=if_mib%2Cbgp4" in twin["scrapeUrl"]
        assert SECRET not in str(found(prometheus, job))


def test_prometheus_finds_them_in_files(prometheus: httpx.Client) -> None:
    wait_until(lambda: found(prometheus, "file").keys() == TARGETS, deadline=60, what="the targets of the files")


def test_prometheus_logs_no_warning(prometheus: httpx.Client) -> None:
    for job in ("all", "file"):
        wait_until(partial(everything, prometheus, job), deadline=60, what=f"the targets of {job}")
    metrics = prometheus.get("/metrics").text
    failures = [line for line in metrics.splitlines() if line.startswith("prometheus_sd_") and "failures_total" in line]
    assert failures
    assert all(float(line.split()[-1]) == 0 for line in failures), failures
    assert "prometheus_sd_file_read_errors_total 0" in metrics


def test_a_change_reaches_prometheus(prometheus: httpx.Client, promsnmp: ServiceProcess) -> None:
    added = promsnmp.client.post("/promsnmp/devices", json=device("new", "192.0.2.9", labels={"region": "eu"}))
    assert added.status_code == 201
    wait_until(lambda: "new" in found(prometheus, "eu"), deadline=60, what="the new target")
    assert promsnmp.client.delete("/promsnmp/devices/new").status_code == 204
    wait_until(lambda: "new" not in found(prometheus, "eu"), deadline=60, what="its end")
