"""``promsnmp traps``: rules are checked; what is sent is understood by net-snmp's snmptrapd."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from promsnmp.cli.main import run
from tests.support.tools import Process, free_udp_port, require_tool, wait_until

ENGINE, USER = (
    "8000000005abcdef0123",
    ("-u", "monitor", "-a", "SHA-256", "-A", "auth-passphrase", "-X", "priv-passphrase"),
)
CONF = f"""
disableAuthorization no
authCommunity log public
createUser -e 0x{ENGINE} monitor SHA-256 auth-passphrase AES priv-passphrase
createUser monitor SHA-256 auth-passphrase AES priv-passphrase
authUser log monitor priv
format1 %N|%w|%q|%v\\n
format2 %v\\n
"""
LINK_DOWN = ("linkDown", "ifIndex.3=3", "ifOperStatus.3=down", "ifDescr.3=s:eth 3")
RECEIVED = ".1.3.6.1.6.3.1.1.4.1.0 = OID: .1.3.6.1.6.3.1.1.5.3"


@pytest.fixture(scope="module")
def snmptrapd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Process, int]]:
    folder, port = tmp_path_factory.mktemp("snmptrapd"), free_udp_port()
    (folder / "snmptrapd.conf").write_text(CONF)
    program = require_tool("snmptrapd", package="snmptrapd")
    conf = folder / "snmptrapd.conf"
    command: list[str | Path] = [program, "-f", "-Lo", "-On", "-C", "-c", conf, f"udp:127.0.0.1:{port}"]
    environment = {"SNMP_PERSISTENT_DIR": str(folder), "MIBS": "", "SNMPCONFPATH": str(folder)}
    log = folder / "log"
    ready = lambda: log.exists() and "NET-SNMP version" in log.read_text()  # noqa: E731
    with Process(command, log=log, env=environment, ready=ready) as process:
        yield process, port


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (("-v", "1"), "1.3.6.1.6.3.1.1.5|2|0"),
        ((), RECEIVED),
        (("--inform",), RECEIVED),
        (("--engine-id", ENGINE, *USER), RECEIVED),
        (("--inform", *USER), RECEIVED),
    ],
)
def test_net_snmp_understands_what_is_sent(snmptrapd: tuple[Process, int], options: tuple[str, ...], word: str) -> None:
    process, port = snmptrapd
    before = len(process.output())
    assert run(["traps", "send", *options, f"127.0.0.1:{port}", *LINK_DOWN]) == 0
    wait_until(lambda: '.1.3.6.1.2.1.2.2.1.2.3 = STRING: "eth 3"' in process.output()[before:], what="the trap")
    said = process.output()[before:]
    assert word in said
    assert ".1.3.6.1.2.1.2.2.1.8.3 = INTEGER: 2" in said


def test_an_inform_that_nobody_takes_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["traps", "send", "--inform", "-t", "0.1", "-r", "0", f"127.0.0.1:{free_udp_port()}", "coldStart"]) == 1
    assert "127.0.0.1" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ("nosuch",),
        ("linkDown", "ifIndex.3"),
        ("linkDown", "nosuch.3=1"),
        ("linkDown", "ifIndex.3=i:x"),
        ("linkDown", "ifIndex.3=u:-1"),
        ("-v", "1", "--inform", "linkDown"),
        ("-v", "1", "linkDown", "1.3.6.1.3.0=C:1"),
        ("--engine-id", "xyz", "linkDown"),
    ],
)
def test_wrong_words_are_named(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["traps", "send", "127.0.0.1:9", *words]) == 2
    assert capsys.readouterr().err


def test_rules_are_checked_and_samples_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rules, samples = tmp_path / "rules.yml", tmp_path / "samples"
    rules.write_text("rules:\n  - {trap: linkDown, device: {site: lab}, drop: true}\n  - {trap: linkDwn, drop: true}\n")
    samples.write_text("# two\nlinkUp ifIndex.3=3\n\ncoldStart\n")
    words = ["traps", "check", str(rules), "--trap", " ".join(LINK_DOWN[:3]), "--traps", str(samples), "--json"]
    assert run([*words, "--label", "site=lab"]) == 0
    captured = capsys.readouterr()
    dropped, up, cold = map(json.loads, captured.out.splitlines())
    assert dropped == {"dropped": True, "origin": {**dropped["origin"], "drop": f"{rules}:2"}}
    assert (up["trap"], up["state"], cold["severity"]) == ("linkUp", "resolved", "warning")
    assert f"{rules}:3" in captured.err
    assert "linkDwn" in captured.err
    assert run([*words[:-1], "--label", "name=core1"]) == 0
    assert "fires linkDown{ifIndex=3}" in capsys.readouterr().out


def test_a_wrong_file_of_rules_exits_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rules = tmp_path / "rules.yml"
    rules.write_text("rules:\n  - {trap: a, severity: x}\n  - {trap: a, drp: true}\n")
    assert run(["traps", "check", str(rules)]) == 2
    assert [line.partition(": ")[0] for line in capsys.readouterr().out.splitlines()] == [f"{rules}:2", f"{rules}:3"]
    assert run(["traps", "check", str(tmp_path / "none")]) == 2
