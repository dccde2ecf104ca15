"""``promsnmp modules``: list, show, check and match."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import click
import pytest

from promsnmp.cli.commands.modules.modules import modules
from promsnmp.errors import ModuleError, SnmpError
from promsnmp.modules.catalogue import builtin_catalogue
from promsnmp.modules.snmp_yml.reader import read_text
from promsnmp.sim.agent import SimulatedAgent
from promsnmp.sim.mib import Mib
from promsnmp.snmp import ber, oid
from promsnmp.snmp.credentials import AuthProtocol, PrivProtocol, SecurityLevel, User
from tests.support.agents.threads import running
from tests.support.tools import free_udp_port

Call = Callable[..., SimpleNamespace]
OWN = """\
modules:
  mine:
    walk: [1.3.6.1.2.1.1]
    metrics:
      - {name: sysName, oid: 1.3.6.1.2.1.1.5, type: DisplayString}
auths:
  secret_v2: {community: do-not-show}
"""
SWITCH = {
    "1.3.6.1.2.1.1.1.0": ber.tlv(ber.OCTET_STRING, b"RouterOS CRS326\x1b[2J"),
    "1.3.6.1.2.1.1.2.0": ber.tlv(ber.OBJECT_IDENTIFIER, oid.encode("1.3.6.1.4.1.14988.1")),
    "1.3.6.1.2.1.1.5.0": ber.tlv(ber.OCTET_STRING, b"core"),
    "1.3.6.1.2.1.2.2.1.1.1": ber.encode_integer(1),
    "1.3.6.1.4.1.14988.1.1.3.10.0": ber.encode_integer(330),
}


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    """Runs ``promsnmp modules ...``; errors are raised as main.py gets them."""

    def run(*words: object) -> SimpleNamespace:
        code = modules.main(args=[str(word) for word in words], prog_name="modules", standalone_mode=False)
        captured = capsys.readouterr()
        return SimpleNamespace(code=code, out=captured.out, err=captured.err)

    return run


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "own.yml"
    path.write_text(OWN)
    return path


# ------------------------------------------------------------------------------------------------------- list and show


def test_all_modules_are_listed_with_a_description(call: Call) -> None:
    done = call("list")
    head, *rows = done.out.splitlines()
    assert head.split() == ["NAME", "METRICS", "FROM", "DESCRIPTION"]
    assert [row.split()[0] for row in rows] == sorted(builtin_catalogue().modules)
    assert any(row.startswith("ups ") and "UPS-MIB (RFC 1628)" in row for row in rows)


def test_the_list_is_json_on_demand(call: Call) -> None:
    found = {one["name"]: one for one in json.loads(call("list", "--json").out)}
    system = found["system"]
    assert system["from"] == "built-in"
    assert system["metrics"] == len(builtin_catalogue().module("system").metrics)
    assert system["about"].startswith("The device itself")


def test_modules_of_files_are_listed_with_their_file(call: Call, own: Path) -> None:
    found = {one["name"]: one for one in json.loads(call("list", "--json", "--config.file", own).out)}
    assert (found["mine"]["from"], found["mine"]["metrics"]) == ("file", 1)
    assert found["if_mib"]["from"] == "built-in"


def test_a_module_of_a_file_replaces_the_built_in_one_in_the_list(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "system.yml"
    path.write_text(OWN.replace("mine:", "system:"))
    found = {one["name"]: one for one in json.loads(call("list", "--json", "--config.file", path).out)}
    assert (found["system"]["from"], found["system"]["metrics"], found["system"]["about"]) == ("file", 1, "")


@pytest.mark.parametrize("name", ["system", "hp_aruba", "lldp", "f5"])
def test_a_shown_module_can_be_loaded_again(call: Call, name: str) -> None:
    done = call("show", name)
    assert read_text(done.out, source="shown").modules == {name: builtin_catalogue().module(name)}


def test_a_module_of_a_file_is_shown_without_the_secrets_beside_it(call: Call, own: Path) -> None:
    done = call("show", "mine", "--config.file", own)
    assert "sysName" in done.out
    assert "do-not-show" not in done.out


def test_an_unknown_module_is_refused_with_the_known_ones(call: Call) -> None:
    with pytest.raises(ModuleError, match=r"unknown module 'nope'; known: .*if_mib"):
        call("show", "nope")


# --------------------------------------------------------------------------------------------------------------- check


def test_a_valid_file_gives_a_summary(call: Call, own: Path) -> None:
    done = call("check", own)
    assert (done.code, done.out, done.err) == (0, "", "1 module with 1 metric, 1 auth, 0 problems\n")


def test_problems_are_lines_with_file_and_line_and_exit_with_2(call: Call, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yml"
    wrong.write_text(OWN.replace("walk:", "walkz:").replace("{community: do-not-show}", "{version: 9}"))
    done = call("check", wrong)
    assert done.code == 2
    first, second = done.out.splitlines()
    assert first.startswith(f"{wrong}:3: unknown key 'walkz'")
    assert second.startswith(f"{wrong}:7: ")
    assert done.err.endswith("0 modules with 0 metrics, 0 auths, 2 problems\n")


def test_a_missing_file_does_not_stop_the_others(call: Call, own: Path, tmp_path: Path) -> None:
    done = call("check", tmp_path / "none.yml", own)
    assert done.code == 2
    assert done.out == f"{tmp_path / 'none.yml'}:1: cannot be read: no such file or directory\n"
    assert "1 module with 1 metric" in done.err


def test_files_that_define_nothing_are_a_problem(call: Call, tmp_path: Path) -> None:
    (empty := tmp_path / "empty.yml").touch()
    done = call("check", empty)
    assert done.code == 2
    assert done.out.startswith(f"{empty}:1: ")


def test_an_endless_file_is_refused(call: Call) -> None:
    done = call("check", Path("/dev/zero"))
    assert done.code == 2
    assert done.out.startswith("/dev/zero:1: cannot be read: larger than 64 MiB")


def test_a_file_that_is_not_text_is_a_problem_with_its_line(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "latin.yml"
    path.write_bytes(b"# one\n# caf\xe9\n")
    assert call("check", path).out == f"{path}:2: it is not text in UTF-8\n"


def test_one_name_in_two_files_is_a_problem(call: Call, own: Path, tmp_path: Path) -> None:
    twin = tmp_path / "twin.yml"
    twin.write_text(OWN)
    done = call("check", own, twin)
    assert done.code == 2
    assert f"module 'mine' is already defined in {own}" in done.out
    assert "auth 'secret_v2'" in done.out
    assert "do-not-show" not in done.out + done.err


def test_a_file_named_twice_is_checked_once(call: Call, own: Path) -> None:
    assert call("check", own, own).code == 0


def test_a_module_that_loads_but_cannot_work_is_a_note(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "odd.yml"
    path.write_text(OWN.replace("1.3.6.1.2.1.1.5", "1.3.6.1.2.1.2.1"))
    done = call("check", path)
    assert (done.code, done.out) == (0, "")
    assert f"note: {path}:5: module 'mine': metric sysName " in done.err


def test_check_expands_variables_as_serve_with_the_same_flag(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "auths.yml"
    path.write_text("auths: {a: {version: 3, username: u, security_level: authNoPriv, password: 'pa$$w$missing1'}}\n")
    assert call("check", path).code == 0
    done = call("check", "--config.expand-environment-variables", path)
    assert done.code == 2
    assert "environment variable missing1 is not set" in done.out


def test_check_ignores_unknown_keys_as_serve_with_the_same_setting(
    call: Call, own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own.write_text(f"tomorrow: 1\n{own.read_text()}")
    assert call("check", own).code == 2
    monkeypatch.setenv("SNMP_CONFIG_UNKNOWN_KEYS", "warn")
    done = call("check", own)
    assert (done.code, done.out) == (0, "")
    assert f"note: {own}:1: ignored: unknown key 'tomorrow' in the file" in done.err


def test_check_needs_a_file(call: Call) -> None:
    with pytest.raises(click.UsageError):
        call("check")


# --------------------------------------------------------------------------------------------------------------- match


def test_match_shows_the_device_and_a_reason_for_each_module(call: Call) -> None:
    agent = SimulatedAgent(Mib.of(SWITCH))
    with running(agent):
        done = call("match", agent.target)
    assert done.code == 0
    lines = done.out.splitlines()
    assert "sysName      core" in lines
    assert "vendor       MikroTik" in lines
    assert "modules      system,if_mib,mikrotik" in lines
    reasons = dict(line.split(maxsplit=1) for line in lines if "  " in line)
    assert reasons["if_mib"] == "answers to ifTable (1.3.6.1.2.1.2.2)"
    assert reasons["health"].startswith("mikrotik")
    assert "\x1b" not in done.out


def test_the_match_is_json_on_demand(call: Call) -> None:
    agent = SimulatedAgent(Mib.of(SWITCH))
    with running(agent):
        found = json.loads(call("match", "--json", agent.target).out)
    assert (found["vendor"], found["sysObjectID"]) == ("MikroTik", "1.3.6.1.4.1.14988.1")
    assert [one["name"] for one in found["modules"]] == ["system", "if_mib", "mikrotik"]
    assert all(one["reason"] for one in found["modules"])


def test_match_works_with_a_v3_user(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    user = User(
        "monitor", SecurityLevel.AUTH_PRIV, AuthProtocol.SHA, "authenticate-me", PrivProtocol.AES, "keep-private"
    )
    monkeypatch.setenv("PROMSNMP_AUTH_PASSPHRASE", "authenticate-me")
    monkeypatch.setenv("PROMSNMP_PRIV_PASSPHRASE", "keep-private")
    agent = SimulatedAgent(Mib.of(SWITCH), users=[user])
    with running(agent):
        done = call("match", "-u", "monitor", "-a", "SHA", "-x", "AES", agent.target)
    assert "vendor       MikroTik" in done.out


def test_a_device_that_refuses_is_an_error(call: Call) -> None:
    with pytest.raises(SnmpError, match="connection refused"):
        call("match", "-t", "1", "-r", "0", f"127.0.0.1:{free_udp_port()}")


@pytest.mark.parametrize("words", [("match", "300.1.1.1:x"), ("match", "-t", "nan", "127.0.0.1"), ("match",)])
def test_wrong_arguments_are_usage_errors(call: Call, words: tuple[str, ...]) -> None:
    with pytest.raises(click.UsageError):
        call(*words)


def test_the_help_lists_every_subcommand_without_importing_build(call: Call) -> None:
    done = call("--help")
    assert [name for name in ("build", "check", "list", "match", "show") if f"  {name} " not in done.out] == []


def test_build_is_one_of_the_subcommands(call: Call) -> None:
    assert "--mibs" in call("build", "--help").out
