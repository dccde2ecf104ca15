"""Opens the inventory file for commands that need no running server: its path, its key, and the user's name.

A running server with the same file picks up what is written here.
"""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from promsnmp.errors import InventoryKeyError, SettingsError
from promsnmp.inventory.storage.atomic_file import FileStamp, stamp_of
from promsnmp.inventory.storage.key import load_key
from promsnmp.inventory.store import InventoryStore
from promsnmp.settings import Settings, load_settings

Command = TypeVar("Command", bound=Callable[..., Any])


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


def open_inventory(settings: Settings, *, create: bool = False, in_place: FileStamp | None = None) -> InventoryStore:
    """The store with its file read; empty when there is no file, or when it is being replaced (``in_place``).

    A key is generated only with ``create``. Raises InventoryError, and SettingsError for a wrong key.
    """
    path = settings.prom_inv_file
    if not create and (in_place or stamp_of(path) is None):
        return InventoryStore(path, b"")
    with key_errors_as_settings_errors():
        store = InventoryStore(
            path, load_key(path, encryption_key(settings), create=create, encrypted=in_place is None)
        )
        if in_place:
            store.start_empty(in_place)
        else:
            store.load()
    return store


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
