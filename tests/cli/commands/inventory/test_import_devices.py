"""``promsnmp devices import``: into an inventory file and a running service."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from promsnmp.cli.main import run
from promsnmp.sim.agent import SimulatedAgent
from promsnmp.sim.mib import Mib
from promsnmp.snmp import ber
from promsnmp.snmp.credentials import Community, Version
from tests.support.agents.threads import running
from tests.support.inventory.commands import Command, command_on
from tests.support.service.service_process import ServiceProcess
from tests.support.tools import free_udp_port

SECRETS = ("s3cret-community", "s3cret-other")


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    with ServiceProcess(tmp_path_factory.mktemp("import"), env={"COLLECTION_INTERVAL": "0"}) as server:
        yield server


@pytest.fixture(params=["file", "service"])
def promsnmp(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    serving: ServiceProcess,
) -> Command:
    url = serving.url if request.param == "service" else ""
    if url:
        serving.client.post("/promsnmp/inventory", json={"devices": [], "seeds": [], "credentials": []})
    file = tmp_path / "data" / "inventory.json"
    return command_on("devices", file, url, secrets=SECRETS, monkeypatch=monkeypatch, capsys=capsys)


def write(tmp_path: Path, text: str) -> str:
    path = tmp_path / "devices"
    path.write_text(text)
    return str(path)


def test_devices_are_asked_and_get_their_own_name(promsnmp: Command, tmp_path: Path) -> None:
    name = Mib.of({"1.3.6.1.2.1.1.5.0": ber.tlv(ber.OCTET_STRING, b"core1")})
    agent = SimulatedAgent(name, community=SECRETS[0])
    silent = free_udp_port()
    with running(agent):
        table = f"address,port,community,timeout,retries\n127.0.0.1,{agent.port},{SECRETS[0]},2s,1\n"
        table += f"127.0.0.1,{silent},{SECRETS[1]},50ms,0\n"
        done = promsnmp("import", "--from", "csv", write(tmp_path, table))
        again = promsnmp("import", "--from", "csv", write(tmp_path, table))
    assert (done.code, again.code) == (1, 1)
    assert f"127.0.0.1:{silent}" in done.err
    assert "--no-check" in done.err
    assert "1 added, 1 failed" in done.out
    assert "1 unchanged, 1 failed" in again.out
    listed = json.loads(promsnmp("list", "--json").out)
    assert [one["sysName"] for one in listed] == ["core1"]


def test_no_check_adds_unseen_devices_with_credentials_by_name(promsnmp: Command, tmp_path: Path) -> None:
    table = f"address,name,community,label.site\n192.0.2.1,a,{SECRETS[0]},x\n192.0.2.2,b,{SECRETS[0]},y\n"
    file = write(tmp_path, table)
    tried = promsnmp("import", "--from", "csv", file, "--dry-run")
    assert (tried.code, promsnmp("list", "--json").out.strip()) == (0, "[]")
    assert promsnmp("import", "--from", "csv", file, "--no-check").code == 0
    assert "2 unchanged" in promsnmp("import", "--from", "csv", file, "--no-check").out
    listed = json.loads(promsnmp("list", "--json").out)
    assert [one["agents"][0]["credentialsName"] for one in listed] == ["csv-a", "csv-a"]
    assert [one["labels"] for one in listed] == [{"site": "x"}, {"site": "y"}]


def test_seeds_of_datadog_are_saved_once(promsnmp: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = f"instances:\n  - network_address: 192.0.2.0/28\n    community_string: {SECRETS[0]}\n"
    for _ in range(2):
        assert promsnmp("import", "--from", "datadog", write(tmp_path, text), "--no-check").code == 0
    assert run(["seeds", "list"]) == 0
    assert capsys.readouterr().out.count("192.0.2.0/28") == 1


def test_credentials_of_the_inventory_are_used_where_the_file_has_none(promsnmp: Command, tmp_path: Path) -> None:
    file = write(tmp_path, "address\n192.0.2.1\n")
    arguments = ("import", "--from", "csv", file, "--no-check", "--credentials", "campus")
    failed = promsnmp(*arguments)
    assert failed.code == 1
    assert "'campus'" in failed.err
    assert run(["credentials", "set", "campus", "-c", SECRETS[0]]) == 0
    assert promsnmp(*arguments).code == 0
    assert json.loads(promsnmp("show", "192.0.2.1", "--json").out)["agents"][0]["credentialsName"] == "campus"


def test_wrong_files_and_options_change_nothing(promsnmp: Command, tmp_path: Path) -> None:
    good, bad = write(tmp_path, "address,community\n192.0.2.1,x\n"), tmp_path / "bad"
    bad.write_text("name\nx\n")
    for arguments in (
        ("csv", good, str(bad)),
        ("csv", str(tmp_path / "nosuch")),
        ("csv", good, "--delimiter", "ab"),
        ("zabbix", good, "--delimiter", ";"),
        ("csv", good, "--profiles"),
        ("csv", good, "--credentials", "not a name"),
        ("csv", good, "-o", str(tmp_path / "nosuch" / "x")),
        ("nosuch", good),
    ):
        assert promsnmp("import", "--no-check", "--from", *arguments).code == 2
    assert promsnmp("list", "--json").out.strip() == "[]"


def test_a_document_can_be_imported_elsewhere(promsnmp: Command, tmp_path: Path) -> None:
    out = tmp_path / "document.json"
    file = write(tmp_path, f"address,community\n192.0.2.1,{SECRETS[0]}\n")
    assert promsnmp("import", "--from", "csv", file, "-o", str(out)).code == 0
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert run(["inventory", "import", str(out), "--file", str(tmp_path / "other.json")]) == 0
    assert Community(Version.V2C, SECRETS[0]).community in out.read_text()
