"""What polls found out reaches the inventory: from the leader, from other replicas, and after failures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from promsnmp.errors import InventoryUnavailable, OutcomeUnknown
from promsnmp.inventory.model import Device, Inventory
from promsnmp.polling.detection.detected_modules import DetectedModules
from promsnmp.polling.detection.findings import Findings
from promsnmp.polling.detection.seen_identities import SeenIdentities
from tests.support.inventory.memory_store import MemoryStore

INVENTORY = Inventory((Device("one", "core"), Device("two", "edge")))


class Models(Findings[str]):
    """Models of devices."""

    kind = "models"

    @staticmethod
    def with_finding(device: Device, finding: str) -> Device:
        return device if device.model == finding else replace(device, model=finding)

    def add(self, **models: str) -> None:
        self._pending.update(models)

    def encode(self, findings: Mapping[str, str]) -> Mapping[str, Any]:
        return findings

    def decode(self, message: Mapping[str, Any]) -> dict[str, str]:
        return {name: model[:10] for name, model in message.items()}


class Leader:
    """Takes messages once it ``accepts``."""

    def __init__(self) -> None:
        self.accepts = False
        self.bodies: list[bytes] = []

    async def send(self, body: bytes) -> bool:
        self.bodies.append(body)
        return self.accepts


@pytest.fixture
def models() -> Models:
    return Models()


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore(INVENTORY)


def of(store: MemoryStore) -> list[str]:
    return [device.model for device in store.current.devices]


async def test_findings_are_stored_with_their_device_only(models: Models, store: MemoryStore) -> None:
    models.add(one="ASR", gone="MX")
    await models.store(store.update)
    assert of(store) == ["ASR", ""]
    assert store.current.devices[1] is INVENTORY.devices[1]


async def test_what_the_inventory_has_is_not_written_again(models: Models, store: MemoryStore) -> None:
    for _ in range(3):
        models.add(one="ASR")
        await models.store(store.update)
    await models.store(store.update)
    assert store.writes == 1


@pytest.mark.parametrize("error", [InventoryUnavailable("the disk is full"), OutcomeUnknown("no fsync")], ids=str)
async def test_a_write_that_fails_is_repeated_without_what_is_out_of_date(
    models: Models, store: MemoryStore, error: Exception
) -> None:
    models.add(one="ASR", two="MX")
    store.fails = error
    await models.store(store.update)
    models.add(two="QFX")
    store.fails = None
    await models.store(store.update)
    assert of(store) == ["ASR", "QFX"]


async def test_an_unexpected_error_is_raised_and_loses_nothing(models: Models, store: MemoryStore) -> None:
    models.add(one="ASR")
    store.fails = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        await models.store(store.update)
    store.fails = None
    await models.store(store.update)
    assert of(store) == ["ASR", ""]


async def test_a_replica_that_may_not_write_sends_to_the_leader_until_it_accepts(
    models: Models, store: MemoryStore
) -> None:
    leader, of_leader = Leader(), Models()
    models.add(one="ASR")
    await models.forward(leader.send)
    leader.accepts = True
    await models.forward(leader.send)
    await models.forward(leader.send)  # nothing is left
    assert leader.bodies == [b'{"one": "ASR"}'] * 2
    of_leader.receive(json.loads(leader.bodies[1]))
    await of_leader.store(store.update)
    assert of(store) == ["ASR", ""]


async def test_what_this_replica_found_itself_counts_more_than_a_message(models: Models, store: MemoryStore) -> None:
    models.add(one="ASR")
    models.receive({"one": "MX", "two": "QFX"})
    await models.store(store.update)
    assert of(store) == ["ASR", "QFX"]


@pytest.mark.parametrize("kind", [Models, DetectedModules, SeenIdentities])
@pytest.mark.parametrize("message", [None, 7, "text", [], {"one": 5}, {"identities": 7}], ids=json.dumps)
def test_other_content_is_refused(kind: type[Findings[object]], message: object) -> None:
    with pytest.raises(ValueError, match=r"^not a list of (models|detected modules|identities): \w+$"):
        kind().receive(message)
