"""Reads rules from YAML; every problem has its file and line.

    rules:
      - trap: [linkDown, "cisco*"]       # names, MIB::names or OIDs, with * and ?
        varbinds: {ifAdminStatus: down}   # text or number of the value, with * and ?
        device: {site: "lab*"}            # labels of the device
        severity: warning
        text: "{ifName|ifDescr|index} went down"
        labels: {team: network}
        group_by: [ifIndex|index]
        timeout: 24h

docs/trap-rules.md explains each key.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from promsnmp.errors import ModuleError
from promsnmp.modules.snmp_yml.reader import read_octets
from promsnmp.support import yaml_text
from promsnmp.support.yaml_nodes import NodeError, items, pairs, quoted, text
from promsnmp.support.yaml_scalars import choice, flag, seconds
from promsnmp.traps.names.model import Severity
from promsnmp.traps.rules.model import Glob, Rule, Rules, Template

MAX_FILE = 1 << 20
"""Octets of a file of rules, at most."""
MAX_RULES = 2000
MAX_LABELS = 20
MAX_WRITTEN = 1000
"""Characters of a pattern or template, at most."""
OUTPUT_KINDS = ("log", "file", "alertmanager", "loki", "otlp", "webhook")
RESERVED_LABELS = ("alertname", "device", "instance", "severity", "trap")
"""Labels that PromSNMP sets itself."""
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_CONDITIONS = ("trap", "varbinds", "device", "authenticated")
_KEYS = (*_CONDITIONS, "severity", "text", "labels", "group_by", "resolves", "timeout", "drop", "outputs")
_DEFAULTS = files("promsnmp.traps.rules") / "default.yml"


def default_rules() -> Rules:
    """The rules that PromSNMP has of its own."""
    return read_rules(_DEFAULTS.read_bytes(), source="default rules")


def load_rules(path: Path | None) -> Rules:
    """The rules of a file, then the default ones. Raises ModuleError with one line for each problem."""
    own = () if path is None else read_rules(read_octets(path, MAX_FILE), source=str(path))
    return (*own, *default_rules())


def read_rules(octets: bytes, *, source: str) -> Rules:
    """The rules of one file. Raises ModuleError with one line for each problem: FILE:LINE: MESSAGE."""
    rules, problems = check_rules(octets, source=source)
    if problems:
        raise ModuleError("\n".join(problems))
    return rules


def check_rules(octets: bytes, *, source: str) -> tuple[Rules, list[str]]:
    """The rules of one file that can be read, and the problems of the others."""
    problems: list[str] = []
    rules: list[Rule] = []
    try:
        root = yaml_text.compose(octets)
        for node in _rule_nodes(root) if root is not None else ():
            try:
                rules.append(_rule(node, f"{source}:{node.start_mark.line + 1}"))
            except NodeError as error:
                problems.append(f"{source}:{error.line}: {error}")
            if len(rules) > MAX_RULES:
                raise NodeError(node, f"more than {MAX_RULES} rules; use wildcards")
    except yaml.YAMLError as error:
        line, reason = yaml_text.describe_error(error)
        problems.append(f"{source}:{line}: not valid YAML: {reason}")
    except NodeError as error:
        problems.append(f"{source}:{error.line}: {error}")
    return tuple(rules), problems


def _rule_nodes(root: yaml.Node) -> Iterator[yaml.Node]:
    for _, value in pairs(root, "the file", ("rules",)):
        yield from items(value, "rules")


def _rule(node: yaml.Node, place: str) -> Rule:
    fields: dict[str, Any] = {}
    for key, value in pairs(node, "a rule", _KEYS):
        name, read = _READERS[key]
        fields[name] = read(value, key)
    if not fields:
        raise NodeError(node, "the rule is empty; it needs a trap and something to set, such as severity")
    if "resolves" in fields and "timeout" in fields:
        raise NodeError(node, "timeout is for the rule of the trap that fires, not for one with resolves")
    if not set(fields) - {"traps", "varbinds", "device", "authenticated"}:
        raise NodeError(node, "the rule sets nothing; add severity, text, labels, group_by, resolves, timeout or drop")
    return Rule(place, **fields)


# ------------------------------------------------------------------------------------------------------------- values


def _texts(node: yaml.Node, what: str) -> tuple[str, ...]:
    """One text, or a list of them."""
    nodes = [node] if isinstance(node, yaml.ScalarNode) else items(node, what)
    found = tuple(_text(one, what) for one in nodes)
    if not found:
        raise NodeError(node, f"{what} is empty")
    return found


def _text(node: yaml.Node, what: str) -> str:
    written = text(node, what)
    if not written:
        raise NodeError(node, f"{what} is empty")
    if len(written) > MAX_WRITTEN:
        raise NodeError(node, f"{what} is longer than {MAX_WRITTEN} characters")
    return written


def _globs(node: yaml.Node, what: str) -> tuple[Glob, ...]:
    try:
        return tuple(Glob.of(one.removeprefix(".")) for one in _texts(node, what))
    except ValueError as error:
        raise NodeError(node, f"{what}: {error}") from None


def _conditions(node: yaml.Node, what: str) -> tuple[tuple[str, tuple[Glob, ...]], ...]:
    return tuple((name, _value_globs(value, name)) for name, value in pairs(node, what))


def _value_globs(node: yaml.Node, what: str) -> tuple[Glob, ...]:
    try:
        return tuple(map(Glob.of, _texts(node, what)))
    except ValueError as error:
        raise NodeError(node, f"{what}: {error}") from None


def _template(node: yaml.Node, what: str) -> Template:
    written = _text(node, what)
    rest = re.sub(r"\{[A-Za-z_][A-Za-z0-9_.:|-]*\}", "", written)
    if "{" in rest or "}" in rest:
        raise NodeError(node, f"{what}: {quoted(written)} has a brace that is no placeholder such as {{ifDescr}}")
    return Template(written)


def _labels(node: yaml.Node, what: str) -> dict[str, Template]:
    found: dict[str, Template] = {}
    for name, value in pairs(node, what):
        if not _LABEL.fullmatch(name) or name.startswith("__"):
            raise NodeError(value, f"{quoted(name)} is no label name: use letters, digits and _")
        if name in RESERVED_LABELS:
            raise NodeError(value, f"the label {name!r} is set by PromSNMP; choose another name")
        found[name] = _template(value, f"label {name}")
    if len(found) > MAX_LABELS:
        raise NodeError(node, f"more than {MAX_LABELS} labels")
    return found


def _group_by(node: yaml.Node, what: str) -> tuple[str, ...]:
    if isinstance(node, yaml.SequenceNode) and not node.value:
        return ()
    return _texts(node, what)


def _outputs(node: yaml.Node, what: str) -> tuple[str, ...]:
    nodes = [node] if isinstance(node, yaml.ScalarNode) else items(node, what)
    return tuple(choice(one, what, OUTPUT_KINDS) for one in nodes)


_READERS: dict[str, tuple[str, Callable[[yaml.Node, str], Any]]] = {
    "trap": ("traps", _globs),
    "varbinds": ("varbinds", _conditions),
    "device": ("device", _conditions),
    "authenticated": ("authenticated", flag),
    "severity": ("severity", lambda node, what: Severity(choice(node, what, tuple(Severity)))),
    "text": ("text", _template),
    "labels": ("labels", _labels),
    "group_by": ("group_by", _group_by),
    "resolves": ("resolves", _texts),
    "timeout": ("timeout", seconds),
    "drop": ("drop", flag),
    "outputs": ("outputs", _outputs),
}
"""The field of Rule that each key sets, and what reads its value."""
