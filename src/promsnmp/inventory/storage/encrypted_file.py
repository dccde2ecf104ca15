"""Reads and writes the encrypted inventory file.

It holds the key, and the text of each device that was written last, so that a change of one device renders one.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from promsnmp.errors import InventoryDamaged, InventoryInvalid, InventoryKeyError
from promsnmp.inventory.document.incremental import reread
from promsnmp.inventory.document.write import DocumentWriter, from_document, parse_json
from promsnmp.inventory.model import Inventory
from promsnmp.inventory.storage.atomic_file import FileStamp, read_bytes, stamp_of, write_lock, write_parts
from promsnmp.inventory.storage.encryption import decrypt, encrypt_parts
from promsnmp.inventory.storage.key import InventoryKey, candidate_keys
from promsnmp.support.memory import gc_paused


class EncryptedFile:
    """The file ``path``, encrypted with ``key``. A key from a key file is read again when the file cannot be decrypted
    with it, so a running server follows ``promsnmp inventory rekey``."""

    def __init__(self, path: Path, key: InventoryKey) -> None:
        self.path = path
        self._key = key
        self._writer = DocumentWriter(mask=False)

    @property
    def key(self) -> bytes:
        """The key that decrypted the file last."""
        return self._key.data

    def stamp(self) -> FileStamp | None:
        """Identifies the version of the file; None when there is no file."""
        return stamp_of(self.path)

    def lock(self) -> contextlib.AbstractContextManager[None]:
        """Excludes other writers; see ``write_lock``."""
        return write_lock(self.path)

    def read(self) -> tuple[Inventory, FileStamp] | None:
        """The inventory in the file; None when there is no file. Raises InventoryError."""
        found = read_bytes(self.path)
        if found is None:
            return None
        data, stamp = found
        with gc_paused():
            return read_inventory(self._decrypt(data), str(self.path)), stamp

    def reread(self) -> tuple[Inventory, FileStamp] | None:
        """Like ``read``, but faster for a file that differs little from what was read or written before."""
        found = read_bytes(self.path)
        if found is None:
            return None
        data, stamp = found
        with gc_paused():
            plain = self._decrypt(data)
            inventory = reread(plain, *self._writer.known) or read_inventory(plain, str(self.path))
        return inventory, stamp

    def write(self, inventory: Inventory, *, before_rename: Callable[[], None] = lambda: None) -> FileStamp:
        """Writes ``inventory`` to the file durably; see ``write_parts``. Raises InventoryUnavailable."""
        return write_parts(
            self.path, encrypt_parts(self._writer.parts(inventory), self._key.data), before_rename=before_rename
        )

    def prepare(self, inventory: Inventory) -> None:
        """Renders all devices, so that the next ``write`` or ``reread`` handles only what has changed."""
        for _ in self._writer.parts(inventory):
            pass

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
        raise InventoryInvalid([f"{name}: {problem}" for problem in error.problems]) from None


def _try(data: bytes, key: bytes, path: Path) -> bytes | None:
    try:
        return decrypt(data, key, str(path))
    except InventoryKeyError:
        return None
