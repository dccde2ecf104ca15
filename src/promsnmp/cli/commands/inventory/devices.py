"""``promsnmp devices``: lists, shows, adds, edits and removes devices of a running service or in the inventory file.

With a service (``--url``) a command calls its API; without one it does the same to the file, and a running server with
that file picks it up.
"""

from __future__ import annotations

import json
from functools import partial
from http.client import UNPROCESSABLE_ENTITY
from pathlib import Path
from typing import Any

import click

from promsnmp.cli.client import ServiceClient
from promsnmp.cli.commands.inventory.edit_device import PATH, edit, path_of
from promsnmp.cli.commands.inventory.import_devices import import_devices
from promsnmp.cli.commands.inventory.service_devices import list_devices
from promsnmp.cli.options.credentials import credential_options
from promsnmp.cli.options.duration import Duration
from promsnmp.cli.options.inventory_file import (
    command_settings,
    file_option,
    local_user,
    open_inventory,
    run_to_the_end,
)
from promsnmp.cli.options.labels import read_labels
from promsnmp.cli.options.modules import known_modules, module_names
from promsnmp.cli.options.poll_overrides import override_options, overrides_of
from promsnmp.cli.options.service import service_options
from promsnmp.cli.output.device import HEADINGS, Document, label_of, lines_of, row_of
from promsnmp.cli.output.tables import print_table
from promsnmp.cli.output.text import counted, printable
from promsnmp.errors import PromSnmpError, ServiceError, SnmpError
from promsnmp.inventory.address import split_target
from promsnmp.inventory.devices import Devices
from promsnmp.inventory.document.credentials import write_credentials
from promsnmp.inventory.document.write import device_document
from promsnmp.inventory.model import DEFAULT_PORT, Device, agent_type
from promsnmp.inventory.query import DeviceSelector, parse_query
from promsnmp.polling.detection.first_contact import ask_device, named_by_itself
from promsnmp.polling.poll import SessionFactory
from promsnmp.settings import Settings
from promsnmp.snmp.credentials import Credentials


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def devices() -> None:
    """List, show, add, import, edit or remove devices.

    With --url (or PROMSNMP_URL) the devices are those of a running service, else those of the inventory file
    PROM_INV_FILE; a running server picks up changes of the file.

    \b
    Examples:
      promsnmp devices list
      promsnmp devices add 192.0.2.1 --name core1 -c public
      promsnmp devices show core1 --url http://promsnmp:8080
      promsnmp devices import --from librenms devices.json --dry-run
    \b
    Exit codes: 0 done, 1 the service or the file failed or has no such device, 2 wrong arguments, settings, key or
    values.
    """


