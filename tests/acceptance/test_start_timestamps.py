"""A Prometheus 3 scrapes a device in protobuf: native histograms, and rates that know when counters began."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from itertools import pairwise

import httpx
import pytest

from promsnmp.sim.agent import SimulatedAgent
from tests.support.agents.busy import PERCENT, SPEED, busy_mib, device
from tests.support.agents.threads import running
from tests.support.exposition.client_model import by_name, start_of
from tests.support.programs.prometheus_3 import require_prometheus_3
from tests.support.service.service_process import ServiceProcess
from tests.support.tools import WEB, Process, free_tcp_port, wait_until

PROMETHEUS_YML = """
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - job_name: snmp
    metrics_path: /snmp
    params: {{target: [busy]}}
    static_configs:
      - targets: ["{host}"]
"""
FEATURES = "created-timestamp-zero-ingestion,native-histograms"
PER_SECOND = SPEED / 8 / 100 * 20
"""Octets per second that the interface of the device receives."""


class Site:
    """The device, PromSNMP and Prometheus."""

    def __init__(self, agent: SimulatedAgent, server: ServiceProcess, url: str) -> None:
        self.agent = agent
        self.server = server
        self._url = url

    def ask(self, expression: str) -> list[float]:
        """The values of all series."""
        answer = WEB.get(f"{self._url}/api/v1/query", params={"query": expression}).json()
        assert answer["status"] == "success", answer
        return [float(one["value"][1]) for one in answer["data"]["result"]]

    def samples(self, selector: str) -> list[tuple[float, float]]:
        """Times and values of the one series of a range."""
        (series,) = WEB.get(f"{self._url}/api/v1/query", params={"query": selector}).json()["data"]["result"] or [{}]
        return [(float(at), float(value)) for at, value in series.get("values", ())]


def is_ready(url: str) -> bool:
    try:
        return WEB.get(f"{url}/-/ready").status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """PromSNMP polls a device with one interface that is always equally busy and has just started."""
    program, folder, port = require_prometheus_3(), tmp_path_factory.mktemp("prometheus"), free_tcp_port()
    agent, url = SimulatedAgent(busy_mib()), f"http://127.0.0.1:{port}"
    with running(agent), ServiceProcess(folder, env={"COLLECTION_INTERVAL": "1000"}) as server:
        (folder / "prometheus.yml").write_text(PROMETHEUS_YML.format(host=server.url.removeprefix("http://")))
        command = [
            program,
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
            f"--enable-feature={FEATURES}",
        ]
        with Process(command, log=folder / "prometheus.log", ready=partial(is_ready, url), deadline=60):
            agent.reboot()
            assert server.client.post("/promsnmp/inventory", json={"devices": [device("busy", agent.port)]}).is_success
            wait_until(lambda: agent.uptime > 4, deadline=60, what="some polls")
            yield Site(agent, server, url)


def test_native_histograms_are_on_the_page_of_the_device(site: Site) -> None:
    wait_until(lambda: sum(site.ask("histogram_count(interface_utilization)")) > 3, deadline=60, what="observations")
    (median,) = site.ask("histogram_quantile(0.5, interface_utilization)")
    assert PERCENT * 0.5 < median < PERCENT * 1.5
    assert site.ask("interface_utilization_bucket") == []


def test_the_first_sample_and_the_one_after_a_restart_follow_a_zero_at_the_start_of_the_counters(site: Site) -> None:
    def zeros() -> list[float]:
        """When the counter was 0, in Unix seconds."""
        return [at for at, value in site.samples("ifInOctets[10m]") if value == 0.0]

    began = time.time() - site.agent.uptime
    wait_until(lambda: len(zeros()) == 1, deadline=60, what="a zero at the start")
    site.agent.reboot()
    again = time.time()
    wait_until(lambda: len(zeros()) == 2, deadline=60, what="a zero at the restart")
    assert zeros() == [pytest.approx(began, abs=1.5), pytest.approx(again, abs=1.5)]
    samples = site.samples("ifInOctets[10m]")
    counted = sum(after - before for (_, before), (_, after) in pairwise(samples) if after > before)
    assert counted / PER_SECOND == pytest.approx(samples[-1][0] - began, abs=4)  # two scrapes and polls, a second each


def test_the_page_gives_a_start_that_stays(site: Site) -> None:
    headers = {"accept": "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"}
    answer = site.server.client.get("/snmp", params={"target": "busy"}, headers=headers)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/vnd.google.protobuf")
    families = by_name(answer.content)
    (start,) = {start_of(metric) for metric in families["ifInOctets"].metric}
    assert start == pytest.approx(time.time() - site.agent.uptime, abs=1.5)
    assert [start_of(metric) for metric in families["promsnmp_module_up"].metric if start_of(metric)] == []
