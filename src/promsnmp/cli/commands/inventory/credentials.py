"""``promsnmp credentials``: lists, sets and removes credentials that devices use by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from promsnmp.cli.client import ServiceClient
from promsnmp.cli.options.credentials import credential_options
from promsnmp.cli.options.inventory_file import (
    command_settings,
    file_option,
    local_user,
    open_inventory,
    run_to_the_end,
)
from promsnmp.cli.options.service import service_options
from promsnmp.cli.output.tables import print_table
from promsnmp.cli.output.text import counted, printable
from promsnmp.inventory.document.credentials import write_credentials
from promsnmp.inventory.model import agent_type
from promsnmp.inventory.named_credentials.document import named_document
from promsnmp.inventory.named_credentials.editor import NamedCredentialsEditor
from promsnmp.snmp.credentials import Credentials

PATH = "/promsnmp/credentials"
_VERSIONS = {0: "v1", 1: "v2c", 3: "v3"}


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def credentials() -> None:
    """List, set or remove credentials that devices use by name.

    With --url (or PROMSNMP_URL) they are those of a running service, else those of the inventory file PROM_INV_FILE; a
    running server picks up changes of the file.

    \b
    Examples:
      promsnmp credentials list
      promsnmp credentials set campus -c s3cret
      promsnmp credentials set core -u monitor -a SHA-256 -x AES --url http://promsnmp:8080
    \b
    Exit codes: 0 done, 1 the service or the file failed, there are no such credentials, or devices use them, 2 wrong
    arguments, settings, key or values.
    """


@credentials.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list instead of a table.")
@file_option
@service_options
def list_(as_json: bool, file: Path | None, service: ServiceClient | None) -> None:
    """List the credentials, with the number of devices that use them. Never shows secrets.

    \b
    Example:
      promsnmp credentials list --json | jq -r '.[].name'
    """
    if service:
        found = service.get(PATH).json()
    else:
        editor = _editor(file)
        used_by = editor.used_by()
        found = [{**named_document(one, mask=True), "usedBy": used_by.get(one.name, 0)} for one in editor.current]
    if as_json:
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    print_table(("name", "version", "user", "devices"), [_row(one) for one in found])
    click.echo(f"{len(found):,} named credentials")


@credentials.command("set")
@click.argument("credentials_name", metavar="NAME")
@file_option
@credential_options
@service_options
def set_(credentials_name: str, credentials: Credentials, file: Path | None, service: ServiceClient | None) -> int:
    """Set the credentials NAME, and so those of all devices that use them, in one write.

    Passphrases come from PROMSNMP_AUTH_PASSPHRASE and PROMSNMP_PRIV_PASSPHRASE, or from a prompt. Devices use
    credentials by the key credentialsName of an agent.

    \b
    Examples:
      promsnmp credentials set campus -c s3cret
      promsnmp credentials set core -u monitor -a SHA-256 -x AES
    """
    document = document_of(credentials)
    if service:
        is_new = service.call("PUT", f"{PATH}/{credentials_name}", document=document).status == 201
    else:
        _, is_new = run_to_the_end(_editor(file, create=True).put(credentials_name, document, who=local_user()))
    click.echo(f"{'added' if is_new else 'set'} {printable(credentials_name)}")
    return 0


@credentials.command()
@click.argument("name")
@file_option
@service_options
def remove(name: str, file: Path | None, service: ServiceClient | None) -> None:
    """Remove the credentials NAME, which no device uses.

    \b
    Example:
      promsnmp credentials remove campus
    """
    if service:
        service.call("DELETE", f"{PATH}/{name}")
    else:
        run_to_the_end(_editor(file).remove(name, who=local_user()))
    click.echo(f"removed {printable(name)}")


def document_of(credentials: Credentials) -> dict[str, object]:
    """The document of the API that sets these credentials, with secrets."""
    head = {"type": agent_type(credentials), "version": int(credentials.version)}
    return head | write_credentials(credentials, mask=False)


def _editor(file: Path | None, *, create: bool = False) -> NamedCredentialsEditor:
    return NamedCredentialsEditor(open_inventory(command_settings(file), create=create))


def _row(document: dict[str, Any]) -> tuple[str, ...]:
    version = _VERSIONS.get(document["version"], "")
    return document["name"], version, document.get("securityName", ""), counted(document["usedBy"], "device")
