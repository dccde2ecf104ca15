"""What ``make bare`` gives to a root and what it makes of a command's end; the roots themselves are its own test."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from scripts.bare import __main__ as bare
from scripts.bare import registries, roots, tutorial
from tests.support.service.certificates import Authority
from tests.support.tools import PROJECT, Process, wait_until

WORKFLOW = yaml.safe_load((PROJECT / ".github" / "workflows" / "bare.yml").read_text())


def test_ci_runs_every_root_when_what_it_depends_on_changes_and_every_night() -> None:
    assert WORKFLOW["jobs"]["bare"]["strategy"]["matrix"]["root"] == [root.name for root in roots.ROOTS]
    when = WORKFLOW[True]  # YAML 1.1's "on"
    assert when["schedule"]
    assert when["push"]["paths"] == when["pull_request"]["paths"]
    for path in when["push"]["paths"]:
        assert (PROJECT / path.removesuffix("/**")).exists(), path
    assert {"scripts/**", "Makefile", "pyproject.toml", "tests/support/**", "deploy/**"} <= set(when["push"]["paths"])


def test_without_root_it_says_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert bare.main([]) == 1
    assert "needs root" in capsys.readouterr().err


# ------------------------------------------------------------------------------------------------- the registries


def test_a_root_gets_where_pip_finds_packages_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    system, user = tmp_path / "pip.conf", tmp_path / "user.conf"
    system.write_text("[global]\nindex-url = https://a.example/simple\ncert = /host/ca.crt\nconstraint = /host/x.txt\n")
    user.write_text(
        "[global]\nindex-url = https://b.example/simple\nextra-index-url = file:///host https://c.example\n"
    )
    monkeypatch.setattr(registries, "_PIP", (str(system), str(user), str(tmp_path / "none.conf")))
    lines = registries._pip_settings().splitlines()
    assert lines == ["[global]", "index-url = https://b.example/simple", "extra-index-url = https://c.example"]


def test_a_root_gets_proxies_and_indexes_but_no_names_of_files(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {
        "HTTPS_PROXY": "http://p:1",
        "no_proxy": "localhost",
        "PIP_INDEX_URL": "https://i",
        "UV_INDEX": "https://j",
    }
    unchanged = {
        "SSL_CERT_FILE": "/host/ca.crt",
        "PIP_FIND_LINKS": "/host/wheels",
        "PYTHONPATH": "/host",
        "PIP_CERT": "/x",
    }
    for name in os.environ:
        monkeypatch.delenv(name)
    for name, value in {**given, **unchanged}.items():
        monkeypatch.setenv(name, value)
    assert registries.variables() == given


def test_authorities_of_this_machine_become_those_of_the_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known, company = Authority("known"), Authority("company")
    named = tmp_path / "named.pem"
    named.write_bytes(known.cert + company.cert)
    monkeypatch.setattr(registries, "_BUNDLES", ())
    for name in registries._NAMED:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SSL_CERT_FILE", str(named))
    root = tmp_path / "root"
    bundle = root / "etc" / "ssl" / "certs" / "ca-certificates.crt"
    bundle.parent.mkdir(parents=True)
    bundle.write_bytes(known.cert)
    registries._trust(root)
    written = [file.read_bytes() for file in (root / registries.AUTHORITIES).glob("*.crt")]
    assert company.cert in written
    assert known.cert not in written


def test_apt_s_settings_name_no_files_and_are_read_by_apt() -> None:
    settings = registries.apt_settings()
    assert "CaInfo" not in settings
    assert all(line.startswith("Acquire::") for line in settings.splitlines())


# ---------------------------------------------------------------------------------------------------- the commands


def test_what_a_command_writes_is_kept_and_its_end_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bare, "LOGS", tmp_path)
    command = bare.Command("a b", ["sh", "-c", "echo one; echo two; exit 3"], dict(os.environ), 60)
    command.read_until("one")
    with pytest.raises(bare.Failed, match="exit code 3"):
        command.read_until("three")
    assert command.lines == ["one", "two"]
    assert (tmp_path / "a-b.log").read_text() == "one\ntwo\n"


def test_a_command_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bare, "LOGS", tmp_path)
    command = bare.Command("x", ["sleep", "60"], dict(os.environ), 0.2)
    with pytest.raises(bare.Failed, match="took longer"):
        command.finish()
    monkeypatch.setattr(bare, "END_SECONDS", 0.1)  # it is not in a root
    command.kill()


def test_make_test_fails_without_tests_and_tells_the_summary() -> None:
    class Written:
        def __init__(self, code: int, *lines: str) -> None:
            self.lines, self.code = list(lines), code

        def finish(self) -> int:
            return self.code

        def kill(self) -> None:
            pass

    def ended(code: int, *lines: str) -> str:
        return bare.test(lambda *_: Written(code, *lines))  # type: ignore[arg-type]  # as Command, here

    assert ended(0, "===== 3 passed in 1.00s =====", "Running the tests: 1 s").startswith("3 passed in 1.00s")
    for code, line, message in (
        (1, "== 1 failed, 2 passed in 1s ==", "1 failed, 2 passed"),
        (0, "", "no test was run"),
    ):
        with pytest.raises(bare.Failed, match=message):
            ended(code, line)


def test_the_tutorial_is_run_as_written_and_has_to_print_what_the_page_shows_in_its_order() -> None:
    lines = tutorial.script().splitlines()
    assert lines[0].startswith("set -e")
    assert "~/promsnmp/bin/pip install ." in lines
    assert "sudo systemctl stop snmpd" in lines
    shown = re.findall(r"^```text\n(.*?)^```", tutorial.PAGE.read_text(), re.DOTALL | re.MULTILINE)
    printed = "\n".join(shown).splitlines()
    assert tutorial.missing(printed) == ""
    assert tutorial.missing(printed[::-1]) != ""
    assert "ALERTS" in tutorial.missing([line for line in printed if "ALERTS" not in line])


def test_the_tutorial_does_not_begin_where_its_ports_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        monkeypatch.setattr(tutorial, "PORTS", ((socket.SOCK_STREAM, port),))
        with pytest.raises(bare.Failed, match=str(port)):
            bare.read_tutorial(lambda *_: pytest.fail("it began"))


@pytest.mark.skipif(os.geteuid() != 0, reason="changes its user")
def test_the_first_process_of_a_root_passes_signals_on_and_tells_the_exit_code(tmp_path: Path) -> None:
    first = [sys.executable, str(PROJECT / "scripts" / "bare" / "init.py"), "0", "/"]
    assert subprocess.run([*first, "sh", "-c", "exit 7"], check=False).returncode == 7
    log = tmp_path / "log"
    script = "trap 'echo interrupted; exit 5' INT; echo ready; while true; do sleep 0.1; done"
    with Process([*first, "bash", "-c", script], log=log, ready=lambda: "ready" in log.read_text()) as process:
        process.process.send_signal(signal.SIGINT)
        wait_until(lambda: not process.running, what="its end")
        assert process.process.returncode == 5
        assert "interrupted" in process.output()
