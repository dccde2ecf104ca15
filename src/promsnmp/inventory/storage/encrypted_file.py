"""Reads and writes the encrypted inventory file.

It holds the key, and the text of each device that was written last, so that a change of one device renders one.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from promsnmp.errors import (
    InventoryDamaged,
    InventoryError,
    InventoryInvalid,
    InventoryKeyError,
    InventoryUnavailable,
)
from promsnmp.inventory.document.incremental import reread
from promsnmp.inventory.document.write import DocumentWriter, from_document, parse_json
from promsnmp.inventory.model import Device, Inventory
from promsnmp.inventory.storage.atomic_file import (
    FileStamp,
    Written,
    opened_stamp,
    read_bytes,
    stamp_of,
    sync_directory,
    write_parts,
)
from promsnmp.inventory.storage.encryption import decrypt, decrypts_to, encrypt_parts
from promsnmp.inventory.storage.key import InventoryKey, candidate_keys, make_key_file
from promsnmp.inventory.storage.lock import WriteTurn, write_lock
from promsnmp.support.memory import gc_paused


class EncryptedFile:
    """The file ``path``, encrypted with ``key``. A key from a key file is read again when the file cannot be decrypted
    with it, so a running server follows ``promsnmp inventory rekey``."""

    def __init__(self, path: Path, key: InventoryKey) -> None:
        self.path = path
        self._key = key
        self._writer = DocumentWriter(mask=False)
        self._readable: tuple[Device, ...] = ()
        """Devices that were read from the file, or that a write has checked."""

    @property
    def key(self) -> bytes:
        """The key that decrypted the file last."""
        return self._key.data

    def stamp(self) -> FileStamp | None:
        """Identifies the version of the file; None when there is no file."""
        return stamp_of(self.path)

    def opened_stamp(self) -> FileStamp | None:
        """``stamp``, but never from the cache of a network volume."""
        return opened_stamp(self.path)

    def lock(self) -> contextlib.AbstractContextManager[WriteTurn]:
        """Excludes other writers; see ``write_lock``."""
        return write_lock(self.path)

    def sync_folder(self) -> str:
        """Makes the last write durable; returns why that failed, empty when it did not."""
        try:
            sync_directory(self.path.resolve().parent)
        except OSError as error:
            return f"the folder of {self.path} cannot be synced ({error.strerror})"
        return ""

    def read(self) -> tuple[Inventory, FileStamp] | None:
        """The inventory in the file; None when there is no file. Raises InventoryError."""
        found = read_bytes(self.path)
        if found is None:
            return None
        data, stamp = found
        with gc_paused():
            inventory = read_inventory(self._decrypt(data), str(self.path))
        self._readable = inventory.devices
        return inventory, stamp

    def reread(self) -> tuple[Inventory, FileStamp] | None:
        """Like ``read``, but faster for a file that differs little from what was read or written before."""
        found = read_bytes(self.path)
        if found is None:
            return None
        data, stamp = found
        with gc_paused():
            plain = self._decrypt(data)
            inventory = reread(plain, *self._writer.known) or read_inventory(plain, str(self.path))
        self._readable = inventory.devices
        return inventory, stamp

    def write(self, inventory: Inventory, *, before_rename: Callable[[], None] = lambda: None) -> Written:
        """Writes ``inventory`` to the file durably; see ``write_parts``.

        Nothing is written that nobody could read: before the rename, the temporary file is decrypted and compared with
        what should be in it, and everything is parsed except for devices that were read from the file, or parsed by an
        earlier write. Raises InventoryUnavailable when the file would not be readable, or cannot be written.
        """
        content = self._writer.json(inventory)
        self._check_document(inventory)
        if not self._key.data and self._key.path is not None:
            self._key = replace(self._key, data=make_key_file(self._key.path))

        def check(temporary: Path) -> None:
            if not decrypts_to(temporary, content, self._key.data):
                raise InventoryUnavailable("not written: the volume returns something else than what was written")
            before_rename()

        written = write_parts(self.path, encrypt_parts(content, self._key.data), before_rename=check)
        self._readable = inventory.devices
        return written

    def _check_document(self, inventory: Inventory) -> None:
        """Raises InventoryUnavailable when the document of ``inventory`` would be read as something else."""
        readable = set(map(id, self._readable))
        new = replace(inventory, devices=tuple(device for device in inventory.devices if id(device) not in readable))
        try:
            with gc_paused():
                parsed = read_inventory(self._writer.json_of(new), str(self.path))
        except InventoryError as error:
            raise InventoryUnavailable(f"not written: nobody could read it: {error}") from error
        if _numbers_and_ids(parsed) != _numbers_and_ids(new):
            raise InventoryUnavailable("not written: it would be read as another inventory than it is")

    def prepare(self, inventory: Inventory) -> None:
        """Renders all devices, so that the next ``write`` or ``reread`` handles only what has changed."""
        self._writer.json(inventory)
        self._readable = inventory.devices

    def _decrypt(self, data: bytes) -> bytes:
        try:
            return decrypt(data, self._key.data, str(self.path))
        except InventoryKeyError:
            others = candidate_keys(self.path) if self._key.path else []
            for other in others:
                if other != self._key.data and (plain := _try(data, other, self.path)) is not None:
                    self._key = replace(self._key, data=other)
                    return plain
            raise


def _numbers_and_ids(inventory: Inventory) -> tuple[object, ...]:
    """What must be read as it was written; other values may be spelled differently."""
    ids = [device.id for device in inventory.devices], [seed.id for seed in inventory.seeds]
    return inventory.revision, inventory.claim, inventory.request_ids, inventory.imported_at, ids


def read_inventory(plain: bytes, name: str) -> Inventory:
    """The inventory in the decrypted content of the file ``name``; raises InventoryDamaged or InventoryInvalid."""
    try:
        document = parse_json(plain)
    except InventoryInvalid as error:
        raise InventoryDamaged(
            f"{name} can be decrypted, but its content is {error}; restore it from a backup"
        ) from None
    try:
        return from_document(document)
    except InventoryInvalid as error:
        raise error.inside(name) from None


def _try(data: bytes, key: bytes, path: Path) -> bytes | None:
    try:
        return decrypt(data, key, str(path))
    except InventoryKeyError:
        return None
