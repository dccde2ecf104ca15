"""``promsnmp modules import datadog``: modules of the profiles of the Datadog agent."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from promsnmp.cli.output.files import require_folder
from promsnmp.cli.output.tables import print_table
from promsnmp.cli.output.text import counted, printable
from promsnmp.errors import ModuleError
from promsnmp.inventory.storage.atomic_file import write_bytes
from promsnmp.migration.datadog.module import ImportedModule, import_profile, known_types
from promsnmp.migration.datadog.profiles import Profiles
from promsnmp.migration.notes import Notes
from promsnmp.modules.catalogue import builtin_catalogue
from promsnmp.modules.mibs.files import load_mibs
from promsnmp.modules.snmp_yml.reader import read_text
from promsnmp.modules.snmp_yml.writer import to_yaml

HEADINGS = ("profile", "module", "metrics", "of", "type not known", "sysObjectID")


@click.group("import", context_settings={"help_option_names": ["-h", "--help"]})
def import_modules() -> None:
    """Make modules of the profiles of another program."""


@import_modules.command()
@click.argument(
    "folders", metavar="DIR...", nargs=-1, required=True, type=click.Path(path_type=Path, file_okay=False, exists=True)
)
@click.option(
    "--mibs",
    "mibs",
    multiple=True,
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="MIB files that say which objects are counters, where the profiles do not; repeatable.",
)
@click.option("--profile", "names", multiple=True, metavar="NAME", help="Only this profile; repeatable.")
@click.option(
    "-o",
    "output",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Where to write a file for each profile, datadog_NAME.yml; files of that name are replaced.",
)
def datadog(folders: tuple[Path, ...], mibs: tuple[Path, ...], names: tuple[str, ...], output: Path) -> int:
    """Make a module of each SNMP profile of the Datadog agent in DIR (conf.d/snmp.d/profiles, default_profiles).

    A module has what its profile has, with all that it extends; give further folders when it extends profiles that are
    elsewhere. Of two profiles with one name, that in the first folder counts. Load the modules by SNMP_CONFIG_FILES
    (or serve --config.file 'FOLDER/*.yml'), and poll devices with them: promsnmp devices edit DEVICE --module NAME.
    Each file says at its top which sysObjectIDs the profile is for.

    What a module does not have of its profile is listed with file and line, and the exit code is 1.

    \b
    Examples:
      promsnmp modules import datadog /etc/datadog-agent/conf.d/snmp.d/default_profiles -o modules --mibs mibs
      promsnmp modules import datadog profiles default_profiles --profile cisco-nexus -o modules
    """
    require_folder(output)
    notes = Notes()
    profiles = Profiles(folders, notes)
    chosen = names or tuple(profiles.names)
    if unknown := sorted(set(names) - set(profiles.names)):
        raise click.UsageError(f"--profile {unknown[0]}: there is no such profile in {', '.join(map(str, folders))}")
    types = known_types(builtin_catalogue(), load_mibs(mibs).tree if mibs else None)
    found, failed = [], 0
    for name in chosen:
        try:
            one = import_profile(profiles.profile(name), types, notes)
            _write(output, one)
            found.append((name, one))
        except ModuleError as error:
            failed += 1
            click.echo(f"promsnmp: {printable(str(error))}", err=True)
    _print(found, notes)
    if failed:
        click.echo(f"{counted(failed, 'profile')} could not be read", err=True)
    return 1 if failed or notes.any_lost else 0


def _write(output: Path, one: ImportedModule) -> None:
    """Writes the file of a module. Raises ModuleError when it could not be loaded again: that would be our fault."""
    name = one.module.name
    lines = [
        "# Made of a Datadog profile by promsnmp modules import datadog.",
        *(f"# For sysObjectID {object_id}" for object_id in one.sys_object_ids),
        *(f"# Not carried over: {Path(what).name}" for what in one.missing),
    ]
    text = "\n".join(printable(line) for line in lines) + "\n" + to_yaml({name: one.module}, {})
    read_text(text, source=f"{name}.yml")
    output.mkdir(parents=True, exist_ok=True)
    write_bytes(output / f"{name}.yml", text.encode(), keep_mode=False, mode=0o644)


def _object_ids(one: ImportedModule) -> str:
    more = len(one.sys_object_ids) - 2
    return " ".join(one.sys_object_ids[:2]) + (f" and {more} more" if more > 0 else "")


def _print(found: Sequence[tuple[str, ImportedModule]], notes: Notes) -> None:
    rows = [
        (
            name,
            one.module.name,
            str(one.converted),
            str(one.symbols),
            str(one.guessed),
            " ".join(one.sys_object_ids[:3]),
        )
        for name, one in found
    ]
    if rows:
        print_table(HEADINGS, rows)
    if notes.notes:
        click.echo("Not carried over:")
    for note in notes.notes:
        click.echo(f"  {printable(str(note))}")
    converted, symbols = sum(one.converted for _, one in found), sum(one.symbols for _, one in found)
    share = f" ({converted / symbols:.1%})" if symbols else ""
    click.echo(f"{counted(len(found), 'module')}; {converted:,} of {counted(symbols, 'metric')}{share}")
    if guessed := sum(one.guessed for _, one in found):
        click.echo(
            f"{counted(guessed, 'metric')} without metric_type, of objects that are in none of our modules: written as "
            "gauges; --mibs says which are counters"
        )
