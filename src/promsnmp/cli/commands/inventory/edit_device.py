"""``promsnmp devices edit``: changes some values of one device, of a running service or in the inventory file."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import click

from promsnmp.cli.client import ServiceClient
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
from promsnmp.cli.output.device import Document, label_of
from promsnmp.inventory.devices import Devices
from promsnmp.inventory.document.write import device_document

PATH = "/promsnmp/devices"
UNSETTABLE = {
    "interval": "interval", "max-repetitions": "maxRepetitions", "max-varbinds": "maxVarbinds",
    "text-encoding": "textEncoding", "unconnected": "unconnected", "modules": "modules", "labels": "labels",
    "location": "sysLocation", "contact": "sysContact",
}  # fmt: skip


def path_of(device: str) -> str:
    """The path of a device in the API."""
    return f"{PATH}/{device}"


@click.command()
@click.argument("device")
@click.option("--name", "sys_name", help="sysName, the name that scrapes use.")
@click.option("--location", help="Where the device is.")
@click.option("--contact", help="Who is responsible for it.")
@click.option(
    "--label",
    "labels",
    multiple=True,
    metavar="NAME=VALUE",
    help="Label to set; NAME= removes it; repeatable.",
)
@click.option("--module", "modules", multiple=True, help="Module to poll with instead; repeatable.")
@click.option(
    "--timeout",
    type=Duration(shortest=0.01, plain_unit="ms"),
    help="Time to wait for a packet: 500ms, 2s; without a unit in milliseconds.",
)
@click.option("--retries", type=click.IntRange(0, 100), help="Retries per packet.")
@override_options
@click.option(
    "--unset",
    multiple=True,
    type=click.Choice(list(UNSETTABLE)),
    help="Value to remove, so that the default counts again; repeatable.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the device as JSON instead of one line.")
@file_option
@service_options
def edit(device: str, service: ServiceClient | None, file: Path | None, as_json: bool, **given: Any) -> None:
    """Change some values of DEVICE: its id, sysName or address. A running server polls it at once.

    \b
    Examples:
      promsnmp devices edit core1 --interval 10s --label role=core
      promsnmp devices edit ups1 --max-repetitions 5 --max-varbinds 10
      promsnmp devices edit ups1 --unset interval --url http://promsnmp:8080
    """
    patch = _patch(**given)
    if not patch:
        raise click.UsageError("give at least one value to change, or --unset")
    if service:
        shown = service.call("PATCH", path_of(device), document=patch).json()
    else:
        settings = command_settings(file)
        store = Devices(open_inventory(settings), partial(known_modules, settings))
        shown = device_document(run_to_the_end(store.patch(device, patch, who=local_user())), mask=True)
    if as_json:
        click.echo(json.dumps(shown, indent=2, ensure_ascii=False))
    else:
        click.echo(f"changed {label_of(shown)}")


def _patch(
    *,
    sys_name: str | None,
    location: str | None,
    contact: str | None,
    labels: tuple[str, ...],
    modules: tuple[str, ...],
    timeout: float | None,
    retries: int | None,
    unset: tuple[str, ...],
    **overrides: Any,
) -> Document:
    """The merge patch (RFC 7396) for the options that were given. Raises click.UsageError."""
    agent = {"timeout": None if timeout is None else round(timeout * 1000), "retries": retries}
    given: Document = {
        "sysName": sys_name,
        "sysLocation": location,
        "sysContact": contact,
        "labels": {name: value or None for name, value in read_labels(labels).items()} or None,
        "modules": module_names(modules) or None,
        "primaryAgent": {key: value for key, value in agent.items() if value is not None} or None,
        **overrides_of(overrides),
    }
    patch = {key: value for key, value in given.items() if value is not None}
    removed = [UNSETTABLE[name] for name in unset]
    if twice := [name for name in unset if UNSETTABLE[name] in patch]:
        raise click.UsageError(f"--unset {twice[0]}: the same command gives it a value; leave one of them out")
    return patch | dict.fromkeys(removed)
