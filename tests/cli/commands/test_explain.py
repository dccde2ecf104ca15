"""``promsnmp explain``: the report for people, and the JSON for scripts."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from promsnmp.cli import main
from promsnmp.cli.main import cli
from promsnmp.sim.agent import SimulatedAgent
from promsnmp.sim.mib import Mib
from promsnmp.snmp import ber
from tests.support.agents.behaviours import late, status
from tests.support.agents.hostile import HostileAgent, after
from tests.support.agents.polled_devices import mib
from tests.support.agents.threads import running
from tests.support.service import preloaded
from tests.support.tools import PROJECT, free_udp_port


@pytest.fixture(scope="module")
def agent() -> Iterator[SimulatedAgent]:
    made = SimulatedAgent(mib())
    with running(made):
        yield made


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["explain", *arguments])


def read(*arguments: str) -> Any:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def program(*arguments: str) -> subprocess.CompletedProcess[str]:
    return preloaded.run("explain", *arguments)


# --- for people


def test_the_report_is_aligned_text(agent: SimulatedAgent) -> None:
    result = run(agent.target)
    assert result.exit_code == 0
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert lines[0].startswith(f"{agent.target}, polled with system, if_mib: 13 varbinds, 4 packets sent, ")
    assert any(line.startswith("1.3.6.1.2.1.2 if_mib 1 0 11 ") and line.endswith(" whole") for line in lines)
    assert "1.3.6.1.2.1.1.3.0 if_mib read by the walk of 1.3.6.1.2.1.1" in lines
    assert "1.3.6.1.2.1.2.2.1.2 2 STRING label ifDescr" in lines
    assert "ifInOctets if_mib 2 2" in lines
    assert 'ifInOctets{ifAlias="",ifDescr="port 1",ifIndex="1",ifName=""} 1000' in lines
    assert "sysUpTime if_mib 1 0 already made by system" in lines
    assert "sysName (system): the device has no object under 1.3.6.1.2.1.1.5" in lines
    assert any(
        line.startswith("ifName from 1.3.6.1.2.1.31.1.1.1.1: 0 rows returned, no match for 2 rows") for line in lines
    )
    assert "\x1b" not in result.stdout
    assert result.stderr == ""


def test_one_metric_is_reported_in_full(agent: SimulatedAgent) -> None:
    result = run(agent.target, "--metric", "ifInOctets")
    assert result.exit_code == 0
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert "OID 1.3.6.1.2.1.2.2.1.10, type counter" in lines
    assert "returned 2 rows of Counter32" in lines
    assert "made 2 samples of ifInOctets" in lines
    assert "ifDescr from 1.3.6.1.2.1.2.2.1.2: 2 rows returned" in lines
    assert 'ifInOctets{ifAlias="",ifDescr="port 2",ifIndex="2",ifName=""} 2000' in lines
    assert "ifOutOctets" not in result.stdout
    assert "1.3.6.1.2.1.1 " not in result.stdout


def test_a_missing_metric_is_reported_with_the_reason(agent: SimulatedAgent) -> None:
    result = run(agent.target, "--metric", "ifType_info")
    assert "ifType of module if_mib" in result.stdout
    assert "why       the device has no object under 1.3.6.1.2.1.2.2.1.3\n" in result.stdout


def test_a_metric_of_two_modules_is_reported_for_both(agent: SimulatedAgent) -> None:
    result = run(agent.target, "--metric", "sysUpTime")
    assert "made      1 sample of sysUpTime" in result.stdout
    assert "module system, earlier in the list, has already made it" in result.stdout


def test_text_of_a_device_cannot_control_the_terminal() -> None:
    names = {"1.3.6.1.2.1.1.5.0": b"\x1b[2J\x07", "1.3.6.1.2.1.1.99.0": b"\x1b]0;x\x07"}
    made = SimulatedAgent(Mib.of({name: ber.tlv(ber.OCTET_STRING, value) for name, value in names.items()}))
    with running(made):
        result = run(made.target, "-m", "system")
    assert not any(ord(one) < 32 and one != "\n" for one in result.stdout)
    assert r'sysName{sysName="\x1b[2J\x07"} 1' in result.stdout
    assert "1.3.6.1.2.1.1.99" in result.stdout


def test_an_incomplete_poll_is_reported_and_exits_with_0() -> None:
    made = HostileAgent(after(1, status(5)))
    with running(made):
        result = run(made.target, "-m", "if_mib")
    assert result.exit_code == 0
    assert "The poll is incomplete: " in result.stdout
    assert "genErr" in result.stdout


def test_headings_are_bold_and_progress_is_shown_on_a_terminal_only(agent: SimulatedAgent) -> None:
    def seen(target: str, **environment: str) -> tuple[str, str]:
        ours, theirs = pty.openpty()
        command = [sys.executable, "-m", "promsnmp", "explain", target, "-m", "system"]
        variables = {**os.environ, "PYTHONPATH": str(PROJECT / "src"), **environment}
        with subprocess.Popen(command, env=variables, stdout=theirs, stderr=theirs) as process:
            os.close(theirs)
            text = b""
            while True:
                try:
                    more = os.read(ours, 65_536)
                except OSError:
                    break
                if not more:
                    break
                text += more
        os.close(ours)
        assert process.returncode == 0
        return text.decode(), str(process.returncode)

    assert "\x1b[1mRequests" in seen(agent.target)[0]
    plain, _ = seen(agent.target, NO_COLOR="1")
    assert "\x1b[1m" not in plain
    assert "varbinds, asking for" not in plain
    slow = HostileAgent(late(1.5))
    with running(slow):
        assert "varbinds, asking for 1.3.6.1.2.1.1" in seen(slow.target)[0]


def test_long_lines_go_on_with_an_indent(agent: SimulatedAgent) -> None:
    lines = run(agent.target, "--metric", "ifHCInOctets").stdout.splitlines()
    assert [line for line in lines if len(line) > 120 and " " in line[20:].strip()] == []
    assert any(line.startswith(" " * 12) for line in lines)


# --- why these modules


def test_a_device_is_polled_with_suitable_modules_and_their_reasons(agent: SimulatedAgent) -> None:
    lines = run(agent.target).stdout.splitlines()
    at = lines.index("Why these modules")
    assert lines[at + 1] == "  Device: unknown (sysObjectID unknown, identified with 4 packets)"
    assert [" ".join(line.split()) for line in lines[at + 3 : at + 5]] == [
        "system every agent has the system group",
        "if_mib answers to ifTable (1.3.6.1.2.1.2.2)",
    ]
    assert read(agent.target)["why"]["if_mib"] == "answers to ifTable (1.3.6.1.2.1.2.2)"


def test_requested_modules_have_no_reasons(agent: SimulatedAgent) -> None:
    result = run(agent.target, "-m", "system")
    assert "Why these modules" not in result.stdout
    found = read(agent.target, "-m", "system")
    assert (found["why"], found["device"]) == ({"system": "requested with -m"}, None)


@pytest.fixture
def inventory(agent: SimulatedAgent, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes an inventory of one device, ``core``, with the given fields besides its agent."""
    monkeypatch.setenv("PROM_INV_FILE", str(tmp_path / "inventory.json"))
    monkeypatch.setenv("PROM_ENCRYPT_KEY", "0123456789ABCDEF")

    def write(**fields: object) -> None:
        endpoint = {"address": agent.address, "port": agent.port}
        one = {"type": "snmp-community", "endpoint": endpoint, "version": 1, "readCommunity": "public"}
        document = tmp_path / "document.json"
        document.write_text(json.dumps({"devices": [{"sysName": "core", "agents": [one], **fields}]}))
        assert CliRunner().invoke(cli, ["inventory", "import", str(document)]).exit_code == 0

    return write


