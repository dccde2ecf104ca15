"""Reads a changed inventory file quickly: parses only the devices whose text has changed.

After each change by the leader, every other replica reads the whole file, and so does a server after ``promsnmp devices
add``. The text of a device is always written in the same way, so it is compared with what this process would write, and
only what differs is parsed: milliseconds instead of a second of CPU time for 20,000 devices.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from promsnmp.errors import InventoryInvalid
from promsnmp.inventory.document.read import from_document
from promsnmp.inventory.model import Device, Inventory

BEGIN, END = b'{"devices":[', b"]"

_object_at = json.JSONDecoder().raw_decode


def reread(plain: bytes, devices: Sequence[Device], device_texts: Sequence[bytes]) -> Inventory | None:
    """The inventory in ``plain``, with the same objects for ``devices`` that have not changed; ``device_texts`` are
    their texts in the file, each with a leading comma.

    None when the file is not written in our way, or has problems: then the caller must read all of it.
    """
    if not devices or not plain.startswith(BEGIN) or not plain.isascii():
        return None
    try:
        found, rest = _devices(plain, devices, device_texts)
        document = json.loads(BEGIN + rest)
        document["devices"] = [item for item in found if isinstance(item, dict)]
        read = from_document(document)
    except (ValueError, KeyError, RecursionError, InventoryInvalid):
        return None
    new = iter(read.devices)
    return replace(read, devices=tuple(next(new) if isinstance(item, dict) else item for item in found))


def _devices(
    plain: bytes, devices: Sequence[Device], device_texts: Sequence[bytes]
) -> tuple[list[Device | dict[str, object]], bytes]:
    """Every device in the text, as an object or as parsed JSON, and the text after them. Raises ValueError."""
    places = {device.id: number for number, device in enumerate(devices)}
    text = plain.decode("ascii")
    found: list[Device | dict[str, object]] = []
    at, expected = len(BEGIN) - 1, 0  # at the comma, or the bracket, before a device
    while plain[at + 1 : at + 2] != END:
        device_text = device_texts[expected] if expected < len(device_texts) else b""
        if device_text and plain.startswith(device_text[1:], at + 1):
            found.append(devices[expected])
            at, expected = at + len(device_text), expected + 1
        else:
            item, at = _object_at(text, at + 1)
            if not isinstance(item, dict):
                raise ValueError("not a device")
            found.append(item)
            expected = places.get(str(item.get("id")), expected - 1) + 1
        if plain[at : at + 1] == END:
            return found, plain[at:]
        if plain[at : at + 1] != b",":
            raise ValueError("not a list")
    return found, plain[at + 1 :]
