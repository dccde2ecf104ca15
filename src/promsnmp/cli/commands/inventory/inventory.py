"""``promsnmp inventory``: exports, imports, shows and re-encrypts the inventory file, with or without a running server.

A running server with the same file picks up what is written here.
"""

from __future__ import annotations

import asyncio
import json
import os
import stat
import sys
from pathlib import Path
from typing import Any

import click

from promsnmp.cli.options.inventory_file import (
    command_settings,
    encryption_key,
    file_option,
    key_errors_as_settings_errors,
    local_user,
    open_inventory,
    open_plain,
    open_unreadable,
    run_to_the_end,
)
from promsnmp.cli.output.files import require_folder
from promsnmp.cli.output.tables import print_table
from promsnmp.cli.output.text import counted
from promsnmp.errors import InventoryUnavailable
from promsnmp.inventory.document.parsing import VERSION_NAMES
from promsnmp.inventory.document.write import from_document, parse_json, to_document
from promsnmp.inventory.model import Device, Inventory
from promsnmp.inventory.modules import effective_modules
from promsnmp.inventory.storage.atomic_file import FileStamp, explain_os_errors, read_bytes, stamp_of, write_bytes
from promsnmp.inventory.storage.encryption import check_key, decrypt, looks_encrypted
from promsnmp.inventory.storage.key import load_key, read_key_file
from promsnmp.inventory.storage.rekey import rekey as reencrypt
from promsnmp.settings import Settings

NEW_KEY_SETTING = "PROM_ENCRYPT_KEY_NEW"


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def inventory() -> None:
    """Export, import, show or re-encrypt the inventory.

    The file is PROM_INV_FILE, its key is PROM_ENCRYPT_KEY or in the key file beside it. A running server picks up
    what is imported here.

    \b
    Examples:
      promsnmp inventory show
      promsnmp inventory export > devices.json     with masked secrets
      promsnmp inventory import devices.json       masked secrets keep their values
    \b
    Exit codes: 0 done, 1 the file cannot be read or written, 2 wrong arguments, settings, key or document.
    """