def test_a_device_of_the_inventory_is_polled_as_the_service_polls_it(
    agent: SimulatedAgent, inventory: Callable[..., None]
) -> None:
    inventory(modules=["system"])
    result = run("core")
    assert result.stderr.startswith(f"using the inventory: core at {agent.target}\n")
    assert "polled with system:" in result.stdout
    assert "set by the device's modules in the inventory" in result.stdout
    assert list(read("core", "-m", "if_mib")["why"]) == ["if_mib"]
    assert (
        run("-c", "wrong", "core", "--deadline", "1").exit_code == 1
    )  # credentials of one's own: the name is a host's


def test_stored_modules_are_compared_with_newly_detected_ones(inventory: Callable[..., None]) -> None:
    inventory(detectedModules=["system", "ups"])
    found = read("core")
    assert found["modules"] == ["system", "ups"]
    assert found["why"]["ups"] == "detected earlier, as stored in the inventory; not detected on the device now"
    assert "It also supports if_mib: " in run("core").stdout


def test_a_metric_of_an_unsuitable_module_names_the_module(agent: SimulatedAgent) -> None:
    done = program(agent.target, "--metric", "upsBatteryStatus")
    assert done.returncode == 2
    assert "is not a metric of system, if_mib; it is defined in module ups: add -m ups" in done.stderr
    assert "nor of any other module" in str(run(agent.target, "--metric", "nonsense").exception)


