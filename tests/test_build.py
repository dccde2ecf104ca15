"""The project builds with and without a compiler, its test tools work, and its documents are correct."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

import promsnmp
from scripts import compiled
from tests.support import tools
from tests.support.tools import PROJECT, SNMPD_AUTH, SNMPD_PRIV, Process, ProcessEnded, Snmpd, SnmpdUser, start_snmpd

SYS_NAME = "1.3.6.1.2.1.1.5.0"
PYPROJECT = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
MARKDOWN = sorted([*PROJECT.glob("*.md"), *PROJECT.glob("docs/**/*.md"), *PROJECT.glob("bench/*.md")])


# --- the build


def build_wheel(folder: Path, **environment: str) -> Path:
    """A wheel of a copy of the project, built with the tools installed here."""
    copy = folder / "promsnmp"
    made = shutil.ignore_patterns("*.c", "*.html", "*.so", "__pycache__", "*.egg-info")
    shutil.copytree(PROJECT / "src", copy / "src", ignore=made)
    shutil.copytree(PROJECT / "deploy", copy / "deploy")
    for name in ("pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE"):
        shutil.copy(PROJECT / name, copy)
    code = "import sys; from setuptools.build_meta import build_wheel; build_wheel(sys.argv[1])"
    subprocess.run(
        [sys.executable, "-c", code, str(folder)],
        cwd=copy,
        env={**os.environ, **environment},
        check=True,
        capture_output=True,
        timeout=110,
    )
    (wheel,) = folder.glob("*.whl")
    return wheel


def quick_compiler(folder: Path) -> Path:
    """The C compiler of the build without optimisation, which takes two thirds of its time."""
    script = folder / "cc"
    script.write_text(f'#!/bin/sh\nexec "{compiled.compiler()}" "$@" -O0\n')
    script.chmod(0o755)
    return script


def runs_compiled(wheel: Path) -> bool:
    """Whether the decoder of the unpacked ``wheel`` is compiled, in an interpreter that sees only the wheel."""
    unpacked = wheel.parent / "unpacked"
    zipfile.ZipFile(wheel).extractall(unpacked)
    code = "from promsnmp.snmp import ber; print(ber.__file__, ber.COMPILED)"
    ran = subprocess.run(
        [sys.executable, "-c", code],
        cwd=wheel.parent,
        env={**os.environ, "PYTHONPATH": str(unpacked)},
        check=True,
        capture_output=True,
        text=True,
    )
    path, answer = ran.stdout.split()
    assert Path(path).is_relative_to(unpacked)
    return answer == "True"


def test_with_a_compiler_the_wheel_contains_compiled_modules_and_their_sources(tmp_path: Path) -> None:
    if compiled.compiler() is None:
        tools.require_tool("gcc", package="gcc")
    wheel = build_wheel(tmp_path, CC=str(quick_compiler(tmp_path)))
    names = zipfile.ZipFile(wheel).namelist()
    assert any(re.fullmatch(r"promsnmp/snmp/ber\.cpython-.*\.so", name) for name in names)
    assert "promsnmp/snmp/ber.py" in names
    assert not [name for name in names if name.endswith((".c", ".html"))]
    assert runs_compiled(wheel)


@pytest.mark.parametrize("environment", [{"CC": "/bin/false"}, {"PROMSNMP_NO_COMPILE": "1"}])
def test_without_a_compiler_the_wheel_builds_and_runs_uncompiled(tmp_path: Path, environment: dict[str, str]) -> None:
    wheel = build_wheel(tmp_path, **environment)
    assert not [name for name in zipfile.ZipFile(wheel).namelist() if name.endswith(".so")]
    assert not runs_compiled(wheel)


def test_the_wheel_contains_every_file_read_at_run_time(tmp_path: Path) -> None:
    names = set(zipfile.ZipFile(build_wheel(tmp_path, PROMSNMP_NO_COMPILE="1")).namelist())
    source = tmp_path / "promsnmp" / "src"
    there = {str(path.relative_to(source)) for path in (source / "promsnmp").rglob("*") if path.is_file()}
    assert there - names == set()
    assets = ("grafana/device.json", "prometheus/alerts.yml", "promsnmp.schema.json", "systemd/promsnmp.service")
    assert {f"promsnmp/assets/{name}" for name in assets} <= names
    assert not [name for name in names if "assets/image/" in name]


def test_the_source_archive_has_what_the_wheel_is_made_of() -> None:
    lines = (PROJECT / "MANIFEST.in").read_text().splitlines()
    grafted = {line.split()[1] for line in lines if line.startswith("graft ")}
    assert {"deploy", "docs", "tests"} <= grafted
    named = {name for line in lines if line.startswith("include ") for name in line.split()[1:]}
    assert [name for name in named if not (PROJECT / name).exists()] == []


def test_an_older_python_gets_a_message_and_no_traceback() -> None:
    code = "import sys; sys.version_info = (3, 10); sys.argv = ['setup.py']; exec(open('setup.py').read())"
    ran = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert ran.stderr.startswith("PromSNMP needs Python 3.11 or newer")
    assert ran.stderr.count("\n") == 1


def test_the_package_says_where_the_project_is() -> None:
    project = PYPROJECT["project"]
    assert {"Homepage", "Documentation", "Repository", "Issues", "Changelog"} <= project["urls"].keys()
    assert project["authors"]


def test_a_stale_extension_is_noticed_whatever_the_file_times(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "src" / "hot.py"
    source.parent.mkdir()
    source.write_text("x = 1\n")
    (tmp_path / "pyproject.toml").write_text('[tool.promsnmp]\ncompiled = ["src/hot.py", "src/not_there.py"]\n')
    monkeypatch.setattr(compiled, "ROOT", tmp_path)
    assert compiled.sources() == [source]
    (extension,) = compiled.missing()
    assert compiled.outdated() == []

    extension.touch()
    note = compiled._note_of(extension)
    note.parent.mkdir(parents=True)
    note.write_text(compiled._digest(source))
    assert compiled.outdated() == []
    source.write_text("x = 2\n")
    os.utime(source, (0, 0))
    assert compiled.outdated() == [extension]

    monkeypatch.setenv("PROMSNMP_NO_COMPILE", "1")
    assert "PROMSNMP_NO_COMPILE" in compiled.build()
    assert not extension.exists()


def test_the_uncompiled_module_can_be_tested_beside_the_compiled_one() -> None:
    module = tools.import_uncompiled("promsnmp.snmp.ber")
    assert module.COMPILED is False
    assert str(module.__file__).endswith("ber.py")


# --- snmpd and other programs


def snmpget(target: str, *options: str) -> str:
    program = tools.require_tool("snmpget", package="snmp")
    command = [program, "-t", "2", "-r", "1", "-Oqv", *options, target, SYS_NAME]
    ran = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "MIBS": ""}, check=False)
    return ran.stdout.strip() or ran.stderr.strip()


def test_snmpd_answers_only_its_communities(snmpd: Callable[..., Snmpd]) -> None:
    agent = snmpd(communities=("public", "other"), extra_conf="sysName core-1")
    assert snmpget(agent.target, "-v2c", "-cpublic") == '"core-1"'
    assert snmpget(agent.target, "-v1", "-cother") == '"core-1"'
    assert "Timeout" in snmpget(agent.target, "-v2c", "-cwrong", "-t0.2", "-r0")


def test_snmpd_answers_over_ipv6(snmpd: Callable[..., Snmpd]) -> None:
    agent = snmpd(address="::1", extra_conf="sysName core-6")
    assert snmpget(f"udp6:{agent.target}", "-v2c", "-cpublic") == '"core-6"'


def test_snmpd_answers_users_of_every_level_and_pair_of_protocols(snmpd: Callable[..., Snmpd]) -> None:
    pairs = [(auth, priv) for auth in SNMPD_AUTH for priv in SNMPD_PRIV]
    users: list[SnmpdUser | tuple[str, ...]] = [SnmpdUser("nobody"), ("hashed", "auth", "SHA-512", "auth pass 1")]
    users += [
        SnmpdUser(f"{auth}-{priv}", "priv", SNMPD_AUTH[auth], "auth pass 1", SNMPD_PRIV[priv], "priv pass 1")
        for auth, priv in pairs
    ]
    agent = snmpd(users=users, extra_conf="sysName core-3")
    assert snmpget(agent.target, "-v3", "-lnoAuthNoPriv", "-unobody") == '"core-3"'
    assert snmpget(agent.target, "-v3", "-lauthNoPriv", "-uhashed", "-aSHA-512", "-Aauth pass 1") == '"core-3"'
    for auth, priv in pairs:
        secrets = (f"-a{SNMPD_AUTH[auth]}", "-Aauth pass 1", f"-x{SNMPD_PRIV[priv]}", "-Xpriv pass 1")
        assert snmpget(agent.target, "-v3", "-lauthPriv", f"-u{auth}-{priv}", *secrets) == '"core-3"', (auth, priv)


def test_snmpd_started_again_in_its_folder_is_the_same_engine_after_a_reboot(tmp_path: Path) -> None:
    def engine() -> tuple[str, int]:
        state = (tmp_path / "state" / "snmpd.conf").read_text()
        identity = re.search(r"^oldEngineID (\S+)", state, re.MULTILINE)
        boots = re.search(r"^engineBoots (\d+)", state, re.MULTILINE)
        assert identity is not None
        assert boots is not None
        return identity[1], int(boots[1])

    with start_snmpd(tmp_path) as first:
        pass
    before = engine()
    with start_snmpd(tmp_path, port=first.port):
        pass
    assert engine() == (before[0], before[1] + 1)


def test_a_stopped_snmpd_is_gone(snmpd: Callable[..., Snmpd]) -> None:
    agent = snmpd()
    assert agent.process.running
    assert agent.stop() == 0
    assert not tools.answers_discovery(agent.address, agent.port)


def test_snmpd_with_a_port_in_use_fails_with_its_own_message(snmpd: Callable[..., Snmpd]) -> None:
    taken = snmpd()
    with pytest.raises(ProcessEnded, match=r"Address already in use|Error opening"):
        snmpd(port=taken.port)
    assert tools.answers_discovery(taken.address, taken.port)


def test_a_program_that_ends_before_it_is_ready_shows_what_it_wrote(tmp_path: Path) -> None:
    with pytest.raises(ProcessEnded, match="ended with 3:\nno such luck"):
        Process(
            [sys.executable, "-c", "print('no such luck'); raise SystemExit(3)"],
            log=tmp_path / "log",
            ready=lambda: False,
        )


def test_a_program_that_never_becomes_ready_is_stopped(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    code = f"import os, time; open({str(pid_file)!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    with pytest.raises(AssertionError, match="did not get ready"):
        Process([sys.executable, "-c", code], log=tmp_path / "log", ready=lambda: False, deadline=1)
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid_file.read_text()), 0)


def test_a_program_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
    log = tmp_path / "log"
    with Process([sys.executable, "-c", code], log=log, ready=lambda: b"up" in log.read_bytes()) as program:
        assert program.stop(grace=0.1) == -9


def test_a_missing_program_skips_here_and_fails_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools, "SEARCH", "")
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="apt-get install redis-tools"):
        tools.require_tool("redis-cli", package="redis-tools")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="redis-cli is not installed"):
        tools.require_tool("redis-cli", package="redis-tools")


def test_programs_of_the_system_folders_are_found_without_them_in_the_path() -> None:
    assert Path(tools.require_tool("sysctl", package="procps")).name == "sysctl"
    assert "/usr/sbin" in tools.SEARCH.split(os.pathsep)


# --- make and the documents


def test_make_alone_lists_its_targets() -> None:
    listed = subprocess.run(["make"], cwd=PROJECT, check=True, capture_output=True, text=True).stdout
    names = re.findall(r"^  make (\w+)", listed, re.MULTILINE)
    assert {"demo", "test", "lint", "bench", "fuzz", "wheel", "clean"} <= set(names)


def variables_of_uv(folder: Path, **given: str) -> dict[str, str]:
    """The environment in which the Makefile runs uv, when ``given`` is set."""
    programs = folder / "bin"
    programs.mkdir()
    (folder / ".uv").touch()
    uv = programs / "uv"
    uv.write_text(f"#!/bin/sh\nenv > {folder}/variables\n")
    uv.chmod(0o755)
    unset = {"UV_SYSTEM_CERTS", "UV_DEFAULT_INDEX", "PIP_INDEX_URL", "PIP_CERT", "SSL_CERT_FILE"}
    env = {name: value for name, value in os.environ.items() if name not in unset} | given
    command = ["make", f"VENV={folder}", f"{folder}/.runtime"]
    subprocess.run(command, cwd=PROJECT, check=True, capture_output=True, env=env)
    lines = (folder / "variables").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


def test_uv_trusts_the_system_s_authorities_as_pip_does(tmp_path: Path) -> None:
    found = variables_of_uv(tmp_path)
    assert found["UV_SYSTEM_CERTS"] == "true"
    assert {"UV_DEFAULT_INDEX", "PIP_CERT"} & found.keys() == set()


def test_what_names_an_index_and_certificates_counts_for_pip_and_uv(tmp_path: Path) -> None:
    found = variables_of_uv(tmp_path, PIP_INDEX_URL="https://index.example/simple", SSL_CERT_FILE="/etc/company.pem")
    assert found["UV_DEFAULT_INDEX"] == "https://index.example/simple"
    assert found["PIP_CERT"] == found["SSL_CERT_FILE"] == "/etc/company.pem"


def test_a_step_says_what_it_does_how_long_it_took_and_how_it_ended() -> None:
    command = [str(PROJECT / "scripts" / "step"), "Installing", "sh", "-c", "echo it; exit 4"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 4
    assert re.fullmatch(r"Installing \.\.\.\nit\nInstalling: \d+ s, exit code 4\n", done.stdout)


def test_ci_runs_the_test_command_of_the_readme() -> None:
    commands = [line for line in (PROJECT / ".ci" / "run").read_text().splitlines() if "make" in line]
    assert commands == ["exec make test"]
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    assert re.search(r"^make test\b", readme, re.MULTILINE)
    assert re.search(r"^make demo\b", readme, re.MULTILINE)


@pytest.mark.parametrize("page", MARKDOWN, ids=lambda page: str(page.relative_to(PROJECT)))
def test_links_between_documents_resolve(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    links = re.findall(r"(?:\]\(|src=\")([^)#\"\s]+)", text)
    own = [link for link in links if not re.match(r"[a-z]+:", link)]
    assert [link for link in own if not (page.parent / link).exists()] == []


def test_every_dependency_has_a_reason() -> None:
    decisions = (PROJECT / "docs" / "decisions.md").read_text(encoding="utf-8").lower()
    project = PYPROJECT["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    names = {re.split(r"[\[<>=; ]", line)[0].lower() for group in groups for line in group} - {"promsnmp"}
    assert sorted(name for name in names if f"**{name}**" not in decisions) == []


def test_the_changelog_has_this_version() -> None:
    log = (PROJECT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"^## \[{re.escape(promsnmp.__version__)}\]", log, re.MULTILINE)
