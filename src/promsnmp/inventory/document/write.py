"""Inventory -> JSON document, in the format of the original PromSNMP.

The document is the content of the file, what the API shows and accepts, and what people edit. The original must be able
to read it (agents have SNMP4J's version number, seeds the text ``v2c``, the primary agent appears twice), so our own
keys are additions, which the original ignores.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from promsnmp.errors import InventoryInvalid
from promsnmp.inventory.document.credentials import mask_secret, write_credentials
from promsnmp.inventory.document.fields import MASK
from promsnmp.inventory.document.read import from_document
from promsnmp.inventory.document.searches import searches_document
from promsnmp.inventory.document.seeds import seed_document
from promsnmp.inventory.document.values import overrides_document
from promsnmp.inventory.model import (
    ACTIVE,
    NO_IDENTIFIERS,
    Agent,
    Device,
    DeviceIdentifiers,
    IdentityChange,
    Inventory,
    SourceMark,
)
from promsnmp.inventory.named_credentials.document import KEY as NAMED_KEY
from promsnmp.inventory.named_credentials.document import named_document
from promsnmp.inventory.per_device_cache import PerDeviceCache

_OPTIONAL = (
    "discoveredAt", "primaryAgent", "sysObjectId", "vendor", "model", "detectedModules", "modules", "labels", "status",
    "lastSeen", "missedSince", "marks", "identityChange", "source",
)  # fmt: skip
_FILE_KEYS = ("leaderInstance", "lastWrites", "importedAt", "searches")
__all__ = ["MASK", "DocumentWriter", "from_document", "parse_json", "to_document"]


def parse_json(data: bytes | str) -> object:
    """The value of a JSON text. Raises InventoryInvalid; its one problem says where the text is not JSON."""
    try:
        return json.loads(data)
    except json.JSONDecodeError as error:
        raise InventoryInvalid([f"not valid JSON (line {error.lineno}, column {error.colno}): {error.msg}"]) from None
    except UnicodeDecodeError:
        raise InventoryInvalid(["not valid JSON: not UTF-8"]) from None
    except (ValueError, RecursionError):
        raise InventoryInvalid(["not valid JSON: a number is too long, or the nesting is too deep"]) from None


def to_document(inventory: Inventory, *, mask: bool) -> dict[str, object]:
    """The whole inventory; ``mask`` replaces every secret by MASK and drops unknown keys, which may hold secrets."""
    return {
        "devices": [device_document(device, mask=mask) for device in inventory.devices],
        "discoverySeeds": [seed_document(seed, mask=mask) for seed in inventory.seeds],
        **_named(inventory, mask=mask),
        "revision": inventory.revision,
        "term": inventory.fencing_token,
        **({} if mask else _of_the_file(inventory)),
    }


def _named(inventory: Inventory, *, mask: bool) -> dict[str, object]:
    named = [named_document(one, mask=mask) for one in inventory.named_credentials]
    return {NAMED_KEY: named} if named else {}


def _of_the_file(inventory: Inventory) -> dict[str, object]:
    """What only the file has."""
    document = {
        "leaderInstance": inventory.leader_instance,
        "lastWrites": list(inventory.request_ids),
        "importedAt": inventory.imported_at,
        "searches": searches_document(inventory.searches),
    }
    return _present(document, *_FILE_KEYS)


def device_document(device: Device, *, mask: bool) -> dict[str, object]:
    document: dict[str, object] = {
        **_extra(device.extra, mask=mask),
        "id": device.id,
        "sysName": device.sys_name,
        "sysDescr": device.sys_descr,
        "sysContact": device.sys_contact,
        "sysLocation": device.sys_location,
        "discoveredAt": device.discovered_at,
        "agents": [agent_document(agent, mask=mask) for agent in device.agents],
        "primaryAgent": agent_document(device.primary, mask=mask) if device.primary else None,
        "sysObjectId": device.sys_object_id,
        "vendor": device.vendor,
        "model": device.model,
        "detectedModules": list(device.detected_modules),
        "modules": list(device.modules),
        "labels": dict(device.labels),
        **overrides_document(device.overrides),
        "status": "" if device.status == ACTIVE else device.status,
        "lastSeen": device.last_seen,
        "missedSince": device.missed_since,
        "marks": None if device.identifiers == NO_IDENTIFIERS else _identifiers_document(device.identifiers),
        "identityChange": _change_document(device.identity_change) if device.identity_change else None,
        "source": _source_document(device.source) if device.source else None,
    }
    return _present(document, *_OPTIONAL)


def _source_document(source: SourceMark) -> dict[str, object]:
    return _present({"name": source.name, "key": source.key, "given": list(source.given)}, "key", "given")


def _change_document(change: IdentityChange) -> dict[str, object]:
    return {"since": change.since, "differences": list(change.differences)}


def _identifiers_document(identifiers: DeviceIdentifiers) -> dict[str, object]:
    document: dict[str, object] = {
        "sysName": identifiers.sys_name,
        "serialNumbers": list(identifiers.serial_numbers),
        "macAddresses": list(identifiers.mac_addresses),
        "localMacAddresses": list(identifiers.local_mac_addresses),
        "sysObjectId": identifiers.sys_object_id,
        "bootedAt": identifiers.booted_at,
    }
    return _present(document, *document)


def agent_document(agent: Agent, *, mask: bool) -> dict[str, object]:
    document: dict[str, object] = {
        **_extra(agent.extra, mask=mask),
        "type": agent.type,
        "id": agent.id,
        "endpoint": {"address": agent.endpoint.address, "port": agent.endpoint.port},
        "version": int(agent.version),
        "timeout": agent.timeout,
        "retries": agent.retries,
        "discoveredAt": agent.discovered_at,
        **write_credentials(agent.credentials, mask=mask),
        "writeCommunity": mask_secret(agent.write_community, mask=mask),
        "engineId": agent.engine_id,
        "credentialsName": agent.credentials_name,
    }
    return _present(document, "discoveredAt", "writeCommunity", "engineId", "credentialsName")


class DocumentWriter:
    """Writes documents as JSON bytes; renders only the devices that changed since the last time."""

    def __init__(self, *, mask: bool) -> None:
        self._mask = mask
        self._devices = PerDeviceCache(lambda device: b"," + _json(device_document(device, mask=mask)))

    @property
    def known(self) -> tuple[Sequence[Device], Sequence[bytes]]:
        """The devices written last, and the text of each with a leading comma."""
        return self._devices.last

    def json(self, inventory: Inventory) -> bytes:
        """``to_document`` as JSON bytes."""
        return b"".join(self._parts(inventory, self._devices.of(inventory.devices)))

    def json_of(self, part: Inventory) -> bytes:
        """``json`` of an inventory with some of the devices that were written last, in their order."""
        wanted = set(map(id, part.devices))
        texts = [text for device, text in zip(*self._devices.last, strict=True) if id(device) in wanted]
        return b"".join(self._parts(part, texts))

    def _parts(self, inventory: Inventory, devices: Sequence[bytes]) -> Iterator[bytes]:
        yield b'{"devices":['
        if devices:
            yield devices[0][1:]
            yield from devices[1:]
        seeds = _json([seed_document(seed, mask=self._mask) for seed in inventory.seeds])
        yield b'],"discoverySeeds":%b,"revision":%d,"term":%d' % (seeds, inventory.revision, inventory.fencing_token)
        if named := _named(inventory, mask=self._mask):
            yield b"," + _json(named)[1:-1]
        if not self._mask and (more := _of_the_file(inventory)):
            yield b"," + _json(more)[1:-1]
        yield b"}"


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode("ascii")


def _extra(extra: str, *, mask: bool) -> dict[str, object]:
    """The unknown keys; none in a masked document, since they may hold secrets."""
    if not extra or mask:
        return {}
    loaded = json.loads(extra)
    assert isinstance(loaded, dict)
    return loaded


def _present(document: dict[str, object], *optional: str) -> dict[str, object]:
    for key in optional:
        if not document[key]:
            del document[key]
    return document
