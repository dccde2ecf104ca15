"""GET /metrics?target= of the real service: a device's utilisation beside PromSNMP's own metrics."""

from __future__ import annotations

import gzip
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from promsnmp.exposition.formats.protobuf import CONTENT_TYPE
from promsnmp.http.responses.negotiation import choose_format
from promsnmp.polling.pages.page import Format
from promsnmp.sim.agent import SimulatedAgent
from tests.support.agents.busy import LABELS, PERCENT, busy_mib, device
from tests.support.agents.threads import running
from tests.support.exposition import client_model
from tests.support.service.service_process import ServiceProcess
from tests.support.tools import free_udp_port, require_tool, wait_until

PROTOBUF = "application/vnd.google.protobuf"
DELIMITED = f"{PROTOBUF};proto=io.prometheus.client.MetricFamily;encoding=delimited"
PROMETHEUS_2_42 = (
    f"{DELIMITED},application/openmetrics-text;version=1.0.0;q=0.8,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
PROMETHEUS_3 = (
    f"{DELIMITED};escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
    "application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,"
    "text/plain;version=0.0.4;q=0.2,*/*;q=0.1"
)
PROMETHEUS_TEXT = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
OPENMETRICS = "application/openmetrics-text"


@pytest.fixture(scope="module")
def agent() -> Iterator[SimulatedAgent]:
    made = SimulatedAgent(busy_mib())
    with running(made):
        yield made


@pytest.fixture(scope="module")
def polling(agent: SimulatedAgent, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    """A service that polls its inventory often, one device of which does not exist; ``busy`` has been polled."""
    env = {"COLLECTION_INTERVAL": "200"}
    document = {"devices": [device("busy", agent.port), device("gone", free_udp_port()), {"sysName": "bare"}]}
    with ServiceProcess(tmp_path_factory.mktemp("polling"), env=env) as server:
        assert server.client.post("/promsnmp/inventory", json=document).status_code == 200
        wait_until(lambda: observations(server) > 2, deadline=30, what="observations")
        yield server


@pytest.fixture(scope="module")
def adhoc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    """A service without an inventory that polls any address at scrapes."""
    env = {"COLLECTION_INTERVAL": "0", "SNMP_ALLOW_ADHOC_TARGETS": "true"}
    with ServiceProcess(tmp_path_factory.mktemp("adhoc"), env=env) as server:
        yield server


def ask(server: ServiceProcess, accept: str = DELIMITED, path: str = "/metrics", **query: str) -> httpx.Response:
    return server.client.get(path, params=query, headers={"Accept": accept})


def utilization(answer: httpx.Response) -> Any:
    """The target's histograms in a protobuf response, None without them."""
    assert answer.status_code == 200
    assert answer.headers["content-type"] == CONTENT_TYPE
    return client_model.by_name(answer.content).get("interface_utilization")


def observations(server: ServiceProcess) -> int:
    family = utilization(ask(server, target="busy"))
    return 0 if family is None else int(family.metric[0].histogram.sample_count)


def test_protobuf_has_own_metrics_and_the_targets_histogram_classic_and_native(polling: ServiceProcess) -> None:
    answer = ask(polling, target="busy")
    families = client_model.by_name(answer.content)
    assert families["promsnmp_devices"].metric[0].gauge.value == 3
    assert "cache_gets_total" in families
    assert "http_server_requests_seconds" in families
    (metric,) = families["interface_utilization"].metric
    assert client_model.labels(metric) == LABELS
    found = metric.histogram
    assert found.schema == 3
    assert found.zero_threshold == 2.938735877055719e-39
    assert sum(client_model.counts(found).values()) + found.zero_count == found.sample_count > 2
    assert found.bucket[-1].cumulative_count == found.sample_count
    mean = found.sample_sum / found.sample_count
    assert PERCENT * 0.7 < mean < PERCENT * 1.3


def test_metrics_and_actuator_prometheus_answer_the_same(polling: ServiceProcess) -> None:
    family = utilization(ask(polling, path="/actuator/prometheus", target="busy"))
    assert client_model.labels(family.metric[0]) == LABELS


def test_a_target_is_named_as_for_snmp(polling: ServiceProcess, agent: SimulatedAgent) -> None:
    for name in ("BUSY", agent.target):
        assert polling.client.get("/snmp", params={"target": name}).status_code == 200
        assert utilization(ask(polling, target=name)) is not None


def test_without_a_target_there_are_own_metrics_only(polling: ServiceProcess) -> None:
    assert utilization(ask(polling)) is None
    assert "interface_utilization" not in ask(polling, "text/plain").text


@pytest.mark.parametrize("accept", ["text/plain", OPENMETRICS])
def test_text_has_the_classic_form(polling: ServiceProcess, accept: str) -> None:
    answer = ask(polling, accept, target="busy")
    assert answer.headers["content-type"].startswith(accept)
    text = answer.text if accept == OPENMETRICS else answer.text + "# EOF\n"
    assert text.count("# EOF") == 1
    assert text.count("# TYPE interface_utilization histogram") == 1
    assert "promsnmp_devices 3.0" in text
    lines = [line for line in text.splitlines() if line.startswith("interface_utilization_bucket{")]
    assert len(lines) == 10
    assert all('ifDescr="port \\"1\\""' in line for line in lines)


def test_openmetrics_with_a_target_is_valid(polling: ServiceProcess) -> None:
    families = {one.name: one for one in text_string_to_metric_families(ask(polling, OPENMETRICS, target="busy").text)}
    assert families["interface_utilization"].type == "histogram"
    assert "promsnmp_devices" in families


def test_promtool_accepts_text_with_a_target(polling: ServiceProcess) -> None:
    promtool = require_tool("promtool", package="prometheus")
    text = ask(polling, "text/plain", target="busy").content
    done = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, check=False)
    assert b"error while linting" not in done.stderr + done.stdout
    assert done.returncode != 1, done.stdout + done.stderr


def test_gzip_is_sent_when_accepted(polling: ServiceProcess) -> None:
    for encoding in ("gzip", "identity"):
        headers = {"Accept": DELIMITED, "Accept-Encoding": encoding}
        with polling.client.stream("GET", "/metrics", params={"target": "busy"}, headers=headers) as answer:
            raw = b"".join(answer.iter_raw())
        assert answer.headers.get("content-encoding", "identity") == encoding
        body = gzip.decompress(raw) if encoding == "gzip" else raw
        assert "interface_utilization" in client_model.by_name(body)
        assert answer.headers["vary"] == "Accept, Accept-Encoding"


def test_head_answers_too(polling: ServiceProcess) -> None:
    answer = polling.client.head("/metrics", params={"target": "busy"}, headers={"Accept": DELIMITED})
    assert (answer.status_code, answer.headers["content-type"], answer.content) == (200, CONTENT_TYPE, b"")


def test_snmp_has_the_page_of_the_device_in_protobuf(polling: ServiceProcess) -> None:
    for accept in (PROMETHEUS_2_42, DELIMITED):
        answer = ask(polling, accept, "/snmp", target="busy")
        assert answer.headers["content-type"] == CONTENT_TYPE
        families = client_model.by_name(answer.content)
        assert {"ifInOctets", "interface_utilization", "promsnmp_module_up"} <= families.keys()
    assert ask(polling, PROMETHEUS_TEXT, "/snmp", target="busy").headers["content-type"].startswith(OPENMETRICS)


@pytest.mark.parametrize("accept", [DELIMITED, "text/plain"])
@pytest.mark.parametrize(
    ("query", "status", "reason"),
    [
        ("target=nobody", 404, "no such device: 'nobody' is not in the inventory"),
        ("target=192.0.2.1", 404, "not in the inventory"),
        ("target=bare", 404, "no agent"),
        ("target=", 400, "'target' is empty"),
        ("target=busy&target=gone", 400, "once"),
        ("target=busy&module=no_such", 400, "no_such"),
        ("target=a%20b%2F", 400, "target"),
    ],
)
def test_an_unknown_or_wrong_target_is_an_error_with_the_reason(
    polling: ServiceProcess, accept: str, query: str, status: int, reason: str
) -> None:
    answer = polling.client.get(f"/metrics?{query}", headers={"Accept": accept})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert reason in answer.text
    assert answer.text.count("\n") == 1


def test_a_device_that_cannot_be_read_has_no_histograms(tmp_path: Path) -> None:
    mortal = SimulatedAgent(busy_mib())
    with ServiceProcess(tmp_path, env={"COLLECTION_INTERVAL": "200"}) as server:
        with running(mortal):
            assert server.client.post(
                "/promsnmp/inventory", json={"devices": [device("mortal", mortal.port)]}
            ).is_success
            wait_until(
                lambda: utilization(ask(server, target="mortal")) is not None, deadline=30, what="its histograms"
            )
        wait_until(lambda: utilization(ask(server, target="mortal")) is None, deadline=30, what="their end")
        assert "promsnmp_devices" in ask(server, "text/plain", target="mortal").text


def test_a_device_that_was_never_polled_has_no_histograms(polling: ServiceProcess) -> None:
    assert utilization(ask(polling, target="gone")) is None


def test_modules_without_interfaces_have_no_histograms(polling: ServiceProcess) -> None:
    query = {"target": "busy", "module": "system"}
    assert utilization(ask(polling, **query)) is None
    assert polling.client.get("/snmp", params=query).status_code == 200
    assert utilization(ask(polling, **query)) is None


def test_reading_histograms_polls_no_device(adhoc: ServiceProcess, agent: SimulatedAgent) -> None:
    document = {"devices": [device("quiet", agent.port)]}
    assert adhoc.client.post("/promsnmp/inventory", json=document).status_code == 200
    assert utilization(ask(adhoc, target="quiet")) is None
    polls = client_model.by_name(ask(adhoc, target="quiet").content)["promsnmp_polls_total"]
    assert sum(metric.counter.value for metric in polls.metric) == 0
    assert adhoc.client.get("/snmp", params={"target": "quiet"}).status_code == 200
    (metric,) = utilization(ask(adhoc, target="quiet")).metric
    assert metric.histogram.sample_count == 0  # it takes two polls
    assert adhoc.client.post("/promsnmp/inventory", json={"devices": []}).status_code == 200


def test_an_address_has_histograms_once_a_scrape_polled_it(adhoc: ServiceProcess, agent: SimulatedAgent) -> None:
    refused = ask(adhoc, target=agent.target)
    assert refused.status_code == 404
    assert f"{agent.target} is not in the inventory, and no scrape of /snmp has polled it yet" in refused.text
    assert adhoc.client.get("/snmp", params={"target": agent.target}).status_code == 200
    assert utilization(ask(adhoc, target=agent.target)) is not None
    assert ask(adhoc, target=agent.target, auth="public_v1").status_code == 404
    assert ask(adhoc, target=agent.target, auth="no_such").status_code == 400


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (PROMETHEUS_2_42, True),
        (PROMETHEUS_3, True),
        (PROMETHEUS_TEXT, False),
        (DELIMITED, True),
        (DELIMITED.upper().replace("IO.PROMETHEUS.CLIENT.METRICFAMILY", "io.prometheus.client.MetricFamily")
         .replace("DELIMITED", "delimited"), True),
        (f'{PROTOBUF}; proto="io.prometheus.client.MetricFamily"; encoding="delimited"', True),
        (PROTOBUF, True),
        (f"{PROTOBUF};encoding=text", False),
        (f"{PROTOBUF};encoding=compact-text, text/plain;q=0.1", False),
        (f"{PROTOBUF};proto=io.prometheus.client.Other;encoding=delimited", False),
        (f"{DELIMITED};q=0", False),
        (f"{DELIMITED};q=much", False),
        (f"{DELIMITED};q=0.4,text/plain;q=0.5", False),
        (f"{DELIMITED};q=0.5,text/plain;q=0.5", True),
        (f"{DELIMITED};q=0.5,{OPENMETRICS};q=0.6", False),
        (f"{DELIMITED};q=0.5,*/*;q=0.6", False),
        (f"{DELIMITED};q=0.5,text/plain;q=0.1,*/*;q=0.6", True),
        (f"{DELIMITED};q=0.5,image/png", True),
        ("application/*", False),
        ("*/*", False),
        ("", False),
    ],
)  # fmt: skip
def test_protobuf_is_sent_when_named_and_preferred(accept: str, expected: bool) -> None:
    assert (choose_format(accept).format is Format.PROTOBUF) is expected


def test_filtered_metrics_have_the_histograms_by_the_original_s_name_only(polling: ServiceProcess) -> None:
    answer = ask(polling, path="/filteredMetrics", target="busy")
    assert answer.status_code == 200
    lines = answer.text.splitlines()
    assert lines[-1] == "# EOF"
    assert all("interface_utilization_native_ratio" in line for line in lines[:-1])
    assert any(line.startswith("interface_utilization_native_ratio_bucket{") for line in lines)
