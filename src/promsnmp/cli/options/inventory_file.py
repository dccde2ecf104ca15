"""Opens the inventory file for commands that need no running server: its path, its key, and the user's name.

A running server with the same file picks up what is written here.
"""

from __future__ import annotations

import asyncio
import getpass
import os
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from promsnmp.errors import InventoryDamaged, InventoryInvalid, InventoryKeyError, OutcomeUnknown, SettingsError
from promsnmp.inventory.document.read import numbers_in
from promsnmp.inventory.model import Inventory
from promsnmp.inventory.storage.atomic_file import FileStamp, read_bytes, stamp_of, write_bytes
from promsnmp.inventory.storage.key import load_key
from promsnmp.inventory.store import InventoryStore
from promsnmp.inventory.writes.numbers import carried
from promsnmp.observe.tasks import shielded
from promsnmp.settings import Settings, load_settings

Command = TypeVar("Command", bound=Callable[..., Any])
T = TypeVar("T")


def file_option(command: Command) -> Command:
    """Adds the option ``--file`` to a command."""
    help_text = "The inventory file; overrides PROM_INV_FILE and PROMSNMP_URL."
    return click.option("--file", "file", type=click.Path(path_type=Path), metavar="PATH", help=help_text)(command)


def command_settings(file: Path | None) -> Settings:
    """The settings, with ``file`` as the inventory file if it is given. Raises SettingsError."""
    return load_settings(prom_inv_file=file) if file else load_settings()


def encryption_key(settings: Settings) -> str | None:
    """PROM_ENCRYPT_KEY."""
    return settings.prom_encrypt_key.get_secret_value() if settings.prom_encrypt_key else None


def open_inventory(settings: Settings, *, create: bool = False) -> InventoryStore:
    """The store with its file read; empty when there is no file.

    A key is generated only with ``create``, by the first write. Raises InventoryError, and SettingsError for a wrong
    key.
    """
    with key_errors_as_settings_errors():
        return _open(settings, create=create)


def _open(settings: Settings, *, create: bool) -> InventoryStore:
    path = settings.prom_inv_file
    if not create and stamp_of(path) is None:
        return InventoryStore(path, b"")
    store = InventoryStore(path, load_key(path, encryption_key(settings), create=create, on_write=True))
    store.load()
    return store


def open_plain(settings: Settings, stamp: FileStamp, document: object, *, create: bool) -> InventoryStore:
    """The store of an inventory file that is plain JSON and is to be encrypted: empty, but with the numbers of its
    ``document``. ``stamp`` is that of the version that was read."""
    path = settings.prom_inv_file
    if not create:
        return InventoryStore(path, b"")
    return _to_be_replaced(settings, stamp, carried(numbers_in(document)))


def open_unreadable(settings: Settings, *, create: bool) -> InventoryStore:
    """Like ``open_inventory``, but when the file cannot be read, the store is empty and will replace it, and a copy of
    the file stays beside it."""
    path = settings.prom_inv_file
    try:
        return _open(settings, create=create)
    except (InventoryDamaged, InventoryInvalid, InventoryKeyError) as error:
        unreadable = read_bytes(path)
        if unreadable is None or not create:
            return InventoryStore(path, b"")
        copy = path.with_name(f"{path.name}.unreadable")
        write_bytes(copy, unreadable[0])
        click.echo(f"promsnmp: {error}", err=True)
        click.echo(f"promsnmp: the file is replaced; a copy of it is {copy}", err=True)
        return _to_be_replaced(settings, unreadable[1], Inventory())


def _to_be_replaced(settings: Settings, stamp: FileStamp, numbers: Inventory) -> InventoryStore:
    path = settings.prom_inv_file
    with key_errors_as_settings_errors():
        store = InventoryStore(path, load_key(path, encryption_key(settings), encrypted=False))
    store.start_empty(stamp, numbers)
    return store


def run_to_the_end(change: Coroutine[Any, Any, T]) -> T:
    """Runs a change of the file. Ctrl-C does not end the command before the outcome is known; a second one does.

    Raises OutcomeUnknown then.
    """
    try:
        return asyncio.run(_finished(change))
    except KeyboardInterrupt:
        raise OutcomeUnknown("interrupted during a write; look up whether the change was made") from None


async def _finished(change: Coroutine[Any, Any, T]) -> T:
    task = asyncio.ensure_future(change)
    while True:
        try:
            return await shielded(task)
        except asyncio.CancelledError:
            if task.cancelled():
                raise


@contextmanager
def key_errors_as_settings_errors() -> Iterator[None]:
    """Turns a wrong key into a wrong setting, so that the command exits with 2."""
    try:
        yield
    except InventoryKeyError as error:
        raise SettingsError(str(error)) from None


def local_user() -> str:
    """The user who runs this command, for the audit log."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):  # a container's user need not have a name
        return f"cli:{os.getuid()}"
