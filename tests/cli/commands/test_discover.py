"""``promsnmp discover`` as a user runs it: on its own, saving to a file, with a service, and interrupted."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from promsnmp.cli import main
from tests.support.service.service_process import ServiceProcess
from tests.support.tools import PROJECT, Process, Snmpd, wait_until

SECRETS = ("geheim-gemeinschaft", "geheim-auth", "geheim-priv")
USER = ("monitor", "priv", "SHA-256", SECRETS[1], "AES-256", SECRETS[2])
PACE = ("-t", "0.3", "-r", "3")


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return {
        "PYTHONPATH": str(PROJECT / "src"),
        "PROM_INV_FILE": str(tmp_path / "inventory.json"),
        "PROMSNMP_AUTH_PASSPHRASE": SECRETS[1],
        "PROMSNMP_PRIV_PASSPHRASE": SECRETS[2],
    }


@dataclass(frozen=True, slots=True)
class CommandResult:
    """How a command ended, and what it printed."""

    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., CommandResult]


@pytest.fixture
def run(env: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command in this process."""
    for name, value in env.items():
        monkeypatch.setenv(name, value)

    def command(*words: str, name: str = "discover") -> CommandResult:
        status = main.run([name, *words])
        return CommandResult(status, *capsys.readouterr())

    return command


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    with ServiceProcess(tmp_path_factory.mktemp("discover"), env={"COLLECTION_INTERVAL": "0"}) as server:
        yield server


@pytest.fixture
def agent(snmpd: Callable[..., Snmpd]) -> Snmpd:
    return snmpd(communities=[SECRETS[0]], users=[USER], extra_conf="sysName alpha\nsysLocation cellar")


def test_found_devices_are_a_table_and_nothing_is_written(run: Run, agent: Snmpd, env: dict[str, str]) -> None:
    ran = run("127.0.0.1-3", "--port", str(agent.port), "-c", "wrong", "-c", SECRETS[0], *PACE)
    assert ran.returncode == 0, ran.stderr
    assert re.search(rf"^ *alpha +127\.0\.0\.1:{agent.port} +v2c +net-snmp +.*cellar +added", ran.stdout, re.MULTILINE)
    assert "3 of 3 addresses probed; 1 device found (1 new)" in ran.stderr
    assert not Path(env["PROM_INV_FILE"]).exists()
    assert not any(secret in ran.stdout + ran.stderr for secret in SECRETS)


def test_the_v3_user_is_tried_first_and_json_is_the_job(run: Run, agent: Snmpd) -> None:
    login = ("-u", "monitor", "-a", "SHA-256", "-x", "AES-256", "-c", SECRETS[0])
    ran = run("127.0.0.1", "--port", str(agent.port), *login, "--json")
    assert ran.returncode == 0, ran.stderr
    job = json.loads(ran.stdout)
    assert (job["state"], job["found"], job["devices"][0]["version"]) == ("finished", 1, "v3")


@pytest.mark.parametrize("form", ["yaml", "json"])
def test_more_credentials_come_from_a_file(run: Run, agent: Snmpd, tmp_path: Path, form: str) -> None:
    logins: list[dict[str, Any]] = [{"readCommunity": "wrong"}, {"version": "v2c", "readCommunity": SECRETS[0]}]
    text = json.dumps(logins) if form == "json" else "".join(f"- {json.dumps(one)}\n" for one in logins)
    (tmp_path / "logins").write_text(text)
    ran = run("127.0.0.1", "--port", str(agent.port), "--credentials", str(tmp_path / "logins"), "--json", *PACE)
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["found"] == 1


def test_no_device_exits_with_1(run: Run) -> None:
    ran = run("127.0.0.1", "--port", "9")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "0 devices found (0 new); 1 refused" in ran.stderr


def test_what_was_tried_is_said_without_secrets_when_nothing_answers(run: Run) -> None:
    ran = run("127.0.0.1", "--port", "9", "-c", SECRETS[0], "-c", "public", *PACE)
    assert "Tried: UDP port 9, v2c with 2 communities, 300 ms per packet, 3 retries" in ran.stderr
    assert "promsnmp walk" in ran.stderr
    assert SECRETS[0] not in ran.stderr


