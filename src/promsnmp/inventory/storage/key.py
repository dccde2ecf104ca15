"""Where the inventory's key comes from: PROM_ENCRYPT_KEY, else a key file beside the inventory file.

A key file is made once, whole, and never over another one: processes that start together end with the same key, and an
inventory whose key is missing is reported instead of being given a new key that does not fit.
"""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import stat
import time
from dataclasses import dataclass, field
from pathlib import Path

from promsnmp.errors import InventoryKeyError
from promsnmp.inventory.storage.atomic_file import (
    explain_os_errors,
    make_directory,
    read_bytes,
    stamp_of,
    sync_directory,
    write_bytes,
    write_lock,
)
from promsnmp.inventory.storage.encryption import check_key

log = logging.getLogger(__name__)

SETTING = "PROM_ENCRYPT_KEY"


@dataclass(frozen=True, slots=True)
class InventoryKey:
    """The key's bytes, and the key file that they came from (None: from the environment)."""

    data: bytes = field(repr=False)
    path: Path | None = None


def key_file(inventory_file: Path) -> Path:
    """``<inventory file>.key``, beside the file itself when that is a symbolic link."""
    real = Path(os.path.realpath(inventory_file))
    return real.with_name(real.name + ".key")


def next_key_file(inventory_file: Path) -> Path:
    """Where a new key waits while the inventory is being written with it."""
    current = key_file(inventory_file)
    return current.with_name(current.name + ".new")


def load_key(inventory_file: Path, secret: str | None, *, create: bool = True, encrypted: bool = True) -> InventoryKey:
    """The key of ``inventory_file``: ``secret`` (PROM_ENCRYPT_KEY) when set, else the key file's content.

    Without either, ``create`` makes a key file (mode 0600), but only while there is no inventory file yet (or the
    caller knows that it is not ``encrypted``).
    Raises InventoryKeyError, or InventoryUnavailable when the key file cannot be read or made.
    """
    if secret:
        return InventoryKey(check_key(secret.encode(), SETTING))
    path = key_file(inventory_file)
    exists = (
        encrypted and stamp_of(inventory_file) is not None
    )  # looked at first: whoever makes both makes the key first
    for place in (path, next_key_file(inventory_file)):
        if (found := read_key_file(place)) is not None:
            return InventoryKey(found, path)
    if exists or not create:
        raise InventoryKeyError(
            f"{inventory_file} needs its key: set {SETTING}, or put the key into {path} (the original PromSNMP "
            "uses 0123456789ABCDEF when none is set)"
        )
    with write_lock(inventory_file):  # whose holder sweeps temporary files
        return InventoryKey(_make(path), path)


def candidate_keys(inventory_file: Path) -> list[bytes]:
    """Keys in key files now: the current one, and one that an unfinished rekey left."""
    places = (key_file(inventory_file), next_key_file(inventory_file))
    return [found for place in places if (found := read_key_file(place)) is not None]


def read_key_file(path: Path) -> bytes | None:
    """The key in a file, without the line's end; None when there is no such file."""
    content = read_bytes(path)
    if content is None:
        return None
    with contextlib.suppress(OSError):
        if stat.S_IMODE(path.stat().st_mode) & 0o007:
            log.warning("%s can be read or written by every user of this machine; run: chmod 600 %s", path, path)
    return check_key(content[0].strip(), f"the key in {path}")


def new_key() -> bytes:
    """32 characters of hexadecimal text: an AES-256 key that survives copying into an environment variable."""
    return secrets.token_hex(16).encode()


def _make(path: Path) -> bytes:
    """Makes the key file by linking a finished one into place: it appears whole, once, or is another's by then."""
    with explain_os_errors(path, "written"):
        make_directory(path.parent)
        finished = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
        write_bytes(finished, new_key(), keep_mode=False)
        try:
            _publish(finished, path)
            log.warning("made the inventory's key %s; back it up, the inventory cannot be read without it", path)
        except FileExistsError:
            log.debug("another process made %s", path)
        finally:
            finished.unlink()
        sync_directory(path.parent)
    return _made(path)


def _publish(finished: Path, path: Path) -> None:
    """Raises FileExistsError when there is a key file already."""
    try:
        os.link(finished, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(finished.read_bytes())
            file.flush()
            os.fsync(descriptor)


def _made(path: Path) -> bytes:
    """The key that is there now; without hard links its maker may need a moment to write it."""
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
            raise InventoryKeyError(f"{path} vanished while it was made; start again")
        return key
