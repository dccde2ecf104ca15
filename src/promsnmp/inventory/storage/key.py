"""Loads the inventory's key: PROM_ENCRYPT_KEY, else a key file beside the inventory file.

A key file is created once, atomically, and never replaces another one: processes that start together get the same key,
and an inventory without its key is an error instead of getting a new, useless key.
"""

from __future__ import annotations

import logging
import os
import secrets
import time
from dataclasses import dataclass, field
from pathlib import Path

from promsnmp.errors import InventoryKeyError
from promsnmp.inventory.storage.atomic_file import (
    explain_os_errors,
    make_directory,
    read_bytes,
    stamp_of,
)
from promsnmp.inventory.storage.encryption import check_key
from promsnmp.inventory.storage.lock import write_lock
from promsnmp.support.secret_keys import exposure, make_once

log = logging.getLogger(__name__)

SETTING = "PROM_ENCRYPT_KEY"


@dataclass(frozen=True, slots=True)
class InventoryKey:
    """The bytes of the key, and the key file that they are from (None: from the environment).

    Without bytes, the key file is made by the first write of the inventory.
    """

    data: bytes = field(repr=False)
    path: Path | None = None


def key_file(inventory_file: Path) -> Path:
    """``<inventory file>.key``, beside the target when the inventory file is a symbolic link."""
    real = Path(os.path.realpath(inventory_file))
    return real.with_name(real.name + ".key")


def next_key_file(inventory_file: Path) -> Path:
    """The file that holds a new key until the inventory has been written with it."""
    current = key_file(inventory_file)
    return current.with_name(current.name + ".new")


def load_key(
    inventory_file: Path, secret: str | None, *, create: bool = True, encrypted: bool = True, on_write: bool = False
) -> InventoryKey:
    """The key of ``inventory_file``: ``secret`` (PROM_ENCRYPT_KEY) when set, else the key file's content.

    Without either, ``create`` makes a key file (mode 0600), but only when there is no inventory file yet, or when it is
    not ``encrypted``; with ``on_write`` the first write of the inventory makes it, so that a command that fails before
    leaves nothing. Raises InventoryKeyError, or InventoryUnavailable when the key file cannot be read or created.
    """
    if secret:
        return InventoryKey(check_key(secret.encode(), SETTING))
    path = key_file(inventory_file)
    exists = encrypted and stamp_of(inventory_file) is not None  # checked first: the key is created before the file
    for place in (path, next_key_file(inventory_file)):
        if (found := read_key_file(place)) is not None:
            return InventoryKey(found, path)
    if exists or not create:
        raise InventoryKeyError(
            f"the key of {inventory_file} is missing; set {SETTING}, or put the key into {path} (the original PromSNMP "
            "uses 0123456789ABCDEF when none is set)"
        )
    if on_write:
        return InventoryKey(b"", path)
    with write_lock(inventory_file):  # the holder of the lock removes temporary files
        return InventoryKey(make_key_file(path), path)


def candidate_keys(inventory_file: Path) -> list[bytes]:
    """The keys in the key files: the current one, and one that an unfinished rekey left."""
    places = (key_file(inventory_file), next_key_file(inventory_file))
    return [found for place in places if (found := read_key_file(place)) is not None]


def read_key_file(path: Path, *, accept_exposed: bool = False) -> bytes | None:
    """The key in a file, without the newline; None when there is no file. Raises InventoryKeyError.

    A file that others can read is an error, too, or with ``accept_exposed`` a warning.
    """
    content = read_bytes(path)
    if content is None:
        return None
    with explain_os_errors(path, "read"):
        problem = exposure(path, path.stat())
    if problem and not accept_exposed:
        raise InventoryKeyError(f"the key file is refused: {problem}")
    if problem:
        log.warning("not a secret: %s", problem)
    return check_key(content[0].strip(), f"the key in {path}")


def new_key() -> bytes:
    """32 hexadecimal characters: an AES-256 key that can be copied into an environment variable."""
    return secrets.token_hex(16).encode()


def make_key_file(path: Path) -> bytes:
    """Creates the key file, never over another process's key; returns the key that is in it then.

    The caller holds the lock of the inventory. Raises InventoryKeyError or InventoryUnavailable.
    """
    with explain_os_errors(path, "written"):
        make_directory(path.parent)
        if make_once(path, new_key()):
            log.warning(
                "created the key of the inventory, back it up, the inventory cannot be read without it: %s", path
            )
    return _made(path)


def _made(path: Path) -> bytes:
    """The key in the file; without hard links, its creator may need a moment to write it."""
    deadline = time.monotonic() + 2.0
    while True:
        try:
            key = read_key_file(path)
        except InventoryKeyError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
            continue
        if key is None:
            raise InventoryKeyError(f"{path} was deleted while it was created; start again")
        return key
