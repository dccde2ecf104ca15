"""``promsnmp seeds``, on the inventory file and on a running service."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from promsnmp.cli import main
from tests.support.service.service_process import ServiceProcess

SECRET = "geheime-gemeinschaft"


@dataclass(frozen=True, slots=True)
class CommandResult:
    """How a command ended, and what it printed."""

    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., CommandResult]


@pytest.fixture(params=["file", "service"])
def seeds(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Run]:
    """Runs ``promsnmp seeds`` on one of the two."""
    monkeypatch.setenv("PROM_INV_FILE", str(tmp_path / "inventory.json"))

    def run(*words: str) -> CommandResult:
        status = main.run(["seeds", *words])
        return CommandResult(status, *capsys.readouterr())

    if request.param == "file":
        yield run
        return
    with ServiceProcess(tmp_path, env={"COLLECTION_INTERVAL": "0"}) as server:
        monkeypatch.setenv("PROMSNMP_URL", server.url)
        yield run


def test_seeds_are_added_listed_shown_and_removed(seeds: Run) -> None:
    added = seeds(
        "add",
        "192.0.2.0/24",
        "2001:db8::1-ff",
        "-c",
        SECRET,
        "-c",
        "other",
        "--label",
        "site=a",
        "--exclude",
        "192.0.2.9",
    )
    assert added.returncode == 0, added.stderr
    assert added.stdout.startswith("added 192.0.2.0/24 2001:db8::1-ff (")
    again = seeds("add", "198.51.100.7", "--json")
    other = json.loads(again.stdout)
    listed = seeds("list")
    assert "2 seeds" in listed.stdout
    assert "v2c, v2c" in listed.stdout
    first = next(one for one in json.loads(seeds("list", "--json").stdout) if one["id"] != other["id"])
    assert (first["exclude"], first["labels"]) == (["192.0.2.9"], {"site": "a"})
    assert json.loads(seeds("show", first["id"][:13].upper()).stdout) == first
    assert SECRET not in listed.stdout + seeds("show", first["id"]).stdout
    removed = seeds("remove", first["id"])
    assert removed.stdout == f"removed 192.0.2.0/24 2001:db8::1-ff ({first['id']})\n"
    assert [one["id"] for one in json.loads(seeds("list", "--json").stdout)] == [other["id"]]
    assert seeds("remove", "--all").returncode == 0
    assert json.loads(seeds("list", "--json").stdout) == []


def test_a_seed_says_how_its_new_devices_are_polled(seeds: Run) -> None:
    options = ("--interval", "5m", "--max-repetitions", "5", "--text-encoding", "cp1251", "--unconnected")
    seed = json.loads(seeds("add", "192.0.2.1", *options, "--json").stdout)
    expected = {"interval": 300_000, "maxRepetitions": 5, "textEncoding": "cp1251", "unconnected": True}
    assert expected.items() <= seed.items()
    assert json.loads(seeds("show", seed["id"]).stdout) == seed


def test_adding_the_same_seed_twice_keeps_one(seeds: Run) -> None:
    ids = {json.loads(seeds("add", "192.0.2.1", "--json").stdout)["id"] for _ in range(2)}
    assert len(ids) == 1


@pytest.mark.parametrize(
    ("words", "status", "reason"),
    [(["add", "10.0.0.0/8"], 2, "a /12"), (["add"], 2, "TARGET"), (["remove"], 2, "--all"),
     (["remove", "--all", "x"], 2, "--all"), (["show", "nothing"], 1, "no seed has the id nothing"),
     (["remove", "nothing"], 1, "no seed has the id nothing")],
)  # fmt: skip
def test_failures_are_reported(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], status: int,
    reason: str,
) -> None:  # fmt: skip
    monkeypatch.setenv("PROM_INV_FILE", str(tmp_path / "inventory.json"))
    assert main.run(["seeds", *words]) == status
    printed = capsys.readouterr()
    assert printed.out == ""
    assert reason in printed.err
