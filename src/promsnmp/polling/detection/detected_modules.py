"""What polls found out of the inventory's devices, on its way into the inventory.

The poller of a device is the first to know what it is; the inventory tells everybody else, and keeps it over a restart.
Findings are gathered, because every write costs a write of the whole file. A replica that may not write tells those of
its devices to the leader.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from promsnmp.errors import InventoryError
from promsnmp.inventory.model import Device, Inventory
from promsnmp.modules.fingerprint import Fingerprint
from promsnmp.polling.detection.identify import DeviceIdentity
from promsnmp.polling.target import Target

log = logging.getLogger(__name__)

Update = Callable[[Callable[[Inventory], Inventory]], Awaitable[object]]


class DetectedModules:
    """Identities by device id, from when they are found out until they are stored."""

    def __init__(self) -> None:
        self._pending: dict[str, DeviceIdentity] = {}

    def add(self, target: Target, identity: DeviceIdentity) -> None:
        """Takes what was found out of a target; half of it, or of what is in no inventory, is not kept."""
        if target.device_id and not identity.problem:
            self._pending[target.device_id] = identity

    def receive(self, body: bytes) -> None:
        """Takes what ``forward`` of another replica sent. Raises ValueError when it is something else."""
        found = _decode(body)
        self._pending = found | self._pending

    async def store(self, update: Update) -> None:
        """Has the inventory changed by what is new. What cannot be written is tried again with the next."""
        if not self._pending:
            return
        new, self._pending = self._pending, {}
        try:
            await update(lambda inventory: with_detected_modules(inventory, new))
        except InventoryError as error:
            log.debug("what devices are is not in the inventory yet: %s", error)
            self._pending = new | self._pending

    async def forward(self, send: Callable[[bytes], Awaitable[bool]]) -> None:
        """Sends what is new to whoever may write; what was not taken is sent again with the next."""
        if not self._pending:
            return
        new, self._pending = self._pending, {}
        is_sent = False
        try:
            is_sent = await send(_encode(new))
        finally:
            if not is_sent:
                self._pending = new | self._pending


def _encode(found: Mapping[str, DeviceIdentity]) -> bytes:
    names = ("sys_descr", "sys_object_id", "sys_name")
    return json.dumps(
        {
            device_id: {
                **{name: getattr(one, name) for name in names},
                "vendor": one.match.vendor,
                "model": one.match.model,
                "modules": one.match.modules,
            }
            for device_id, one in found.items()
        }
    ).encode()


def _decode(body: bytes) -> dict[str, DeviceIdentity]:
    """Raises ValueError for anything that is not of ``_encode``'s form."""
    try:
        return {
            str(device_id): DeviceIdentity(
                sys_descr=str(one["sys_descr"]),
                sys_object_id=str(one["sys_object_id"]),
                sys_name=str(one["sys_name"]),
                match=Fingerprint(
                    str(one["vendor"]), str(one["model"]), tuple((str(name), str(why)) for name, why in one["modules"])
                ),
                packets=0,
            )
            for device_id, one in json.loads(body).items()
        }
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not what a replica found out of devices: {type(error).__name__}") from None


def with_detected_modules(inventory: Inventory, found: dict[str, DeviceIdentity]) -> Inventory:
    """``inventory`` with what was found out of its devices; itself where it knows all of that."""
    devices = tuple(_with(device, found.get(device.id)) for device in inventory.devices)
    changed = any(new is not old for new, old in zip(devices, inventory.devices, strict=True))
    return replace(inventory, devices=devices) if changed else inventory


def _with(device: Device, identity: DeviceIdentity | None) -> Device:
    if identity is None:
        return device
    after = replace(
        device,
        sys_descr=device.sys_descr or identity.sys_descr,
        sys_object_id=identity.sys_object_id or device.sys_object_id,
        vendor=identity.match.vendor,
        model=identity.match.model,
        detected_modules=identity.match.names,
    )
    return device if after == device else after
