"""``promsnmp config``, ``init`` and ``assets``, and the option ``--config``."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from promsnmp.cli.main import run
from promsnmp.settings import Settings
from promsnmp.settings.reading.config_file import VARIABLE
from tests.support.service.built import catch_settings
from tests.support.tools import PROJECT

SECRET = "hunter2-hunter2"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "promsnmp.yml"
    path.touch(0o600)
    path.write_text(f"polling: {{collection_interval: 1m}}\nserver: {{api_token: {SECRET}}}\n")
    return path


def test_check_says_what_is_valid_and_what_is_not(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLECTION_INTERVAL", "secret")
    assert run(["config", "check", str(file)]) == 0
    printed = capsys.readouterr()
    assert f"{file}: 2 settings" in printed.out
    assert "COLECTION_INTERVAL" in printed.err
    assert "COLLECTION_INTERVAL?" in printed.err
    assert "secret" not in printed.err
    file.write_text("snmp: {snmp_config_files: nosuch.yml}")
    assert run(["config", "check", str(file)]) == 2
    assert "nosuch.yml" in capsys.readouterr().err
    assert os.environ[VARIABLE] == os.devnull  # the option counts for one command


def test_show_has_values_and_their_origin_without_secrets(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SERVER_PORT", "1")
    assert run(["config", "show", "--config", str(file), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "server_port": {"value": 1, "from": "environment SERVER_PORT"},
        "api_token": {"value": "******", "from": f"{file}:2"},
        "collection_interval": {"value": 60_000, "from": f"{file}:1"},
    }
    assert run(["--config", str(file), "config", "show", "--all"]) == 0
    printed = capsys.readouterr().out
    assert SECRET not in printed
    assert f"{len(Settings.model_fields)} settings" in printed


@pytest.mark.parametrize("words", [["serve", "--config"], ["--config"]])
def test_serve_takes_a_configuration_file(file: Path, words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    built = catch_settings(monkeypatch, exit_code=0)
    assert run([*words, str(file), *([] if "serve" in words else ["serve"])]) == 0
    assert [one.collection_interval for one in built] == [60_000]


def test_init_makes_a_configuration_and_a_key_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["init", str(tmp_path / "etc"), "--file", str(tmp_path / "data" / "inventory.json")]
    assert run(words) == 0
    made = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and path.stat().st_size}
    assert sorted(path.name for path in made) == ["inventory.json.key", "promsnmp.yml"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in made} == {0o600}
    printed = capsys.readouterr().out
    assert "Back up" in printed
    assert not any(content.decode() in printed for content in made.values())
    assert run(words) == 0
    assert capsys.readouterr().out.count("kept") == 2
    assert made == {path: path.read_bytes() for path in made}
    assert run(["config", "check", str(tmp_path / "etc" / "promsnmp.yml")]) == 0


def test_assets_are_written_and_never_replaced_unasked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "assets"
    assert run(["assets", "export", str(folder)]) == 0
    for name in ("grafana/device.json", "prometheus/alerts.yml", "promsnmp.schema.json", "systemd/promsnmp.service"):
        assert (folder / name).read_bytes() == (PROJECT / "deploy" / name).read_bytes()
    assert (folder / "modules" / "if_mib.yml").exists()
    (folder / "prometheus" / "alerts.yml").write_text("mine")
    assert run(["assets", "export", str(folder)]) == 1
    assert "prometheus/alerts.yml" in capsys.readouterr().err
    assert (folder / "prometheus" / "alerts.yml").read_text() == "mine"
    assert run(["assets", "export", "--force", str(folder)]) == 0
    assert (folder / "prometheus" / "alerts.yml").read_text() != "mine"
