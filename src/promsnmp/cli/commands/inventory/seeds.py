"""``promsnmp seeds``: lists, shows, adds and removes the searches that discovery repeats on a schedule."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import click

from promsnmp.cli.client import ServiceClient
from promsnmp.cli.options.inventory_file import (
    command_settings,
    file_option,
    local_user,
    open_inventory,
    run_to_the_end,
)
from promsnmp.cli.options.modules import known_modules
from promsnmp.cli.options.search_request import Document, request_options
from promsnmp.cli.options.service import service_options
from promsnmp.cli.output.tables import print_table
from promsnmp.cli.output.text import counted, printable
from promsnmp.discovery.request import read_request
from promsnmp.discovery.seeds import SavedSeeds
from promsnmp.errors import InventoryInvalid, PromSnmpError
from promsnmp.inventory.document.seeds import seed_document
from promsnmp.inventory.store import InventoryStore
from promsnmp.settings import Settings

PATH = "/promsnmp/discovery"


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def seeds() -> None:
    """List, show, add or remove seeds: the searches that discovery repeats on a schedule.

    With --url (or PROMSNMP_URL) the seeds are those of a running service, else those of the inventory file
    PROM_INV_FILE; a running server picks up changes of the file.

    \b
    Examples:
      promsnmp seeds list
      promsnmp seeds add 192.0.2.0/24 -c public --label site=vienna
      promsnmp seeds remove 6a3c1d5e-0000-4000-8000-000000000031 --url http://promsnmp:8080
    \b
    Exit codes: 0 done, 1 the service or the file failed or has no such seed, 2 wrong arguments, settings or key.
    """


@seeds.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list instead of a table.")
@file_option
@service_options
def list_(as_json: bool, file: Path | None, service: ServiceClient | None) -> None:
    """List the seeds. Never shows secrets.

    \b
    Examples:
      promsnmp seeds list
      promsnmp seeds list --json --url http://promsnmp:8080 | jq -r '.[].potentialTargets[]'
    """
    found = _list_seeds(file, service)
    if as_json:
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    print_table(("id", "targets", "port", "credentials", "exclude", "labels"), [_row(seed) for seed in found])
    click.echo(counted(len(found), "seed"))


@seeds.command()
@click.argument("seed_id", metavar="ID")
@file_option
@service_options
def show(seed_id: str, file: Path | None, service: ServiceClient | None) -> None:
    """Show the seed ID as JSON; secrets are masked. The beginning of an id is enough.

    \b
    Example:
      promsnmp seeds show 6a3c1d5e
    """
    click.echo(json.dumps(_seed_by_id(_list_seeds(file, service), seed_id), indent=2, ensure_ascii=False))


@seeds.command()
@request_options
@click.option("--json", "as_json", is_flag=True, help="Print the seed as JSON instead of one line.")
@file_option
@service_options
def add(request: Document, as_json: bool, file: Path | None, service: ServiceClient | None) -> None:
    """Add a seed that searches TARGET...: addresses, networks, ranges or names.

    \b
    Examples:
      promsnmp seeds add 192.0.2.0/24 198.51.100.1-50 -c public -c private
      promsnmp seeds add 2001:db8::/120 -u monitor -a SHA-256 -x AES --url http://promsnmp:8080
    """
    if service:
        query = {"scheduleNow": "false", "saveSeed": "true"}
        accepted = service.call("POST", PATH, query=query, document=request).json()
        shown: Any = service.get(f"{PATH}/{accepted['seedId']}").json()
    else:
        shown = run_to_the_end(_add(command_settings(file), request))
    if as_json:
        click.echo(json.dumps(shown, indent=2, ensure_ascii=False))
    else:
        click.echo(f"added {printable(' '.join(shown['potentialTargets']))} ({shown['id']})")


@seeds.command()
@click.argument("seed_ids", metavar="ID...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Remove all seeds.")
@file_option
@service_options
def remove(seed_ids: tuple[str, ...], everything: bool, file: Path | None, service: ServiceClient | None) -> None:
    """Remove the seeds ID..., or --all. Their devices stay. The beginning of an id is enough.

    \b
    Examples:
      promsnmp seeds remove 6a3c1d5e
      promsnmp seeds remove --all --url http://promsnmp:8080
    """
    if everything == bool(seed_ids):
        raise click.UsageError("give the IDs of the seeds, or --all")
    found = _list_seeds(file, service)
    for seed in found if everything else [_seed_by_id(found, one) for one in seed_ids]:
        if service:
            service.call("DELETE", f"{PATH}/{seed['id']}")
        else:
            book = _book(open_inventory(command_settings(file)))
            run_to_the_end(book.delete(seed["id"], who=local_user()))
        click.echo(f"removed {printable(' '.join(seed['potentialTargets']))} ({seed['id']})")


async def _add(settings: Settings, document: Document) -> Document:
    """Adds a seed to the file, as the service does."""
    store = open_inventory(settings, create=True)
    seed = read_request(document, store.current).seed
    book = SavedSeeds(lambda: store.current, store.update, partial(known_modules, settings))
    if problems := book.problems_of(seed):
        raise InventoryInvalid(problems)
    deduplicated = book.deduplicate(seed)
    await book.save(deduplicated, who=local_user())
    return seed_document(deduplicated, mask=True)


def _book(store: InventoryStore) -> SavedSeeds:
    return SavedSeeds(lambda: store.current, store.update)


def _list_seeds(file: Path | None, service: ServiceClient | None) -> list[Document]:
    if service:
        found: list[Document] = service.get(PATH).json()
        return found
    return [seed_document(seed, mask=True) for seed in open_inventory(command_settings(file)).current.seeds]


def _seed_by_id(found: list[Document], seed_id: str) -> Document:
    matching = [seed for seed in found if seed["id"].startswith(seed_id.lower())]
    if len(matching) != 1:
        if not matching:
            raise PromSnmpError(f"no seed has the id {seed_id}")
        raise PromSnmpError(f"the ids of {len(matching)} seeds begin with {seed_id}; give more of the id")
    return matching[0]


def _row(seed: Document) -> tuple[str, ...]:
    credentials = [seed, *seed.get("credentials", [])]
    return (
        seed["id"],
        " ".join(seed["potentialTargets"]),
        str(seed["port"]),
        ", ".join(f"{one['version']} {one.get('securityName', '')}".strip() for one in credentials),
        " ".join(seed.get("exclude", [])),
        ",".join(f"{name}={value}" for name, value in seed.get("labels", {}).items()),
    )
