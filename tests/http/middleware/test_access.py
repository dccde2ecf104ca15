"""Access, rate limit and response headers of the real service."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from promsnmp.http.security.passwords import hash_password
from promsnmp.sim.agent import SimulatedAgent
from tests.support.agents.polled_devices import mib
from tests.support.agents.threads import running
from tests.support.service.service_process import ServiceProcess
from tests.support.tools import WEB, wait_until

TOKEN = "a-token-for-tests"
CACHE_SETTINGS = {"COLLECTION_INTERVAL": "0", "CACHE_EXP_MILLIS": "600000", "SNMP_ALLOW_ADHOC_TARGETS": "true"}
HEADERS = """http_server_config:
  headers:
    Strict-Transport-Security: max-age=63072000
    Content-Security-Policy: default-src 'none'
    X-Content-Type-Options: nosniff
"""


@pytest.fixture(scope="module")
def target() -> Iterator[str]:
    agent = SimulatedAgent(mib())
    with running(agent):
        yield agent.target


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    """A service with a token and a web configuration that sets headers."""
    folder = tmp_path_factory.mktemp("gate")
    (folder / "web.yml").write_text(HEADERS)
    with ServiceProcess(
        folder, env={**CACHE_SETTINGS, "API_TOKEN": TOKEN, "WEB_CONFIG_FILE": str(folder / "web.yml")}
    ) as made:
        yield made


def signed(token: str = TOKEN) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def test_management_needs_the_token_and_a_refusal_is_a_json_error(server: ServiceProcess) -> None:
    refused = server.client.post("/promsnmp/inventory", json={"devices": []})
    assert refused.status_code == 401
    assert refused.json()["path"] == "/promsnmp/inventory"
    assert refused.headers["www-authenticate"] == 'Bearer realm="PromSNMP"'
    assert server.client.post("/promsnmp/inventory", json={"devices": []}, headers=signed()).status_code == 200
    assert server.client.post("/-/reload").status_code == 401
    assert server.client.post("/-/reload", headers=signed()).status_code == 200
    assert server.client.get("/promsnmp/evictCache", headers=signed("wrong")).status_code == 401
    assert server.client.head("/promsnmp/evictCache").status_code == 401
    assert TOKEN not in server.output()


def test_a_refused_body_does_not_spoil_the_connection(server: ServiceProcess) -> None:
    for _ in range(3):
        assert server.client.post("/promsnmp/inventory", content=b"x" * 1_000_000).status_code == 401
        assert server.client.get("/-/healthy").status_code == 200


@pytest.mark.parametrize("path", ["/promsnmp/inventory", "/config"])
def test_showing_the_configuration_needs_the_token(server: ServiceProcess, path: str) -> None:
    assert server.client.get(path).status_code == 401
    assert server.client.get(path, headers=signed()).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/targets",
        "/metrics",
        "/actuator",
        "/actuator/health",
        "/actuator/metrics",
        "/swagger-ui.html",
        "/v3/api-docs",
        "/-/ready",
        "/promsnmp/hello",
    ],
)
def test_everything_else_is_open(server: ServiceProcess, path: str) -> None:
    assert server.client.get(path).status_code == 200


def test_failed_logins_are_counted(server: ServiceProcess) -> None:
    server.client.post("/-/reload", headers=signed("wrong"))
    assert "promsnmp_failed_logins_total 0.0" not in server.client.get("/metrics").text


@pytest.mark.parametrize("path", ["/targets", "/nowhere", "/snmp", "/promsnmp/inventory"])
def test_headers_of_the_web_configuration_are_on_every_answer_once(server: ServiceProcess, path: str) -> None:
    headers = server.client.get(path).headers
    assert headers["strict-transport-security"] == "max-age=63072000"
    assert headers.get_list("x-content-type-options") == ["nosniff"]


def test_configured_headers_are_on_scrapes_from_memory_and_yield_to_the_response_s_own(
    server: ServiceProcess, target: str
) -> None:
    for _ in range(2):
        headers = server.client.get("/snmp", params={"target": target}).headers
        assert headers["content-security-policy"] == "default-src 'none'"
    assert "frame-ancestors" in server.client.get("/").headers["content-security-policy"]
    assert len(server.client.get("/").headers.get_list("content-security-policy")) == 1


def test_requests_from_pages_of_other_sites_are_refused(server: ServiceProcess) -> None:
    answer = server.client.post("/-/reload", headers={**signed(), "origin": "http://evil.example.com"})
    assert answer.status_code == 403
    own = {"origin": server.url, "sec-fetch-site": "same-origin"}
    assert server.client.post("/-/reload", headers={**signed(), **own}).status_code == 200


def test_scrapes_may_be_protected_and_health_is_not(tmp_path: Path, target: str) -> None:
    web = tmp_path / "web.yml"
    web.write_text(f"basic_auth_users:\n  prometheus: {hash_password('right')}\n")
    with ServiceProcess(
        tmp_path, env={**CACHE_SETTINGS, "API_PROTECT_SCRAPES": "true", "WEB_CONFIG_FILE": str(web)}
    ) as server:
        for path in (f"/snmp?target={target}", "/targets", "/metrics", "/"):
            assert server.client.get(path).status_code == 401
            assert server.client.get(path, auth=("prometheus", "wrong")).status_code == 401
            for _ in range(3):
                assert server.client.get(path, auth=("prometheus", "right")).status_code == 200
        assert server.client.get("/snmp").headers["content-type"].startswith("text/plain")
        for path in ("/-/healthy", "/-/ready", "/actuator/health", "/actuator/health/liveness"):
            assert server.client.get(path).status_code == 200


def test_a_new_rate_limit_applies_to_everything_but_health(tmp_path: Path, target: str) -> None:
    web = tmp_path / "web.yml"
    web.write_text("")
    with ServiceProcess(tmp_path, env={**CACHE_SETTINGS, "WEB_CONFIG_FILE": str(web)}) as server:
        path = f"/snmp?target={target}"
        assert {server.client.get(path).status_code for _ in range(10)} == {200}
        web.write_text("rate_limit:\n  interval: 1h\n  burst: 3\n")
        server.client.post("/-/reload")
        assert [server.client.get(path).status_code for _ in range(5)] == [200, 200, 200, 429, 429]
        assert server.client.get("/-/healthy").status_code == 200
        web.write_text("")
        wait_until(lambda: server.client.get(path).status_code == 200, what="the end of the limit")


def test_a_reload_of_a_wrong_file_says_so(tmp_path: Path) -> None:
    web = tmp_path / "web.yml"
    web.write_text("")
    with ServiceProcess(tmp_path, env={"WEB_CONFIG_FILE": str(web)}) as server:
        web.write_text("junk: 1\n")
        answer = WEB.post(f"{server.url}/-/reload")
        assert answer.status_code == 400
        assert "web.yml:1: unknown key" in answer.json()["error"]
