"""Finds, adds, replaces, patches and removes single devices, for the API and the command line.

Each change looks at the device as it is at the moment of the write. So when two operators read the same device, the
second write fails, provided that it says which version of the device it was based on.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from promsnmp.errors import InventoryInvalid, UnknownDevice
from promsnmp.inventory.document.merge_patch import merge_device
from promsnmp.inventory.document.read_device import read_device
from promsnmp.inventory.document.write import device_document
from promsnmp.inventory.index import Snapshot, display_name
from promsnmp.inventory.model import ACTIVE, NO_IDENTIFIERS, Device, Inventory
from promsnmp.inventory.modules import KnownModules, unknown_modules
from promsnmp.inventory.named_credentials.editor import NamedCredentialsEditor
from promsnmp.inventory.store import InventoryStore

Precondition = Callable[[Device | None], None]
"""Checks the current device (None: it does not exist) before a change; raises DeviceChanged to prevent the change."""

Complete = Callable[[Device], Awaitable[Device]]
"""Asks a new device and returns it with what it said. Raises when it should not be added."""


def no_precondition(_: Device | None) -> None:
    """Allows every change."""


class Devices:
    """The devices of ``store``, one by one. ``who`` and ``request_id`` are those of ``InventoryStore.update``.

    Changes raise InventoryInvalid or InventoryConflict (nothing has changed), what their check raises, and what
    ``InventoryStore.update`` raises. With ``known_modules`` a change must not name a module that is not loaded; those
    that a device has already may stay.
    """

    def __init__(self, store: InventoryStore, known_modules: KnownModules | None = None) -> None:
        self._store = store
        self._known_modules = known_modules

    @property
    def credentials(self) -> NamedCredentialsEditor:
        """The credentials that agents may name."""
        return NamedCredentialsEditor(self._store)

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
                f"{len(named)} devices have the name {wanted!r}; use an id instead: "
                f"{', '.join(map(display_name, named))}",
                candidates=[device.id for device in named],
            )
        raise UnknownDevice(f"there is no device {wanted!r}")

    def etag(self, device: Device) -> str:
        """A strong validator (RFC 9110 section 8.8.1), the same on all replicas; it changes with every key of the
        device. The hash is keyed with the inventory's key, so that nobody can guess secrets from it."""
        text = json.dumps(device_document(device, mask=False), separators=(",", ":")).encode()
        return f'"{hashlib.blake2b(text, digest_size=16, key=self._store.key, person=b"promsnmp-device").hexdigest()}"'

    async def add(
        self, document: object, *, who: str, request_id: str = "", complete: Complete | None = None
    ) -> Device:
        """Adds a device that is not in the inventory.

        ``complete`` may ask the device before, once everything that needs no device is checked; what it raises is
        raised here, and nothing has changed.
        """
        device = self._checked(read_device(document, named=self._store.current.named_credentials))
        if complete is not None:
            device = await complete(device)
        await self._store.update(
            lambda old: replace(old, devices=(*old.devices, device)), who=who, request_id=request_id
        )
        return device

    async def put(
        self, wanted: str, document: object, *, who: str, request_id: str = "", check: Precondition = no_precondition
    ) -> tuple[Device, bool]:
        """Replaces the device ``wanted``, or adds it when it does not exist; then ``wanted`` must be an ID.

        Returns the device, and whether it was added.
        """
        device_id = self._id_of(wanted, new=True)
        result: list[tuple[Device, bool]] = []

        def change(old: Inventory) -> Inventory:
            place = _place(old, device_id)
            before = None if place is None else old.devices[place]
            check(before)
            device = self._checked(
                read_device(_with_id(document, device_id), old=before, named=old.named_credentials), before
            )
            result[:] = [(device, before is None)]
            return _with_device(old, place, device)

        await self._store.update(change, who=who, request_id=request_id)
        return result[0]

    async def patch(
        self, wanted: str, patch: object, *, who: str, request_id: str = "", check: Precondition = no_precondition
    ) -> Device:
        """Changes some keys of a device by a merge patch (RFC 7396); returns the device."""
        device_id = self._id_of(wanted)
        result: list[Device] = []

        def change(old: Inventory) -> Inventory:
            place, before = _require(old, device_id)
            check(before)
            if not isinstance(patch, Mapping):
                raise InventoryInvalid(["the patch must be an object with the keys to change"])
            merged = merge_device(device_document(before, mask=True), patch)
            device = self._checked(
                read_device(_with_id(merged, device_id), old=_without_discovered(before), named=old.named_credentials),
                before,
            )
            result[:] = [device]
            return _with_device(old, place, device)

        await self._store.update(change, who=who, request_id=request_id)
        return result[0]

    async def remove(
        self, wanted: str, *, who: str, request_id: str = "", check: Precondition = no_precondition
    ) -> Device:
        """Removes a device; returns it."""
        device_id = self._id_of(wanted)
        result: list[Device] = []

        def change(old: Inventory) -> Inventory:
            place, before = _require(old, device_id)
            check(before)
            result[:] = [before]
            return replace(old, devices=(*old.devices[:place], *old.devices[place + 1 :]))

        await self._store.update(change, who=who, request_id=request_id)
        return result[0]

    def _checked(self, device: Device, before: Device | None = None) -> Device:
        if self._known_modules is not None:
            new = [name for name in device.modules if before is None or name not in before.modules]
            if problems := unknown_modules(new, self._known_modules):
                raise InventoryInvalid(problems)
        return device

    def _id_of(self, wanted: str, *, new: bool = False) -> str:
        try:
            return self.find(wanted).id
        except UnknownDevice:
            if new and (given := normal_id(wanted)):
                return given
            raise


def normal_id(text: str) -> str:
    """The canonical spelling of a UUID; empty for any other text."""
    try:
        return str(uuid.UUID(text))
    except ValueError:
        return ""


def _place(inventory: Inventory, device_id: str) -> int | None:
    return next((i for i, device in enumerate(inventory.devices) if device.id == device_id), None)


def _require(inventory: Inventory, device_id: str) -> tuple[int, Device]:
    place = _place(inventory, device_id)
    if place is None:
        raise UnknownDevice(f"the device {device_id!r} no longer exists")
    return place, inventory.devices[place]


def _with_device(old: Inventory, place: int | None, device: Device) -> Inventory:
    """``old`` with the device at ``place``, or at the end; ``old`` itself when nothing changes."""
    if place is None:
        return replace(old, devices=(*old.devices, device))
    if old.devices[place] == device:
        return old
    return replace(old, devices=(*old.devices[:place], device, *old.devices[place + 1 :]))


def _with_id(document: object, device_id: str) -> object:
    """The document with the id of the request. Raises InventoryInvalid when the document has another id."""
    if not isinstance(document, Mapping):
        return document
    given = document.get("id")
    if given is not None and normal_id(str(given)) != device_id:
        raise InventoryInvalid([f"id: is {str(given)[:40]!r}, but the request is for {device_id}; leave it out"])
    return {**document, "id": device_id}


def _without_discovered(device: Device) -> Device:
    """The device without the fields that a document may omit: in a patch, a missing key was removed on purpose."""
    return replace(
        device, discovered_at=None, sys_object_id="", vendor="", model="", detected_modules=(), status=ACTIVE,
        last_seen=None, missed_since=None, identifiers=NO_IDENTIFIERS, source=None,
    )  # fmt: skip
