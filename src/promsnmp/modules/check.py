"""Looks through files in the form of snmp.yml for all that is wrong with them, not only for what stops the reading.

A *problem* keeps a file from being loaded. A *note* does not, but is a mistake all the same: a metric that no walk
brings, a label that is never filled.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import yaml

from promsnmp.errors import ModuleError
from promsnmp.modules import nodes
from promsnmp.modules.model import Metric, Module
from promsnmp.modules.reader import Document, read_text

MOST_PROBLEMS = 50
"""Modules of one file that are left out one after the other in search of further problems."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found in one file. Problems and notes are lines of ``source:line: what``."""

    problems: tuple[str, ...]
    notes: tuple[str, ...]
    document: Document
    """What can be read of it."""


def check_text(text: str, *, source: str) -> Checked:
    """Checks a document. A module with a problem is left out and the rest read on, where that is possible."""
    problems: list[str] = []
    lines = text.splitlines()
    while len(problems) < MOST_PROBLEMS:
        current = "\n".join((*lines, ""))
        try:
            document = read_text(current, source=source)
        except ModuleError as error:
            if str(error) in problems:
                break
            problems.append(str(error))
            if not _leave_out(lines, _line_of(str(error), source)):
                break
        else:
            return Checked(tuple(problems), tuple(_notes(current, document, source)), document)
    return Checked(tuple(problems), (), Document())


def _line_of(message: str, source: str) -> int:
    """The line in ``source:line: ...``, 0 when there is none."""
    number = message.removeprefix(f"{source}:").partition(":")[0]
    return int(number) if number.isdigit() else 0


def _leave_out(lines: list[str], line: int) -> bool:
    """Blanks the module or auth that ``line`` is in, keeping the others' line numbers; False when that cannot be done.

    One whose anchors others may use stays, and so does one on the line of another.
    """
    found = next((span for span in _spans("\n".join((*lines, ""))) if span[0] <= line <= span[1]), None)
    if found is None or any("&" in one for one in lines[found[0] - 1 : found[1]]):
        return False
    for number in range(found[0] - 1, found[1]):
        lines[number] = ""
    return True


def _spans(text: str) -> Iterator[tuple[int, int]]:
    """First and last line of each module and auth of a block style document."""
    try:
        root = nodes.compose(text)
    except yaml.YAMLError:
        return
    for _, section in _mapping(root):
        for key, value in _mapping(section):
            is_block = isinstance(value, yaml.CollectionNode) and not value.flow_style  # such end where the next begins
            last = value.end_mark.line + (0 if is_block else 1)
            yield key.start_mark.line + 1, max(last, key.start_mark.line + 1)


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
    modules = next((value for key, value in _mapping(nodes.compose(text)) if key.value == "modules"), None)
    for name, body in _mapping(modules):
        yield (str(name.value), -1), name.start_mark.line + 1
        metrics = next((value for key, value in _mapping(body) if key.value == "metrics"), None)
        for at, metric in enumerate(metrics.value if isinstance(metrics, yaml.SequenceNode) else ()):
            yield (str(name.value), at), metric.start_mark.line + 1


def module_notes(module: Module) -> Iterator[tuple[int, str]]:
    """What is odd about a module: position of the metric, -1 for the module itself, and what it is."""
    asked = [*module.walk, *module.get, *(target for one in module.filters for target in (one.oid, *one.targets))]
    if not asked:
        yield -1, "nothing is asked for: it has neither 'walk' nor 'get'"
    if not module.metrics:
        yield -1, "there are no metrics"
    seen: dict[str, str] = {}
    for at, metric in enumerate(module.metrics):
        if metric.oid in seen:
            yield at, f"metric {metric.name} has the OID of {seen[metric.oid]} ({metric.oid}); the last one counts"
        seen[metric.oid] = metric.name
        if not _covers(asked, metric.oid):
            yield at, f"metric {metric.name} is never asked for: {metric.oid} is under no 'walk', 'get' or filter"
        yield from ((at, f"metric {metric.name}: {what}") for what in _lookup_notes(metric, asked))


def _lookup_notes(metric: Metric, asked: Sequence[str]) -> Iterator[str]:
    filled = {one.labelname for one in metric.indexes}
    for lookup in metric.lookups:
        missing = [label for label in lookup.labels if label not in filled]
        if missing:
            yield f"label {lookup.labelname!r} is looked up by {', '.join(missing)}, which is no label before it"
        elif lookup.labels and not _covers(asked, lookup.oid):
            yield f"label {lookup.labelname!r} stays empty: {lookup.oid} is under no 'walk', 'get' or filter"
        if lookup.labels:
            filled.add(lookup.labelname)


def _covers(asked: Iterable[str], oid: str) -> bool:
    return any(f"{oid}.".startswith(f"{one}.") or one.startswith(f"{oid}.") for one in asked)
