"""Reads files in the form of snmp.yml into the model, strictly: an unknown key is an error, not a surprise later.

Every error names the file, the line and what is allowed; secrets are in none. Equal parts of a file (indexes, lookups,
texts) become one object, because large files repeat a few of them thousands of times.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import yaml

from promsnmp.errors import ModuleError
from promsnmp.modules.model import Filter, Index, IndexType, Lookup, Metric, MetricType, Module, RegexExtract
from promsnmp.modules.snmp_yml import scalars
from promsnmp.modules.snmp_yml.auths import read_auth
from promsnmp.snmp.credentials import Credentials
from promsnmp.support import yaml_nodes, yaml_scalars, yaml_text
from promsnmp.support.yaml_nodes import Problem, Teller, Told, raise_problem

_METRIC_TYPES = frozenset(one.value for one in MetricType)
_INDEX_TYPES = frozenset(one.value for one in IndexType)
_T = TypeVar("_T")


MAX_OCTETS = 64 << 20
"""No file of modules has more (snmp_exporter's own has 2 MB); a device such as /dev/zero never ends."""


@dataclass(frozen=True, slots=True)
class Document:
    """What one file defines."""

    modules: Mapping[str, Module] = field(default_factory=dict)
    auths: Mapping[str, Credentials] = field(default_factory=dict)


def read_file(path: Path, *, environment: Mapping[str, str] | None = None) -> Document:
    """Reads one file; ``environment`` as for ``read_text``. Raises ModuleError."""
    return read_text(read_octets(path), source=str(path), environment=environment)


def read_octets(path: Path) -> bytes:
    """What is in a file. Raises ModuleError."""
    try:
        with path.open("rb") as stream:
            octets = stream.read(MAX_OCTETS + 1)
    except OSError as error:
        raise ModuleError(f"{path}:1: cannot be read: {(error.strerror or str(error)).lower()}") from None
    if len(octets) > MAX_OCTETS:
        raise ModuleError(f"{path}:1: cannot be read: more than {MAX_OCTETS >> 20} MiB are in it")
    return octets


def read_text(text: bytes | str, *, source: str, environment: Mapping[str, str] | None = None) -> Document:
    """Reads a document; ``source`` names it in errors. Raises ModuleError.

    ``environment`` has the variables that auths may name; without it they stay as they are written.
    """
    try:
        return _read(text, environment, raise_problem)
    except yaml.YAMLError as error:
        line, reason = yaml_text.explain(error)
        raise ModuleError(f"{source}{f':{line}' if line else ''}: not valid YAML: {reason}") from None
    except Problem as problem:
        raise ModuleError(f"{source}:{problem.line}: {problem}") from None


@dataclass(frozen=True, slots=True)
class Findings:
    """All that can be said of a document: what is right in it, and what is not, as lines of ``source:line: what``."""

    document: Document
    problems: tuple[str, ...]
    is_yaml: bool = True
    """Whether all of it could be looked at."""


def look_through(text: bytes | str, *, source: str, lines_before: int = 0) -> Findings:
    """Reads a document to its end, whatever is wrong in it; a module or auth with a problem is not in the result.

    ``lines_before`` are those of the source that come before the text.
    """
    found: list[Problem] = []
    document, is_yaml, more = Document(), True, list[tuple[int, str]]()
    try:
        document = _read(text, None, found.append)
    except yaml.YAMLError as error:
        is_yaml = False
        line, reason = yaml_text.explain(error)
        more = [(line, f"not valid YAML: {reason}")]
    except Problem as problem:
        found.append(problem)
    told = sorted({(one.line, str(one)) for one in found if not isinstance(one, Told)} | set(more))
    return Findings(document, tuple(f"{source}:{line + lines_before}: {what}" for line, what in told), is_yaml)


def _read(text: bytes | str, environment: Mapping[str, str] | None, tell: Teller) -> Document:
    try:
        with _uncollected():
            reading = _Reading(environment, tell)
            root = yaml_text.compose(text, reading.part)
            return Document() if root is None else reading.document(root)
    except RecursionError:
        raise yaml.MarkedYAMLError(problem="lists or mappings stand too deep in one another") from None


@contextmanager
def _uncollected() -> Iterator[None]:
    """No garbage collection meanwhile: it would search a hundred thousand nodes again and again, half of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


_Reader = Callable[["_Reading", yaml.Node, str], Any]


class _Read(yaml.Node):
    """Stands where the node of a metric stood that is read; it has none when something is wrong with it."""

    def __init__(self, node: yaml.Node, metric: Metric | None) -> None:
        super().__init__(node.tag, "", node.start_mark, None)
        self.metric = metric


class _Reading:
    """One document on its way into the model.

    Metrics are read while the document is composed, one after the other, so that never all of them are there as nodes,
    which take twenty times as much memory as the model.
    """

    def __init__(self, environment: Mapping[str, str] | None, tell: Teller) -> None:
        self._environment = environment
        self._teller = tell
        self._told = 0
        self._within = ""
        """What the index, lookup or filter that is being read belongs to, for what is told of it."""
        self._same: dict[Any, Any] = {}
        self._read: WeakKeyDictionary[yaml.Node, dict[object, Any]] = WeakKeyDictionary()

    def _one(self, part: _T) -> _T:
        """The first part that is equal to ``part``."""
        return self._same.setdefault(part, part)  # type: ignore[no-any-return]

    def _fields(self, node: yaml.Node, what: str, readers: Mapping[str, _Reader], *required: str) -> dict[str, Any]:
        """A mapping by ``readers``, whose keys are those of the file and of the model alike. Raises Problem."""
        before = self._told
        found: dict[str, Any] = {}
        wrong: set[str] = set()
        for key, _, value in yaml_nodes.entries(node, what, readers, tell=self._tell):
            if key in _UNSAID_BY_NULL and yaml_nodes.is_null(value):
                continue
            try:
                found[key] = readers[key](self, value, f"{key!r} of {what}")
            except Problem as problem:
                self._tell(problem)
                wrong.add(key)
        for name in required:
            if not found.get(name) and name not in wrong:
                self._tell(Problem(node, f"{what} has no {name!r}"))
        if self._told != before:
            raise Told(node)
        return found

    def _tell(self, problem: Problem) -> None:
        self._told += 1
        self._teller(problem)

    def each(self, node: yaml.Node, what: str, reader: _Reader) -> tuple[Any, ...]:
        """A list; what several aliases name is read once. Raises Problem."""
        read = self._read.setdefault(node, {})
        if (list, reader) not in read:
            before = self._told
            found = tuple(self._items(node, what, reader))
            if self._told != before:
                raise Told(node)
            read[list, reader] = found if reader is _Reading.metric else self._one(found)
        made: tuple[Any, ...] = read[list, reader]
        return made

    def _items(self, node: yaml.Node, what: str, reader: _Reader) -> Iterator[Any]:
        for one in yaml_nodes.items(node, what):
            try:
                yield self._once(one, what, reader)
            except Problem as problem:
                self._tell(problem)

    def _once(self, node: yaml.Node, what: str, reader: _Reader) -> Any:
        if isinstance(node, yaml.ScalarNode):
            return reader(self, node, what)
        if isinstance(node, _Read) and reader is _Reading.metric:
            if node.metric is None:
                raise Told(node)
            return node.metric
        read = self._read.setdefault(node, {})
        if reader not in read:
            read[reader] = reader(self, node, what)
        return read[reader]

    # ----------------------------------------------------------------------------------------------------- values

    def text(self, node: yaml.Node, what: str) -> str:
        return self._one(yaml_nodes.text(node, what))

    def object_id(self, node: yaml.Node, what: str) -> str:
        return self._one(scalars.object_id(node, what))

    def walked(self, node: yaml.Node, what: str) -> str:
        return self._one(scalars.object_id(node, what).removeprefix("."))

    def texts(self, node: yaml.Node, what: str) -> tuple[str, ...]:
        return self.each(node, what, _Reading.text)

    def object_ids(self, node: yaml.Node, what: str) -> tuple[str, ...]:
        return self.each(node, what, _Reading.walked)

    def metric_type(self, node: yaml.Node, what: str) -> str:
        return self._one(yaml_scalars.choice(node, what, _METRIC_TYPES))

    def index_type(self, node: yaml.Node, what: str) -> str:
        return self._one(yaml_scalars.choice(node, what, _INDEX_TYPES))

    def lookup_type(self, node: yaml.Node, what: str) -> str:
        return self._one(yaml_scalars.choice(node, what, _METRIC_TYPES | _INDEX_TYPES))

    def enum(self, node: yaml.Node, what: str) -> tuple[tuple[int, str], ...]:
        out: dict[int, str] = {}
        before = self._told
        for name, key, value in yaml_nodes.entries(node, what, tell=self._tell):
            try:
                number = yaml_scalars.integer(key, f"a key of {what}")
                if number in out:
                    raise Problem(key, f"key {yaml_nodes.shown(name)} stands twice in {what}")
                out[number] = self.text(value, what)
            except Problem as problem:
                self._tell(problem)
        if self._told != before:
            raise Told(node)
        return self._one(tuple(out.items()))

    # ----------------------------------------------------------------------------------------------- the language

    def index(self, node: yaml.Node, what: str) -> Index:
        return self._one(Index(**self._fields(node, f"an index of {self._within}", _INDEX, "labelname")))

    def lookup(self, node: yaml.Node, what: str) -> Lookup:
        found = self._fields(node, f"a lookup of {self._within}", _LOOKUP, "labelname")
        if found.get("labels") and not found.get("oid"):
            raise Problem(node, f"a lookup of {self._within} with 'labels' has no 'oid'")
        return self._one(Lookup(**{"labels": (), **found}))

    def extracts(self, node: yaml.Node, what: str) -> tuple[RegexExtract, ...]:
        return tuple(
            RegexExtract(suffix, self.each(value, what, _Reading.pattern))
            for suffix, value in yaml_nodes.pairs(node, what)
        )

    def pattern(self, node: yaml.Node, what: str) -> tuple[str, str]:
        found = self._fields(node, f"a regex extract of {self._within}", _PATTERN)
        return found.get("regex", ""), found.get("value", "$1")

    def whole_regex(self, node: yaml.Node, what: str) -> str:
        return self._one(scalars.regex(node, what, whole=True))

    def regex(self, node: yaml.Node, what: str) -> str:
        return self._one(scalars.regex(node, what))

    def regexes(self, node: yaml.Node, what: str) -> tuple[str, ...]:
        return self.each(node, what, _Reading.regex)

    def metric(self, node: yaml.Node, what: str) -> Metric:
        name, around = yaml_nodes.plain(node, "name"), self._within
        self._within = told = f"metric {yaml_nodes.shown(name)}" if name else "a metric"
        try:
            metric = Metric(**self._fields(node, told, _METRIC, "name", "oid", "type"))
        finally:
            self._within = around
        if circle := lookups_in_a_circle(metric):
            labels = ", ".join(map(repr, circle))
            raise Problem(
                node, f"lookups of metric {yaml_nodes.shown(metric.name)} go in a circle: {labels} need each other"
            )
        return metric

    def filter(self, node: yaml.Node, what: str) -> Filter:
        return Filter(
            **{"targets": (), "values": (), **self._fields(node, f"a filter of {self._within}", _FILTER, "oid")}
        )

    def module(self, name: str, node: yaml.Node) -> Module:
        self._within = what = f"module {yaml_nodes.shown(name)}"
        return Module(name, **self._fields(node, what, _MODULE))

    def part(self, section: str, key: str, node: yaml.Node) -> yaml.Node:
        """What stands in the place of an item of a list when it is complete (``yaml_text.PartReader``)."""
        if section != "modules" or key != "metrics":
            return node
        try:
            return _Read(node, self._once(node, "'metrics' of a module", _Reading.metric))
        except Problem as problem:
            self._tell(problem)
            return _Read(node, None)

    def auth(self, name: str, node: yaml.Node) -> Credentials:
        return read_auth(name, node, self._environment, tell=self._tell)

    def document(self, root: yaml.Node) -> Document:
        parts = dict(yaml_nodes.pairs(root, "the file", ("auths", "modules", "version"), tell=self._tell))
        if "version" in parts:
            self._part("version", parts["version"], lambda _, node: yaml_scalars.integer(node, "'version' of the file"))
        return Document(
            self._section(parts.get("modules"), "'modules'", self.module),
            self._section(parts.get("auths"), "'auths'", self.auth),
        )

    def _section(self, node: yaml.Node | None, what: str, reader: Callable[[str, yaml.Node], _T]) -> dict[str, _T]:
        """Its parts by name, without those that something is wrong with."""
        found: dict[str, _T] = {}
        if node is not None:
            try:
                for name, value in yaml_nodes.pairs(node, what, tell=self._tell):
                    self._part(name, value, lambda name, value: found.setdefault(name, reader(name, value)))
            except Problem as problem:
                self._tell(problem)
        return found

    def _part(self, name: str, node: yaml.Node, reader: Callable[[str, yaml.Node], object]) -> None:
        try:
            reader(name, node)
        except Problem as problem:
            self._tell(problem)


def lookups_in_a_circle(metric: Metric) -> tuple[str, ...]:
    """Labels that are each looked up by another of them, so that none can ever be; the first such circle, sorted."""
    indexes = {one.labelname for one in metric.indexes}
    needs = {one.labelname: set[str]() for one in metric.lookups}
    for one in metric.lookups:
        needs[one.labelname].update(label for label in one.labels if label in needs and label not in indexes)
    made: set[str] = set(indexes)
    for one in metric.lookups:
        for label in one.labels:
            if label not in made and label in needs and one.labelname in _needed(label, needs):
                return tuple(sorted(name for name in _needed(label, needs) if label in _needed(name, needs)))
        made.add(one.labelname)
    return ()


def _needed(label: str, needs: Mapping[str, set[str]]) -> set[str]:
    """A label and all that it needs, directly or not."""
    found = {label}
    waiting = [label]
    while waiting:
        new = needs[waiting.pop()] - found
        found |= new
        waiting += new
    return found


def _list_of(reader: _Reader) -> _Reader:
    return lambda reading, node, what: reading.each(node, what, reader)


def _plain(reader: Callable[[yaml.Node, str], Any]) -> _Reader:
    return lambda _, node, what: reader(node, what)


_INDEX: Mapping[str, _Reader] = {
    "labelname": _Reading.text,
    "type": _Reading.index_type,
    "fixed_size": _plain(yaml_scalars.count),
    "implied": _plain(yaml_scalars.flag),
    "enum_values": _Reading.enum,
}
_LOOKUP: Mapping[str, _Reader] = {
    "labels": _Reading.texts,
    "labelname": _Reading.text,
    "oid": _Reading.object_id,
    "type": _Reading.lookup_type,
}
_PATTERN: Mapping[str, _Reader] = {"regex": _Reading.whole_regex, "value": _Reading.text}
_METRIC: Mapping[str, _Reader] = {
    "name": _Reading.text,
    "oid": _Reading.object_id,
    "type": _Reading.metric_type,
    "help": _Reading.text,
    "indexes": _list_of(_Reading.index),
    "lookups": _list_of(_Reading.lookup),
    "regex_extracts": _Reading.extracts,
    "datetime_pattern": _Reading.text,
    "enum_values": _Reading.enum,
    "offset": _plain(yaml_scalars.number),
    "scale": _plain(yaml_scalars.number),
}
_FILTER: Mapping[str, _Reader] = {
    "oid": _Reading.walked,
    "targets": _Reading.object_ids,
    "values": _Reading.regexes,
}
_MODULE: Mapping[str, _Reader] = {
    "walk": _Reading.object_ids,
    "get": _Reading.object_ids,
    "metrics": _list_of(_Reading.metric),
    "max_repetitions": _plain(yaml_scalars.count32),
    "retries": _plain(yaml_scalars.count),
    "timeout": _plain(yaml_scalars.seconds),
    "use_unconnected_udp_socket": _plain(yaml_scalars.flag),
    "allow_nonincreasing_oids": _plain(yaml_scalars.flag),
    "filters": _list_of(_Reading.filter),
}
_UNSAID_BY_NULL = frozenset({"fixed_size", "implied", "offset", "scale", "max_repetitions", "retries", "timeout"}) | {
    *("use_unconnected_udp_socket", "allow_nonincreasing_oids")
}
"""Keys of numbers and flags, which have their default when there is nothing behind the colon."""
