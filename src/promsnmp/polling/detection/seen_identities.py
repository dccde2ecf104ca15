"""Collects what checks of identities found, until it is in the inventory: for ``/targets``, the API and all replicas.

A device that discovery never saw has no identifiers to compare; then those of its first check become the known ones.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

from promsnmp.errors import PromSnmpError
from promsnmp.inventory.model import Device, DeviceIdentifiers, IdentityChange, Inventory, SeenIdentity
from promsnmp.polling.target import Target

log = logging.getLogger(__name__)

Update = Callable[[Callable[[Inventory], Inventory]], Awaitable[object]]

KEY = "identities"
"""Distinguishes these messages between replicas from those with detected modules."""
MAX_DIFFERENCES, LONGEST_DIFFERENCE = 8, 400
"""Of one device: no identifier is longer."""


class SeenIdentities:
    """Results of checks by device id that the inventory does not have yet."""

    def __init__(self) -> None:
        self._pending: dict[str, SeenIdentity] = {}

    def add(self, target: Target, seen: SeenIdentity) -> None:
        """Takes the result of a check; one that changes nothing is ignored."""
        if target.device is not None and with_identity(target.device, seen) is not target.device:
            self._pending[target.device.id] = seen
        else:
            self._pending.pop(target.device_id, None)

    def receive(self, message: Mapping[str, Any]) -> None:
        """Takes what ``forward`` of another replica sent. Raises ValueError for any other content."""
        self._pending = _decode(message) | self._pending

    async def store(self, update: Update) -> None:
        """Writes new results to the inventory. If that fails, the next call tries again."""
        if not self._pending:
            return
        new, self._pending = self._pending, {}
        try:
            await update(lambda inventory: with_identities(inventory, new))
        except PromSnmpError as error:
            log.debug("seen identities are not in the inventory yet; trying again: %s", error)
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


def _encode(seen: Mapping[str, SeenIdentity]) -> bytes:
    return json.dumps({KEY: {device_id: asdict(one) for device_id, one in seen.items()}}).encode()


def _decode(message: Mapping[str, Any]) -> dict[str, SeenIdentity]:
    """The reverse of ``_encode``. Raises ValueError for anything else."""
    try:
        return {str(device_id): _seen(one) for device_id, one in message[KEY].items()}
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a list of identities: {type(error).__name__}") from None


def _seen(item: Mapping[str, Any]) -> SeenIdentity:
    identifiers, booted_at = item["identifiers"], item["identifiers"]["booted_at"]
    if booted_at is not None:
        datetime.fromisoformat(booted_at)
    return SeenIdentity(
        differences=_texts(item["differences"]),
        identifiers=DeviceIdentifiers(
            serial_numbers=_texts(identifiers["serial_numbers"]),
            mac_addresses=_texts(identifiers["mac_addresses"]),
            booted_at=booted_at,
            local_mac_addresses=_texts(identifiers["local_mac_addresses"]),
            sys_object_id=str(identifiers["sys_object_id"]),
        ),
        engine_id=bytes.fromhex(item["engine_id"]).hex(),
    )


def _texts(items: list[object]) -> tuple[str, ...]:
    return tuple(str(one)[:LONGEST_DIFFERENCE] for one in items[:MAX_DIFFERENCES])


def with_identities(inventory: Inventory, seen: Mapping[str, SeenIdentity]) -> Inventory:
    """``inventory`` with the results of checks; the same object when nothing is new."""
    devices = tuple(
        with_identity(device, seen[device.id]) if device.id in seen else device for device in inventory.devices
    )
    changed = any(new is not old for new, old in zip(devices, inventory.devices, strict=True))
    return replace(inventory, devices=devices) if changed else inventory


def with_identity(device: Device, seen: SeenIdentity) -> Device:
    """``device`` with the result of a check; the same object when nothing is new."""
    before = device.identity_change
    if not seen.differences:
        known = device if device.last_seen else _with_first_identifiers(device, seen)
        return known if known.identity_change is None else replace(known, identity_change=None)
    if before is not None and before.differences == seen.differences:
        return device
    since = before.since if before is not None else _now()
    return replace(device, identity_change=IdentityChange(since, seen.differences))


def _with_first_identifiers(device: Device, seen: SeenIdentity) -> Device:
    """A device that discovery never saw, with the identifiers that it lacks."""
    known, new = device.identifiers, seen.identifiers
    identifiers = DeviceIdentifiers(
        sys_name=known.sys_name,
        serial_numbers=known.serial_numbers or new.serial_numbers,
        mac_addresses=known.mac_addresses or new.mac_addresses,
        booted_at=known.booted_at or new.booted_at,
        local_mac_addresses=known.local_mac_addresses or new.local_mac_addresses,
        sys_object_id=known.sys_object_id or new.sys_object_id,
    )
    primary = device.primary
    if primary is not None and not primary.engine_id and seen.engine_id:
        primary = replace(primary, engine_id=seen.engine_id)
    if identifiers == known and primary is device.primary:
        return device
    agents = tuple(primary if one is device.primary and primary is not None else one for one in device.agents)
    return replace(device, identifiers=identifiers, agents=agents, primary=primary)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
