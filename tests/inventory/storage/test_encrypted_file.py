"""Nothing is written that nobody could read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from promsnmp.errors import InventoryUnavailable
from promsnmp.inventory.document.write import DocumentWriter, from_document
from promsnmp.inventory.model import Device, Inventory
from promsnmp.inventory.storage import atomic_file
from promsnmp.inventory.storage.encrypted_file import EncryptedFile
from promsnmp.inventory.storage.encryption import CHUNK_SIZE, decrypts_to, encrypt
from promsnmp.inventory.storage.key import InventoryKey
from tests.support.inventory.samples import KEY, document

GOOD = replace(from_document(document()), revision=1)
UNREADABLE = {
    "a label whose name is not valid": lambda old: with_first(old, labels=(("not a name", "x"),)),
    "a text that is not Unicode": lambda old: with_first(old, sys_descr="\ud800"),
    "a term out of range": lambda old: replace(old, fencing_token=2**62 + 1),
    "a negative revision": lambda old: replace(old, revision=-1),
    "a device without a name and an agent": lambda old: with_first(old, sys_name="", agents=(), primary=None),
    "a request ID that is read differently": lambda old: replace(old, request_ids=(" x",)),
    "an id that is read differently": lambda old: with_first(old, id="6A3C1D5E-0000-4000-8000-000000000001"),
}


def with_first(old: Inventory, **changes: object) -> Inventory:
    return replace(old, devices=(replace(old.devices[0], **changes), *old.devices[1:]))  # type: ignore[arg-type]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "inventory.json"


@pytest.mark.parametrize("change", UNREADABLE.values(), ids=UNREADABLE)
@pytest.mark.parametrize("attempts", [1, 2])
def test_a_document_that_nobody_could_read_is_refused_each_time(path: Path, change: object, attempts: int) -> None:
    file = EncryptedFile(path, InventoryKey(KEY))
    file.write(GOOD)
    before = path.read_bytes()
    for _ in range(attempts):
        with pytest.raises(InventoryUnavailable, match="not written: "):
            file.write(change(GOOD))  # type: ignore[operator]
    assert path.read_bytes() == before
    file.write(with_first(GOOD, sys_name="afterwards"))
    stored = file.read()
    assert stored is not None
    assert stored[0].devices[0].sys_name == "afterwards"


def test_only_devices_that_are_new_are_parsed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[int] = []
    written_document = DocumentWriter.json_of

    def counted(writer: DocumentWriter, part: Inventory) -> bytes:
        parsed.append(len(part.devices))
        return written_document(writer, part)

    monkeypatch.setattr(DocumentWriter, "json_of", counted)
    file = EncryptedFile(path, InventoryKey(KEY))
    file.write(GOOD)
    file.write(replace(GOOD, revision=2))
    file.write(with_first(GOOD, sys_name="x"))
    again = EncryptedFile(path, InventoryKey(KEY))
    stored = again.read()
    assert stored is not None
    again.write(replace(stored[0], devices=(*stored[0].devices, Device("6a3c1d5e-0000-4000-8000-0000000000ff", "new"))))
    assert parsed == [2, 0, 1, 1]


@pytest.mark.parametrize("place", [0, 20, -30])
def test_a_volume_that_returns_something_else_than_was_written_is_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch, place: int
) -> None:
    file = EncryptedFile(path, InventoryKey(KEY))
    file.write(GOOD)
    before, write = path.read_bytes(), atomic_file.write_temporary

    def altered(temporary: Path, *rest: object) -> object:
        version = write(temporary, *rest)  # type: ignore[arg-type]
        data = bytearray(temporary.read_bytes())
        data[place] = ord("A") if data[place] != ord("A") else ord("B")
        temporary.write_bytes(data)
        return version

    monkeypatch.setattr(atomic_file, "write_temporary", altered)
    with pytest.raises(InventoryUnavailable, match="the volume returns something else"):
        file.write(replace(GOOD, revision=2))
    assert path.read_bytes() == before


@pytest.mark.parametrize("size", [0, 1, 2, 3, CHUNK_SIZE - 1, CHUNK_SIZE, CHUNK_SIZE + 1, 2 * CHUNK_SIZE + 7])
def test_content_is_compared_over_the_borders_of_chunks(path: Path, size: int) -> None:
    plain = bytes(number % 251 for number in range(size))
    path.write_bytes(encrypt(plain, KEY))
    assert decrypts_to(path, plain, KEY)
    assert not decrypts_to(path, plain + b"x", KEY)
    assert not decrypts_to(path, plain, KEY[::-1])
    if plain:
        assert not decrypts_to(path, plain[:-1], KEY)
        assert not decrypts_to(path, plain[:-1] + bytes([plain[-1] ^ 1]), KEY)
    data = path.read_bytes()
    for cut in (0, 10, len(data) - 4):
        path.write_bytes(data[:cut])
        assert not decrypts_to(path, plain, KEY)
