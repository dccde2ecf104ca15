"""``promsnmp devices``: the same commands on the inventory file and on a running service."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from promsnmp.cli.main import run
from promsnmp.cli.output.device import HEADINGS, LONGEST_PROBLEM, lines_of, row_of
from promsnmp.inventory.store import InventoryStore
from promsnmp.sim.agent import SimulatedAgent
from promsnmp.sim.mib import Mib
from promsnmp.snmp import ber
from promsnmp.snmp.credentials import Community, Version
from tests.support.agents.threads import running
from tests.support.inventory.commands import Command, command_on
from tests.support.inventory.samples import KEY
from tests.support.service.service_process import ServiceProcess
from tests.support.tools import free_tcp_port, wait_until

SECRETS = ("s3cret-community", "s3cret-auth-1", "s3cret-priv-1")


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    with ServiceProcess(tmp_path_factory.mktemp("devices"), env={"COLLECTION_INTERVAL": "0"}) as server:
        yield server


@pytest.fixture(params=["file", "service"])
def promsnmp(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    serving: ServiceProcess,
) -> Command:
    """The command on an empty inventory: that of a file, or that of a service."""
    url = serving.url if request.param == "service" else ""
    if url:
        serving.client.post("/promsnmp/inventory", json={"devices": []})
    file = tmp_path / "data" / "inventory.json"
    return command_on("devices", file, url, secrets=SECRETS, monkeypatch=monkeypatch, capsys=capsys)


def test_devices_are_added_listed_shown_and_removed(promsnmp: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    added = promsnmp(
        "add",
        "--no-check",
        "192.0.2.1",
        "--name",
        "core1",
        "-c",
        SECRETS[0],
        "--label",
        "region=eu",
        "--location",
        "x y",
    )
    assert (added.code, added.out.startswith("added core1 (")) == (0, True)
    monkeypatch.setenv("PROMSNMP_AUTH_PASSPHRASE", SECRETS[1])
    monkeypatch.setenv("PROMSNMP_PRIV_PASSPHRASE", SECRETS[2])
    login = ("-u", "monitor", "-l", "authPriv", "-a", "SHA-256", "-x", "AES-256")
    options = ("--module", "if_mib,bgp4", "--timeout", "900")
    added = promsnmp("add", "--no-check", "[2001:DB8::1]:1161", *login, *options, "--json")
    device = json.loads(added.out)
    assert (device["modules"], device["agents"][0]["endpoint"]) == (
        ["if_mib", "bgp4"], {"address": "2001:db8::1", "port": 1161},
    )  # fmt: skip
    listed = promsnmp("list")
    assert listed.code == 0
    for text in ("core1", "192.0.2.1:161", "v2c", "region=eu", "x y", "[2001:db8::1]:1161", "v3", "2 devices"):
        assert text in listed.out
    assert [one["sysName"] for one in json.loads(promsnmp("list", "--json", "label.region=EU").out)] == ["core1"]
    assert json.loads(promsnmp("list", "--json", "--", "-core1").out)[0]["id"] == device["id"]
    shown = promsnmp("show", "2001:db8::1")
    assert (shown.code, "monitor" in shown.out, "900 ms" in shown.out, "primary" in shown.out) == (0, True, True, True)
    assert json.loads(promsnmp("show", device["id"], "--json").out)["agents"] == device["agents"]
    removed = promsnmp("remove", "core1", device["id"])
    assert (removed.code, removed.out) == (0, f"removed core1\nremoved {device['id']}\n")
    assert promsnmp("list").out.endswith("0 devices\n")


@pytest.mark.parametrize(("timeout", "milliseconds"), [("900", 900), ("900ms", 900), ("2s", 2000)])
def test_a_timeout_has_a_unit_or_is_in_milliseconds(promsnmp: Command, timeout: str, milliseconds: int) -> None:
    added = promsnmp("add", "--no-check", "192.0.2.1", "--timeout", timeout, "--json")
    assert json.loads(added.out)["agents"][0]["timeout"] == milliseconds


def test_discovered_addresses_are_shown_as_plain_text() -> None:
    marks = {"sysName": "core1", "serialNumbers": ["FOC1", "FOC2"]}
    assert lines_of({"modules": ["system"], "marks": marks}) == [
        ("modules", "system"),
        ("marks", "sysName=core1"),
        ("marks", "serialNumbers=FOC1,FOC2"),
    ]


async def test_secrets_reach_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "inventory.json"
    monkeypatch.setenv("PROM_ENCRYPT_KEY", KEY.decode())
    arguments = ["devices", "add", "--no-check", "192.0.2.1", "-c", SECRETS[0], "--file", str(path)]
    assert await asyncio.to_thread(run, arguments) == 0
    assert InventoryStore(path, KEY).load().devices[0].agents[0].credentials == Community(Version.V2C, SECRETS[0])


def test_an_unknown_device_exits_with_1_and_wrong_arguments_with_2(promsnmp: Command) -> None:
    promsnmp("add", "--no-check", "192.0.2.1", "--name", "core1")
    for command in (["show", "nobody"], ["remove", "nobody"]):
        failed = promsnmp(*command)
        assert (failed.code, failed.out) == (1, "")
        assert "'nobody'" in failed.err
    for command in (
        ["add", "192.0.2.1:99999"], ["add", "not an address"], ["add"], ["show"], ["remove"], ["list", "nonsense=1"],
        ["add", "--no-check", "192.0.2.2", "--label", "x"], ["add", "192.0.2.2", "--label", "a-b=c"],
        ["add", "--no-check", "192.0.2.2", "--retries", "-1"],
        ["add", "--no-check", "192.0.2.2", "-u", "x", "-c", "y"], ["add", "192.0.2.2", "-u", "x", "-A", "short"],
    ):  # fmt: skip
        failed = promsnmp(*command)
        assert failed.code == 2, command
        assert failed.err
    assert promsnmp("list").out.endswith("1 device\n")


def test_a_duplicate_address_names_the_other_device(promsnmp: Command) -> None:
    promsnmp("add", "--no-check", "192.0.2.1", "--name", "core1")
    failed = promsnmp("add", "--no-check", "192.0.2.1:161", "--name", "other")
    assert failed.code in (1, 2)
    assert "192.0.2.1:161 is also that of core1" in failed.err


def test_removing_an_unknown_device_does_not_stop_the_others(promsnmp: Command) -> None:
    promsnmp("add", "--no-check", "192.0.2.1", "--name", "a")
    promsnmp("add", "--no-check", "192.0.2.2", "--name", "b")
    removed = promsnmp("remove", "a", "nobody", "b")
    assert (removed.code, removed.out) == (1, "removed a\nremoved b\n")
    assert "nobody" in removed.err


def test_the_name_of_a_device_cannot_control_the_terminal(promsnmp: Command) -> None:
    promsnmp("add", "--no-check", "192.0.2.1", "--name", "\x1b[2Jevil [red]", "--label", "x=\x1b]0;title")
    for command in (["list"], ["show", "192.0.2.1"], ["remove", "192.0.2.1"]):
        assert "\x1b" not in promsnmp(*command).out


def test_a_running_server_picks_up_changes_of_its_file(
    serving: ServiceProcess, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PROM_INV_FILE", str(serving.folder / "inventory.json"))
    serving.client.post("/promsnmp/inventory", json={"devices": []})
    assert run(["devices", "add", "--no-check", "192.0.2.9", "--name", "by-file"]) == 0
    assert "who=cli:" in capsys.readouterr().err
    wait_until(lambda: "by-file" in serving.client.get("/targets").text, deadline=30, what="the device of the file")
    assert 'what="inventory file taken over"' in serving.output()


def test_an_unreachable_service_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    url = f"http://127.0.0.1:{free_tcp_port()}"
    for command in (["list"], ["remove", "a", "b"]):
        assert run(["devices", *command, "--url", url]) == 1
        assert capsys.readouterr().err.count("\n") == 1


OVERRIDES = (
    "--interval",
    "5m",
    "--max-repetitions",
    "5",
    "--max-varbinds",
    "10",
    "--text-encoding",
    "GBK",
    "--unconnected",
)


def test_how_a_device_is_polled_is_added_edited_and_shown(promsnmp: Command) -> None:
    keys = {"interval": 300_000, "maxRepetitions": 5, "maxVarbinds": 10, "textEncoding": "gbk", "unconnected": True}
    added = promsnmp("add", "--no-check", "192.0.2.7", "--name", "ups1", *OVERRIDES, "--json")
    assert keys.items() <= json.loads(added.out).items()
    shown = promsnmp("show", "ups1").out
    assert "interval         5m\n" in shown
    assert "unconnected      true\n" in shown
    assert "textEncoding     gbk\n" in shown
    assert " 5m " in promsnmp("list").out
    edited = promsnmp(
        "edit", "ups1", "--interval", "10000", "--unset", "unconnected", "--unset", "max-varbinds", "--json"
    )
    device = json.loads(edited.out)
    assert device.items() >= {"interval": 10_000, "maxRepetitions": 5, "textEncoding": "gbk"}.items()
    assert not {"unconnected", "maxVarbinds"} & device.keys()
    assert json.loads(promsnmp("edit", "ups1", "--interval", "1d", "--json").out)["interval"] == 86_400_000
    assert promsnmp("edit", "ups1", "--connected").out.startswith("changed ups1 (")
    assert json.loads(promsnmp("show", "ups1", "--json").out)["unconnected"] is False


def test_other_values_of_a_device_are_edited_and_its_secrets_stay(promsnmp: Command) -> None:
    promsnmp(
        "add",
        "--no-check",
        "192.0.2.1",
        "--name",
        "a",
        "-c",
        SECRETS[0],
        "--label",
        "x=1",
        "--label",
        "y=2",
        "--module",
        "ups",
    )
    options = ("--name", "b", "--location", "roof", "--label", "x=", "--label", "z=3", "--timeout", "2s")
    device = json.loads(promsnmp("edit", "a", *options, "--unset", "modules", "--json").out)
    assert (device["sysName"], device["sysLocation"], device["labels"]) == ("b", "roof", {"y": "2", "z": "3"})
    assert device["agents"][0]["timeout"] == device["primaryAgent"]["timeout"] == 2000
    assert device["agents"][0]["readCommunity"] == "******"
    assert "modules" not in device


@pytest.mark.parametrize(
    ("options", "says"),
    [(["--interval", "0.5s"], "between 1s and 1d"), (["--interval", "5x"], "5x"), (["--max-varbinds", "61"], "60"),
     (["--text-encoding", "rot13"], "use one of: ascii"), (["--unset", "id"], "--unset"), ([], "at least one"),
     (["--interval", "5m", "--unset", "interval"], "leave one of them out")],
)  # fmt: skip
def test_a_wrong_edit_changes_nothing(promsnmp: Command, options: list[str], says: str) -> None:
    promsnmp("add", "--no-check", "192.0.2.1", "--name", "a")
    before = promsnmp("show", "a", "--json").out
    failed = promsnmp("edit", "a", *options)
    assert failed.code == 2
    assert says in " ".join(failed.err.split())
    assert promsnmp("show", "a", "--json").out == before


@pytest.mark.parametrize("command", ["list", "show", "add", "edit", "remove"])
def test_every_command_has_help_with_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["devices", command, "--help"]) == 0
    assert f"promsnmp devices {command}" in capsys.readouterr().out.split("Examples:")[1]


def test_passphrases_in_the_environment_imply_the_security_level(
    promsnmp: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROMSNMP_AUTH_PASSPHRASE", SECRETS[1])
    monkeypatch.setenv("PROMSNMP_PRIV_PASSPHRASE", SECRETS[2])
    added = json.loads(promsnmp("add", "--no-check", "192.0.2.7", "-u", "monitor", "--json").out)
    assert added["agents"][0]["securityLevel"] == 3
    monkeypatch.delenv("PROMSNMP_PRIV_PASSPHRASE")
    added = json.loads(promsnmp("add", "--no-check", "192.0.2.8", "-u", "monitor", "--json").out)
    assert added["agents"][0]["securityLevel"] == 2
    added = json.loads(promsnmp("add", "--no-check", "192.0.2.9", "-u", "monitor", "-l", "noAuthNoPriv", "--json").out)
    assert added["agents"][0]["securityLevel"] == 1


def test_a_named_file_beats_the_url_of_the_environment(
    serving: ServiceProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PROMSNMP_URL", serving.url)
    monkeypatch.setenv("PROM_ENCRYPT_KEY", KEY.decode())
    file = tmp_path / "inventory.json"
    assert run(["devices", "add", "--no-check", "192.0.2.1", "-c", "public", "--file", str(file)]) == 0
    assert file.exists()
    assert run(["devices", "list", "--file", str(file), "--url", serving.url]) == 2
    assert "--file cannot be used with --url" in capsys.readouterr().err


@pytest.fixture
def agent() -> Iterator[SimulatedAgent]:
    made = SimulatedAgent(Mib.of({"1.3.6.1.2.1.1.5.0": ber.tlv(ber.OCTET_STRING, b"sim-sw-01")}))
    with running(made):
        yield made


def test_a_device_that_answers_gets_the_name_that_it_gives(promsnmp: Command, agent: SimulatedAgent) -> None:
    added = promsnmp("add", agent.target, "--json")
    assert (added.code, json.loads(added.out)["sysName"]) == (0, "sim-sw-01")
    promsnmp("remove", "sim-sw-01")
    assert json.loads(promsnmp("add", agent.target, "--name", "mine", "--json").out)["sysName"] == "mine"


def test_a_device_that_does_not_answer_is_not_added(promsnmp: Command, agent: SimulatedAgent) -> None:
    failed = promsnmp("add", agent.target, "-c", SECRETS[0], "--timeout", "10ms", "--retries", "0")
    assert (failed.code, failed.out) == (1, "")
    assert "the community?" in failed.err
    assert "--no-check" in failed.err
    assert promsnmp("list").out.endswith("0 devices\n")


def test_an_unknown_module_is_refused_with_the_nearest_one(promsnmp: Command) -> None:
    failed = promsnmp("add", "--no-check", "192.0.2.1", "--module", "if_mibb")
    assert failed.code == 2
    assert "'if_mib'?" in failed.err
    promsnmp("add", "--no-check", "192.0.2.1", "--name", "a")
    assert promsnmp("edit", "a", "--module", "nosuch").code == 2


@pytest.mark.parametrize(
    "words",
    [
        ["devices", "add", "not an address"],
        ["devices", "add", "--no-check", "192.0.2.1", "--module", "nosuch"],
        ["seeds", "add", "not a net/99"],
        ["discover", "bad/99", "--save"],
        ["inventory", "import", "nosuch.json"],
    ],
)
def test_a_command_that_fails_leaves_no_key_and_no_folder(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROM_INV_FILE", str(tmp_path / "data" / "inventory.json"))
    assert run(words) == 2
    assert list(tmp_path.iterdir()) == []


def test_the_problem_of_a_device_has_a_column() -> None:
    row = row_of({"polling": {"state": "down", "problem": "no answer " * 20}})
    assert row[HEADINGS.index("problem")].startswith("no answer")
    assert len(row[HEADINGS.index("problem")]) <= LONGEST_PROBLEM + 3
    assert len(row) == len(HEADINGS)
