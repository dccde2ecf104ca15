"""Changing the key of the inventory file so that it can be read at every moment, whatever crashes.

The file itself goes from the old key to the new one in a single rename. When the key lives in a key file, two files
must change, and no rename does both: so the new key is first put beside the old one (``<file>.key.new``), then the
inventory is written with it, then the new key file takes the old one's place. Readers try both key files, and whoever
rekeys next begins with whichever key opens the inventory.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from promsnmp.errors import InventoryError
from promsnmp.inventory.storage.atomic_file import (
    explain_os_errors,
    read_bytes,
    sync_directory,
    write_bytes,
    write_lock,
)
from promsnmp.inventory.storage.encryption import decrypt, encrypt
from promsnmp.inventory.storage.key import InventoryKey, candidate_keys, key_file, new_key, next_key_file


def rekey(path: Path, old: InventoryKey, new: bytes | None = None) -> Path | None:
    """Encrypts the inventory file ``path`` anew; returns the key file that now holds the key, if one does.

    ``new`` None makes a key and keeps it in the key file; so does an ``old`` that came from there. Raises
    InventoryError, and then the file still opens with the old key.
    """
    in_key_file = new is None or old.path is not None
    key = new or new_key()
    with write_lock(path):
        plain = _plain(path, old)
        if in_key_file:
            write_bytes(next_key_file(path), key, keep_mode=False)
        if plain is not None:
            write_bytes(path, encrypt(plain, key))
        if not in_key_file:
            return None
        with explain_os_errors(key_file(path), "written"):
            next_key_file(path).rename(key_file(path))
            sync_directory(key_file(path).parent)
    return key_file(path)


def _plain(path: Path, old: InventoryKey) -> bytes | None:
    """The file's content; None when there is no file yet. First finishes a rekey that was cut off."""
    found = read_bytes(path)
    if found is None:
        return None
    failure: InventoryError | None = None
    for key in dict.fromkeys([old.data, *(candidate_keys(path) if old.path else [])]):
        try:
            plain = decrypt(found[0], key, str(path))
        except InventoryError as error:
            failure = failure or error
        else:
            if old.path:
                _settle(path, key)
            return plain
    assert failure is not None
    raise failure


def _settle(path: Path, key: bytes) -> None:
    """Makes ``key``, which opens the inventory, the one of the key file, before the next new key replaces its copy."""
    current, waiting = key_file(path), next_key_file(path)
    with explain_os_errors(current, "written"), contextlib.suppress(FileNotFoundError):
        if waiting.read_bytes().strip() == key:
            waiting.rename(current)
            sync_directory(current.parent)
