"""Checks snmp.yml files and reports all mistakes, not only the first one.

A *problem* prevents a file from being loaded. A *note* does not, but is a mistake too: a metric that no walk reads, a
label that is never filled.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from math import inf

import yaml

from promsnmp.modules.display_hint import is_octet_hint, is_valid_hint
from promsnmp.modules.model import Lookup, Metric, Module
from promsnmp.modules.snmp_yml.document_reader import Document
from promsnmp.modules.snmp_yml.read_options import STRICT, ReadOptions
from promsnmp.modules.snmp_yml.reader import read_leniently
from promsnmp.modules.types import MetricType
from promsnmp.support import yaml_nodes, yaml_text

MOST_PARTS = 5_000
"""Modules and auths of a broken document that are looked at, one by one."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The result for one file. Problems and notes are lines of ``source:line: what``."""

    problems: tuple[str, ...]
    notes: tuple[str, ...]
    document: Document
    """The parts that could be read."""


def check_text(text: str, *, source: str, options: ReadOptions = STRICT, most_problems: float = inf) -> CheckResult:
    """Checks a whole document; if it is not valid YAML, each module and auth separately where possible. Reads no
    further after ``most_problems``."""
    result = read_leniently(text, source=source, options=options, most_problems=most_problems)
    if not result.is_whole:
        return CheckResult(result.problems, result.warnings, result.document)
    if result.is_yaml:
        notes = (*result.warnings, *_notes(text, result.document, source))
        return CheckResult(result.problems, notes, result.document)
    parts = [
        read_leniently(part, source=source, lines_before=before, options=options, most_problems=most_problems)
        for part, before in islice(_parts(text), MOST_PARTS)
    ]
    if not any(one.problems for one in parts):
        return CheckResult(result.problems, (), Document())
    problems = dict.fromkeys(problem for one in parts for problem in one.problems)
    return CheckResult(
        tuple(problems), (), Document({name: one for part in parts for name, one in part.document.modules.items()})
    )


def _parts(text: str) -> Iterator[tuple[str, int]]:
    """The modules and auths of a text in block style, each as a document, and the number of lines before it.

    Nothing for a text with anchors, since one part may use an anchor of another.
    """
    section, part, indent, first = "", list[str](), 0, 0
    for number, line in enumerate((*text.splitlines(), "end:"), 1) if "&" not in text else ():
        bare = line.lstrip(" ")
        depth = len(line) - len(bare)
        begins = bool(bare) and not bare.startswith("#")
        if part and begins and depth <= indent:
            yield "\n".join((section, *part, "")), first - 2
            part = []
        if begins and depth == 0:
            section, indent = line, 0
        elif part:
            part.append(line)
        elif begins and section:
            part, indent, first = [line], depth, number


def _mapping(node: yaml.Node | None) -> Sequence[tuple[yaml.Node, yaml.Node]]:
    return node.value if isinstance(node, yaml.MappingNode) else ()


# ---------------------------------------------------------------------------------------------------------------- notes


def _notes(text: str, document: Document, source: str) -> Iterator[str]:
    places = dict(_places(text))
    for module in document.modules.values():
        for at, what in module_notes(module):
            line = places.get((module.name, at), places.get((module.name, -1), 0))
            yield f"{source}:{line}: module {module.name!r}: {what}"


def _places(text: str) -> Iterator[tuple[tuple[str, int], int]]:
    """Lines of modules (position -1) and of their metrics, by module and position."""
    root = yaml_text.compose(text, _place_only)
    modules = next((value for key, value in _mapping(root) if key.value == "modules"), None)
    for name, body in _mapping(modules):
        yield (str(name.value), -1), name.start_mark.line + 1
        metrics = next((value for key, value in _mapping(body) if key.value == "metrics"), None)
        for at, metric in enumerate(metrics.value if isinstance(metrics, yaml.SequenceNode) else ()):
            yield (str(name.value), at), metric.start_mark.line + 1


def _place_only(_section: str, _key: str, node: yaml.Node) -> yaml.Node:
    """Keeps only the position of a list item: a file with many metrics has large items."""
    return yaml.ScalarNode(node.tag, "", node.start_mark)


def module_notes(module: Module) -> Iterator[tuple[int, str]]:
    """Notes about a module: the position of the metric (-1 for the module itself) and the text."""
    requested = [*module.walk, *module.get, *(target for one in module.filters for target in (one.oid, *one.targets))]
    if not requested:
        yield -1, "it reads nothing: it has neither 'walk' nor 'get'"
    if not module.metrics:
        yield -1, "it has no metrics"
    seen: dict[str, str] = {}
    for at, metric in enumerate(module.metrics):
        if metric.oid in seen:
            yield at, f"metric {metric.name} has the OID of {seen[metric.oid]} ({metric.oid}); the last one counts"
        seen[metric.oid] = metric.name
        if not _covers(requested, metric.oid):
            yield at, f"metric {metric.name} is never read: {metric.oid} is under no 'walk', 'get' or filter"
        yield from ((at, what) for what in _text_notes(metric, f"metric {metric.name}"))
        yield from ((at, f"metric {metric.name}: {what}") for what in _lookup_notes(metric, requested))


def _text_notes(part: Metric | Lookup, name: str) -> Iterator[str]:
    """Notes about ``display_hint`` and ``enum_values`` of a metric or a lookup."""
    if part.display_hint and not is_valid_hint(part.display_hint):
        yield f"the display_hint {yaml_nodes.quoted(part.display_hint)} of {name} is not one of RFC 2579 section 3.1"
    elif is_octet_hint(part.display_hint) and part.type != MetricType.OCTET_STRING:
        yield f"the display_hint of {name} has no effect: it applies to the type OctetString, not to {part.type}"
    if isinstance(part, Lookup) and part.enum_values and part.type != MetricType.ENUM_AS_INFO:
        yield f"the enum_values of {name} have no effect: they apply to the type EnumAsInfo, not to {part.type}"


def _lookup_notes(metric: Metric, requested: Sequence[str]) -> Iterator[str]:
    filled = {one.labelname for one in metric.indexes}
    for lookup in metric.lookups:
        missing = [label for label in lookup.labels if label not in filled]
        if missing:
            yield f"label {lookup.labelname!r} is looked up by {', '.join(missing)}, which is not a label before it"
        elif lookup.labels and not _covers(requested, lookup.oid):
            yield f"label {lookup.labelname!r} stays empty: {lookup.oid} is under no 'walk', 'get' or filter"
        if lookup.labels:
            yield from _text_notes(lookup, f"label {lookup.labelname!r}")
            filled.add(lookup.labelname)


def _covers(requested: Iterable[str], oid: str) -> bool:
    return any(f"{oid}.".startswith(f"{one}.") or one.startswith(f"{oid}.") for one in requested)
