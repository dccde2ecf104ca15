"""Collects the modules that polls detected, until they are written to the inventory.

The poller of a device is the first to know what the device is; the inventory makes it known to all replicas, and keeps
it over a restart. Results are collected because each change writes the whole file. A replica that may not write sends
its results to the leader.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from promsnmp.errors import InventoryError, OutcomeUnknown
from promsnmp.inventory.model import Device, Inventory
from promsnmp.modules.auto_modules import Fingerprint
from promsnmp.polling.detection.identify import DeviceIdentity
from promsnmp.polling.target import Target

log = logging.getLogger(__name__)

Update = Callable[[Callable[[Inventory], Inventory]], Awaitable[object]]


class DetectedModules:
    """Identities by device id that are detected but not stored yet."""

    def __init__(self) -> None:
        self._pending: dict[str, DeviceIdentity] = {}

    def add(self, target: Target, identity: DeviceIdentity) -> None:
        """Takes the identity of a target; an incomplete one, or one of an ad-hoc target, is ignored."""
        if target.device_id and not identity.problem:
            self._pending[target.device_id] = identity

    def receive(self, body: bytes) -> None:
        """Takes what ``forward`` of another replica sent. Raises ValueError for any other content."""
        found = _decode(body)
        self._pending = found | self._pending

    async def store(self, update: Update) -> None:
        """Writes new results to the inventory. If that fails, the next call tries again."""
        if not self._pending:
            return
        new, self._pending = self._pending, {}
        try:
            await update(lambda inventory: with_detected_modules(inventory, new))
        except (InventoryError, OutcomeUnknown) as error:  # writing the same again does no harm
            log.debug("detected modules are not in the inventory yet; trying again: %s", error)
            self._pending = new | self._pending

    async def forward(self, send: Callable[[bytes], Awaitable[bool]]) -> None:
        """Sends new results to the leader, by ``send``. If that fails, the next call tries again."""
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
    """The reverse of ``_encode``. Raises ValueError for anything else."""
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
        raise ValueError(f"not a list of detected modules: {type(error).__name__}") from None


def with_detected_modules(inventory: Inventory, found: dict[str, DeviceIdentity]) -> Inventory:
    """``inventory`` with what was detected; the same object when nothing is new."""
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
