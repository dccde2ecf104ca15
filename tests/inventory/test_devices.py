"""Single devices of a store; ``tests/http/routes/test_devices.py`` tests them over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from pathlib import Path

import pytest

from promsnmp.errors import DeviceChanged, InventoryInvalid, SnmpTimeout, UnknownDevice
from promsnmp.inventory.devices import Devices
from promsnmp.inventory.model import LOST, Device
from promsnmp.inventory.store import InventoryStore
from promsnmp.inventory.writes.many_devices import ManyDevices
from tests.support.inventory.samples import KEY, document


@pytest.fixture
async def devices(tmp_path: Path) -> Devices:
    store = InventoryStore(tmp_path / "inventory.json", KEY)
    raw = document()
    raw["devices"][0] |= {"vendor": "cisco", "sysObjectId": "1.3.6.1.4.1.9.1", "unknown": {"kept": 1}, "status": LOST}
    await store.replace(raw)
    return Devices(store)


def refuse(_: Device | None) -> None:
    raise DeviceChanged("no")


async def test_a_check_that_refuses_prevents_every_change(devices: Devices) -> None:
    before = devices.snapshot
    for change in (
        devices.put("edge2", {"sysName": "x"}, who="a", check=refuse),
        devices.patch("edge2", {"sysName": "x"}, who="a", check=refuse),
        devices.remove("edge2", who="a", check=refuse),
    ):
        with pytest.raises(DeviceChanged):
            await change
    assert devices.snapshot is before


async def test_a_device_that_goes_while_a_change_waits_is_unknown(devices: Devices) -> None:
    results = await asyncio.gather(
        devices.remove("edge2", who="a"), devices.patch("edge2", {}, who="b"), devices.remove("edge2", who="c"),
        return_exceptions=True,
    )  # fmt: skip
    assert [type(result) for result in results] == [Device, UnknownDevice, UnknownDevice]


async def test_put_keeps_discovered_values_and_a_patch_removes_the_keys_that_it_names(devices: Devices) -> None:
    put, is_new = await devices.put("core1.example.net", {"sysName": "core1"}, who="a")
    assert (put.vendor, put.status, put.extra, is_new) == ("cisco", LOST, '{"unknown": {"kept": 1}}', False)
    patched = await devices.patch("core1", {"vendor": None, "sysObjectId": None, "status": None}, who="a")
    assert (patched.vendor, patched.sys_object_id, patched.status, patched.extra) == ("", "", "active", put.extra)


async def test_a_device_keeps_its_position_and_an_empty_change_is_not_written(devices: Devices) -> None:
    revision = devices.snapshot.inventory.revision
    same = await devices.patch("core1.example.net", {}, who="a")
    assert devices.snapshot.inventory.revision == revision
    assert same == devices.find(same.id)
    await devices.patch("core1.example.net", {"sysName": "renamed"}, who="a")
    assert [device.sys_name for device in devices.snapshot.inventory.devices] == ["renamed", "edge2"]


async def test_the_etag_is_the_same_in_every_process_and_depends_on_the_key(devices: Devices, tmp_path: Path) -> None:
    device = devices.find("edge2")
    other = InventoryStore(tmp_path / "inventory.json", KEY)
    other.load()
    assert Devices(other).etag(Devices(other).find("edge2")) == devices.etag(device)
    assert Devices(InventoryStore(tmp_path / "x", b"another key 0123")).etag(device) != devices.etag(device)


async def test_an_id_in_any_spelling_finds_and_another_one_in_the_document_is_refused(devices: Devices) -> None:
    device = devices.find("edge2")
    assert devices.find(device.id.upper().replace("-", "")) is device
    with pytest.raises(InventoryInvalid, match="leave it out"):
        await devices.put("edge2", {"id": "6a3c1d5e-0000-4000-8000-000000000001", "sysName": "x"}, who="a")
    with pytest.raises(UnknownDevice, match="there is no device 'nobody'"):
        devices.find("nobody")


async def test_a_change_names_no_new_module_that_is_not_loaded(tmp_path: Path) -> None:
    store = InventoryStore(tmp_path / "inventory.json", KEY)
    anything = Devices(store)
    await anything.add({"sysName": "old", "modules": ["gone"]}, who="a")
    checked, many = Devices(store, lambda: ("if_mib",)), ManyDevices(store, lambda: ("if_mib",))
    before = checked.snapshot
    refused: list[Coroutine[object, object, object]] = [
        checked.add({"sysName": "x", "modules": ["if_mibb"]}, who="a"),
        checked.put("old", {"sysName": "x", "modules": ["gone", "other"]}, who="a"),
        checked.patch("old", {"modules": ["other"]}, who="a"),
        many.set_modules([before.inventory.devices[0].id], ["other"], who="a"),
    ]
    for change in refused:
        with pytest.raises(InventoryInvalid, match="unknown module"):
            await change
    assert checked.snapshot is before
    assert (await checked.patch("old", {"sysName": "new"}, who="a")).modules == ("gone",)
    assert (await checked.add({"sysName": "y", "modules": ["if_mib", "auto", "health"]}, who="a")).modules[
        0
    ] == "if_mib"


async def test_a_device_is_completed_before_it_is_added_or_not_at_all(tmp_path: Path) -> None:
    devices = Devices(InventoryStore(tmp_path / "inventory.json", KEY))

    async def named(device: Device) -> Device:
        return replace(device, sys_descr="as it says")

    async def silent(_: Device) -> Device:
        raise SnmpTimeout("no answer")

    assert (await devices.add({"sysName": "a"}, who="a", complete=named)).sys_descr == "as it says"
    with pytest.raises(SnmpTimeout):
        await devices.add({"sysName": "b"}, who="a", complete=silent)
    assert len(devices.snapshot.inventory.devices) == 1