def test_an_unreadable_inventory_is_ignored_with_a_message(
    agent: SimulatedAgent, inventory: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    inventory()
    monkeypatch.setenv("PROM_ENCRYPT_KEY", "another key here")
    result = run(agent.target)
    assert result.exit_code == 0
    assert "ignoring the inventory" in result.stderr


# --- for programs


def test_json_has_everything(agent: SimulatedAgent) -> None:
    document = read(agent.target)
    assert (document["target"], document["modules"], document["complete"]) == (agent.target, ["system", "if_mib"], True)
    assert {walk["end"] for walk in document["walks"]} == {"whole"}
    metrics = {(one["module"], one["name"]): one for one in document["metrics"]}
    octets = metrics["if_mib", "ifInOctets"]
    assert (octets["status"], octets["rows"], octets["samples"]) == ("made", 2, 2)
    assert octets["types"] == {"Counter32": 2}
    assert octets["labels"] == {"ifIndex": "1", "ifAlias": "", "ifDescr": "port 1", "ifName": ""}
    assert metrics["if_mib", "sysUpTime"]["status"] == "made by another module"
    assert metrics["system", "sysName"]["status"] == "missing"
    assert metrics["system", "sysName"]["reason"].startswith("the device has no object")
    assert {"oid": "1.3.6.1.2.1.2.1", "rows": 1, "types": {"INTEGER": 1}, "used_by": ["ifNumber"]} in document[
        "returned"
    ]
    assert document["unclaimed"] == []


def test_json_of_unused_columns_names_modules_that_define_them(agent: SimulatedAgent, tmp_path: Path) -> None:
    file = tmp_path / "snmp.yml"
    file.write_text("modules: {one: {walk: [1.3.6.1.2.1.2], metrics: []}}\n")
    (first, *_, last) = read(agent.target, "--config.file", str(file), "-m", "one")["unclaimed"]
    assert first == {
        "oid": "1.3.6.1.2.1.2.1",
        "count": 1,
        "example": {"oid": "1.3.6.1.2.1.2.1.0", "type": "INTEGER", "value": 2},
        "known_as": [{"module": "if_mib", "metric": "ifNumber"}],
    }
    assert (last["oid"], last["count"]) == ("1.3.6.1.2.1.2.2.1.16", 2)


def test_json_of_one_metric_has_only_that(agent: SimulatedAgent) -> None:
    document = read(agent.target, "--metric", "ifOutOctets")
    assert [one["name"] for one in document["metrics"]] == ["ifOutOctets"]
    assert {one["oid"] for one in document["returned"]} == {"1.3.6.1.2.1.2.2.1.16", "1.3.6.1.2.1.2.2.1.2"}


# --- what is wrong


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("127.0.0.1:{closed}",), 1, "connection refused: nothing listens on the port"),
        (
            ("{open}", "-c", "wrong", "--deadline", "0.5"),
            1,
            "time limit of the poll (detection: a third of",
        ),
        (("{open}", "-m", "nope"), 2, "unknown module 'nope'"),
        (("{open}", "--auth", "nope"), 2, "unknown auth 'nope'"),
        (("a/b",), 2, "neither an address nor a name"),
        (("{open}", "--deadline", "nan"), 2, "--deadline"),
        (("{open}", "--config.file", "/nowhere/snmp.yml"), 2, "cannot be read"),
        (("{open}", "-m", "system", "--metric", "ifMtu"), 2, "it is defined in module if_mib: add -m if_mib"),
        (("{open}", "--metric", "ifMut"), 2, "nor of any other module; did you mean: ifMtu"),
        (("{open}", "--metric", "promsnmp_module_up"), 2, "PromSNMP itself makes it"),
        ((), 2, "TARGET"),
    ],
)
def test_errors_are_one_line_on_stderr(
    agent: SimulatedAgent, arguments: tuple[str, ...], code: int, says: str, capfd: pytest.CaptureFixture[str]
) -> None:
    given = [one.format(closed=free_udp_port(), open=agent.target) for one in arguments]
    assert main.run(["explain", *given]) == code
    output, errors = capfd.readouterr()
    assert output == ""
    assert len(errors.splitlines()) == 1
    assert errors.startswith("promsnmp: ")
    assert says in errors


def test_an_unreadable_device_gets_the_error_line_of_scrape() -> None:
    target = f"127.0.0.1:{free_udp_port()}"
    errors = [str(CliRunner().invoke(cli, [command, target]).exception) for command in ("scrape", "explain")]
    assert errors[0] == errors[1]
