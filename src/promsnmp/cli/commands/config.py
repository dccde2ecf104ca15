"""``promsnmp config``: checks and shows the settings, and where each of them comes from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from promsnmp.cli.options.config_file import config_option
from promsnmp.cli.output.tables import print_table
from promsnmp.cli.output.text import counted
from promsnmp.settings.group import is_secret
from promsnmp.settings.reading.config_file import use_config
from promsnmp.settings.reading.schema import schema as settings_schema
from promsnmp.settings.settings import Settings, misspelt_lines, read_sources, settings_of

MASK = "******"


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def config() -> None:
    """Check and show the settings: environment variables and promsnmp.yml.

    \b
    Examples:
      promsnmp config check
      promsnmp config show --all
    \b
    Exit codes: 0 valid, 2 a setting is wrong.
    """


@config.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@config_option
def check(file: Path | None) -> int:
    """Check the settings, FILE (or the promsnmp.yml in use) and the files that they name.

    \b
    Examples:
      promsnmp config check
      promsnmp config check /etc/promsnmp/promsnmp.yml
    """
    from promsnmp.cli.commands.serve import check_files

    with use_config(file):
        sources = read_sources()
        summary = check_files(settings_of(sources))
    for line in misspelt_lines():
        click.echo(f"promsnmp: {line}", err=True)
    read = f"{sources.file.path}: {counted(len(sources.file.values), 'setting')}. " if sources.file.path else ""
    click.echo(f"{read}{summary}")
    return 0


@config.command()
@click.option("--all", "everything", is_flag=True, help="Show the settings that have their defaults, too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@config_option
def show(everything: bool, as_json: bool) -> None:
    """Show the settings, and where the value of each comes from. Secrets are masked.

    \b
    Examples:
      promsnmp config show
      promsnmp config show --all --json | jq '.collection_interval'
    """
    sources = read_sources()
    settings = settings_of(sources)
    found = {
        name: {"value": _shown(settings, name), "from": sources.origin(name)}
        for name in Settings.model_fields
        if everything or sources.origin(name) != "default"
    }
    if as_json:
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    rows = [(name, "" if one["value"] is None else str(one["value"]), str(one["from"])) for name, one in found.items()]
    print_table(("setting", "value", "from"), rows)
    rest = len(Settings.model_fields) - len(found)
    click.echo(f"{counted(len(found), 'setting')}{f'; {rest} more have their defaults (--all)' if rest else ''}")


@config.command()
def schema() -> None:
    """Print the JSON schema of promsnmp.yml, for editors.

    \b
    Example:
      promsnmp config schema > promsnmp.schema.json
    """
    click.echo(json.dumps(settings_schema(), indent=2, ensure_ascii=False))


def _shown(settings: Settings, name: str) -> Any:
    value = getattr(settings, name)
    if is_secret(Settings.model_fields[name]):
        return MASK if value is not None else None
    return str(value) if isinstance(value, Path) else value
