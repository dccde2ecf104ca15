"""Many devices in one write: all or none, and what it costs for 20,000."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from promsnmp.errors import InventoryInvalid
from promsnmp.inventory.model import Device
from promsnmp.inventory.store import InventoryStore
from promsnmp.inventory.writes.many_devices import ManyDevices

FLEET = 20_000


async def stored(folder: Path, count: int) -> InventoryStore:
    store = InventoryStore(folder / "inventory.json", b"0123456789abcdef")
    store.load()
    devices = tuple(Device(f"00000000-0000-4000-8000-{at:012}", f"d{at}", labels=(("a", "1"),)) for at in range(count))
    await store.update(lambda old: replace(old, devices=devices))
    return store


async def test_labels_and_modules_of_some_devices(tmp_path: Path) -> None:
    store = await stored(tmp_path, 4)
    many, ids = ManyDevices(store), [one.id for one in store.current.devices[:2]]
    revision = store.current.revision
    assert await many.set_labels([*ids, "gone"], {"b": "2", "a": None}, who="me") == 2
    assert await many.set_modules(ids, ["if_mib", "if_mib"], who="me") == 2
    assert [(dict(one.labels), one.modules) for one in store.current.devices] == [
        ({"b": "2"}, ("if_mib",)), ({"b": "2"}, ("if_mib",)), ({"a": "1"}, ()), ({"a": "1"}, ()),
    ]  # fmt: skip
    assert store.current.revision == revision + 2
    assert await many.set_modules(ids, ["if_mib"], who="me") == 2
    assert store.current.revision == revision + 2, "nothing has changed"
    assert await many.remove(ids, who="me") == 2
    assert [one.sys_name for one in store.current.devices] == ["d2", "d3"]


@pytest.mark.parametrize("name", ["1a", "a-b", "", "a b"])
async def test_a_wrong_name_changes_nothing(tmp_path: Path, name: str) -> None:
    store = await stored(tmp_path, 1)
    before = store.current
    with pytest.raises(InventoryInvalid):
        await ManyDevices(store).set_labels([before.devices[0].id], {"good": "1", name: "2"}, who="me")
    with pytest.raises(InventoryInvalid):
        await ManyDevices(store).set_modules([before.devices[0].id], ["a b"], who="me")
    assert store.current is before


async def test_all_of_twenty_thousand_devices_in_one_write(tmp_path: Path) -> None:
    store = await stored(tmp_path, FLEET)
    ids = [one.id for one in store.current.devices]
    began = time.process_time()
    assert await ManyDevices(store).set_labels(ids, {"b": "2"}, who="me") == FLEET
    assert time.process_time() - began < 30
    assert all(dict(one.labels) == {"a": "1", "b": "2"} for one in store.current.devices)
