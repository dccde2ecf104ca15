"""``promsnmp sources``: shows, reads and checks the sources that devices come from."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from promsnmp.cli.client import ServiceClient
from promsnmp.cli.local_client import local_client
from promsnmp.cli.options.inventory_file import command_settings, file_option, open_inventory
from promsnmp.cli.options.service import service_options
from promsnmp.cli.output.tables import print_table
from promsnmp.cli.output.text import counted, printable
from promsnmp.errors import SourceError
from promsnmp.inventory.model import Inventory
from promsnmp.sources.factory import make_reader, make_state
from promsnmp.sources.reconcile import reconcile
from promsnmp.sources.state import SourceState

PATH = "/promsnmp/sources"
FAILED = 1


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def sources() -> None:
    """Show, read and check the sources that devices come from (docs/sources.md).

    Without --url (or PROMSNMP_URL), list, sync and accept ask the service on this machine, which they find by
    SERVER_PORT and WEB_CONFIG_FILE.

    \b
    Examples:
      promsnmp sources check
      promsnmp sources list --url http://promsnmp:8080
      promsnmp sources accept netbox
    \b
    Exit codes: 0 done, 1 a source or the service failed, 2 wrong arguments or settings.
    """


@sources.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@service_options
def list_(as_json: bool, service: ServiceClient | None) -> None:
    """List the sources, with what became of their last readings.

    \b
    Example:
      promsnmp sources list --json | jq '.sources[] | select(.held > 0)'
    """
    answer = (service or local_client()).get(PATH).json()
    if as_json:
        click.echo(json.dumps(answer, indent=2, ensure_ascii=False))
        return
    print_table(("name", "type", "devices", "last success", "problem"), [_row(one) for one in answer["sources"]])
    for one in answer["sources"]:
        _print_details(one)
    for name, count in answer["orphans"].items():
        click.echo(f"{printable(name)}: not in the settings any more; {counted(count, 'device')} of it stay")


@sources.command()
@click.argument("names", nargs=-1)
@service_options
def sync(names: Sequence[str], service: ServiceClient | None) -> int:
    """Read the sources NAMES now (default: all), and bring the inventory in step.

    \b
    Example:
      promsnmp sources sync netbox
    """
    client = service or local_client()
    chosen = names or [one["name"] for one in client.get(PATH).json()["sources"]]
    for name in chosen:
        answer = client.call("POST", f"{PATH}/{name}/sync").json()
        click.echo(f"{printable(name)}: {answer['read']} read, {answer['devices']} in the inventory")
        _print_details(answer)
    return 0


@sources.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@service_options
def accept(name: str, yes: bool, service: ServiceClient | None) -> int:
    """Read the source NAME now, and do the removals that were held back.

    It removes no more devices than it has shown.

    \b
    Example:
      promsnmp sources accept netbox
    """
    client = service or local_client()
    before = client.get(f"{PATH}/{name}").json()
    if not before["held"]:
        click.echo(f"{printable(name)}: no removals are held back")
        return 0
    for device in before["heldDevices"]:
        click.echo(f"  {printable(device)}")
    if not yes:
        click.confirm(f"Remove {counted(before['held'], 'device')}?", abort=True)
    after = client.call("POST", f"{PATH}/{name}/accept", query={"removals": before["held"]}).json()
    click.echo(f"{printable(name)}: removed, {after['devices']} left")
    return 0


@sources.command()
@click.argument("names", nargs=-1)
@file_option
def check(names: Sequence[str], file: Path | None) -> int:
    """Read the sources NAMES of the settings (default: all) from here, and show what they would change.

    It compares with the inventory file (PROM_INV_FILE) and writes nothing.

    \b
    Example:
      promsnmp sources check netbox
    """
    settings = command_settings(file)
    definitions = settings.source_definitions
    if unknown := set(names) - {one.name for one in definitions}:
        raise click.UsageError(f"there is no source {min(unknown)!r} in the settings")
    if not definitions:
        click.echo("the settings have no sources: add the list 'sources' to promsnmp.yml, or set DEVICE_SOURCES")
        return 0
    inventory = open_inventory(settings).current
    states = [make_state(one) for one in definitions]
    asyncio.run(_read_all([(state, make_reader(one)) for state, one in zip(states, definitions, strict=True)], names))
    _note_results(inventory, states)
    for state in states:
        if not names or state.rules.name in names:
            _print_check(state)
    return FAILED if any(state.error for state in states) else 0


async def _read_all(pairs: Sequence[tuple[SourceState, Any]], names: Sequence[str]) -> None:
    for state, reader in pairs:
        if names and state.rules.name not in names:
            continue
        try:
            state.note_reading(await reader.read())
        except SourceError as error:
            state.note_failure(str(error))
        finally:
            await reader.close()


def _note_results(inventory: Inventory, states: Sequence[SourceState]) -> None:
    _, results = reconcile(inventory, [state.input() for state in states])
    for state in states:
        state.note_result(results[state.rules.name], is_own=True)


def _print_check(state: SourceState) -> None:
    name = printable(state.rules.name)
    if state.error:
        click.echo(f"{name}: {printable(state.error)}")
        return
    result = state.result
    read = counted(len(state.reading.devices) if state.reading else 0, "device")
    held = f", {len(result.held)} removals held back ({result.held_why})" if result.held else ""
    click.echo(
        f"{name}: {read} read; {result.added} to add, {result.changed} to change, {result.removed} to remove{held}"
    )
    _print_details(state.document({}))


def _print_details(document: dict[str, Any]) -> None:
    for kind in ("problems", "conflicts"):
        for line in document[kind]:
            click.echo(f"  {printable(line)}")


def _row(document: dict[str, Any]) -> tuple[str, ...]:
    problem = document["error"]
    if not problem and document["held"]:
        problem = f"{document['held']} removals held back: {document['heldWhy']}"
    return document["name"], document["type"], str(document["devices"]), document.get("lastSuccess", ""), problem
