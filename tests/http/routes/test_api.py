"""The API of the original, service discovery and Prometheus's own paths, asked over HTTP."""

from __future__ import annotations

import json
import re
import socket
import subprocess

import httpx
import pytest

from promsnmp.snmp.credentials import AuthProtocol, PrivProtocol
from tests.support.service_process import ServiceProcess
from tests.support.tools import require_tool

SECRETS = ("geheime-gemeinschaft", "geheimes-wort-1", "geheimes-wort-2")


def _document(name: str = "router") -> dict[str, object]:
    community = {
        "type": "snmp-community",
        "endpoint": {"address": "192.0.2.1", "port": 161},
        "version": 1,
        "timeout": 1500,
        "retries": 1,
        "readCommunity": SECRETS[0],
    }
    user = {
        "type": "snmp-user",
        "endpoint": {"address": "2001:db8::1", "port": 1161},
        "version": 3,
        "securityName": "reader",
        "securityLevel": 3,
        "authProtocol": "SHA256",
        "authPassphrase": SECRETS[1],
        "privProtocol": "AES256",
        "privPassphrase": SECRETS[2],
    }
    return {"devices": [{"sysName": name, "agents": [community, user], "primaryAgent": community}]}


def test_an_empty_inventory_has_no_targets(client: httpx.Client) -> None:
    answer = client.get("/targets")
    assert (answer.status_code, answer.json()) == (200, [])
    assert answer.headers["content-type"] == "application/json"


def test_a_posted_device_is_a_target_with_the_site_s_labels(client: httpx.Client) -> None:
    answer = client.post("/promsnmp/inventory", json=_document())
    assert (answer.status_code, answer.text) == (200, "Inventory imported successfully.")
    assert answer.headers["content-type"].startswith("text/plain")
    (group,) = client.get("/targets").json()
    assert group["targets"] == ["router"]
    assert group["labels"]["__meta_promsnmp_site_label"] == "Wien"


def test_an_import_is_in_the_audit_log_with_who_did_it(client: httpx.Client, serving: ServiceProcess) -> None:
    assert client.post("/promsnmp/inventory", json=_document("audited")).status_code == 200
    (line,) = [line for line in serving.output().splitlines() if "device=audited " in line]
    told = r'what="device added" device=audited id=\S+ address=192\.0\.2\.1:161 revision=\d+ who=anonymous@127'
    assert re.search(told, line)


def test_targets_that_did_not_change_need_not_be_sent_again(client: httpx.Client) -> None:
    etag = client.get("/targets").headers["etag"]
    assert client.get("/targets", headers={"if-none-match": etag}).status_code == 304
    client.post("/promsnmp/inventory", json=_document())
    assert client.get("/targets", headers={"if-none-match": etag}).status_code == 200


def test_the_inventory_is_shown_without_secrets_and_posting_that_back_keeps_them(
    client: httpx.Client, serving: ServiceProcess
) -> None:
    client.post("/promsnmp/inventory", json=_document())
    shown = client.get("/promsnmp/inventory")
    assert not any(secret in shown.text for secret in SECRETS)
    assert client.post("/promsnmp/inventory", content=shown.content).status_code == 200
    again = client.get("/promsnmp/inventory").json()
    assert again["devices"] == shown.json()["devices"]
    assert not any(secret in serving.output() for secret in SECRETS)


def test_a_bad_inventory_is_refused_with_all_its_problems_and_changes_nothing(client: httpx.Client) -> None:
    client.post("/promsnmp/inventory", json=_document())
    bad = _document("other")
    bad["devices"][0]["agents"][0]["endpoint"]["port"] = 70000  # type: ignore[index]  # the document's shape is known
    bad["devices"][0]["agents"][1]["authProtocol"] = "ROT13"  # type: ignore[index]  # likewise
    answer = client.post("/promsnmp/inventory", json=bad)
    assert answer.status_code == 400
    body = answer.json()
    assert body["status"] == 400
    assert body["path"] == "/promsnmp/inventory"
    assert any("port" in problem for problem in body["problems"])
    assert any("authProtocol" in problem for problem in body["problems"])
    assert not any(secret in answer.text for secret in SECRETS)
    assert client.get("/promsnmp/inventory").json()["devices"][0]["sysName"] == "router"