@devices.command("list")
@click.argument("query", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list instead of a table.")
@file_option
@service_options
def list_(query: tuple[str, ...], as_json: bool, file: Path | None, service: ServiceClient | None) -> None:
    """List the devices that match QUERY, or all. Never shows secrets.

    QUERY is words that a device must contain (in name, address, description, location, contact, vendor, model, labels),
    key:words, key=value or label.name=value; a minus sign in front of one negates it. If the first one has a minus,
    put -- before it.

    \b
    Examples:
      promsnmp devices list
      promsnmp devices list core 'location:"rack 7"' label.region=eu
      promsnmp devices list --json -- -status=lost | jq -r '.[].sysName'
    """
    settings = command_settings(file)
    words = " ".join(query)
    found = list_devices(service, words) if service else _list_from_file(settings, words)
    if as_json:
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    print_table(HEADINGS, [row_of(document) for document in found])
    click.echo(counted(len(found), "device"))


@devices.command()
@click.argument("device")
@click.option("--json", "as_json", is_flag=True, help="Print the JSON document instead of text.")
@file_option
@service_options
def show(device: str, as_json: bool, file: Path | None, service: ServiceClient | None) -> None:
    """Show DEVICE: its id, sysName or address. Secrets are masked.

    \b
    Examples:
      promsnmp devices show core1
      promsnmp devices show 192.0.2.1 --json
    """
    if service:
        document = service.call("GET", path_of(device)).json()
    else:
        one = Devices(open_inventory(command_settings(file))).find(device)
        document = device_document(one, mask=True)
    if as_json:
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
        return
    for key, value in lines_of(document):
        click.echo(f"{key:16} {printable(value)}")


@devices.command()
@click.argument("address", metavar="ADDRESS[:PORT]")
@click.option("--name", "sys_name", default="", help="sysName, the name that scrapes use.  [default: the address]")
@click.option("--location", default="", help="Where the device is.")
@click.option("--contact", default="", help="Who is responsible for it.")
@click.option("--label", "labels", multiple=True, metavar="NAME=VALUE", help="Label in /targets; repeatable.")
@click.option(
    "--module",
    "modules",
    multiple=True,
    help="Module to poll with; repeatable, or comma separated.  [default: those that suit the device]",
)
@click.option(
    "--timeout",
    type=Duration(shortest=0.01, plain_unit="ms"),
    help="Time to wait for a packet: 500ms, 2s; without a unit in milliseconds.  [default: 1500ms]",
)
@click.option("--retries", type=click.IntRange(0, 100), help="Retries per packet.  [default: 1]")
@override_options
@click.option("--no-check", is_flag=True, help="Add the device without asking it first.")
@click.option("--json", "as_json", is_flag=True, help="Print the device as JSON instead of one line.")
@file_option
@credential_options
@service_options
def add(service: ServiceClient | None, file: Path | None, as_json: bool, no_check: bool, **given: Any) -> None:
    """Add the device at ADDRESS. A running server polls it at once.

    The device is asked first, with --url by the service: one that does not answer is not added, and the sysName that it
    gives is its name unless --name gives another one. --no-check adds it unseen.

    Passphrases come from PROMSNMP_AUTH_PASSPHRASE and PROMSNMP_PRIV_PASSPHRASE, or from a prompt.

    \b
    Examples:
      promsnmp devices add 192.0.2.1 --name core1 -c public --label region=eu
      promsnmp devices add 192.0.2.7 --name ups1 -c public --interval 5m --text-encoding gbk
      promsnmp devices add [2001:db8::1]:1161 -u monitor -a SHA-256 -x AES --url http://promsnmp:8080
    """
    document = _document(**given)
    if service:
        shown = _add_by_service(service, document, check=not no_check)
    else:
        settings = command_settings(file)
        shown = device_document(run_to_the_end(_add_to_file(settings, document, check=not no_check)), mask=True)
    if as_json:
        click.echo(json.dumps(shown, indent=2, ensure_ascii=False))
    else:
        click.echo(f"added {label_of(shown)}")


def _add_by_service(service: ServiceClient, document: Document, *, check: bool) -> Document:
    try:
        added: Document = service.call(
            "POST", PATH, query={"check": "true"} if check else None, document=document
        ).json()
    except ServiceError as error:
        if error.status == UNPROCESSABLE_ENTITY:  # our --no-check is no check=true
            raise PromSnmpError(f"{str(error).partition('; without check=true')[0]}; {_UNCHECKED}") from None
        raise
    return added


async def _add_to_file(settings: Settings, document: Document, *, check: bool) -> Device:
    store = open_inventory(settings, create=True)
    sessions = SessionFactory(source_address=settings.snmp_source_address)
    ask = partial(named_by_itself, ask=partial(ask_device, sessions=sessions))
    book = Devices(store, partial(known_modules, settings))
    try:
        return await book.add(document, who=local_user(), complete=ask if check else None)
    except SnmpError as error:
        raise PromSnmpError(f"device not added: {error}; {_UNCHECKED}") from None


_UNCHECKED = "--no-check adds it all the same"

devices.add_command(edit)
devices.add_command(import_devices)


@devices.command()
@click.argument("devices", metavar="DEVICE...", nargs=-1, required=True)
@file_option
@service_options
def remove(devices: tuple[str, ...], file: Path | None, service: ServiceClient | None) -> int:
    """Remove each DEVICE: its id, sysName or address.

    \b
    Examples:
      promsnmp devices remove core1
      promsnmp devices remove 192.0.2.1 192.0.2.2 --url http://promsnmp:8080
    """
    store = None if service else Devices(open_inventory(command_settings(file)))
    status = 0
    for device in devices:
        try:
            _remove(device, service, store)
        except PromSnmpError as error:
            if isinstance(error, ServiceError) and error.status is None:
                raise
            click.echo(f"promsnmp: {error}", err=True)
            status = 1
        else:
            click.echo(f"removed {printable(device)}")
    return status


def _remove(device: str, service: ServiceClient | None, store: Devices | None) -> None:
    """Removes the device by the service, or without one from the file."""
    if service:
        service.call("DELETE", path_of(device))
    elif store:
        run_to_the_end(store.remove(device, who=local_user()))


def _list_from_file(settings: Settings, query: str) -> list[Document]:
    try:
        terms = parse_query(query)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    found = DeviceSelector(settings.modules).select(terms, open_inventory(settings).current.devices)
    found.sort(key=lambda device: (device.sys_name.lower(), device.id))
    return [device_document(device, mask=True) for device in found]


def _document(
    *,
    address: str,
    sys_name: str,
    location: str,
    contact: str,
    labels: tuple[str, ...],
    modules: tuple[str, ...],
    timeout: float | None,
    retries: int | None,
    credentials: Credentials,
    **overrides: Any,
) -> Document:
    try:
        host, port = split_target(address)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    agent: Document = {
        "type": agent_type(credentials),
        "endpoint": {"address": host, "port": port or DEFAULT_PORT},
        "version": int(credentials.version),
        **write_credentials(credentials, mask=False),
    }
    given = {"timeout": None if timeout is None else round(timeout * 1000), "retries": retries}
    agent |= {key: value for key, value in given.items() if value is not None}
    return {
        "sysName": sys_name,
        "sysLocation": location,
        "sysContact": contact,
        "agents": [agent],
        "labels": read_labels(labels),
        "modules": module_names(modules),
        **overrides_of(overrides),
    }
