"""CPU and memory of 1,000 devices (BENCH_DEVICES) with 48 ports under a real Prometheus; snmp_exporter with fewer."""

from __future__ import annotations

import json
import os
import re
import shutil
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from bench.parts import (
    ONE_CORE,
    OTHER_CORES,
    SIMULATOR_PORT,
    Skipped,
    cpu_seconds,
    devices,
    exporter,
    folder,
    get,
    memory_mb,
    process,
    progress,
    promsnmp,
    snmp_yml,
)

DEVICES = int(os.environ.get("BENCH_DEVICES", "1000"))
INTERVAL, INTERVALS = 30, 4
PEER_DEVICES = 300
"""Many more, and snmp_exporter leaves scrapes unanswered on one core."""
PROMETHEUS_PORT, EXPORTER_PORT = 19190, 19117


class Figures(NamedTuple):
    """What serving a number of devices took: share of a core, MB; and how many of them Prometheus could scrape."""

    devices: int
    share: float
    memory: float
    answered: int

    def __str__(self) -> str:
        return f"{self.share:.1%} of one core, {self.memory:.0f} MB, {self.answered} of {self.devices} devices answered"


def address_of(number: int) -> str:
    """The address of a simulated switch."""
    return f"127.8.{number // 250}.{number % 250 + 1}"


def inventory() -> dict[str, object]:
    """DEVICES switches, each on an address of its own."""
    return {
        "devices": [
            {
                "sysName": f"switch-{number:04}",
                "agents": [
                    {
                        "type": "snmp-community",
                        "endpoint": {"address": address_of(number), "port": SIMULATOR_PORT},
                        "version": 1,
                        "readCommunity": "public",
                    }
                ],
            }
            for number in range(DEVICES)
        ]
    }


@contextmanager
def prometheus(
    where: Path, scraped: int, discovery: dict[str, object], parameters: dict[str, object]
) -> Iterator[None]:
    """A Prometheus on the other cores: scrapes ``/snmp`` on the port ``scraped`` for the targets of ``discovery``."""
    program = shutil.which("prometheus")
    if program is None:
        raise Skipped("prometheus is missing: apt-get install prometheus")
    replace = [
        {"source_labels": ["__address__"], "target_label": "__param_target"},
        {"source_labels": ["__param_target"], "target_label": "instance"},
        {"target_label": "__address__", "replacement": f"127.0.0.1:{scraped}"},
    ]
    job = {"job_name": "snmp", "metrics_path": "/snmp", "relabel_configs": replace, **discovery, **parameters}
    times = {"scrape_interval": f"{INTERVAL}s", "scrape_timeout": f"{INTERVAL}s"}
    config = where / "prometheus.yml"
    config.write_text(json.dumps({"global": times, "scrape_configs": [job]}))  # YAML, too
    data = where / f"prometheus-{scraped}"
    command = [*OTHER_CORES, program, f"--config.file={config}", f"--storage.tsdb.path={data}"]
    with process([*command, f"--web.listen-address=127.0.0.1:{PROMETHEUS_PORT}"], where / "prometheus.log"):
        yield
    shutil.rmtree(data, ignore_errors=True)


def measure(pid: int, count: int) -> Figures:
    """Of a program that serves ``count`` devices to Prometheus: over INTERVALS, after two to settle."""
    time.sleep(2 * INTERVAL)
    began, cpu = time.monotonic(), cpu_seconds(pid)
    time.sleep(INTERVAL * INTERVALS)
    share = (cpu_seconds(pid) - cpu) / (time.monotonic() - began)
    query = urllib.parse.urlencode({"query": f'count(avg_over_time(up{{job="snmp"}}[{INTERVAL * INTERVALS}s]) == 1)'})
    found = json.loads(get(PROMETHEUS_PORT, f"/api/v1/query?{query}"))["data"]["result"]
    return Figures(count, share, memory_mb(pid), int(found[0]["value"][1]) if found else 0)


def main() -> None:
    """PromSNMP with all devices, without scrapes and under Prometheus; then snmp_exporter with PEER_DEVICES."""
    with folder() as where, devices(where):
        ours = _ours(where)
        progress(f"snmp_exporter, {PEER_DEVICES} devices, {INTERVALS + 2} intervals")
        options = [f"--config.file={snmp_yml()}", f"--web.listen-address=127.0.0.1:{EXPORTER_PORT}"]
        targets = [f"{address_of(number)}:{SIMULATOR_PORT}" for number in range(PEER_DEVICES)]
        static: dict[str, object] = {"static_configs": [{"targets": targets}]}
        asked: dict[str, object] = {"params": {"module": ["if_mib"], "auth": ["public_v2"]}}
        with (
            process([*ONE_CORE, exporter(), *options], where / "exporter.log", {"GOMAXPROCS": "1"}) as pid,
            prometheus(where, EXPORTER_PORT, static, asked),
        ):
            peer = measure(pid, PEER_DEVICES)
    print(f"snmp_exporter under Prometheus: {peer}")
    print(f"ratio of CPU per device: {peer.share / peer.devices / (ours.share / ours.devices):.1f}")


def _ours(where: Path) -> Figures:
    with promsnmp(where, {"COLLECTION_INTERVAL": str(INTERVAL * 1000)}) as (pid, port):
        body = json.dumps(inventory()).encode()
        url, headers = f"http://127.0.0.1:{port}/promsnmp/inventory", {"Content-Type": "application/json"}
        urllib.request.urlopen(urllib.request.Request(url, body, headers)).read()
        progress(f"PromSNMP, {DEVICES} devices, {INTERVALS} intervals, unscraped")
        time.sleep(2 * INTERVAL)
        began, cpu = time.monotonic(), cpu_seconds(pid)
        time.sleep(INTERVAL * INTERVALS)
        share = (cpu_seconds(pid) - cpu) / (time.monotonic() - began)
        print(f"{DEVICES} devices of 48 ports every {INTERVAL} s, polled only: {share:.1%} of one core, "
              f"{memory_mb(pid):.0f} MB")  # fmt: skip
        progress(f"PromSNMP under Prometheus, {INTERVALS + 2} intervals")
        discovery: dict[str, object] = {"http_sd_configs": [{"url": f"http://127.0.0.1:{port}/targets"}]}
        with prometheus(where, port, discovery, {}):
            found = measure(pid, DEVICES)
        print(f"{DEVICES} devices of 48 ports every {INTERVAL} s, under Prometheus: {found}")
        _report(get(port, "/metrics").decode())
    return found


def _report(own: str) -> None:
    """Outcomes of the polls and how late they began."""
    for line in own.splitlines():
        if re.match(r"promsnmp_polls_total\{.*\} [1-9]", line) or line.startswith("promsnmp_poll_lag_seconds_bucket"):
            print(f"  {line}")
