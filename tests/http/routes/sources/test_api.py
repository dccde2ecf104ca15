"""``/promsnmp/sources`` and ``promsnmp sources`` of a running service."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest

from promsnmp.cli.main import run
from tests.support.service.service_process import ServiceProcess
from tests.support.tools import wait_until

PATH = "/promsnmp/sources"
Command = Callable[..., SimpleNamespace]


class Serving:
    """A service with the source ``files``, and the file of that source."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "devices.yml"
        self.write(range(1, 11))
        self.sources = json.dumps([
            {"name": "files", "type": "file", "path": str(self.file), "credentials": "campus",
             "labels": {"site": "ber"}},
            {"name": "gone", "type": "file", "path": str(folder / "nosuch.json"), "credentials": "campus"},
        ])  # fmt: skip
        self.process = ServiceProcess(folder, env={"COLLECTION_INTERVAL": "0", "DEVICE_SOURCES": self.sources})
        credentials = {"version": 1, "type": "snmp-community", "readCommunity": "s3cret"}
        assert self.client.put("/promsnmp/credentials/campus", json=credentials).status_code == 201

    @property
    def client(self) -> httpx.Client:
        return self.process.client

    def write(self, numbers: range | list[int]) -> None:
        new = self.file.with_name("new")
        new.write_text("".join(f"- {{name: sw{one}, address: 127.9.0.{one}, port: 1161}}\n" for one in numbers))
        new.replace(self.file)

    def names(self) -> list[str]:
        return [one["sysName"] for one in self.client.get("/promsnmp/devices").json()["devices"]]


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    found = Serving(tmp_path_factory.mktemp("sources"))
    with found.process:
        yield found


@pytest.fixture
def promsnmp(serving: Serving, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    monkeypatch.setenv("PROMSNMP_URL", serving.process.url)
    monkeypatch.setenv("DEVICE_SOURCES", serving.sources)
    monkeypatch.setenv("PROM_INV_FILE", str(serving.process.folder / "inventory.json"))

    def call(*arguments: str) -> SimpleNamespace:
        code = run(["sources", *arguments])
        captured = capsys.readouterr()
        assert "s3cret" not in captured.out + captured.err
        return SimpleNamespace(code=code, out=captured.out, err=captured.err)

    return call


def test_a_source_is_followed_from_the_file_to_the_targets(serving: Serving, promsnmp: Command) -> None:
    client = serving.client
    before = promsnmp("check")
    assert before.code == 1
    assert "nosuch.json" in before.out
    assert "10 read, 10 in the inventory" in promsnmp("sync", "files").out
    assert len(serving.names()) == 10
    (device,) = client.get("/promsnmp/devices", params={"query": "sysname=sw1 source=files"}).json()["devices"]
    assert (device["source"]["name"], device["labels"]) == ("files", {"site": "ber"})
    assert device["primaryAgent"]["credentialsName"] == "campus"
    targets = [one["labels"]["__meta_promsnmp_source"] for one in client.get("/targets").json()]
    assert targets == ["files"] * 10
    shown = client.get(PATH).json()
    assert [(one["name"], one["devices"], bool(one["error"])) for one in shown["sources"]] == [
        ("files", 10, False), ("gone", 0, True),
    ]  # fmt: skip
    assert 'promsnmp_source_devices{source="files"} 10.0' in client.get("/metrics").text
    assert client.get("/actuator/health/sources").json()["status"] == "UNKNOWN"
    assert "files" in promsnmp("list").out
    assert json.loads(promsnmp("list", "--json").out)["orphans"] == {}


def test_what_an_operator_changes_of_a_source_s_device_comes_back_and_the_rest_stays(serving: Serving) -> None:
    client = serving.client
    client.post(f"{PATH}/files/sync")
    path = "/promsnmp/devices/sw2"
    patched = client.patch(path, json={"labels": {"site": "mine", "own": "x"}, "sysLocation": "cellar"})
    assert patched.status_code == 200, patched.text
    assert client.post(f"{PATH}/files/sync").status_code == 200
    device = client.get(path).json()
    assert (device["labels"], device["sysLocation"]) == ({"site": "ber", "own": "x"}, "cellar")
    assert client.patch(path, json={"source": None}).status_code == 200
    assert client.post(f"{PATH}/files/sync").json()["conflicts"][0].startswith("sw2 (127.9.0.2:1161): ")
    assert client.patch(path, json={"source": "files"}).status_code == 200
    assert client.post(f"{PATH}/files/sync").json()["conflicts"] == []
    assert client.get(path).json()["source"]["key"] == "sw2"
    assert client.patch(path, json={"source": "a b"}).status_code == 400


def test_held_removals_are_accepted(serving: Serving, promsnmp: Command) -> None:
    client = serving.client
    serving.write(range(1, 11))
    client.post(f"{PATH}/files/sync")
    assert "no removals" in promsnmp("accept", "files").out
    serving.write([1, 2])
    wait_until(lambda: client.get(f"{PATH}/files").json()["held"] == 8)
    assert len(serving.names()) == 10
    assert client.post(f"{PATH}/files/accept", params={"removals": 3}).status_code == 409
    assert "8 removals held back" in promsnmp("list").out
    assert "8 removals held back" in promsnmp("check", "files").out
    assert promsnmp("accept", "files", "--yes").code == 0
    assert serving.names() == ["sw1", "sw2"]


def test_wrong_names_and_sources_that_fail(serving: Serving, promsnmp: Command) -> None:
    client = serving.client
    for method, path in (("GET", "nosuch"), ("POST", "nosuch/sync"), ("POST", "nosuch/accept")):
        assert client.request(method, f"{PATH}/{path}").status_code == 404
    assert client.post(f"{PATH}/gone/sync").status_code == 502
    assert client.post(f"{PATH}/files/accept", params={"removals": -1}).status_code == 400
    assert promsnmp("sync", "gone").code == 1
    assert promsnmp("check", "nosuch").code == 2
    log = serving.process.output()
    assert "source files: 10 added" in log
    assert "s3cret" not in log
