"""``promsnmp devices import``: the devices of another program, from its files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import click

from promsnmp.cli.client import ServiceClient
from promsnmp.cli.commands.migration.apply import Destination, FileDestination, Outcome, ServiceDestination
from promsnmp.cli.commands.migration.report import FOUND, exit_code, print_outcomes, write_document
from promsnmp.cli.options.inventory_file import file_option
from promsnmp.cli.options.service import service_options
from promsnmp.cli.output.files import require_folder
from promsnmp.cli.output.text import counted, printable
from promsnmp.inventory.named_credentials.document import read_name
from promsnmp.migration.csv import devices as csv
from promsnmp.migration.datadog import devices as datadog
from promsnmp.migration.drafts import Drafts, devices_of, seeds_of
from promsnmp.migration.librenms import devices as librenms
from promsnmp.migration.migrated import Document
from promsnmp.migration.node_values import MOST_OCTETS
from promsnmp.migration.notes import Notes
from promsnmp.migration.telegraf import devices as telegraf
from promsnmp.migration.zabbix import devices as zabbix
from promsnmp.modules.snmp_yml.reader import read_octets

Reader = Callable[[bytes, str, Notes], Drafts]
PROGRAMS = ("librenms", "telegraf", "zabbix", "datadog", "csv")


@click.command("import")
@click.option(
    "--from", "program", type=click.Choice(PROGRAMS), required=True, help="The program that the files are of."
)
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--delimiter", default="", metavar="CHAR", help="Between the columns of a CSV.  [default: , ; tab or |]")
@click.option(
    "--credentials",
    "fallback",
    default="",
    metavar="NAME",
    help="Credentials of the inventory for devices whose file has none (promsnmp credentials set NAME).",
)
@click.option(
    "--profiles", is_flag=True, help="Datadog: poll with the modules of profiles (promsnmp modules import datadog)."
)
@click.option("--no-check", is_flag=True, help="Add devices without asking them first.")
@click.option("--dry-run", is_flag=True, help="Print what would be imported; ask and change nothing.")
@click.option(
    "-o",
    "output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write a document for 'promsnmp inventory import', with secrets (mode 0600), instead of the devices.",
)
@file_option
@service_options
def import_devices(
    program: str,
    files: tuple[Path, ...],
    delimiter: str,
    fallback: str,
    profiles: bool,
    no_check: bool,
    dry_run: bool,
    output: Path | None,
    file: Path | None,
    service: ServiceClient | None,
) -> int:
    """Add the devices in the files of another program: LibreNMS, Telegraf, Zabbix, Datadog, or a CSV.

    Communities and users become credentials that devices use by name. New devices are asked first, as by 'devices add':
    one that does not answer is not added, unless --no-check is given. A device that the inventory has already (by
    address and port) is changed; other devices stay as they are. Networks that Datadog searches become seeds.

    What could not be carried over is listed with file and line, and the exit code is 1; the rest is imported.

    \b
    Examples:
      promsnmp devices import --from librenms devices.json --dry-run
      promsnmp devices import --from zabbix zabbix_export_hosts.yaml --credentials campus
      promsnmp devices import --from telegraf telegraf.conf --no-check
      promsnmp devices import --from datadog /etc/datadog-agent/conf.d/snmp.d/conf.yaml --url http://promsnmp:8080
      promsnmp devices import --from csv devices.csv
    """
    if output and (file or dry_run):
        raise click.UsageError("-o writes a document and nothing else; leave out --file and --dry-run")
    if output:
        require_folder(output)
    notes = Notes()
    drafts = _read(files, _reader(program, delimiter, profiles=profiles), notes)
    devices = devices_of(
        [one for each in drafts for one in each.devices], program, notes, fallback=_checked_name(fallback)
    )
    seeds = seeds_of([one for each in drafts for one in each.seeds], notes)
    outcomes = [Outcome(device, FOUND) for device in devices]
    if output is None and not dry_run and (devices or seeds):
        destination: Destination = ServiceDestination(service) if service else FileDestination(file)
        outcomes = destination.outcomes(devices, check=not no_check)
        destination.save_seeds(seeds)
    print_outcomes(outcomes, notes)
    _print_seeds(seeds)
    if output is not None:
        write_document(output, devices, seeds)
    elif dry_run:
        click.echo("nothing was changed")
    return exit_code(outcomes, notes)


def _reader(program: str, delimiter: str, *, profiles: bool) -> Reader:
    if delimiter and program != "csv":
        raise click.UsageError("--delimiter is for --from csv")
    if profiles and program != "datadog":
        raise click.UsageError("--profiles is for --from datadog")
    delimiter = {"tab": "\t", "\\t": "\t"}.get(delimiter, delimiter)
    if len(delimiter) > 1 or delimiter in ('"', "\n", "\r"):
        raise click.UsageError("--delimiter must be one character, or tab")
    readers: dict[str, Reader] = {
        "librenms": librenms.read,
        "telegraf": telegraf.read,
        "zabbix": zabbix.read,
        "datadog": partial(datadog.read, with_profiles=profiles),
        "csv": partial(csv.read, delimiter=delimiter),
    }
    return readers[program]


def _read(files: Sequence[Path], reader: Reader, notes: Notes) -> list[Drafts]:
    """Raises ModuleError for the first file that cannot be read: nothing is imported then."""
    return [reader(read_octets(path, MOST_OCTETS), str(path), notes) for path in dict.fromkeys(files)]


def _checked_name(name: str) -> str:
    try:
        return read_name(name) if name else ""
    except ValueError as error:
        raise click.UsageError(f"--credentials: {error}") from None


def _print_seeds(seeds: Sequence[Document]) -> None:
    for seed in seeds:
        targets = seed["potentialTargets"]
        assert isinstance(targets, list)
        click.echo(f"seed {printable(' '.join(map(str, targets)))}")
    if seeds:
        click.echo(counted(len(seeds), "seed"))
