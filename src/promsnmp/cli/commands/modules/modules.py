"""``promsnmp modules``: lists, shows and checks modules, and shows which suit a device."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from promsnmp.cli.options.credentials import credential_options
from promsnmp.cli.options.duration import timeout_option
from promsnmp.cli.options.modules import load_files
from promsnmp.cli.output.text import counted, printable
from promsnmp.inventory.modules import AUTO
from promsnmp.snmp.credentials import Credentials

if TYPE_CHECKING:
    from promsnmp.modules.catalogue import Catalogue
    from promsnmp.polling.detection.identify import DeviceIdentity
    from promsnmp.polling.target import Target

WRONG = 2
LONGEST = 180.0
"""Seconds for identifying a device, at most."""
_FILES = click.option(
    "--config.file",
    "files",
    multiple=True,
    metavar="FILE",
    help="File with modules besides the built-in ones; repeatable.",
)


_LATER = {"build": "Build a module from MIB files.", "import": "Make modules of the profiles of another program."}
"""Commands that are imported when they are used, with the line that ``--help`` shows."""


class _Modules(click.Group):
    """The group; ``build`` and ``import`` are imported when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *_LATER])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name == "build":
            from promsnmp.cli.commands.modules.build import build

            return build
        if cmd_name == "import":
            from promsnmp.cli.commands.modules.import_modules import import_modules

            return import_modules
        return super().get_command(ctx, cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        lines = [(name, one.get_short_help_str(80)) for name, one in self.commands.items()]
        with formatter.section("Commands"):
            formatter.write_dl(sorted([*lines, *_LATER.items()]))


@click.group("modules", cls=_Modules, context_settings={"help_option_names": ["-h", "--help"]})
def modules() -> None:
    """List, show, check, match, build and import modules: what to poll from devices, in the format of snmp.yml."""


@modules.command("list")
@_FILES
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
def list_modules(*, files: tuple[str, ...], as_json: bool) -> int:
    """List all modules: name, number of metrics, origin, description."""
    from promsnmp.modules.summaries import module_summaries

    found = module_summaries(load_files(files) if files else None)
    if as_json:
        fields = [{"name": one.name, "about": one.text, "metrics": one.metrics, "from": one.source} for one in found]
        click.echo(json.dumps(fields, indent=2, ensure_ascii=False))
        return 0
    rows = [
        ("NAME", "METRICS", "FROM", "DESCRIPTION"),
        *((one.name, str(one.metrics), one.source, one.text) for one in found),
    ]
    widths = [max(len(row[at]) for row in rows) for at in range(3)]
    for name, metrics, source, text in rows:
        click.echo(f"{name:<{widths[0]}}  {metrics:>{widths[1]}}  {source:<{widths[2]}}  {text}".rstrip())
    return 0


@modules.command("show")
@click.argument("name")
@_FILES
def show(*, name: str, files: tuple[str, ...]) -> int:
    """Print a module as a file that can be loaded again (by snmp_exporter, too)."""
    from promsnmp.modules.snmp_yml.writer import to_yaml

    module = load_files(files).module(name)
    click.echo(to_yaml({name: module}, {}), nl=False)
    return 0


@modules.command("check")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@click.option(
    "--config.expand-environment-variables/--no-config.expand-environment-variables",
    "expand",
    default=None,
    help="Replace $NAME in v3 auths, as serve with this flag.  [default: SNMP_EXPAND_ENVIRONMENT, else off]",
)
def check(*, files: tuple[Path, ...], expand: bool | None) -> int:
    """Check files with modules, auths and health definitions; exit code 2 when serve would not load one.

    The settings are those of serve. Each problem is a line FILE:LINE: MESSAGE on the standard output. Notes, on the
    standard error, are about things that load but do not work, such as a metric whose OID no walk covers.
    """
    from promsnmp.modules.snmp_yml.check import check_text
    from promsnmp.modules.snmp_yml.read_options import read_options
    from promsnmp.settings import load_settings

    options = read_options(load_settings(**({} if expand is None else {"snmp_expand_environment": expand})))
    problems: list[str] = []
    origin: dict[tuple[str, str], Path] = {}
    metrics = 0
    for path in dict.fromkeys(files):
        text, unreadable = _read(path)
        checked = check_text(text, source=str(path), options=options)
        problems += [*unreadable, *checked.problems]
        document = checked.document
        parts = ("module", document.modules), ("auth", document.auths), ("health definition", document.health)
        for kind, found in parts:
            for name in found:
                first = origin.setdefault((kind, name), path)
                if first != path:
                    problems.append(f"{path}:1: {kind} {name!r} is already defined in {first}; remove one of the two")
        metrics += sum(len(one.metrics) for one in document.modules.values())
        for note in checked.notes:
            click.echo(f"note: {note}", err=True)
    if not origin and not problems:
        problems.append(f"{files[0]}:1: the file defines no module, no auth and no health definition")
    for problem in problems:
        click.echo(problem)
    kinds = [kind for kind, _ in origin]
    summary = f"{counted(kinds.count('module'), 'module')} with {counted(metrics, 'metric')}"
    others = [
        counted(kinds.count(kind), kind) for kind in ("auth", "health definition") if kind in kinds or kind == "auth"
    ]
    click.echo(f"{summary}, {', '.join(others)}, {counted(len(problems), 'problem')}", err=True)
    return WRONG if problems else 0


def _read(path: Path) -> tuple[str, list[str]]:
    """The text of a file, and the problems that keep it from being read."""
    from yaml import YAMLError

    from promsnmp.errors import ModuleError
    from promsnmp.modules.snmp_yml.reader import read_octets
    from promsnmp.support import yaml_text

    try:
        return yaml_text.decode(read_octets(path)), []
    except ModuleError as error:
        return "", [str(error)]
    except YAMLError as error:
        line, reason = yaml_text.describe_error(error)
        return "", [f"{path}:{line}: {reason}"]


@modules.command("match")
@click.argument("target")
@credential_options
@timeout_option(default_help="  [default: the inventory's, else 2s]")
@click.option(
    "-r", "--retries", type=click.IntRange(0, 100), help="Retries per packet.  [default: the inventory's, else 2]"
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
def match(*, target: str, credentials: Credentials, timeout: float | None, retries: int | None, as_json: bool) -> int:
    """Show which modules and health definitions suit a device, and why.

    TARGET is an address or a name, with a port if it is not 161; a device of the inventory (PROM_INV_FILE) is polled
    with its own credentials, unless others are given. The command reads the system group, checks which tables the
    device has, and reads its health once.

    \b
    Examples:
      promsnmp modules match 192.0.2.1
      promsnmp modules match -u monitor -a SHA-256 -x AES switch.example
    """
    from promsnmp.cli.options.poll_request import make_poll_request, with_timing
    from promsnmp.modules.catalogue import builtin_catalogue

    catalogue = builtin_catalogue()
    request = make_poll_request(target, (), catalogue, auth=None, credentials=credentials)
    poll_target = with_timing(request.target, timeout=timeout, retries=retries)
    identity = asyncio.run(_identify(poll_target))
    (_print_json if as_json else _print_text)(identity, _health_definitions(poll_target, catalogue))
    if AUTO not in poll_target.modules:
        click.echo(f"The service polls it with {','.join(poll_target.modules)}, {request.chosen_by}.", err=True)
    return 0


async def _identify(poll_target: Target) -> DeviceIdentity:
    from promsnmp.modules.catalogue import CatalogueStore, builtin_catalogue
    from promsnmp.polling.collector import Collector
    from promsnmp.polling.options import CollectorOptions

    collector = Collector(CatalogueStore(builtin_catalogue()), CollectorOptions())
    return await collector.identify(poll_target, deadline=asyncio.get_running_loop().time() + LONGEST)


def _health_definitions(poll_target: Target, catalogue: Catalogue) -> Sequence[tuple[str, str]]:
    """The health definitions that suit a device, each with the reason; none when it stops answering."""
    from promsnmp.cli.commands.explain import poll_health
    from promsnmp.errors import SnmpError

    try:
        return poll_health(poll_target, catalogue, LONGEST).definitions
    except SnmpError:
        return ()


def _print_json(identity: DeviceIdentity, health: Sequence[tuple[str, str]]) -> None:
    from promsnmp.cli.output.explanation_json import identity_to_json

    definitions = [{"name": name, "reason": reason} for name, reason in health]
    click.echo(json.dumps({**identity_to_json(identity), "health": definitions}, indent=2, ensure_ascii=False))


def _print_text(identity: DeviceIdentity, health: Sequence[tuple[str, str]]) -> None:
    match = identity.match
    rows = (
        ("sysName", identity.sys_name),
        ("sysObjectID", identity.sys_object_id),
        ("sysDescr", identity.sys_descr[:100]),
        ("vendor", match.vendor or "unknown"),
        ("model", match.model or "unknown"),
        ("modules", ",".join(match.names)),
        ("health", ",".join(name for name, _ in health)),
    )
    for label, value in rows:
        click.echo(f"{label:<12} {printable(value)}".rstrip())
    click.echo("")
    width = max(len(name) for name, _ in (*match.modules, *health))
    for name, reason in (*match.modules, *health):
        click.echo(f"{name:<{width}}  {reason}")
    click.echo(f"Identified with {counted(identity.packets, 'packet')}.", err=True)
