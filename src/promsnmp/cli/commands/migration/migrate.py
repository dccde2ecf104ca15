"""``promsnmp migrate``: moves the devices of another program over, and compares both."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import click

from promsnmp.cli.client import ServiceClient
from promsnmp.cli.commands.inventory.credentials import document_of as credentials_document
from promsnmp.cli.commands.migration.apply import (
    FAILED,
    Destination,
    FileDestination,
    Outcome,
    ServiceDestination,
)
from promsnmp.cli.commands.migration.files import source_options
from promsnmp.cli.commands.migration.verify import verify
from promsnmp.cli.options.inventory_file import file_option
from promsnmp.cli.options.service import service_options
from promsnmp.cli.output.files import require_folder
from promsnmp.cli.output.tables import print_table
from promsnmp.cli.output.text import counted, printable
from promsnmp.inventory.document.parsing import duration_text
from promsnmp.inventory.storage.atomic_file import write_bytes
from promsnmp.migration.devices import MigratedDevice, named_credentials_of
from promsnmp.migration.notes import Notes

HEADINGS = ("from", "device", "address", "auth", "modules", "interval", "labels", "")
FOUND = "found"


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def migrate() -> None:
    """Move over from snmp_exporter, and compare the two.

    \b
    Examples:
      promsnmp migrate snmp-exporter --prometheus prometheus.yml --snmp snmp.yml --dry-run
      promsnmp migrate verify --prometheus prometheus.yml --snmp snmp.yml --old http://exporter:9116
    \b
    Exit codes: 0 done, 1 something could not be migrated or differs, 2 wrong arguments or files.
    """


@migrate.command("snmp-exporter")
@source_options
@click.option("--dry-run", is_flag=True, help="Print what would be migrated, change nothing.")
@click.option(
    "-o",
    "output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write a document for 'promsnmp inventory import', with secrets (mode 0600), instead of the devices.",
)
@file_option
@service_options
def snmp_exporter(
    devices: Sequence[MigratedDevice],
    notes: Notes,
    dry_run: bool,
    output: Path | None,
    file: Path | None,
    service: ServiceClient | None,
) -> int:
    """Make devices of what Prometheus scrapes through snmp_exporter.

    Reads static_configs, file_sd_configs, relabel_configs and params of each job with the path /snmp, and the auths and
    modules of snmp.yml. Devices get their labels (with job), modules, interval, and the credentials of their auth.
    Series keep their instance. A device that the inventory has already (by address and port) is changed; running the
    command again changes nothing. Other devices stay as they are.

    The devices go to a running service with --url (or PROMSNMP_URL), else into the inventory file. Both must load the
    same snmp.yml (SNMP_CONFIG_FILES), since devices name its modules.

    What could not be carried over is listed with file and line, and the exit code is 1; the rest is migrated.

    \b
    Examples:
      promsnmp migrate snmp-exporter --prometheus prometheus.yml --snmp snmp.yml --dry-run
      promsnmp migrate snmp-exporter --prometheus prometheus.yml --snmp 'snmp*.yml' --url http://promsnmp:8080
      promsnmp migrate snmp-exporter --prometheus prometheus.yml --snmp snmp.yml -o devices.json
    """
    if output and (file or dry_run):
        raise click.UsageError("-o writes a document and nothing else; leave out --file and --dry-run")
    if output:
        require_folder(output)
    outcomes = [Outcome(device, FOUND) for device in devices]
    if output is None and not dry_run and devices:
        destination: Destination = ServiceDestination(service) if service else FileDestination(file)
        outcomes = destination.outcomes(devices)
    _print(outcomes, notes)
    if output is not None:
        text = json.dumps(document_of(devices), indent=2, ensure_ascii=False) + "\n"
        write_bytes(output, text.encode(), keep_mode=False)
        click.echo(f"{counted(len(devices), 'device')} in {output}; it contains secrets")
    elif dry_run:
        click.echo("nothing was changed")
    return 1 if notes.any_lost or any(one.status == FAILED for one in outcomes) else 0


migrate.add_command(verify)


def document_of(devices: Sequence[MigratedDevice]) -> dict[str, object]:
    """A document of the inventory with these devices, with secrets."""
    named = [
        {"name": name, **credentials_document(credentials)}
        for name, credentials in named_credentials_of(devices).items()
    ]
    return {"devices": [device.document() for device in devices], "credentials": named}


def _print(outcomes: Sequence[Outcome], notes: Notes) -> None:
    if outcomes:
        print_table(HEADINGS, [_row(one) for one in outcomes])
    for title, lost in (("Not carried over:", True), ("To know:", False)):
        if lines := [str(note) for note in notes.notes if note.lost is lost]:
            click.echo(title)
            for line in lines:
                click.echo(f"  {printable(line)}")
    if notes.dropped:
        click.echo(f"  and {counted(notes.dropped, 'more note')}")
    for one in outcomes:
        if one.status == FAILED:
            click.echo(f"promsnmp: {one.device.endpoint}: {printable(one.reason)}", err=True)
    counts = Counter(one.status for one in outcomes)
    summary = ", ".join(f"{number:,} {status}" for status, number in counts.items())
    click.echo(f"{counted(len(outcomes), 'device')}{f': {summary}' if summary else ''}")


def _row(outcome: Outcome) -> tuple[str, ...]:
    device = outcome.device
    first = device.targets[0]
    return (
        f"{first.job.name} {Path(first.file).name}:{first.line}",
        device.sys_name,
        str(device.endpoint),
        device.auth,
        ", ".join(device.modules),
        duration_text(device.interval),
        " ".join(f"{name}={value}" for name, value in sorted(device.labels.items())),
        outcome.status,
    )
