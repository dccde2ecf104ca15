"""``promsnmp simulate`` as a user runs it."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.tools import PROJECT, Process, require_tool, wait_until

DESCR, UPTIME = "1.3.6.1.2.1.1.1.0", "1.3.6.1.2.1.1.3.0"
READY = "Press Ctrl-C"


def command(*words: str | Path) -> list[str]:
    return [sys.executable, "-m", "promsnmp", "simulate", *map(str, words)]


def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*words), capture_output=True, text=True, timeout=60, check=False, env={"PYTHONPATH": f"{PROJECT}/src"}
    )


def recording(folder: Path, name: str, *, extra: str = "") -> Path:
    path = folder / f"{name}.snmprec"
    path.write_text(f"{DESCR}|4|{name}\n{UPTIME}|67|123456\n{extra}")
    return path


class Simulation(Process):
    """The command, once its agents listen."""

    def __init__(self, folder: Path, *words: str | Path) -> None:
        log = folder / "simulate.log"
        log.write_bytes(b"")
        super().__init__(
            command(*words),
            log=log,
            ready=lambda: READY in log.read_text(),
            deadline=30,
            env={"PYTHONPATH": f"{PROJECT}/src"},
        )

    @property
    def targets(self) -> list[str]:
        return re.findall(r"-> (\S+)", self.output())

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(20)


def get(target: str, name: str, *options: str) -> str:
    tool = require_tool("snmpget", package="snmp")
    words = [tool, *(options or ("-v2c", "-cpublic")), "-Oqv", "-t2", "-r2", target, name]
    result = subprocess.run(words, capture_output=True, text=True, timeout=30, check=False)
    return (result.stdout or result.stderr).strip()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_each_file_has_an_agent_until_a_signal(tmp_path: Path, number: signal.Signals) -> None:
    files = [recording(tmp_path, name) for name in ("one", "two")]
    with Simulation(tmp_path, "--port", "0", *files) as simulation:
        one, two = simulation.targets
        assert (get(one, DESCR), get(two, DESCR)) == ('"one"', '"two"')
        assert simulation.end(number) == 0
        assert "Answered 2 requests with 2 varbinds" in simulation.output()


def test_ports_count_up_from_the_one_given(tmp_path: Path) -> None:
    files = [recording(tmp_path, name) for name in ("one", "two")]
    first = two_free_ports()
    with Simulation(tmp_path, "--port", str(first), *files) as simulation:
        assert simulation.targets == [f"127.0.0.1:{first}", f"127.0.0.1:{first + 1}"]


def test_without_a_port_ports_in_use_are_skipped(tmp_path: Path) -> None:
    files = [recording(tmp_path, name) for name in ("one", "two")]
    (tmp_path / "other").mkdir()
    with Simulation(tmp_path, *files) as first, Simulation(tmp_path / "other", *files) as second:
        assert not set(first.targets) & set(second.targets)


def test_a_port_in_use_is_named_in_one_line(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        result = run("--port", str(port), recording(tmp_path, "one"))
    assert result.returncode == 1
    assert result.stderr == (
        f"promsnmp: 127.0.0.1:{port} is in use by another program; choose another port with --port\n"
    )


def test_a_foreign_address_is_named_in_one_line(tmp_path: Path) -> None:
    result = run("--address", "192.0.2.1", recording(tmp_path, "one"))
    assert (result.returncode, result.stderr.count("\n")) == (1, 1)
    assert "192.0.2.1 is not an address of this machine" in result.stderr


def test_an_unusable_file_is_reported_in_one_line_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "bad.snmprec"
    path.write_text("\nnot a recording\nneither\n")
    result = run(path)
    assert (result.returncode, result.stderr.count("\n")) == (1, 1)
    assert result.stderr.startswith(f"promsnmp: {path}:2: 'not a recording' is not OID|TAG|VALUE")
    gone = run(tmp_path / "gone.snmprec")
    assert (gone.returncode, gone.stderr) == (1, f"promsnmp: {tmp_path}/gone.snmprec: no such file or directory\n")


def test_bad_lines_are_reported_and_the_rest_is_answered(tmp_path: Path) -> None:
    path = recording(tmp_path, "half", extra="1.3.6.x|4|a\n")
    with Simulation(tmp_path, "--port", "0", path) as simulation:
        assert f"{path}:3: '1.3.6.x' is not an OID" in simulation.output()
        assert get(simulation.targets[0], DESCR) == '"half"'


def test_strict_refuses_a_bad_line(tmp_path: Path) -> None:
    path = recording(tmp_path, "half", extra="1.3.6.x|4|a\n")
    result = run("--strict", "--port", "0", path)
    assert result.returncode == 1
    assert result.stderr.startswith(f"promsnmp: {path}:3: ")


def test_another_community_and_a_v3_user_are_answered(tmp_path: Path) -> None:
    words = ("--community", "secret", "--user", "monitor", "--auth-passphrase", "authenticate")
    path = recording(tmp_path, "one")
    with Simulation(tmp_path, "--port", "0", *words, "--priv-passphrase", "keep-private", path) as simulation:
        target = simulation.targets[0]
        v3 = ("-v3", "-umonitor", "-lauthPriv", "-aSHA-256", "-Aauthenticate", "-xAES-256", "-Xkeep-private")
        assert get(target, DESCR, *v3) == '"one"'
        assert get(target, DESCR, "-v1", "-csecret") == '"one"'
        assert "Timeout" in get(target, DESCR)
        assert not re.search("secret|authenticate|keep-private", simulation.output())


def test_moving_makes_the_uptime_tick(tmp_path: Path) -> None:
    path = recording(tmp_path, "one")
    with Simulation(tmp_path, "--port", "0", path) as still:
        assert get(still.targets[0], UPTIME, "-v2c", "-cpublic", "-Ot") == "123456"
    with Simulation(tmp_path, "--port", "0", "--moving", path) as moving:
        wait_until(
            lambda: int(get(moving.targets[0], UPTIME, "-v2c", "-cpublic", "-Ot")) > 123456, what="the uptime moving"
        )


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ((), "Missing argument 'FILE...'"),
        (("--port", "70000", "x"), "70000 is not in the range"),
        (("--auth-passphrase", "authenticate", "x"), "add --user NAME"),
        (("--user", "me", "--priv-passphrase", "keep-private", "x"), "needs --auth-passphrase"),
        (("--user", "me", "--auth-passphrase", "short", "x"), "shorter than 8 characters"),
    ],
)
def test_wrong_options_are_explained_in_one_line(words: tuple[str, ...], reason: str) -> None:
    result = run(*words)
    assert (result.returncode, result.stderr.count("\n")) == (2, 1)
    assert reason in result.stderr


def test_help_has_an_example_with_snmpwalk() -> None:
    assert "snmpwalk -v2c -c public 127.0.0.1:16100" in run("--help").stdout


def two_free_ports() -> int:
    """A free port whose next one is free, too."""
    for _ in range(50):
        with socket.socket(type=socket.SOCK_DGRAM) as one, socket.socket(type=socket.SOCK_DGRAM) as two:
            one.bind(("127.0.0.1", 0))
            port = int(one.getsockname()[1])
            try:
                two.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
            return port
    raise AssertionError("no two ports in a row are free")


def test_a_network_of_devices_answers_on_many_addresses_of_one_port(tmp_path: Path) -> None:
    path = recording(tmp_path, "switch", extra="1.3.6.1.2.1.1.5.0|4|sw\n")
    with Simulation(tmp_path, "--network", "127.61.0.0/24", "--devices", "3", "--port", "0", path) as running:
        first, last, port = re.findall(r"3 devices from (\S+) to (\S+) in \S+, port (\d+)", running.output())[0]
        assert get(f"{first}:{port}", "1.3.6.1.2.1.1.5.0").endswith('"sw-00001"')
        assert get(f"{last}:{port}", "1.3.6.1.2.1.1.5.0").endswith('"sw-00003"')
        assert running.end(signal.SIGTERM) == 0
        assert "Answered 2 requests" in running.output()


@pytest.mark.parametrize(
    ("words", "reason"),
    [(["--devices", "3"], "add --network"), (["--network", "127.61.0.0/29", "--devices", "9"], "has 6 addresses"),
     (["--network", "192.0.2.0/24"], "is not on loopback"), (["--network", "x"], "'x'")],
)  # fmt: skip
def test_an_impossible_network_is_refused(tmp_path: Path, words: list[str], reason: str) -> None:
    ran = run(*words, recording(tmp_path, "switch"))
    assert ran.returncode == 2
    assert reason in ran.stderr