@pytest.mark.parametrize(
    ("body", "hint"),
    [
        (b"", "line 1"),
        (b'{"devices": [\n}', "line 2"),
        (b"\xff\xfe\xfd{", "not JSON"),
        (b"[" * 200_000, "not JSON"),
        (b'"text"', "object"),
        (b"null", "object"),
        (b'{"devices": {}}', "devices"),
    ],
)
def test_a_body_that_is_no_inventory_is_400_and_says_where(client: httpx.Client, body: bytes, hint: str) -> None:
    answer = client.post("/promsnmp/inventory", content=body)
    assert answer.status_code == 400
    assert hint in answer.json()["error"]
    assert answer.json()["problems"]


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "application/json", ""])
def test_any_content_type_will_do_for_json(client: httpx.Client, content_type: str) -> None:
    body = json.dumps(_document())
    answer = client.post("/promsnmp/inventory", content=body, headers={"content-type": content_type})
    assert answer.status_code == 200


def test_a_body_that_is_declared_too_large_is_refused_before_it_is_sent(serving: ServiceProcess) -> None:
    with socket.create_connection(("127.0.0.1", serving.port), timeout=10) as connection:
        connection.sendall(b"POST /promsnmp/inventory HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 413 ")


def test_a_body_that_turns_out_too_large_is_refused(client: httpx.Client) -> None:
    def endless() -> object:
        for _ in range(66):
            yield b" " * (1 << 20)

    answer = client.post("/promsnmp/inventory", content=endless())  # type: ignore[arg-type]  # an iterator of bytes
    assert answer.status_code == 413
    assert answer.json()["status"] == 413


def test_the_small_answers_of_the_original(client: httpx.Client) -> None:
    for path, text in (("/promsnmp/hello", "Hello World"), ("/promsnmp/evictCache", "Cache cleared.")):
        answer = client.get(path)
        assert (answer.status_code, answer.text) == (200, text)
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert client.get("/promsnmp/authProtocols").json() == [item.value for item in AuthProtocol]
    assert client.get("/promsnmp/privProtocols").json() == [item.value for item in PrivProtocol]


def test_thread_pools_have_the_original_s_names_and_our_figures(client: httpx.Client) -> None:
    pools = client.get("/promsnmp/threadPools").json()
    assert set(pools) == {"snmpDiscoveryExecutor", "snmpMetricsExecutor"}
    for pool in pools.values():
        assert set(pool) == {"active", "poolSize", "maxPoolSize", "queueSize"}
        assert all(isinstance(figure, int) for figure in pool.values())


def test_prometheus_s_own_probes(client: httpx.Client) -> None:
    assert client.get("/-/healthy").status_code == 200
    assert client.get("/-/ready").status_code == 200


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
        "promsnmp_last_discovery_timestamp 0.0",
        "promsnmp_devices 0.0",
        'site_label="Wien"',
        "process_resident_memory_bytes ",
        "python_gc_collections_total{",
    ):
        assert line in text


def test_own_metrics_count_devices(client: httpx.Client) -> None:
    client.post("/promsnmp/inventory", json=_document())
    assert "promsnmp_devices 1.0" in client.get("/metrics").text


@pytest.mark.parametrize("path", ["/targets", "/", "/metrics", "/actuator/health", "/promsnmp/inventory", "/-/ready"])
def test_head_answers_as_get_without_the_body(client: httpx.Client, path: str) -> None:
    head, get = client.head(path), client.get(path)
    assert (head.status_code, head.content) == (get.status_code, b"")
    assert head.headers["content-type"] == get.headers["content-type"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/targets", "GET, HEAD"),
        ("DELETE", "/promsnmp/inventory", "GET, HEAD, POST"),
        ("PUT", "/actuator/health/ping", "GET, HEAD"),
        ("POST", "/", "GET, HEAD"),
        ("OPTIONS", "/targets", "GET, HEAD"),
    ],
)
def test_a_wrong_method_is_405_and_says_which_are_right(
    client: httpx.Client, method: str, path: str, allowed: str
) -> None:
    answer = client.request(method, path)
    assert answer.status_code == 405
    assert answer.headers["allow"] == allowed
    assert answer.json()["status"] == 405


@pytest.mark.parametrize("path", ["/nowhere", "/promsnmp", "/targets/", "/%2e%2e/etc/passwd", "/nowhere%0a%22"])
def test_an_unknown_path_is_404_as_json(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert set(answer.json()) == {"error", "status", "path"}


def test_a_page_s_source_is_not_given_away_by_headers(client: httpx.Client) -> None:
    assert "server" not in client.get("/-/healthy").headers
