"""Single devices: found, added, replaced, changed in part and removed, by the API and by the command line alike.

Each change looks at the device as it is at the moment of the write, inside the store's turn. So of two operators who
read the same device, the second one to write is told that it has changed, if he said which one he read.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace

from promsnmp.errors import InventoryInvalid, UnknownDevice
from promsnmp.inventory.document.merge_patch import merge_device
from promsnmp.inventory.document.read_device import read_device
from promsnmp.inventory.document.write import device_document
from promsnmp.inventory.index import Snapshot, display_name
from promsnmp.inventory.model import ACTIVE, NO_IDENTIFIERS, Device, Inventory
from promsnmp.inventory.store import InventoryStore

Precondition = Callable[[Device | None], None]
"""Looks at the device as it is (None: there is none) before it is changed; raises DeviceChanged to prevent it."""


def no_precondition(_: Device | None) -> None:
    """The check that lets everything pass."""


class Devices:
    """The devices of ``store``, one by one. ``who`` of each change stands in the audit log.

    Changes raise InventoryInvalid or InventoryConflict (nothing has changed), what their check raises, and as
    ``InventoryStore.update`` does.
    """

    def __init__(self, store: InventoryStore) -> None:
        self._store = store

    @property
    def snapshot(self) -> Snapshot:
        return self._store.snapshot

    def find(self, wanted: str) -> Device:
        """The device with this id, else with this sysName, else with this address. Raises UnknownDevice."""
        index = self._store.snapshot.index
        if (device := index.device(normal_id(wanted))) is not None:
            return device
        if (found := index.find(wanted)) is not None:
            return found.device
        if len(named := index.named(wanted)) > 1:
            raise UnknownDevice(
                f"{len(named)} devices are called {wanted!r}; choose one by its id: "
                f"{', '.join(map(display_name, named))}",
                candidates=[device.id for device in named],
            )
        raise UnknownDevice(f"there is no device {wanted!r}")

    def etag(self, device: Device) -> str:
        """A strong validator (RFC 9110 section 8.8.1), the same on all replicas: it changes with every key of the
        device. Keyed with the inventory's key, so that nobody can try out secrets on it."""
        text = json.dumps(device_document(device, mask=False), separators=(",", ":")).encode()
        return f'"{hashlib.blake2b(text, digest_size=16, key=self._store.key, person=b"promsnmp-device").hexdigest()}"'

    async def add(self, document: object, *, who: str, request_id: str = "") -> Device:
        """A device that was not there."""
        device = read_device(document)
        await self._store.update(
            lambda old: replace(old, devices=(*old.devices, device)), who=who, request_id=request_id
        )
        return device

    async def put(
        self, wanted: str, document: object, *, who: str, request_id: str = "", check: Precondition = no_precondition
    ) -> tuple[Device, bool]:
        """The device in the place of the one that is ``wanted``, and whether there was none: then ``wanted`` must be an
        id."""
        device_id = self._id_of(wanted, new=True)
        result: list[tuple[Device, bool]] = []

        def change(old: Inventory) -> Inventory:
            place = _place(old, device_id)
            before = None if place is None else old.devices[place]
            check(before)
            device = read_device(_with_id(document, device_id), old=before)
            result[:] = [(device, before is None)]
            return _with_device(old, place, device)

        await self._store.update(change, who=who, request_id=request_id)
        return result[0]

    async def patch(
        self, wanted: str, patch: object, *, who: str, request_id: str = "", check: Precondition = no_precondition
    ) -> Device:
        """The device with the keys that a merge patch (RFC 7396) changes."""
        device_id = self._id_of(wanted)
        result: list[Device] = []

        def change(old: Inventory) -> Inventory:
            place, before = _require(old, device_id)
            check(before)
            if not isinstance(patch, Mapping):
                raise InventoryInvalid(["the patch must be an object with the keys that are to change"])
            merged = merge_device(device_document(before, mask=True), patch)
            device = read_device(_with_id(merged, device_id), old=_without_discovered(before))
            result[:] = [device]
            return _with_device(old, place, device)

        await self._store.update(change, who=who, request_id=request_id)
        return result[0]

    async def remove(
        self, wanted: str, *, who: str, request_id: str = "", check: Precondition = no_precondition
    ) -> Device:
        """The device that was there and is there no longer."""
        device_id = self._id_of(wanted)
        result: list[Device] = []

        def change(old: Inventory) -> Inventory:
            place, before = _require(old, device_id)
            check(before)
            result[:] = [before]
            return replace(old, devices=(*old.devices[:place], *old.devices[place + 1 :]))

        await self._store.update(change, who=who, request_id=request_id)
        return result[0]

    def _id_of(self, wanted: str, *, new: bool = False) -> str:
        try:
            return self.find(wanted).id
        except UnknownDevice:
            if new and (given := normal_id(wanted)):
                return given
            raise


def normal_id(text: str) -> str:
    """The canonical spelling of a UUID; empty when it is none."""
    try:
        return str(uuid.UUID(text))
    except ValueError:
        return ""


def _place(inventory: Inventory, device_id: str) -> int | None:
    return next((i for i, device in enumerate(inventory.devices) if device.id == device_id), None)


def _require(inventory: Inventory, device_id: str) -> tuple[int, Device]:
    place = _place(inventory, device_id)
    if place is None:
        raise UnknownDevice(f"there is no device {device_id!r} any more")
    return place, inventory.devices[place]


def _with_device(old: Inventory, place: int | None, device: Device) -> Inventory:
    """``old`` with the device at its place, or at the end; ``old`` itself when that changes nothing."""
    if place is None:
        return replace(old, devices=(*old.devices, device))
    if old.devices[place] == device:
        return old
    return replace(old, devices=(*old.devices[:place], device, *old.devices[place + 1 :]))


def _with_id(document: object, device_id: str) -> object:
    """The document with the id under which it was sent. Raises InventoryInvalid when it names another one."""
    if not isinstance(document, Mapping):
        return document
    given = document.get("id")
    if given is not None and normal_id(str(given)) != device_id:
        raise InventoryInvalid([f"id: is {str(given)[:40]!r}, but the device is {device_id}; leave it out"])
    return {**document, "id": device_id}


def _without_discovered(device: Device) -> Device:
    """The device without what a document need not repeat: in a patch, what is missing was taken out on purpose."""
    return replace(
        device, discovered_at=None, sys_object_id="", vendor="", model="", detected_modules=(), status=ACTIVE,
        last_seen=None, missed_since=None, identifiers=NO_IDENTIFIERS,
    )  # fmt: skip
