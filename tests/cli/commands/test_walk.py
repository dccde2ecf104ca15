"""``promsnmp walk`` against simulated agents, as a real process."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from promsnmp.cli.main import run
from promsnmp.cli.output.varbinds import json_line, text_line
from promsnmp.sim.agent import SimulatedAgent
from promsnmp.sim.mib import Mib
from promsnmp.snmp import ber, oid
from promsnmp.snmp.credentials import AuthProtocol, PrivProtocol, SecurityLevel, User
from tests.support.agents.behaviours import BEHAVIOURS
from tests.support.agents.hostile import HONEST, IF_ENTRY, Behaviour, HostileAgent
from tests.support.agents.threads import running
from tests.support.service import preloaded
from tests.support.tools import PROJECT, free_udp_port, require_tool

AUTH, PRIV = "authenticate-me", "keep-this-private"
USER = User("monitor", SecurityLevel.AUTH_PRIV, AuthProtocol.SHA256, AUTH, PrivProtocol.AES256, PRIV)
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(PROJECT / "src")}
PASSPHRASES = {"PROMSNMP_AUTH_PASSPHRASE": AUTH, "PROMSNMP_PRIV_PASSPHRASE": PRIV}


def walk(*arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Runs the real command."""
    return preloaded.run("walk", *arguments, env=env, timeout=30)


@pytest.fixture
def agent() -> Iterator[SimulatedAgent]:
    made = SimulatedAgent(HONEST, users=[USER])
    with running(made):
        yield made


def misbehaving(name: str) -> Behaviour:
    return next(one for one in BEHAVIOURS if one.name == name)


def test_a_subtree_is_printed_line_by_line(agent: SimulatedAgent) -> None:
    done = walk(agent.target, "1.3.6.1.2.1.1")
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        '.1.3.6.1.2.1.1.1.0 = STRING: "honest"',
        ".1.3.6.1.2.1.1.3.0 = Timeticks: (4711) 0:00:47.11",
        '.1.3.6.1.2.1.1.5.0 = STRING: "hostile-01"',
    ]
    assert done.stderr.startswith("3 varbinds in ")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("version", ["1", "2c"])
@pytest.mark.parametrize("root", ["1", ".1", "1.3", "1.3.6.1"])
def test_the_whole_tree_can_be_walked_from_its_root(agent: SimulatedAgent, root: str, version: str) -> None:
    done = walk("-v", version, agent.target, root)
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == len(HONEST)


def test_one_instance_is_fetched(agent: SimulatedAgent) -> None:
    assert walk(agent.target, f"{IF_ENTRY}.10.7").stdout == f".{IF_ENTRY}.10.7 = Counter32: 7000\n"


def test_json_has_one_object_on_each_line(agent: SimulatedAgent) -> None:
    done = walk("--json", agent.target, "1.3.6.1.2.1.1")
    assert [json.loads(row) for row in done.stdout.splitlines()] == [
        {"oid": ".1.3.6.1.2.1.1.1.0", "type": "STRING", "value": "honest"},
        {"oid": ".1.3.6.1.2.1.1.3.0", "type": "Timeticks", "value": 4711},
        {"oid": ".1.3.6.1.2.1.1.5.0", "type": "STRING", "value": "hostile-01"},
    ]


def test_an_empty_subtree_is_reported(agent: SimulatedAgent) -> None:
    done = walk(agent.target, "1.3.6.1.9")
    assert (done.returncode, done.stdout) == (0, "")
    assert "nothing at or below .1.3.6.1.9" in done.stderr


def test_v3_takes_passphrases_from_the_environment(agent: SimulatedAgent) -> None:
    done = walk("-u", "monitor", "-a", "SHA-256", "-x", "AES-256", agent.target, "1.3.6.1.2.1.1", env=PASSPHRASES)
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 3


