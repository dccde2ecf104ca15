"""``promsnmp targets``: files for a real Prometheus."""

from __future__ import annotations

import json
import os
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from promsnmp.cli.main import run
from promsnmp.inventory.store import InventoryStore
from tests.support.inventory.samples import KEY, SECRETS, document
from tests.support.service.service_process import ServiceProcess
from tests.support.tools import free_tcp_port, require_tool


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    with ServiceProcess(tmp_path_factory.mktemp("targets"), env={"COLLECTION_INTERVAL": "0"}) as server:
        yield server


def inventory() -> dict[str, Any]:
    raw = document()
    raw["devices"][0] |= {"labels": {"region": "eu", "owner": "Zoë \U0001f600 \"'\\ : - # {x}\n\ttab"}}
    return raw


@pytest.fixture(params=["file", "service"])
async def source(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, serving: ServiceProcess
) -> None:
    """The same two devices in a file, or in a service."""
    path = tmp_path / "data" / "inventory.json"
    monkeypatch.setenv("PROM_INV_FILE", str(path))
    monkeypatch.setenv("PROM_ENCRYPT_KEY", KEY.decode())
    if request.param == "service":
        monkeypatch.setenv("PROMSNMP_URL", serving.url)
        assert serving.client.post("/promsnmp/inventory", json=inventory()).status_code == 200
    else:
        await InventoryStore(path, KEY).replace(inventory())


@pytest.mark.usefixtures("source")
def test_the_targets_equal_those_of_the_service_discovery(
    capsys: pytest.CaptureFixture[str], serving: ServiceProcess
) -> None:
    assert run(["targets"]) == 0
    shown = capsys.readouterr().out
    serving.client.post("/promsnmp/inventory", json=inventory())
    assert json.loads(shown) == serving.client.get("/targets").json()
    assert not any(secret in shown for secret in SECRETS)
    assert run(["targets", "label.region=eu"]) == 0
    assert [group["targets"] for group in json.loads(capsys.readouterr().out)] == [["core1.example.net"]]


@pytest.mark.usefixtures("source")
@pytest.mark.parametrize(
    ("name", "load"), [("t.json", json.loads), ("t.yml", yaml.safe_load), ("t.yaml", yaml.safe_load)]
)
def test_the_file_is_valid_for_prometheus_and_untouched_when_unchanged(
    name: str, load: Callable[[str], Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / name
    assert run(["targets", "-o", str(file)]) == 0
    assert capsys.readouterr().out == f"2 targets in {file}\n"
    groups = load(file.read_text(encoding="utf-8"))
    assert groups[0]["labels"]["__meta_promsnmp_label_owner"] == inventory()["devices"][0]["labels"]["owner"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o644 & ~_umask()
    before = file.stat()
    assert run(["targets", "--output", str(file)]) == 0
    assert "unchanged" in capsys.readouterr().out
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert run(["targets", "edge2", "-o", str(file)]) == 0
    assert len(load(file.read_text(encoding="utf-8"))) == 1
    assert [path.name for path in tmp_path.iterdir() if path.name != "data"] == [name]
    assert _checked(file, tmp_path) == 0


def _umask() -> int:
    current = os.umask(0o022)
    os.umask(current)
    return current


def _checked(file: Path, folder: Path) -> int:
    """What promtool says of a configuration with this file; it reads the file, too."""
    promtool = require_tool("promtool", package="prometheus")
    configuration = folder / "data" / "prometheus.yml"
    configuration.parent.mkdir(exist_ok=True)
    configuration.write_text(f"scrape_configs: [{{job_name: snmp, file_sd_configs: [{{files: ['{file}']}}]}}]\n")
    done = subprocess.run([promtool, "check", "config", configuration], capture_output=True, text=True, check=False)
    assert "FAILED" not in done.stdout + done.stderr, done.stdout + done.stderr
    return done.returncode


@pytest.mark.usefixtures("source")
def test_wrong_arguments_exit_with_2_and_leave_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "t.json"
    file.write_text("before")
    for arguments in (["-o", str(tmp_path / "t.txt")], ["nonsense=1", "-o", str(file)], ['"', "-o", str(file)]):
        assert run(["targets", *arguments]) == 2
        assert capsys.readouterr().err
    assert file.read_text() == "before"


def test_an_unreachable_service_leaves_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "t.json"
    file.write_text("before")
    assert run(["targets", "--url", f"http://127.0.0.1:{free_tcp_port()}", "-o", str(file)]) == 1
    assert capsys.readouterr().err.count("\n") == 1
    assert file.read_text() == "before"
