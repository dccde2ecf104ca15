"""Changes the key of the inventory file, which stays readable at every moment, even after a crash.

A single rename changes the file from the old key to the new one. When the key is in a key file, two files must change,
and no rename does both: so the new key is first written beside the old one (``<file>.key.new``), then the inventory is
written with it, then the new key file replaces the old one. Readers try both key files, and the next rekey begins with
the key that decrypts the inventory.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from promsnmp.errors import InventoryError, InventoryUnavailable, OutcomeUnknown
from promsnmp.inventory.storage.atomic_file import (
    explain_os_errors,
    read_bytes,
    sync_directory,
    write_bytes,
    write_parts,
)
from promsnmp.inventory.storage.encryption import decrypt, encrypt
from promsnmp.inventory.storage.key import InventoryKey, candidate_keys, key_file, new_key, next_key_file
from promsnmp.inventory.storage.lock import write_lock


def rekey(path: Path, old: InventoryKey, new: bytes | None = None) -> Path | None:
    """Encrypts the inventory file ``path`` with another key; returns the key file that holds it, if any.

    Without ``new``, generates a key. The new key goes into the key file when it is generated, or when ``old`` is from
    there. Raises InventoryError; then the old key still decrypts the file. Raises OutcomeUnknown when the file has the
    new key, but something is uncertain.
    """
    in_key_file = new is None or old.path is not None
    key = new or new_key()
    with write_lock(path):
        plain = _plain(path, old)
        if in_key_file:
            _keep_next_key(path, key)
        if plain is not None:
            _encrypt(path, plain, key)
        if in_key_file:
            _use_next_key(path)
    return key_file(path) if in_key_file else None


def _keep_next_key(path: Path, key: bytes) -> None:
    """Writes the new key beside the old one; while that is uncertain, the inventory is not encrypted with it."""
    try:
        write_bytes(next_key_file(path), key, keep_mode=False)
    except OutcomeUnknown as error:
        raise InventoryUnavailable(f"the inventory keeps its old key: {error}") from None


def _encrypt(path: Path, plain: bytes, key: bytes) -> None:
    """Raises OutcomeUnknown when the file may have the old key again after a power failure."""

    def read_back(temporary: Path) -> None:
        if decrypt(temporary.read_bytes(), key, str(path)) != plain:
            raise InventoryUnavailable(f"{path} keeps its old key: what was written does not read back")

    written = write_parts(path, [encrypt(plain, key)], before_rename=read_back)
    if written.doubt:
        raise OutcomeUnknown(f"{written.doubt}; keep the old key and the new one, and encrypt it again")


def _use_next_key(path: Path) -> None:
    """Puts the new key file in place of the old one. The inventory has the new key already, so no error says
    otherwise."""
    try:
        next_key_file(path).rename(key_file(path))
        sync_directory(key_file(path).parent)
    except OSError as error:
        raise OutcomeUnknown(
            f"{path} is encrypted with the new key, but {key_file(path)} may still have the old one "
            f"({error.strerror}); PromSNMP finds the new key in {next_key_file(path)}, too; encrypt it again"
        ) from error


def _plain(path: Path, old: InventoryKey) -> bytes | None:
    """The decrypted content; None when there is no file yet. Completes a rekey that was interrupted."""
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
    """Puts ``key``, which decrypts the inventory, into the key file, before another new key replaces its only copy."""
    current, waiting = key_file(path), next_key_file(path)
    with explain_os_errors(current, "written"), contextlib.suppress(FileNotFoundError):
        if waiting.read_bytes().strip() == key:
            waiting.rename(current)
            sync_directory(current.parent)