@inventory.command()
@click.argument("destination", metavar="[FILE|-]", default="-", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--masked/--secrets", "masked", default=True, help="Mask the secrets, or show them.  [default: masked]")
@click.option("--plain", is_flag=True, help="Same as --secrets.")
@file_option
def export(destination: Path, masked: bool, plain: bool, file: Path | None) -> None:
    """Write the inventory as JSON to FILE (mode 0600) or to the standard output.

    Secrets are masked unless --secrets is given; a masked document can be edited and imported again without losing
    them.

    \b
    Examples:
      promsnmp inventory export
      promsnmp inventory export --secrets backup.json
    """
    settings = command_settings(file)
    if _same_file(destination, settings.prom_inv_file):
        raise click.UsageError(f"{destination} is the inventory file itself; choose another file")
    if str(destination) != "-":
        require_folder(destination, "FILE")
    document = to_document(open_inventory(settings).current, mask=masked and not plain)
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    if str(destination) == "-":
        click.echo(text, nl=False)
    else:
        _write(destination, text)


@inventory.command("import")
@click.argument("source", metavar="FILE|-", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--dry-run", is_flag=True, help="Check and summarise the document, change nothing.")
@click.option(
    "--replace-unreadable",
    is_flag=True,
    help="Replace an inventory file that cannot be read; a copy stays beside it (<file>.unreadable).",
)
@file_option
def import_(source: Path, dry_run: bool, replace_unreadable: bool, file: Path | None) -> None:
    """Replace the inventory by the document in FILE, or on the standard input.

    FILE is JSON, or an inventory file with the same key, such as a backup. If the document has problems, they are
    listed, one per line (100 at most), and nothing is changed. Masked secrets keep their current values. Running
    servers use what was imported, even if it is older than what they have: so importing the inventory file into itself
    encrypts it if it is plain JSON, and makes it count if it is a restored backup.

    The inventory of another PromSNMP needs its secrets: export it there with --secrets (its API masks them).

    \b
    Examples:
      promsnmp inventory import devices.json
      promsnmp inventory import --dry-run devices.json
      promsnmp inventory import --replace-unreadable backup.json
      ssh old promsnmp inventory export --secrets | promsnmp inventory import -
      curl -s http://old:8080/promsnmp/inventory | promsnmp inventory import -    from the original (Java)
    """
    settings = command_settings(file)
    data, stamp = _read(source)
    is_plain = not looks_encrypted(data)
    document = parse_json(data if is_plain else _decrypted(data, source, settings))
    if is_plain and stamp is not None and _same_file(source, settings.prom_inv_file):
        store = open_plain(settings, stamp, document, create=not dry_run)
    elif replace_unreadable:
        store = open_unreadable(settings, create=not dry_run)
    else:
        store = open_inventory(settings, create=not dry_run)
    if dry_run:
        click.echo(f"would import {_summary(from_document(document, previous=store.current))}; nothing was changed")
    else:
        result = run_to_the_end(store.import_document(document, who=local_user()))
        click.echo(f"imported {_summary(result)} into {store.path} (revision {result.revision})")


@inventory.command()
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list instead of a table.")
@file_option
def show(as_json: bool, file: Path | None) -> None:
    """List the devices: name, address, SNMP version, modules. Never shows secrets.

    \b
    Examples:
      promsnmp inventory show
      promsnmp inventory show --json | jq -r '.[].address'
    """
    settings = command_settings(file)
    store = open_inventory(settings)
    rows = [_row(device, settings) for device in store.current.devices]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    headings = ("sysName", "address", "version", "modules", "agents", "location")
    print_table(headings, [_cells(row) for row in rows])
    click.echo(f"{_summary(store.current)}, revision {store.current.revision}, in {store.path}")


@inventory.command()
@click.option(
    "--new-key-file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="PATH",
    help="File with the new key; - is the standard input.",
)
@file_option
def rekey(new_key_file: Path | None, file: Path | None) -> None:
    """Encrypt the inventory file with a new key. If interrupted, the file opens with the old key or the new one.

    The new key comes from --new-key-file, else from PROM_ENCRYPT_KEY_NEW, else it is generated. A generated key, and
    one that replaces a key in a key file, is written to the key file beside the inventory (<file>.key), and a running
    server picks it up. Otherwise set PROM_ENCRYPT_KEY to the new key before the next start.

    \b
    Examples:
      promsnmp inventory rekey
      PROM_ENCRYPT_KEY_NEW=$(cat new.key) promsnmp inventory rekey
    """
    settings = command_settings(file)
    path = settings.prom_inv_file
    if stamp_of(path) is None:
        raise InventoryUnavailable(f"there is no inventory in {path} yet, nothing to encrypt")
    with key_errors_as_settings_errors():
        key, new_key = load_key(path, encryption_key(settings), create=False), _new_key(new_key_file)
        key_file = run_to_the_end(asyncio.to_thread(reencrypt, path, key, new_key))
    if key_file is None:
        click.echo(
            f"{path} is encrypted with the new key; set PROM_ENCRYPT_KEY to it before the next start of PromSNMP"
        )
        return
    click.echo(f"{path} is encrypted with the new key, which is in {key_file}")
    if settings.prom_encrypt_key:
        click.echo("unset PROM_ENCRYPT_KEY, or set it to the key in that file, before the next start of PromSNMP")


def _new_key(new_key_file: Path | None) -> bytes | None:
    if new_key_file is None:
        given = os.environ.get(NEW_KEY_SETTING, "")
        return check_key(given.encode(), NEW_KEY_SETTING) if given else None
    if str(new_key_file) == "-":
        return check_key(sys.stdin.buffer.read().strip(), "the key on the standard input")
    if (key := read_key_file(new_key_file, accept_exposed=True)) is None:
        raise click.UsageError(f"no such file: {new_key_file}")
    return key


def _read(source: Path) -> tuple[bytes, FileStamp | None]:
    if str(source) == "-":
        return sys.stdin.buffer.read(), None
    try:
        if not stat.S_ISREG(source.stat().st_mode):  # a pipe: import <(jq ...)
            return source.read_bytes(), None
    except OSError as error:
        raise click.UsageError(f"cannot read {source}: {error.strerror}") from None
    found = read_bytes(source)
    if found is None:
        raise click.UsageError(f"no such file: {source}")
    return found


def _decrypted(data: bytes, source: Path, settings: Settings) -> bytes:
    """The content of an inventory file, such as a backup, with the key of the inventory."""
    with key_errors_as_settings_errors():
        key = load_key(settings.prom_inv_file, encryption_key(settings), create=False)
        return decrypt(data, key.data, str(source))


def _write(destination: Path, text: str) -> None:
    if destination.exists() and not destination.is_file():  # a device or a pipe is written to, not replaced
        with explain_os_errors(destination, "written"):
            destination.write_text(text, encoding="utf-8")
    else:
        write_bytes(destination, text.encode(), keep_mode=False)


def _same_file(one: Path, other: Path) -> bool:
    return str(one) != "-" and os.path.realpath(one) == os.path.realpath(other)


def _summary(found: Inventory) -> str:
    agents = sum(len(device.agents) for device in found.devices)
    return f"{counted(len(found.devices), 'device')}, {counted(agents, 'agent')}, {counted(len(found.seeds), 'seed')}"


def _row(device: Device, settings: Settings) -> dict[str, Any]:
    primary = device.primary
    return {
        "sysName": device.sys_name,
        "address": str(primary.endpoint) if primary else "",
        "version": VERSION_NAMES[primary.version] if primary else "",
        "modules": list(effective_modules(device, settings.modules)),
        "agents": len(device.agents),
        "sysLocation": device.sys_location,
        "sysDescr": device.sys_descr,
        "discoveredAt": device.discovered_at,
    }


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    modules = ",".join(row["modules"])
    return row["sysName"], row["address"], row["version"], modules, str(row["agents"]), row["sysLocation"]
