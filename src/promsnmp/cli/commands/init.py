"""``promsnmp init``: writes a commented configuration and makes the inventory's key; it never overwrites."""

from __future__ import annotations

import os
from pathlib import Path

import click

from promsnmp.errors import PromSnmpError
from promsnmp.inventory.storage.key import key_file, load_key
from promsnmp.settings.reading.config_file import NAME, SYSTEM_PLACE, config_path, user_place
from promsnmp.settings.reading.schema import commented_file
from promsnmp.settings.settings import group_keys, load_settings
from promsnmp.support.secret_keys import make_once


@click.command("init", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("folder", required=False, type=click.Path(path_type=Path, file_okay=False))
@click.option("--file", "inventory", type=click.Path(path_type=Path), metavar="PATH", help="The inventory file.")
def init(folder: Path | None, inventory: Path | None) -> None:
    """Write a commented promsnmp.yml to FOLDER, make the inventory's key, and say what to do next.

    FOLDER is ~/.config/promsnmp, or /etc/promsnmp for root, unless it is given. The key is made beside the inventory
    file with mode 0600. What is there already stays as it is, so the command can be run again.

    \b
    Examples:
      promsnmp init
      promsnmp init /etc/promsnmp --file /var/lib/promsnmp/inventory.json
    \b
    Exit codes: 0 done, 1 a file cannot be written, 2 wrong arguments or settings.
    """
    target = (folder or (SYSTEM_PLACE if os.geteuid() == 0 else user_place()).parent).absolute()
    path = target / NAME
    settings = load_settings(**({"prom_inv_file": inventory} if inventory else {}))
    inventory_file = settings.prom_inv_file.absolute()
    chosen = {"inventory": {"prom_inv_file": str(inventory_file)}} if inventory else {}
    _make(path, commented_file(group_keys().values(), chosen).encode(), "configuration")
    key = key_file(inventory_file)
    if settings.prom_encrypt_key is not None:
        click.echo("kept     the inventory's key: that of PROM_ENCRYPT_KEY")
    else:
        existed = key.exists()
        load_key(inventory_file, None)
        _tell(key, "the inventory's key", made=not existed)
    click.echo(_next_steps(path, key, used=config_path()), nl=False)


def _make(path: Path, content: bytes, what: str) -> None:
    try:
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        _tell(path, what, made=make_once(path, content))
    except OSError as error:
        raise PromSnmpError(f"cannot write {path}: {error.strerror or error}") from None


def _tell(path: Path, what: str, *, made: bool) -> None:
    click.echo(f"{'made' if made else 'kept':8} {what}: {path}")


def _next_steps(path: Path, key: Path, *, used: Path | None) -> str:
    is_used = used is not None and used.absolute() == path
    serve = "promsnmp serve" if is_used else f"promsnmp --config {path} serve"
    check = "promsnmp config check" if is_used else f"promsnmp config check {path}"
    return f"""
Next:
  1. Back up {key}: without it nobody can read the inventory.
  2. Look at the configuration: every setting is in it, with its default. This checks it: {check}
  3. Start the service: {serve}
  4. Find devices in your network: promsnmp discover 192.0.2.0/24 -c public --save-seed
     or add one: promsnmp devices add 192.0.2.1 -c public
  5. Dashboards, alerts and a configuration for Prometheus: promsnmp assets export DIR
"""
