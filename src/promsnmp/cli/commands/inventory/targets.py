"""``promsnmp targets``: writes what ``/targets`` returns to a file for Prometheus's file_sd_configs.

It is for a Prometheus that cannot reach PromSNMP over HTTP, or that should find its targets while PromSNMP is down. The
file is replaced as a whole, and only when it changes, because Prometheus reads it at each change.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import yaml

from promsnmp.cli.client import ServiceClient
from promsnmp.cli.options.inventory_file import command_settings, file_option, open_inventory
from promsnmp.cli.options.service import service_options
from promsnmp.cli.output.files import require_folder
from promsnmp.cli.output.text import counted
from promsnmp.errors import ServiceError
from promsnmp.inventory.query import DeviceSelector, parse_query
from promsnmp.inventory.storage.atomic_file import READABLE, read_bytes, write_bytes
from promsnmp.inventory.targets import TargetList

FORMATS = {".json": "json", ".yml": "yaml", ".yaml": "yaml"}
"""The format that Prometheus expects, by the end of the file's name (prometheus.io, file_sd_config)."""


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("query", nargs=-1)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="File to write (.json, .yml or .yaml).  [default: JSON to the standard output]",
)
@file_option
@service_options
def targets(query: tuple[str, ...], output: Path | None, file: Path | None, service: ServiceClient | None) -> None:
    """Write the targets that match QUERY, or all, in the format of file_sd_configs.

    They come from the running service at --url, else from the inventory file. FILE is replaced as a whole, so that
    Prometheus never reads a part of it, and is left alone when nothing changed. QUERY is that of promsnmp devices list.

    \b
    Examples:
      promsnmp targets
      promsnmp targets --url http://promsnmp:8080 -o /etc/prometheus/snmp.json
      promsnmp targets -o eu.yml -- label.region=eu -vendor=cisco
    \b
    Exit codes: 0 done, 1 the service or a file failed, 2 wrong arguments or settings.
    """
    if output is not None and output.suffix.lower() not in FORMATS:
        raise click.UsageError(f"{output}: Prometheus only reads files that end in {', '.join(FORMATS)}")
    if output is not None:
        require_folder(output)
    words = " ".join(query)
    groups = _from_service(service, words) if service else _from_file(file, words)
    if output is None:
        click.echo(_text(groups, "json"), nl=False)
        return
    content = _text(groups, FORMATS[output.suffix.lower()]).encode()
    found = read_bytes(output)
    unchanged = found is not None and found[0] == content
    if not unchanged:
        write_bytes(output, content, mode=READABLE)
    click.echo(f"{counted(len(groups), 'target')} in {output}{', unchanged' if unchanged else ''}")


def _from_service(service: ServiceClient, query: str) -> list[Any]:
    groups = service.get("/targets", **({"query": query} if query else {})).json()
    if not isinstance(groups, list):
        raise ServiceError(f"{service.url}: unexpected response, not a list of targets; is this the URL of PromSNMP?")
    return groups


def _from_file(file: Path | None, query: str) -> list[Any]:
    settings = command_settings(file)
    try:
        terms = parse_query(query)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    now = open_inventory(settings).snapshot
    chosen = {device.id for device in DeviceSelector(settings.modules).select(terms, now.inventory.devices)}
    listed = TargetList.from_settings(settings).of(now, chosen)
    groups = json.loads(listed)
    assert isinstance(groups, list)
    return groups


def _text(groups: list[Any], form: str) -> str:
    if form == "json":
        return json.dumps(groups, indent=2, ensure_ascii=False) + "\n"
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # libyaml's, if PyYAML has it
    return yaml.dump(groups, Dumper=dumper, sort_keys=False, allow_unicode=True, default_flow_style=False)
