"""``promsnmp traps check``: checks a file of rules, and shows what becomes of sample traps."""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from promsnmp.cli.options.labels import read_labels
from promsnmp.cli.output.text import counted, printable
from promsnmp.errors import ModuleError
from promsnmp.modules.snmp_yml.reader import read_octets
from promsnmp.snmp.credentials import SecurityLevel, Version
from promsnmp.traps.model import Notification
from promsnmp.traps.names.definitions import Definitions, load
from promsnmp.traps.names.model import State
from promsnmp.traps.names.namer import Namer
from promsnmp.traps.names.samples import WrongSample, parse_sample
from promsnmp.traps.outputs.event import event_of, public
from promsnmp.traps.rules.apply import Decision, RuleSet
from promsnmp.traps.rules.model import Rules
from promsnmp.traps.rules.reader import MAX_FILE, check_rules, default_rules

WRONG = 2
_OWN_NAMES = frozenset({"device", "sender", "trap", "mib", "index"})


@click.command("check", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("file", metavar="RULES", type=click.Path(path_type=Path))
@click.option("--trap", "traps", multiple=True, metavar="'TRAP OBJECT.INDEX=VALUE ...'",
              help="Show what becomes of this trap; written as for `promsnmp traps send`; repeatable.")  # fmt: skip
@click.option("--traps", "files", multiple=True, type=click.Path(path_type=Path), metavar="FILE",
              help="File with such traps, one in each line; repeatable.")  # fmt: skip
@click.option("--label", "labels", multiple=True, metavar="NAME=VALUE",
              help="Label of the device that sends them; name and address, too; repeatable.")  # fmt: skip
@click.option("--authenticated", is_flag=True, help="Take them as sent by a user with authentication.")
@click.option("--definitions", multiple=True, type=click.Path(path_type=Path), metavar="FILE",
              help="File with more names, as TRAP_DEFINITIONS; repeatable.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for each trap.")
def check(
    *,
    file: Path,
    traps: tuple[str, ...],
    files: tuple[Path, ...],
    labels: tuple[str, ...],
    authenticated: bool,
    definitions: tuple[Path, ...],
    as_json: bool,
) -> int:
    """Check a file of rules (TRAP_RULES), and show what becomes of sample traps; exit code 2 when serve refuses it.

    Each problem is a line FILE:LINE: MESSAGE on the standard output. Notes, on the standard error, are about rules that
    load but match nothing known, such as a name that no definition has.

    \b
    Examples:
      promsnmp traps check rules.yml
      promsnmp traps check rules.yml --trap 'linkDown ifIndex.3=3 ifOperStatus.3=down' --label site=lab
    """
    known = load(definitions)
    rules, problems = check_rules(read_octets(file, MAX_FILE), source=str(file))
    for problem in problems:
        click.echo(problem)
    for note in _notes(rules, known):
        click.echo(f"note: {note}", err=True)
    click.echo(f"{counted(len(rules), 'rule')}, {counted(len(problems), 'problem')}", err=True)
    if problems:
        return WRONG
    rule_set, namer, device = RuleSet((*rules, *default_rules())), Namer(lambda: known), read_labels(labels)
    for sample in [*traps, *(line for path in files for line in _lines(path))]:
        notification = _notification(sample, known, device, authenticated=authenticated)
        decision = rule_set.decide(namer.name(notification), device)
        if as_json:
            click.echo(json.dumps(_as_json(decision), ensure_ascii=False))
            continue
        click.echo(printable(sample))
        for line in _lines_of(decision):
            click.echo(f"  {printable(line)}")
    return 0


def _lines(path: Path) -> list[str]:
    text = read_octets(path, MAX_FILE).decode("utf-8", "replace")
    return [line for line in map(str.strip, text.splitlines()) if line and not line.startswith("#")]


def _notification(sample: str, known: Definitions, labels: dict[str, str], *, authenticated: bool) -> Notification:
    try:
        oid, varbinds = parse_sample(shlex.split(sample), known)
    except (ValueError, WrongSample) as error:
        raise ModuleError(f"the trap {sample!r}: {error}") from None
    level = SecurityLevel.AUTH_NO_PRIV if authenticated else SecurityLevel.NO_AUTH_NO_PRIV
    return Notification(
        received_at=time.time(), sender=labels.get("address", "192.0.2.1"), version=Version.V3, security_level=level,
        user="", is_inform=False, oid=oid, uptime=None, varbinds=varbinds, engine_id=b"", request_id=0, device_id="",
        device_name=labels.get("name", ""),
    )  # fmt: skip


def _notes(rules: Rules, known: Definitions) -> Sequence[str]:
    """What hints at mistyped names."""
    traps = [name for one in known.notifications.values() for name in (one.name, f"{one.mib}::{one.name}")]
    objects = {one.name for one in known.objects.values()} | _OWN_NAMES
    found: list[str] = []
    for rule in rules:
        unknown = [
            glob.written
            for glob in rule.traps
            if not glob.written[:1].isdigit() and not any(glob.match(name) is not None for name in traps)
        ]
        found += [f"{rule.place}: no notification that is known matches {one!r}" for one in unknown]
        templates = [*([rule.text] if rule.text else []), *rule.labels.values()]
        used = [name for template in templates for name in template.names()]
        used += [name for names in rule.group_by or () for name in names.split("|")]
        used += [name for name, _ in rule.varbinds]
        names = dict.fromkeys(one.partition(":")[0] for one in used if not one.startswith("device."))
        found += [f"{rule.place}: no object that is known is called {one!r}" for one in names if one not in objects]
    return found


def _lines_of(decision: Decision) -> Sequence[str]:
    named = decision.named
    if decision.dropped:
        return [f"dropped by {decision.origin.get('drop', '')}"]
    found = [
        f"name      {f'{named.mib}::' if named.mib else ''}{named.name}",
        f"severity  {named.severity}{_from(decision, 'severity')}",
        f"text      {named.text}{_from(decision, 'text')}",
    ]
    found += [f"label     {name}={value}{_from(decision, f'labels.{name}')}" for name, value in named.labels.items()]
    group = ", ".join(f"{name}={value}" for name, value in named.group)
    if named.state is State.FIRING:
        timeout = f"{named.timeout:g} s" if named.timeout else "TRAP_ALERT_TIMEOUT"
        found.append(f"alert     fires {named.name}{{{group}}}, ends after {timeout}{_from(decision, 'timeout')}")
    for key in named.resolves:
        found.append(f"alert     ends {key.name}{{{group}}}{_from(decision, 'resolves')}")
    if named.outputs:
        found.append(f"outputs   {', '.join(named.outputs)}{_from(decision, 'outputs')}")
    return found


def _from(decision: Decision, setting: str) -> str:
    origin = decision.origin.get(setting)
    return f"  ({origin})" if origin else ""


def _as_json(decision: Decision) -> dict[str, Any]:
    event = {"dropped": True} if decision.dropped else public(event_of(decision.named))
    return {**event, "origin": dict(decision.origin)}
