"""``promsnmp health`` against the real service."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.serving import Serving, environment
from tests.tools import free_tcp_port


@pytest.fixture(scope="module")
def promsnmp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with Serving(tmp_path_factory.mktemp("health"), env={"COLLECTION_INTERVAL": "0"}) as server:
        yield server


def health(folder: Path, *words: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "promsnmp", "health", *words]
    return subprocess.run(
        command, env={**environment(folder), **(env or {})}, capture_output=True, text=True, timeout=60, check=False
    )


def test_a_ready_service_ends_it_with_0(promsnmp: Serving) -> None:
    asked = health(promsnmp.folder, env={"SERVER_PORT": str(promsnmp.port), "SERVER_ADDRESS": ""})
    assert (asked.returncode, asked.stdout) == (0, "readiness: UP\n")


def test_all_components_are_shown_with_their_details(promsnmp: Serving) -> None:
    asked = health(promsnmp.folder, "all", "--url", promsnmp.url)
    assert asked.returncode == 0
    assert "inventory: UP devices=0 revision=0" in asked.stdout
    assert asked.stdout.endswith("all: UP\n")


def test_a_component_that_is_not_known_ends_it_with_1(promsnmp: Serving) -> None:
    asked = health(promsnmp.folder, "engine", "--url", promsnmp.url)
    assert asked.returncode == 1
    assert "Traceback" not in asked.stderr


def test_a_service_that_is_down_ends_it_with_1(promsnmp: Serving) -> None:
    asked = health(promsnmp.folder, env={"SERVER_PORT": str(free_tcp_port())})
    assert asked.returncode == 1
    assert "nothing listens there" in asked.stderr


def test_an_inventory_that_cannot_be_read_makes_the_health_down_and_not_the_readiness(tmp_path: Path) -> None:
    with Serving(tmp_path, env={"COLLECTION_INTERVAL": "0"}) as server:
        (tmp_path / "inventory.json").write_text("damaged")
        server.client.post("/-/reload")
        assert health(tmp_path, "inventory", "--url", server.url).returncode == 1
        assert health(tmp_path, "--url", server.url).returncode == 0