def test_v3_takes_passphrases_as_options(agent: SimulatedAgent) -> None:
    options = ["-v", "3", "-u", "monitor", "-l", "authPriv", "-a", "sha256", "-A", AUTH, "-x", "aes256", "-X", PRIV]
    assert walk(*options, agent.target, "1.3.6.1.2.1.1").returncode == 0


def test_a_wrong_passphrase_fails_in_one_line_without_it(agent: SimulatedAgent) -> None:
    secret = "not-the-right-one"
    options = ["-u", "monitor", "-a", "SHA256", "-A", secret, "-x", "AES256", "-X", PRIV, "-t", "0.2", "-r", "0"]
    done = walk(*options, agent.target)
    assert done.returncode == 1
    assert "check the auth passphrase" in done.stderr.splitlines()[-1]
    assert secret not in done.stderr + done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["127.0.0.1", "ifTable"], "'ifTable' is not an OID"),
        (["127.0.0.1", "1..3"], "'1..3' is not an OID"),
        (["127.0.0.1", "3.1"], "'3.1' is not an OID"),
        (["127.0.0.1", "2"], "at least two numbers"),
        (["127.0.0.1:0"], "not a port"),
        (["bad host"], "neither an address nor a name"),
        (["-v", "4", "127.0.0.1"], "'4'"),
        (["-v", "2c", "-u", "x", "127.0.0.1"], "-u is for v3"),
        (["-v", "3", "127.0.0.1"], "v3 needs a user"),
        (["-v", "3", "-u", "x", "-c", "public", "127.0.0.1"], "-c is for v1 and v2c"),
        (["-u", "x", "-a", "ROT13", "-A", AUTH, "127.0.0.1"], "'ROT13': unknown protocol"),
        (["-u", "x", "-a", "SHA", "127.0.0.1"], "set PROMSNMP_AUTH_PASSPHRASE"),
        (["-u", "x", "-a", "SHA", "-A", "short", "127.0.0.1"], "shorter than 8"),
        (["-u", "x" * 33, "127.0.0.1"], "longer than 32"),
        (["-t", "0", "127.0.0.1"], "-t"),
        (["-t", "nan", "127.0.0.1"], "-t"),
        (["-r", "-1", "127.0.0.1"], "-r"),
        (["--max-repetitions", "0", "127.0.0.1"], "--max-repetitions"),
        ([], "TARGET"),
    ],
)
def test_wrong_arguments_exit_with_2_and_one_line(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    assert run(["walk", *arguments]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert len(shown.err.splitlines()) == 1
    assert said in shown.err


def test_a_silent_device_fails_with_target_and_oid() -> None:
    agent = HostileAgent(misbehaving("silent"))
    with running(agent):
        done = walk("-t", "0.05", "-r", "1", agent.target, "1.3.6.1.2.1.1")
        assert done.returncode == 1
        error = done.stderr.splitlines()[-1]
        assert error.startswith(f"promsnmp: {agent.target}: no answer to 2 requests of 0.05 s")
        assert error.endswith("(at OID 1.3.6.1.2.1.1)")


def test_a_port_where_nothing_listens_fails_at_once() -> None:
    done = walk("-t", "20", f"127.0.0.1:{free_udp_port()}")
    assert done.returncode == 1
    assert "connection refused" in done.stderr


def test_an_interrupted_walk_prints_its_varbinds_and_fails() -> None:
    agent = HostileAgent(misbehaving("status_5_after_2"))
    with running(agent):
        done = walk(agent.target, IF_ENTRY)
        assert done.returncode == 1
        assert len(done.stdout.splitlines()) == 50
        assert f"{agent.target}: the agent answered with error-status genErr (5)" in done.stderr.splitlines()[-1]


def test_a_closed_pipe_is_silent() -> None:
    agent = HostileAgent(misbehaving("endless_in_the_subtree"))
    with running(agent):
        command = [sys.executable, "-m", "promsnmp", "walk", agent.target, IF_ENTRY]
        with subprocess.Popen(
            command, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            assert process.stdout.readline()
            process.stdout.close()
            assert process.wait(20) == 1
            assert process.stderr.read() == ""


def test_ctrl_c_exits_with_130_and_a_summary() -> None:
    agent = HostileAgent(misbehaving("endless_in_the_subtree"))
    with running(agent):
        command = [sys.executable, "-m", "promsnmp", "walk", agent.target, IF_ENTRY]
        with subprocess.Popen(
            command, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline()
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=20)
            assert process.returncode == 130
            assert "varbinds in" in errors
            assert "Traceback" not in errors


def test_a_full_disk_is_named() -> None:
    agent = HostileAgent(Behaviour("honest", lambda request: [request.honest]))
    with running(agent), Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "promsnmp", "walk", agent.target, IF_ENTRY]
        done = subprocess.run(
            command, env=ENVIRONMENT, stdout=full, stderr=subprocess.PIPE, text=True, timeout=20, check=False
        )
        assert done.returncode != 0
        assert "No space left on device" in done.stderr
        assert "Traceback" not in done.stderr


def test_help_shows_examples() -> None:
    done = walk("--help")
    assert done.returncode == 0
    assert "promsnmp walk -v 1 -c secret 192.0.2.1:1161 1.3.6.1.2.1.1" in done.stdout
    assert "PROMSNMP_AUTH_PASSPHRASE" in done.stdout


@pytest.mark.parametrize(
    ("value", "shown", "in_json"),
    [
        ("0201ff", "INTEGER: -1", -1),
        ("02090101010101010101ff", "INTEGER: malformed 0101", "malformed 0101"),
        ("0400", 'STRING: ""', ""),
        ("0403610a22", 'STRING: "a\\n\\""', 'a\n"'),
        ("0402c3a4", 'STRING: "\u00e4"', "\u00e4"),
        ("0402001b", "Hex-STRING: 00 1B", "001B"),
        ("04031b5b41", "Hex-STRING: 1B 5B 41", "1B5B41"),
        ("0500", "NULL:", ""),
        ("06032b0601", "OID: .1.3.6.1", ".1.3.6.1"),
        ("0602 2b86", "OID: malformed 2B86", "malformed 2B86"),
        ("40047f000001", "IpAddress: 127.0.0.1", "127.0.0.1"),
        ("4003000001", "IpAddress: malformed 000001", "malformed 000001"),
        ("41010a", "Counter32: 10", 10),
        ("42050080000000", "Gauge32: 2147483648", 2147483648),
        ("43040083d600", "Timeticks: (8640000) 1 day, 0:00:00.00", 8640000),
        ("44079f780442f60000", "Opaque Float: 123", "123"),
        ("440b9f7908405edccccccccccd", "Opaque Double: 123.45", "123.45"),
        ("44020102", "Opaque: 0102", "0102"),
        ("460900ffffffffffffffff", "Counter64: 18446744073709551615", 2**64 - 1),
        ("5f0101", "0x5F: 01", "01"),
    ],
)
def test_every_type_has_its_text(value: str, shown: str, in_json: object) -> None:
    octets = ber.encode_varbind(oid.encode("1.3.6.1.4.1.9999.1"), bytes.fromhex(value))
    (varbind,) = ber.varbinds(octets, 0, len(octets))
    assert text_line(varbind).startswith(f".1.3.6.1.4.1.9999.1 = {shown}")
    found = json.loads(json_line(varbind))["value"]
    assert str(found).startswith(str(in_json))
    assert type(found) is type(in_json)


def test_net_snmp_shows_the_same_numbers(agent: SimulatedAgent) -> None:
    tool = require_tool("snmpwalk", package="snmp")
    command = [tool, "-v2c", "-c", "public", "-On", "-Oe", agent.target, f"{IF_ENTRY}.10"]
    theirs = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout
    assert walk(agent.target, f"{IF_ENTRY}.10").stdout == theirs


def test_an_empty_device_is_no_error() -> None:
    agent = SimulatedAgent(Mib.of({}))
    with running(agent):
        assert walk(agent.target, "1").returncode == 0
