"""The cached lists of targets: all devices, and filtered ones."""

from __future__ import annotations

import asyncio
import gzip
import json
from pathlib import Path

import pytest

from promsnmp.http.responses.cached import CachedResponse
from promsnmp.http.responses.targets_cache import TargetsCache
from promsnmp.inventory.devices import Devices
from promsnmp.inventory.query import DeviceSelector, parse_query
from promsnmp.inventory.store import InventoryStore
from promsnmp.inventory.targets import Site, TargetList
from tests.support.inventory.samples import KEY, document

EDGE = parse_query("edge")


@pytest.fixture
async def store(tmp_path: Path) -> InventoryStore:
    made = InventoryStore(tmp_path / "inventory.json", KEY)
    await made.replace(document())
    return made


def targets_cache(store: InventoryStore) -> TargetsCache:
    return TargetsCache(store, TargetList(site=Site("t", "s"), modules=()), DeviceSelector(()))


def targets(response: CachedResponse) -> list[str]:
    return [target for group in json.loads(gzip.decompress(response.gzip)) for target in group["targets"]]


async def test_the_whole_and_a_filtered_list_follow_the_inventory(store: InventoryStore) -> None:
    lists = targets_cache(store)
    assert targets(await lists.get(())) == ["core1.example.net", "edge2"]
    assert targets(await lists.get(EDGE)) == ["edge2"]
    await Devices(store).patch("edge2", {"sysName": "edge3"}, who="a")
    assert targets(await lists.get(())) == ["core1.example.net", "edge3"]
    assert targets(await lists.get(EDGE)) == ["edge3"]
    await Devices(store).remove("edge3", who="a")
    assert targets(await lists.get(EDGE)) == []


async def test_a_filtered_list_is_built_once_and_kept_until_the_inventory_changes(
    store: InventoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[object] = []
    select = DeviceSelector.select

    def counted(self: DeviceSelector, *arguments: object) -> object:
        made.append(arguments)
        return select(self, *arguments)  # type: ignore[arg-type]  # passed on as they came

    monkeypatch.setattr(DeviceSelector, "select", counted)
    lists = targets_cache(store)
    first, *others = await asyncio.gather(*(lists.get(EDGE) for _ in range(5)))
    assert all(other is first for other in others)
    assert await lists.get(EDGE) is first
    assert len(made) == 1
    await Devices(store).patch("edge2", {"sysContact": "x"}, who="a")
    assert await lists.get(EDGE) is not first
    assert len(made) == 2


async def test_the_etag_is_stable_while_the_list_is(store: InventoryStore) -> None:
    lists = targets_cache(store)
    whole, part = (await lists.get(())).etag, (await lists.get(EDGE)).etag
    await Devices(store).patch("core1.example.net", {"sysContact": "x"}, who="a")
    assert (await lists.get(())).etag != whole
    assert (await lists.get(EDGE)).etag == part
