"""``promsnmp credentials`` and ``/promsnmp/credentials``: on the inventory file and on a running service."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.inventory.commands import Command, command_on
from tests.support.service.service_process import ServiceProcess


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    with ServiceProcess(tmp_path_factory.mktemp("credentials"), env={"COLLECTION_INTERVAL": "0"}) as server:
        yield server


@pytest.fixture(params=["file", "service"])
def promsnmp(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    serving: ServiceProcess,
) -> Command:
    url = serving.url if request.param == "service" else ""
    file = tmp_path / "inventory.json"
    return command_on("credentials", file, url, secrets=["s3cret"], monkeypatch=monkeypatch, capsys=capsys)


def test_they_are_set_listed_and_removed(promsnmp: Command) -> None:
    assert promsnmp("set", "campus", "-c", "s3cret").out.strip() == "added campus"
    assert promsnmp("set", "campus", "-c", "s3cret-2").out.strip() == "set campus"
    (found,) = json.loads(promsnmp("list", "--json").out)
    assert (found["name"], found["version"], found["readCommunity"], found["usedBy"]) == ("campus", 1, "******", 0)
    assert "campus" in promsnmp("list").out
    assert promsnmp("remove", "campus").code == 0
    assert promsnmp("remove", "campus").code == 1
    assert promsnmp("set", "a b", "-c", "s3cret").code == 2


def test_the_service_refuses_to_remove_those_in_use(serving: ServiceProcess) -> None:
    client, path = serving.client, "/promsnmp/credentials/core"
    given = {"version": 1, "type": "snmp-community", "readCommunity": "s3cret"}
    assert client.put(path, json=given).status_code == 201
    agent = {"endpoint": {"address": "192.0.2.77"}, "credentialsName": "core"}
    added = client.post("/promsnmp/devices", json={"agents": [agent]})
    assert (added.status_code, added.json()["agents"][0]["credentialsName"]) == (201, "core")
    assert (client.get(path).json()["usedBy"], client.get(f"{path}x").status_code) == (1, 404)
    assert client.delete(path).status_code == 409
    assert client.put(path, json={**given, "readCommunity": ""}).status_code == 400
    assert client.delete(f"/promsnmp/devices/{added.json()['id']}").status_code == 204
    assert client.delete(path).status_code == 204
    assert client.get("/promsnmp/credentials").json() == []
