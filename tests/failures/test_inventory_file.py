"""Writes whose end fails, and files that an operator sets right: real replicas over one file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.cluster.replica import DEVICES
from tests.support.failures.faults import inventory_file
from tests.support.failures.faults.inventory_file import WAYS_OUT
from tests.support.failures.fleet.fleets import replicas_with_file
from tests.support.failures.fleet.harness import BUSY, Fleet
from tests.support.inventory.faulty_calls import FaultyCalls
from tests.support.service.service_process import ServiceProcess
from tests.support.tools import wait_until

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("failures")]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("file") / "inventory.json"


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> FaultyCalls:
    return FaultyCalls(tmp_path_factory.mktemp("calls"))


@pytest.fixture(scope="module")
def fleet(file: Path, calls: FaultyCalls) -> Iterator[Fleet]:
    with replicas_with_file(file.parent, file, env={**calls.env, **inventory_file.OWN_KEY}) as made:
        yield made


def test_a_change_whose_folder_cannot_be_synced_is_not_refused(fleet: Fleet, calls: FaultyCalls, file: Path) -> None:
    print(inventory_file.folder_cannot_be_synced(fleet, calls, file=file, slack=BUSY))


@pytest.mark.parametrize("state", ["plain JSON", "an older file that is wanted", "a damaged file"])
def test_an_operator_sets_the_file_right(fleet: Fleet, file: Path, state: str) -> None:
    print(inventory_file.is_set_right(fleet, WAYS_OUT[state], file=file, slack=BUSY))


def test_a_replica_that_sees_another_volume_asks_another_one_for_unknown_targets(fleet: Fleet, tmp_path: Path) -> None:
    print(inventory_file.sees_another_volume(fleet, tmp_path / "inventory.json", slack=BUSY, reported=False))


def inventory_health(service: ServiceProcess) -> dict[str, Any]:
    health = service.client.get("/actuator/health/inventory").json()
    assert isinstance(health, dict)
    return health


def test_a_volume_without_locks_is_reported_at_the_start(tmp_path: Path, calls: FaultyCalls) -> None:
    with calls.no_locks(), ServiceProcess(tmp_path, env=calls.env) as service:
        wait_until(lambda: "locks" in inventory_health(service)["details"], what="the check of the locks")
        health = inventory_health(service)
        assert (health["status"], "two processes" in health["details"]["locks"]) == ("UP", True)
        assert "promsnmp_inventory_locks 0.0" in service.client.get("/metrics").text
        assert service.output().count("no working locks") == 1
        assert service.client.post(DEVICES, json={"sysName": "a", "agents": []}).status_code == 201
