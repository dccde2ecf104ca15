"""The command line: help, version, errors and exit codes."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Callable
from types import ModuleType

import click
import pytest

from promsnmp import __version__, errors
from promsnmp.cli import main as module
from promsnmp.cli.main import COMMANDS, run
from tests.support.tools import PROJECT


def promsnmp(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs the real command."""
    return subprocess.run(
        [sys.executable, "-m", "promsnmp", *arguments],
        env={**os.environ, "PYTHONPATH": str(PROJECT / "src")},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Replaces ``promsnmp walk`` by a function."""

    def put(work: Callable[[], object]) -> None:
        stand_in = ModuleType("promsnmp.cli.commands.walk")
        stand_in.walk = click.command("walk")(work)  # type: ignore[attr-defined]  # as the real module has it
        monkeypatch.setattr(module.Commands, "list_commands", lambda *_: ["walk"])
        monkeypatch.setitem(sys.modules, "promsnmp.cli.commands.walk", stand_in)

    return put


def _raise(error: BaseException) -> Callable[[], None]:
    def work() -> None:
        raise error

    return work


def test_help_lists_every_command_and_gives_examples() -> None:
    done = promsnmp("--help")
    assert done.returncode == 0
    for name in module.cli.list_commands(click.Context(module.cli)):
        assert f"  {name} " in done.stdout
        assert COMMANDS[name] in " ".join(done.stdout.split())
    assert "promsnmp serve --port" in done.stdout


def test_help_imports_no_command() -> None:
    code = (
        "import sys; from promsnmp.cli.main import run; run(['--help']);"
        "print([name for name in sys.modules if name.startswith(('promsnmp.', 'fastapi', 'pydantic', 'asyncio'))])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(PROJECT / "src")},
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = done.stdout.splitlines()[-1]
    of_config = ["promsnmp.cli.options", "promsnmp.cli.options.config_file"]
    assert sorted(ast.literal_eval(loaded)) == ["promsnmp.cli", "promsnmp.cli.main", *of_config, "promsnmp.errors"]


def test_the_version_is_the_package_s() -> None:
    done = promsnmp("--version")
    assert (done.returncode, done.stdout) == (0, f"promsnmp, version {__version__}\n")


@pytest.mark.parametrize("arguments", [["--nonsense"], ["nonsense"], ["serve", "--port", "70000"], ["serve", "extra"]])
def test_wrong_arguments_are_one_line_and_exit_code_2(arguments: list[str]) -> None:
    done = promsnmp(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("promsnmp: ")
    assert "--help" in line


def test_no_arguments_show_the_help_and_exit_with_2() -> None:
    done = promsnmp()
    assert done.returncode == 2
    assert "Commands:" in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.SnmpTimeout("no answer", target="192.0.2.1:161"), 1),
        (errors.InventoryDamaged("damaged"), 1),
        (errors.PromSnmpError("failed"), 1),
        (errors.SettingsError("SERVER_PORT: wrong"), 2),
        (errors.ModuleError("no such module"), 2),
        (errors.InventoryInvalid(["devices[0]: no agent"]), 2),
        (click.UsageError("wrong"), 2),
        (click.ClickException("failed"), 1),
    ],
)
def test_an_error_is_one_line_on_stderr_and_its_exit_code(
    command: Callable[[Callable[[], object]], None],
    capsys: pytest.CaptureFixture[str],
    error: Exception,
    code: int,
) -> None:
    command(_raise(error))
    assert run(["walk"]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("promsnmp: ")
    assert err.count("\n") == 1


def test_an_interrupt_is_quiet_and_130(
    command: Callable[[Callable[[], object]], None], capsys: pytest.CaptureFixture[str]
) -> None:
    command(_raise(KeyboardInterrupt()))
    assert run(["walk"]) == 130
    assert capsys.readouterr().err.strip() == ""


def test_a_command_that_succeeds_exits_with_0(command: Callable[[Callable[[], object]], None]) -> None:
    command(lambda: None)
    assert run(["walk"]) == 0


def test_a_command_chooses_its_exit_code(command: Callable[[Callable[[], object]], None]) -> None:
    command(lambda: click.get_current_context().exit(3))
    assert run(["walk"]) == 3


def test_a_closed_pipe_gives_no_traceback() -> None:
    code = (
        "import sys, click, types; from promsnmp.cli import main;"
        "stand_in = types.ModuleType('promsnmp.cli.commands.walk');"
        "stand_in.walk = click.command('walk')(lambda: [click.echo('x' * 1000) for _ in range(1000)]);"
        "sys.modules['promsnmp.cli.commands.walk'] = stand_in; main.Commands.list_commands = lambda *_: ['walk'];"
        "sys.argv = ['promsnmp', 'walk']; main.main()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(PROJECT / "src")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        assert process.stderr.read() == b""


def test_a_command_that_cannot_be_imported_does_not_break_the_others(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module.Commands, "list_commands", lambda *_: ["serve", "walk"])
    monkeypatch.setitem(sys.modules, "promsnmp.cli.commands.walk", None)
    assert run(["walk"]) == 1
    assert "'walk'" in capsys.readouterr().err
    assert run(["--help"]) == 0
