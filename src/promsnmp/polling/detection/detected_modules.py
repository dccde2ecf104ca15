"""Collects the modules that polls detected, until they are written to the inventory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from promsnmp.inventory.model import Device
from promsnmp.modules.auto_modules import Fingerprint
from promsnmp.polling.detection.findings import Findings
from promsnmp.polling.detection.identify import DeviceIdentity
from promsnmp.polling.target import Target


class DetectedModules(Findings[DeviceIdentity]):
    """Identities by device id that are detected but not stored yet."""

    kind = "detected modules"

    def add(self, target: Target, identity: DeviceIdentity) -> None:
        """Takes the identity of a target; an incomplete one, or one of an ad-hoc target, is ignored."""
        if target.device_id and not identity.problem:
            self._pending[target.device_id] = identity

    @staticmethod
    def with_finding(device: Device, finding: DeviceIdentity) -> Device:
        after = replace(
            device,
            sys_descr=device.sys_descr or finding.sys_descr,
            sys_object_id=finding.sys_object_id or device.sys_object_id,
            vendor=finding.match.vendor,
            model=finding.match.model,
            detected_modules=finding.match.names,
        )
        return device if after == device else after

    def encode(self, findings: Mapping[str, DeviceIdentity]) -> Mapping[str, Any]:
        return {device_id: _encode(identity) for device_id, identity in findings.items()}

    def decode(self, message: Mapping[str, Any]) -> dict[str, DeviceIdentity]:
        return {str(device_id): _decode(item) for device_id, item in message.items()}


def _encode(identity: DeviceIdentity) -> dict[str, Any]:
    return {
        **{name: getattr(identity, name) for name in ("sys_descr", "sys_object_id", "sys_name")},
        "vendor": identity.match.vendor,
        "model": identity.match.model,
        "modules": identity.match.modules,
    }


def _decode(item: Mapping[str, Any]) -> DeviceIdentity:
    match = Fingerprint(
        str(item["vendor"]), str(item["model"]), tuple((str(name), str(why)) for name, why in item["modules"])
    )
    return DeviceIdentity(
        sys_descr=str(item["sys_descr"]),
        sys_object_id=str(item["sys_object_id"]),
        sys_name=str(item["sys_name"]),
        match=match,
        packets=0,
    )
