"""Collects what checks of identities found, until it is in the inventory: for ``/targets``, the API and all replicas.

A device that discovery never saw has no identifiers to compare; then those of its first check become the known ones,
even if another device has taken the address before they were written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

from promsnmp.inventory.model import Device, DeviceIdentifiers, IdentityChange, SeenIdentity
from promsnmp.polling.detection.findings import Findings
from promsnmp.polling.target import Target

KEY = "identities"
"""Distinguishes these messages between replicas from those with detected modules."""
MAX_DIFFERENCES, LONGEST_DIFFERENCE = 8, 400
"""Of one device: no identifier is longer."""


class SeenIdentities(Findings[SeenIdentity]):
    """Results of checks by device id that the inventory does not have yet."""

    kind = "identities"

    def add(self, target: Target, seen: SeenIdentity) -> None:
        """Takes the result of a check; one that changes nothing is ignored."""
        if target.device is not None and with_identity(target.device, seen) is not target.device:
            self._pending[target.device.id] = seen
        else:
            self._pending.pop(target.device_id, None)

    @staticmethod
    def with_finding(device: Device, finding: SeenIdentity) -> Device:
        return with_identity(device, finding)

    def encode(self, findings: Mapping[str, SeenIdentity]) -> Mapping[str, Any]:
        return {KEY: {device_id: asdict(seen) for device_id, seen in findings.items()}}

    def decode(self, message: Mapping[str, Any]) -> dict[str, SeenIdentity]:
        return {str(device_id): _seen(item) for device_id, item in message[KEY].items()}


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
            sys_name=str(identifiers.get("sys_name", ""))[:LONGEST_DIFFERENCE],
            sys_object_id=str(identifiers["sys_object_id"]),
        ),
        engine_id=bytes.fromhex(item["engine_id"]).hex(),
    )


def _texts(items: list[object]) -> tuple[str, ...]:
    return tuple(str(one)[:LONGEST_DIFFERENCE] for one in items[:MAX_DIFFERENCES])


def with_identity(device: Device, seen: SeenIdentity) -> Device:
    """``device`` with the result of a check; the same object when nothing is new."""
    before = device.identity_change
    known = device if device.last_seen else _with_first_identifiers(device, seen)
    if not seen.differences:
        return known if before is None else replace(known, identity_change=None)
    if before is not None and before.differences == seen.differences:
        return known
    since = before.since if before is not None else _now()
    return replace(known, identity_change=IdentityChange(since, seen.differences))


def _with_first_identifiers(device: Device, seen: SeenIdentity) -> Device:
    """A device that discovery never saw, with the identifiers that it lacks."""
    known, new = device.identifiers, seen.identifiers
    identifiers = DeviceIdentifiers(
        sys_name=known.sys_name or new.sys_name,
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
