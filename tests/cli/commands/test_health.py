"""``promsnmp health`` against the real service."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.support.service.certificates import Authority
from tests.support.service.preloaded import run
from tests.support.service.service_process import ServiceProcess, environment
from tests.support.tools import free_tcp_port


@pytest.fixture(scope="module")
def promsnmp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    with ServiceProcess(tmp_path_factory.mktemp("health"), env={"COLLECTION_INTERVAL": "0"}) as server:
        yield server


def health(folder: Path, *words: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return run("health", *words, env={**environment(folder), **(env or {})})


def test_a_ready_service_exits_with_0(promsnmp: ServiceProcess) -> None:
    asked = health(promsnmp.folder, env={"SERVER_PORT": str(promsnmp.port), "SERVER_ADDRESS": ""})
    assert (asked.returncode, asked.stdout) == (0, "readiness: UP\n")


def test_all_components_are_shown_with_their_details(promsnmp: ServiceProcess) -> None:
    asked = health(promsnmp.folder, "all", "--url", promsnmp.url)
    assert asked.returncode == 0
    assert "inventory: UP devices=0 revision=0" in asked.stdout
    assert asked.stdout.endswith("all: UP\n")


def test_an_unknown_component_exits_with_1(promsnmp: ServiceProcess) -> None:
    asked = health(promsnmp.folder, "engine", "--url", promsnmp.url)
    assert asked.returncode == 1
    assert "Traceback" not in asked.stderr


def test_an_unreachable_service_exits_with_1(promsnmp: ServiceProcess) -> None:
    asked = health(promsnmp.folder, env={"SERVER_PORT": str(free_tcp_port())})
    assert asked.returncode == 1
    assert "connection refused" in asked.stderr


def test_an_unreadable_inventory_is_down_in_health_but_not_in_readiness(tmp_path: Path) -> None:
    with ServiceProcess(tmp_path, env={"COLLECTION_INTERVAL": "0"}) as server:
        (tmp_path / "inventory.json").write_text("damaged")
        server.client.post("/-/reload")
        assert health(tmp_path, "inventory", "--url", server.url).returncode == 1
        assert health(tmp_path, "--url", server.url).returncode == 0


def test_over_tls_it_trusts_the_own_certificate_even_when_expired(tmp_path: Path) -> None:
    web = tmp_path / "web.yml"
    web.write_text("tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n")
    ours = Authority()
    ours.issue("promsnmp.example.com", "DNS:promsnmp.example.com", days=-1).write(tmp_path, "server")
    env = {"COLLECTION_INTERVAL": "0", "WEB_CONFIG_FILE": str(web)}
    with ServiceProcess(tmp_path, env=env) as server:
        asked = health(tmp_path, env={"SERVER_PORT": str(server.port), **env})
        assert (asked.returncode, asked.stdout) == (0, "readiness: UP\n"), asked.stderr
        assert health(tmp_path, "webConfig", env={"SERVER_PORT": str(server.port), **env}).returncode == 1
        (tmp_path / "other").mkdir()
        ours.server().write(tmp_path / "other", "server")
        (tmp_path / "other" / "web.yml").write_text(web.read_text())
        other = {"SERVER_PORT": str(server.port), "WEB_CONFIG_FILE": str(tmp_path / "other" / "web.yml")}
        assert "not trusted" in health(tmp_path, env=other).stderr
