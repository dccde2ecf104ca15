from __future__ import annotations

import json
import random
from dataclasses import replace
from typing import Any

import pytest

from promsnmp.inventory.document import incremental
from promsnmp.inventory.document.incremental import reread
from promsnmp.inventory.document.write import DocumentWriter, from_document, to_document
from promsnmp.inventory.model import Device, Inventory
from tests.support.inventory.samples import document


def inventory(size: int = 30) -> Inventory:
    raw: dict[str, Any] = document()
    for number in range(size):
        agent = {
            "type": "snmp-community",
            "endpoint": {"address": f"198.51.100.{number}"},
            "version": 1,
            "readCommunity": "x",
        }
        raw["devices"].append({"sysName": f"dev{number} ü\U0001f600", "agents": [agent], "labels": {"n": str(number)}})
    return from_document(raw)


def prepared(known: Inventory) -> DocumentWriter:
    writer = DocumentWriter(mask=False)
    writer.json(known)
    return writer


def changed(old: Inventory, chance: random.Random) -> Inventory:
    """The document with changes at a few places: devices renamed, removed, added, moved, and seeds and numbers."""
    devices = list(old.devices)
    for _ in range(chance.randrange(6)):
        place = chance.randrange(len(devices)) if devices else 0
        match chance.choice(("rename", "remove", "add", "move")):
            case "rename" if devices:
                devices[place] = replace(
                    devices[place], sys_name=f"renamed-{chance.random()}", labels=(("odd", ']},{"'),)
                )
            case "remove" if devices:
                del devices[place]
            case "move" if devices:
                devices.insert(chance.randrange(len(devices)), devices.pop(place))
            case _:
                new = Device(f"00000000-0000-4000-8000-{chance.randrange(16**12):012x}", f"new-{chance.random()}")
                devices.insert(place, new)
    seeds = old.seeds if chance.random() < 0.5 else ()
    return replace(
        old, devices=tuple(devices), seeds=seeds, revision=old.revision + 1, fencing_token=chance.randrange(9)
    )


def test_an_incremental_read_equals_a_full_read() -> None:
    chance = random.Random(7)
    known = inventory()
    writer = prepared(known)
    for _ in range(200):
        new = changed(known, chance)
        plain = DocumentWriter(mask=False).json(new)
        found = reread(plain, *writer.known)
        assert found == from_document(json.loads(plain)) == new
        same = {device.id: device for device in known.devices}
        assert sum(device is not same.get(device.id) for device in found.devices) < 15  # changed, or after a gap
        known = found if chance.random() < 0.5 else known
        writer.json(known)


def test_only_changed_devices_are_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    known = inventory()
    middle = replace(known.devices[15], sys_location="elsewhere")
    new = replace(known, devices=(*known.devices[:5], *known.devices[6:15], middle, *known.devices[16:]))
    read: list[int] = []

    def counted(raw: Any) -> Inventory:
        read.append(len(raw["devices"]))
        return from_document(raw)

    monkeypatch.setattr(incremental, "from_document", counted)
    assert reread(DocumentWriter(mask=False).json(new), *prepared(known).known) == new
    assert read == [2]  # the changed one, and the one after the gap


@pytest.mark.parametrize("size", [0, 1])
def test_few_devices_or_none(size: int) -> None:
    known = inventory()
    new = replace(known, devices=known.devices[:size])
    assert reread(DocumentWriter(mask=False).json(new), *prepared(known).known) == new
    assert reread(DocumentWriter(mask=False).json(known), *prepared(new).known) in (known, None)


def test_a_file_in_another_format_needs_a_full_read() -> None:
    known = inventory()
    usual = DocumentWriter(mask=False).json(known)
    texts = [
        json.dumps(to_document(known, mask=False), indent=1).encode(), b"", b"{}", b'{"devices":[', b'{"devices":[]',
        b'{"devices":[3]}', b'{"devices":[{}]}', b'{"devices":' + b"[" * 100_000, usual[:-1], usual[:2000],
        usual + b"x",
        usual.replace(b'"core1.example.net"', b"7,,"), usual.replace(b"dev7", "d\xe9v7".encode()),
        usual.replace(b"},{", b"};{", 1),
    ]  # fmt: skip
    for text in texts:
        assert reread(text, *prepared(known).known) is None, text[:80]
