"""``promsnmp migrate``: moves the devices of another program over, and compares both."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from promsnmp.cli.client import ServiceClient
from promsnmp.cli.commands.migration.apply import (
    Destination,
    FileDestination,
    Outcome,
    ServiceDestination,
)
from promsnmp.cli.commands.migration.files import source_options
from promsnmp.cli.commands.migration.report import FOUND, exit_code, print_outcomes, write_document
from promsnmp.cli.commands.migration.verify import verify
from promsnmp.cli.options.inventory_file import file_option
from promsnmp.cli.options.service import service_options
from promsnmp.cli.output.files import require_folder
from promsnmp.migration.migrated import MigratedDevice
from promsnmp.migration.notes import Notes


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
    print_outcomes(outcomes, notes)
    if output is not None:
        write_document(output, devices)
    elif dry_run:
        click.echo("nothing was changed")
    return exit_code(outcomes, notes)


migrate.add_command(verify)
