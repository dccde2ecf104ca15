"""The service of sources: readings, failures, held removals, leadership, and what it writes."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from promsnmp.errors import InventoryUnavailable, SourceError
from promsnmp.inventory.store import InventoryStore
from promsnmp.observe.health import Status
from promsnmp.settings.device_sources.group import read_definitions
from promsnmp.sources.factory import make_reader, make_state
from promsnmp.sources.service import FollowedSource, SourceService
from tests.support.inventory.samples import KEY
from tests.support.tools import until

CREDENTIALS = {"name": "campus", "version": 1, "type": "snmp-community", "readCommunity": "s3cret"}


class Leadership:
    def __init__(self) -> None:
        self.leads = True


async def a_store(tmp_path: Path) -> InventoryStore:
    store = InventoryStore(tmp_path / "inventory.json", KEY)
    store.load()
    await store.replace({"devices": [], "credentials": [CREDENTIALS]})
    return store


def write(path: Path, *numbers: int) -> None:
    """A file with these devices, replaced as a whole."""
    new = path.with_name("new")
    new.write_text(json.dumps([{"name": f"sw{one}", "address": f"192.0.2.{one}"} for one in numbers]))
    new.replace(path)


@asynccontextmanager
async def running(
    store: InventoryStore, *sources: dict[str, Any], leads: Callable[[], bool] = lambda: True
) -> AsyncIterator[SourceService]:
    definitions = read_definitions(json.dumps([{"credentials": "campus", "interval": "1h"} | one for one in sources]))
    followed = [FollowedSource(make_state(one), make_reader(one)) for one in definitions]
    service = SourceService(store, followed, leads=leads, watch=0.02)
    service.start()
    try:
        yield service
    finally:
        await service.stop()


def names(store: InventoryStore) -> list[str]:
    return [device.sys_name for device in store.current.devices]


async def test_a_file_is_followed_with_one_write_for_each_change(tmp_path: Path) -> None:
    store, path = await a_store(tmp_path), tmp_path / "devices.json"
    write(path, 1, 2)
    async with running(store, {"name": "files", "type": "file", "path": str(path)}) as service:
        await until(lambda: names(store) == ["sw1", "sw2"])
        revision = store.current.revision
        for _ in range(3):
            await service.sync("files")
        assert store.current.revision == revision
        write(path, 2, 3)
        await until(lambda: names(store) == ["sw2", "sw3"])
        await service.sync("files")  # the reading that wrote is over then
        assert store.current.revision == revision + 1
        assert service.check().status is Status.UP
        samples = {
            (sample.name, *sample.labels.values()): sample.value
            for family in service.families()
            for sample in family.samples
        }
    assert samples["promsnmp_source_up", "files"] == 1
    assert samples["promsnmp_source_devices", "files"] == 2
    assert samples["promsnmp_source_changes_total", "files", "added"] == 3


async def test_a_source_that_fails_keeps_its_devices_and_is_told(tmp_path: Path) -> None:
    store, path = await a_store(tmp_path), tmp_path / "devices.json"
    write(path, 1)
    async with running(store, {"name": "files", "type": "file", "path": str(path)}) as service:
        await until(lambda: names(store) == ["sw1"])
        path.write_text("[")
        await until(lambda: bool(service.states[0].error))
        assert names(store) == ["sw1"]
        check = service.check()
        assert (check.status, "not valid JSON" in str(check.details["error"])) == (Status.UNKNOWN, True)
        with pytest.raises(SourceError):
            await service.accept("files")
        with pytest.raises(KeyError):
            await service.sync("nosuch")
        write(path, 1, 2)
        await service.sync("files")
        assert names(store) == ["sw1", "sw2"]


async def test_removals_that_are_held_back_wait_for_somebody(tmp_path: Path) -> None:
    store, path = await a_store(tmp_path), tmp_path / "devices.json"
    write(path, *range(1, 11))
    async with running(store, {"name": "files", "type": "file", "path": str(path)}) as service:
        await until(lambda: len(names(store)) == 10)
        write(path, 1, 2)
        await until(lambda: len(service.states[0].result.held) == 8)
        assert len(names(store)) == 10
        document = service.document("files")
        assert document is not None
        assert (document["held"], service.check().status) == (8, Status.UNKNOWN)
        assert await service.accept("files", 7) is False
        assert len(names(store)) == 10
        assert await service.accept("files", 8) is True
        assert (names(store), service.check().status) == (["sw1", "sw2"], Status.UP)


async def test_removals_are_done_after_enough_readings_that_agree(tmp_path: Path) -> None:
    store, path = await a_store(tmp_path), tmp_path / "devices.json"
    write(path, *range(1, 11))
    async with running(store, {"name": "files", "type": "file", "path": str(path), "accept_after": 3}) as service:
        await until(lambda: len(names(store)) == 10)
        path.write_text("[]")
        await until(lambda: len(service.states[0].result.held) == 10)
        write(path, 1)
        await until(lambda: len(service.states[0].result.held) == 9)
        await service.sync("files")
        assert len(names(store)) == 10
        await service.sync("files")
        assert names(store) == ["sw1"]


async def test_only_the_leader_reads(tmp_path: Path) -> None:
    store, path, leadership = await a_store(tmp_path), tmp_path / "devices.json", Leadership()
    write(path, 1)
    leadership.leads = False
    source = {"name": "files", "type": "file", "path": str(path)}
    async with running(store, source, leads=lambda: leadership.leads) as service:
        assert (list(service.families()), service.states[0].read_at) == ([], 0.0)
        assert service.check().status is Status.UP
        leadership.leads = True
        service.note_leadership()
        await until(lambda: names(store) == ["sw1"])
        leadership.leads = False
        service.note_leadership()
        assert service.states[0].reading is None


async def test_a_write_that_is_refused_is_the_source_s_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, path = await a_store(tmp_path), tmp_path / "devices.json"
    async with running(store, {"name": "files", "type": "file", "path": str(path)}) as service:
        await until(lambda: bool(service.states[0].error))

        async def update(*_: object, **__: object) -> None:
            raise InventoryUnavailable("the disk is full")

        monkeypatch.setattr(store, "update", update)
        write(path, 1)
        with pytest.raises(SourceError, match="the disk is full"):
            await service.sync("files")
        monkeypatch.undo()
        await service.sync("files")
        assert names(store) == ["sw1"]


async def test_sources_that_are_gone_from_the_settings_are_counted(tmp_path: Path) -> None:
    store, path = await a_store(tmp_path), tmp_path / "devices.json"
    write(path, 1, 2)
    async with running(store, {"name": "old", "type": "file", "path": str(path)}):
        await until(lambda: len(names(store)) == 2)
    async with running(store) as service:
        assert (service.is_on, service.orphans(), names(store)) == (False, {"old": 2}, ["sw1", "sw2"])
