"""``promsnmp modules build``: builds a module from MIB files, in the format of snmp.yml."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from promsnmp.cli.options.module_overrides import read_overrides
from promsnmp.cli.output.files import require_folder
from promsnmp.cli.output.text import counted
from promsnmp.errors import ModuleError
from promsnmp.modules.generator.builder import BuildResult, label_name
from promsnmp.modules.generator.builder import build as build_module
from promsnmp.modules.generator.config import GeneratorFile, ModuleConfig, read_generator
from promsnmp.modules.generator.output import to_yaml
from promsnmp.modules.mibs.definitions import MibProblem
from promsnmp.modules.mibs.files import load_mibs
from promsnmp.modules.mibs.tree import LoadedMibs
from promsnmp.modules.snmp_yml.reader import read_text

NOT_FOUND = 1
INCOMPLETE = 3
"""Exit codes, as the help of the command lists them."""
QUIET_SECONDS = 1.0
"""How long reading may take before progress is shown."""

Command = TypeVar("Command", bound=Callable[..., Any])


def _options(command: Command) -> Command:
    folder = click.Path(path_type=Path)
    for option in reversed((
        click.option("--mibs", "folders", multiple=True, required=True, type=folder, metavar="DIR",
                     help="Folder of MIB files, with its subfolders; repeatable, the first folder wins."),
        click.option("--name", metavar="NAME", help="Name of the module to build; selects one of generator.yml."),
        click.option("--traps", "as_traps", is_flag=True,
                     help="Build names of notifications instead, for TRAP_DEFINITIONS; each OBJECT is a MIB."),
        click.option("--generator", "generator", type=folder, metavar="FILE",
                     help="Build the modules of a generator.yml."),
        click.option("--lookup", "lookups", multiple=True, metavar="INDEX[,INDEX]=OBJECT",
                     help="Add OBJECT as a label, looked up by these indexes."),
        click.option("--drop-source-indexes", "drop", is_flag=True, help="Remove the indexes that --lookup uses."),
        click.option("--ignore", "ignored", multiple=True, metavar="OBJECT", help="Leave OBJECT out."),
        click.option("--type", "types", multiple=True, metavar="OBJECT=TYPE", help="Give OBJECT another type."),
        click.option("--base-types", "base_types", is_flag=True,
                     help="Show a type that is derived from another (Name ::= DisplayString) like that one."),
        click.option("--scale", "scales", multiple=True, metavar="OBJECT=N", help="Multiply values by N."),
        click.option("--offset", "offsets", multiple=True, metavar="OBJECT=N", help="Add N to values."),
        click.option("--regex", "extracts", multiple=True, metavar="OBJECT:SUFFIX=REGEX",
                     help="Extract a number from text into a metric of its own; a value may follow: 'REGEX => $1'."),
        click.option("--datetime", "dates", multiple=True, metavar="OBJECT=PATTERN", help="Parse text as a date."),
        click.option("--filter", "filters", multiple=True, metavar="OBJECT:TARGET[,TARGET]=REGEX",
                     help="Fetch TARGET only for rows whose OBJECT matches."),
        click.option("--rows", "rows", multiple=True, metavar="TARGET[,TARGET]=INDEX[,INDEX]",
                     help="Fetch TARGET only for these rows."),
        click.option("--cache", type=folder, metavar="DIR", help="Folder that caches parsed MIBs."),
        click.option("-o", "--output", type=folder, metavar="FILE", help="File to write.  [default: standard output]"),
    )):  # fmt: skip
        command = option(command)
    return command


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@_options
@click.argument("objects", nargs=-1, metavar="[OBJECT]...")
def build(
    folders: tuple[Path, ...],
    name: str | None,
    generator: Path | None,
    cache: Path | None,
    output: Path | None,
    objects: tuple[str, ...],
    as_traps: bool,
    **options: Any,
) -> int:
    """Build a module from MIB files, for PromSNMP and for snmp_exporter.

    An OBJECT is a name (ifTable), MODULE::name (IF-MIB::ifTable) or an OID; tables and groups are walked, scalars and
    single instances (ifHCInOctets.3) fetched. Problems in MIBs are printed on the standard error and do not stop
    the build: what can be read is built.

    \b
    Examples:
      promsnmp modules build --mibs /usr/share/snmp/mibs UCD-SNMP-MIB::laTable
      promsnmp modules build --mibs mibs --lookup ifIndex=ifName --ignore ifName IF-MIB::ifXTable
      promsnmp modules build --mibs mibs --generator generator.yml -o snmp.yml
      promsnmp modules build --mibs mibs --traps ACME-MIB -o acme-traps.yml
    \b
    Exit codes: 0 done, 1 an OBJECT is in no MIB, 2 wrong arguments or generator.yml,
    3 done, but a file or a declaration that the modules may need cannot be read.
    """
    if output is not None:
        require_folder(output)
    if as_traps:
        if generator is not None or name is not None or any(options.values()):
            raise click.UsageError("--traps takes --mibs, --cache, -o and names of MIBs only")
        return _build_traps(load_mibs(folders, cache=cache, progress=_Progress()), objects, output)
    source = read_generator(generator) if generator is not None else GeneratorFile()
    configs = [read_overrides(**options).apply_to(one) for one in _configs(source, generator, name, objects)]
    mibs = load_mibs(folders, cache=cache, progress=_Progress())
    results = [build_module(config, mibs.tree) for config in configs]
    made = [one.module for one in results if one.module.walk or one.module.get]
    _report(mibs, results)
    if made:
        read_text(to_yaml(made), source="the built module")  # a regex of --regex, a pattern of --datetime
        _write(to_yaml(made, source.auths), output)
    if any(one.missing for one in results) or not made:
        return NOT_FOUND
    return INCOMPLETE if any(_lost(mibs, one) for one in results) else 0


def _build_traps(mibs: LoadedMibs, modules: tuple[str, ...], output: Path | None) -> int:
    """Builds the names of the notifications of ``modules``; none: of all."""
    from promsnmp.traps.names.build import definitions_text

    for problem in mibs.problems:
        click.echo(f"{problem}", err=True)
    having = {one.module for one in mibs.notifications}
    missing = [one for one in modules if one not in having]
    for one in missing:
        click.echo(f"no notifications: {one}", err=True)
    text, count = definitions_text(mibs, modules)
    if count:
        _write(text, output)
        click.echo(f"{counted(count, 'notification')}", err=True)
    return NOT_FOUND if missing or not count else 0


def _lost(mibs: LoadedMibs, result: BuildResult) -> list[MibProblem]:
    """The problems because of which a module may be incomplete: of whole files, and of its own MIB modules."""
    return [one for one in mibs.problems if one.lost and (not one.module or one.module in result.mib_modules)]


def _configs(
    source: GeneratorFile, path: Path | None, name: str | None, objects: tuple[str, ...]
) -> list[ModuleConfig]:
    if objects:
        own = ModuleConfig(name or label_name(objects[0].rpartition("::")[2]), objects)
        if own.name in {one.name for one in source.configs}:
            raise click.UsageError(f"{path} already has a module {own.name!r}; give another --name")
        return [*source.configs, own]
    if path is None:
        raise click.UsageError("give at least one OBJECT, or --generator FILE")
    configs = [one for one in source.configs if name in (None, one.name)]
    if not configs:
        known = ", ".join(one.name for one in source.configs)
        raise ModuleError(f"{path} has no module {name!r}; it has: {known}" if name else f"{path} defines no module")
    return configs


# ------------------------------------------------------------------------------------------------------------ output


class _Progress:
    """Shows the progress of a long read: continuously on a terminal, one line elsewhere."""

    def __init__(self) -> None:
        self._next = time.monotonic() + QUIET_SECONDS
        self._terminal = sys.stderr.isatty()
        self._said = False

    def __call__(self, done: int, files: int) -> None:
        if done == files:
            if self._said and self._terminal:
                click.echo("\r\033[K", err=True, nl=False)
            return
        if time.monotonic() < self._next or (self._said and not self._terminal):
            return
        self._next, self._said = time.monotonic() + QUIET_SECONDS / 5, True
        if self._terminal:
            click.echo(f"\rreading MIBs: {done} of {files} files", err=True, nl=False)
        else:
            click.echo(f"reading {files} MIB files ...", err=True)


def _report(mibs: LoadedMibs, results: Sequence[BuildResult]) -> None:
    """Prints problems of the MIBs first, then notes about the modules, then the objects that were not found."""
    for problem in mibs.problems:
        click.echo(f"{problem}", err=True)
    for one in results:
        for note in one.notes:
            click.echo(f"{one.module.name}: {note}", err=True)
    for one in results:
        if lost := _lost(mibs, one):
            what = f"{lost[0]}{f' and {len(lost) - 1} more' if len(lost) > 1 else ''}"
            advice = "correct what is named, or get a correct file from the vendor"
            click.echo(f"{one.module.name}: may be incomplete: {what}; {advice}", err=True)
    for one in results:
        for name in one.missing:
            click.echo(f"{one.module.name}: not found: {name}", err=True)
        if not one.missing and not one.module.metrics:
            click.echo(f"{one.module.name}: no metrics: nothing under the named objects has values", err=True)


def _write(text: str, output: Path | None) -> None:
    if output is None or str(output) == "-":
        click.echo(text, nl=False)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ModuleError(f"cannot write {output}: {error.strerror}") from None
