"""``promsnmp migrate snmp-exporter``: into an inventory file, a running service, and a document."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from promsnmp.cli.main import run
from promsnmp.inventory.store import InventoryStore
from promsnmp.snmp.credentials import Community, User, Version
from tests.support.inventory.samples import KEY
from tests.support.migration.files import SECRETS, write_files
from tests.support.service.service_process import ServiceProcess

Command = Callable[..., SimpleNamespace]


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PROM_INV_FILE", str(tmp_path / "data" / "inventory.json"))
    monkeypatch.setenv("PROM_ENCRYPT_KEY", KEY.decode())
    monkeypatch.setenv("SNMP_CONFIG_FILES", str(tmp_path / "snmp.yml"))
    monkeypatch.delenv("PROMSNMP_URL", raising=False)
    return write_files(tmp_path)


@pytest.fixture
def migrate(files: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    def call(*arguments: str) -> SimpleNamespace:
        source = ["--prometheus", str(files / "prometheus.yml"), "--snmp", str(files / "snmp.yml")]
        code = run(["migrate", "snmp-exporter", *source, *arguments])
        captured = capsys.readouterr()
        assert not any(secret in captured.out + captured.err for secret in SECRETS)
        return SimpleNamespace(code=code, out=captured.out, err=captured.err)

    return call


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    folder = tmp_path_factory.mktemp("migrate")
    write_files(folder)
    env = {"COLLECTION_INTERVAL": "0", "SNMP_CONFIG_FILES": str(folder / "snmp.yml")}
    with ServiceProcess(folder, env=env) as server:
        yield server


def read_devices(files: Path) -> dict[str, Any]:
    store = InventoryStore(files / "data" / "inventory.json", KEY)
    return {str(device.primary.endpoint): device for device in store.load().devices if device.primary}


def test_devices_get_labels_modules_interval_names_and_credentials(files: Path, migrate: Command) -> None:
    assert migrate().code == 1  # three things could not be carried over
    found = read_devices(files)
    assert set(found) == {"192.0.2.1:161", "192.0.2.2:1161", "192.0.2.10:161", "192.0.2.30:161"}
    plain, named, context = found["192.0.2.2:1161"], found["192.0.2.10:161"], found["192.0.2.30:161"]
    assert (plain.sys_name, plain.modules, dict(plain.labels)) == (
        "",
        ("if_mib", "system"),
        {"job": "snmp", "region": "eu"},
    )
    assert plain.overrides.interval == 30_000
    assert plain.primary.credentials == Community(Version.V2C, "s3cret-community")
    assert (plain.primary.timeout, plain.primary.retries) == (5000, 3)
    # Prometheus replaces the first value of a parameter by its label
    assert (named.sys_name, named.modules) == ("core1", ("if_mib", "ups", "system"))
    assert (named.primary.timeout, named.primary.retries) == (7000, 3)
    user = context.primary.credentials
    assert isinstance(user, User)
    assert (user.name, user.context_name, context.overrides.interval) == ("monitor", "vlan-7", 300_000)


def test_a_second_run_changes_nothing_and_other_devices_stay(files: Path, migrate: Command) -> None:
    run(["devices", "add", "--no-check", "192.0.2.99", "--name", "other"])
    run(["devices", "add", "--no-check", "192.0.2.10", "--label", "own=kept", "-c", "other"])
    first = migrate()
    assert "changed" in first.out
    store = InventoryStore(files / "data" / "inventory.json", KEY)
    revision = store.load().revision
    assert "4 unchanged" in migrate().out
    assert store.load().revision == revision
    found = read_devices(files)
    assert "192.0.2.99:161" in found
    assert dict(found["192.0.2.10:161"].labels) == {"own": "kept", "job": "snmp"}
    assert found["192.0.2.10:161"].primary.credentials == Community(Version.V2C, "s3cret-community")


def test_what_is_not_carried_over_is_named_with_its_line(files: Path, migrate: Command) -> None:
    out = migrate("--dry-run").out
    text = (files / "prometheus.yml").read_text().splitlines()
    for word, what in (
        ("consul_sd", "consul_sd_configs"),
        ("tcp:", "UDP only"),
        ("metric_relabel", "metric_relabel_configs"),
    ):
        line = next(number for number, line in enumerate(text, 1) if word in line)
        assert any(f"prometheus.yml:{line}: " in said and what in said for said in out.splitlines()), out
    assert "a.yml:3: 192.0.2.1: scraped with auth" in out
    assert not (files / "data").exists()


def test_targets_from_a_file_replace_service_discovery(files: Path, migrate: Command) -> None:
    (files / "consul.json").write_text('[{"targets": ["192.0.2.40"], "labels": {"__param_module": "if_mib"}}]')
    done = migrate("--job", "ups", "--file-sd", f"ups={files / 'consul.json'}")
    assert (done.code, set(read_devices(files))) == (0, {"192.0.2.40:161", "192.0.2.30:161"})
    assert migrate("--file-sd", "nosuch=x").code == 2
    assert migrate("--job", "nosuch").code == 2


def test_a_running_service_gets_the_same(
    files: Path, migrate: Command, serving: ServiceProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROMSNMP_URL", serving.url)
    assert "4 added" in migrate().out
    assert "4 unchanged" in migrate().out
    device = serving.client.get("/promsnmp/devices/192.0.2.10").json()
    assert (device["sysName"], device["modules"]) == ("core1", ["if_mib", "ups", "system"])
    assert not (files / "data").exists()


def test_a_document_can_be_imported(files: Path, migrate: Command) -> None:
    target = files / "devices.json"
    migrate("-o", str(target))
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    first = target.read_text()
    assert "s3cret-community" in first
    migrate("-o", str(target))
    assert target.read_text() == first
    assert run(["inventory", "import", str(target)]) == 0
    assert len(read_devices(files)) == len(json.loads(first)["devices"]) == 4


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("scrape_configs:\n  - job_name: [", ":3:"),
        ("scrape_configs:\n  - metrics_path: /snmp\n", ":2:"),
        ("scrape_configs:\n  - job_name: a\n    relabel_configs:\n      - {regex: '(', target_label: b}\n", ":4:"),
        ("scrape_configs:\n  - job_name: a\n    scrape_interval: often\n", ":3:"),
    ],
)
def test_a_wrong_file_is_an_error_with_its_line(files: Path, migrate: Command, text: str, place: str) -> None:
    (files / "prometheus.yml").write_text(text)
    done = migrate()
    assert done.code == 2
    assert f"prometheus.yml{place}" in done.err