def test_devices_that_are_not_saved_are_compared_with_the_inventory(run: Run, agent: Snmpd) -> None:
    words = ("127.0.0.1", "--port", str(agent.port), "-c", SECRETS[0], *PACE, "--json")
    first = run(*words)
    assert "add --save" in first.stderr
    assert "add --save" not in run(*words, "--save").stderr
    changes = [[one["change"] for one in json.loads(ran.stdout)["devices"]] for ran in (first, run(*words))]
    assert changes == [["added"], ["unchanged"]]


@pytest.mark.parametrize(
    ("words", "reason"),
    [(["10.0.0.0/8"], "more than 1,048,576 (a /12)"), (["10.0.0.300"], "is not an address"), ([], "TARGET"),
     (["127.0.0.1", "--exclude", "127.0.0.0/8"], "leaves nothing"), (["127.0.0.1", "--exclude", "x"], "is a name"),
     (["127.0.0.1", "--label", "x"], "NAME=VALUE"), (["127.0.0.1", "--label", "1=x"], "labels.1"),
     (["127.0.0.1", "--detach"], "--detach needs --url"),
     (["127.0.0.1", "--url", "http://localhost:1", "--save"], "--save cannot be used with --url"),
     (["127.0.0.1", "-c", "a", "-v", "3"], "-c is for v1 and v2c"), (["127.0.0.1", "-v", "3"], "v3 needs a user"),
     (["127.0.0.1", "--credentials", "/nonexistent"], "No such file"),
     (["127.0.0.1", "--neighbours", "x"], "neighbours[0]")],
)  # fmt: skip
def test_wrong_arguments_are_one_line_and_exit_with_2(
    capsys: pytest.CaptureFixture[str], words: list[str], reason: str
) -> None:
    assert main.run(["discover", *words]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert reason in printed.err
    assert printed.err.startswith("promsnmp: ")
    assert len(printed.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("content", "reason"),
    [("[", "not valid YAML or JSON (line"), ("[]", "contains no credentials"), ("- 7", "[0]: must be an object"),
     ("- {readComunity: geheim-x}", "[0].readComunity: unknown key"),
     ("- {securityName: a, authProtocol: MD5, authPassphrase: kurz}", "[0].authPassphrase: "),
     ("\x00", "not valid YAML"), ("- {readCommunity: a}\n- {version: v9, readCommunity: geheim-x}", "[1].version")],
)  # fmt: skip
def test_a_bad_credentials_file_is_reported_without_secrets(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, content: str, reason: str
) -> None:
    (tmp_path / "logins").write_text(content)
    assert main.run(["discover", "127.0.0.1", "--credentials", str(tmp_path / "logins")]) == 2
    errors = capsys.readouterr().err
    assert reason in errors
    assert "geheim-x" not in errors


# -------------------------------------------------------------------------------------------------------- the file


def test_saved_devices_are_recognised_the_next_time(run: Run, agent: Snmpd) -> None:
    words = ("127.0.0.1", "--port", str(agent.port), "-c", SECRETS[0], "--save", "--save-seed", "--label", "site=lab")
    assert run(*words).returncode == 0
    (device,) = json.loads(run("list", "--json", name="devices").stdout)
    assert (device["sysName"], device["labels"]) == ("alpha", {"site": "lab"})
    (seed,) = json.loads(run("list", "--json", name="seeds").stdout)
    assert (seed["potentialTargets"], seed["labels"], seed["readCommunity"]) == (
        ["127.0.0.1"],
        {"site": "lab"},
        "******",
    )
    again = run(*words, "--json")
    assert json.loads(again.stdout)["devices"][0]["change"] == "unchanged"
    assert json.loads(again.stdout)["seedId"] == seed["id"]


def test_a_running_server_picks_up_saved_devices(run: Run, agent: Snmpd, tmp_path: Path, env: dict[str, str]) -> None:
    with ServiceProcess(tmp_path, env={"COLLECTION_INTERVAL": "0"}) as server:
        assert run("127.0.0.1", "--port", str(agent.port), "-c", SECRETS[0], "--save").returncode == 0
        wait_until(lambda: server.client.get("/targets").json() != [], deadline=30, what="the new target")
        assert server.client.get("/targets").json()[0]["targets"] == ["alpha"]


# ---------------------------------------------------------------------------------------------------- by a service


def test_a_service_searches_and_the_command_follows_the_job(run: Run, agent: Snmpd, service: ServiceProcess) -> None:
    words = ("127.0.0.1-2", "--port", str(agent.port), "-c", SECRETS[0], "--save-seed", "--url", service.url)
    ran = run(*words)
    assert ran.returncode == 0, ran.stderr
    assert "alpha" in ran.stdout
    assert service.client.get("/promsnmp/devices").json()["total"] == 1
    assert len(json.loads(run("list", "--json", "--url", service.url, name="seeds").stdout)) == 1
    detached = run(*words, "--detach", "--json")
    location = json.loads(detached.stdout)["location"]
    wait_until(lambda: service.client.get(location).json()["state"] == "finished", deadline=60, what="the search")


def test_a_refusal_of_the_service_is_reported_with_its_problems(run: Run, service: ServiceProcess) -> None:
    ran = run("10.0.0.0/8", "x y", "--url", service.url)
    assert ran.returncode == 2
    assert "a /12" in ran.stderr
    assert "'x y'" in ran.stderr


# ------------------------------------------------------------------------------------------------------- interrupted


@pytest.mark.parametrize("by_service", [False, True])
def test_ctrl_c_stops_the_search_and_keeps_the_devices_found(
    agent: Snmpd, tmp_path: Path, env: dict[str, str], run: Run, service: ServiceProcess, by_service: bool
) -> None:
    where = ["--url", service.url] if by_service else ["--save"]
    targets = ["127.0.0.1", "127.96.0.0/14"]
    command = [
        sys.executable,
        "-m",
        "promsnmp",
        "discover",
        *targets,
        "--port",
        str(agent.port),
        "-c",
        SECRETS[0],
        *where,
    ]
    before = {job["id"] for job in service.client.get("/promsnmp/discovery/jobs").json()}
    searching = Process(command, log=tmp_path / "discover.log", env=env)

    def found() -> bool:
        if not by_service:
            return Path(env["PROM_INV_FILE"]).exists()
        jobs = service.client.get("/promsnmp/discovery/jobs").json()
        return any(job["added"] + job["unchanged"] + job["updated"] for job in jobs if job["id"] not in before)

    wait_until(found, deadline=90, what="the first batch")
    searching.process.send_signal(signal.SIGINT)
    assert searching.process.wait(60) == 130
    assert "alpha" in searching.output()
    saved = run("list", "--json", *(where if by_service else []), name="devices")
    assert {device["sysName"] for device in json.loads(saved.stdout)} == {"alpha"}


def test_on_a_terminal_there_is_a_progress_bar(env: dict[str, str], agent: Snmpd) -> None:
    master, slave = pty.openpty()
    words = ["127.0.0.1-9", "--port", str(agent.port), "-c", SECRETS[0], *PACE]
    with subprocess.Popen(
        [sys.executable, "-m", "promsnmp", "discover", *words],
        stdout=subprocess.DEVNULL, stderr=slave, env={**os.environ, **env, "TERM": "xterm", "COLUMNS": "120"},
    ) as running:  # fmt: skip
        os.close(slave)
        shown = b""
        while chunk := _read(master):
            shown += chunk
        assert running.wait(60) == 0
    os.close(master)
    assert b"addresses" in shown
    assert b"packets/s" in shown


def _read(master: int) -> bytes:
    try:
        return os.read(master, 4096)
    except OSError:  # the other end is closed
        return b""
