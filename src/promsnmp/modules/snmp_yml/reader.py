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
from promsnmp.support.yaml_nodes import ErrorHandler, NodeError, ReportedError, raise_error

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
        return _read_document(text, environment, raise_error)
    except yaml.YAMLError as error:
        line, reason = yaml_text.describe_error(error)
        raise ModuleError(f"{source}{f':{line}' if line else ''}: not valid YAML: {reason}") from None
    except NodeError as error:
        raise ModuleError(f"{source}:{error.line}: {error}") from None


@dataclass(frozen=True, slots=True)
class ReadResult:
    """All that can be said of a document: what is right in it, and what is not, as lines of ``source:line: what``."""

    document: Document
    problems: tuple[str, ...]
    is_yaml: bool = True
    """Whether all of it could be looked at."""


def read_leniently(text: bytes | str, *, source: str, lines_before: int = 0) -> ReadResult:
    """Reads a document to its end, whatever is wrong in it; a module or auth with a problem is not in the result.

    ``lines_before`` are those of the source that come before the text.
    """
    errors: list[NodeError] = []
    document, is_yaml, more = Document(), True, list[tuple[int, str]]()
    try:
        document = _read_document(text, None, errors.append)
    except yaml.YAMLError as error:
        is_yaml = False
        line, reason = yaml_text.describe_error(error)
        more = [(line, f"not valid YAML: {reason}")]
    except NodeError as error:
        errors.append(error)
    described = sorted({(one.line, str(one)) for one in errors if not isinstance(one, ReportedError)} | set(more))
    return ReadResult(document, tuple(f"{source}:{line + lines_before}: {what}" for line, what in described), is_yaml)


def _read_document(text: bytes | str, environment: Mapping[str, str] | None, on_error: ErrorHandler) -> Document:
    try:
        with _gc_paused():
            document_reader = _DocumentReader(environment, on_error)
            root = yaml_text.compose(text, document_reader.part)
            return Document() if root is None else document_reader.document(root)
    except RecursionError:
        raise yaml.MarkedYAMLError(problem="lists or mappings stand too deep in one another") from None


@contextmanager
def _gc_paused() -> Iterator[None]:
    """No garbage collection meanwhile: it would search a hundred thousand nodes again and again, half of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


_Reader = Callable[["_DocumentReader", yaml.Node, str], Any]


class _ReadMetric(yaml.Node):
    """Stands where the node of a metric stood that is read; it has none when something is wrong with it."""

    def __init__(self, node: yaml.Node, metric: Metric | None) -> None:
        super().__init__(node.tag, "", node.start_mark, None)
        self.metric = metric


class _DocumentReader:
    """One document on its way into the model.

    Metrics are read while the document is composed, one after the other, so that never all of them are there as nodes,
    which take twenty times as much memory as the model.
    """

    def __init__(self, environment: Mapping[str, str] | None, on_error: ErrorHandler) -> None:
        self._environment = environment
        self._on_error = on_error
        self._error_count = 0
        self._context = ""
        """What the index, lookup or filter that is being read belongs to, for what is told of it."""
        self._interned: dict[Any, Any] = {}
        self._read_values: WeakKeyDictionary[yaml.Node, dict[object, Any]] = WeakKeyDictionary()

    def _intern(self, part: _T) -> _T:
        """The first part that is equal to ``part``."""
        return self._interned.setdefault(part, part)  # type: ignore[no-any-return]

    def _fields(self, node: yaml.Node, what: str, readers: Mapping[str, _Reader], *required: str) -> dict[str, Any]:
        """A mapping by ``readers``, whose keys are those of the file and of the model alike. Raises NodeError."""
        before = self._error_count
        values: dict[str, Any] = {}
        failed_keys: set[str] = set()
        for key, _, value in yaml_nodes.entries(node, what, readers, on_error=self._report):
            if key in _DEFAULT_IF_NULL and yaml_nodes.is_null(value):
                continue
            try:
                values[key] = readers[key](self, value, f"{key!r} of {what}")
            except NodeError as error:
                self._report(error)
                failed_keys.add(key)
        for name in required:
            if not values.get(name) and name not in failed_keys:
                self._report(NodeError(node, f"{what} has no {name!r}"))
        if self._error_count != before:
            raise ReportedError(node)
        return values

    def _report(self, error: NodeError) -> None:
        self._error_count += 1
        self._on_error(error)

    def each(self, node: yaml.Node, what: str, reader: _Reader) -> tuple[Any, ...]:
        """A list; what several aliases name is read once. Raises NodeError."""
        read = self._read_values.setdefault(node, {})
        if (list, reader) not in read:
            before = self._error_count
            items = tuple(self._items(node, what, reader))
            if self._error_count != before:
                raise ReportedError(node)
            read[list, reader] = items if reader is _DocumentReader.metric else self._intern(items)
        items_read: tuple[Any, ...] = read[list, reader]
        return items_read

    def _items(self, node: yaml.Node, what: str, reader: _Reader) -> Iterator[Any]:
        for one in yaml_nodes.items(node, what):
            try:
                yield self._read_once(one, what, reader)
            except NodeError as error:
                self._report(error)

    def _read_once(self, node: yaml.Node, what: str, reader: _Reader) -> Any:
        if isinstance(node, yaml.ScalarNode):
            return reader(self, node, what)
        if isinstance(node, _ReadMetric) and reader is _DocumentReader.metric:
            if node.metric is None:
                raise ReportedError(node)
            return node.metric
        read = self._read_values.setdefault(node, {})
        if reader not in read:
            read[reader] = reader(self, node, what)
        return read[reader]

    # ----------------------------------------------------------------------------------------------------- values

    def text(self, node: yaml.Node, what: str) -> str:
        return self._intern(yaml_nodes.text(node, what))

    def object_id(self, node: yaml.Node, what: str) -> str:
        return self._intern(scalars.object_id(node, what))

    def walk_oid(self, node: yaml.Node, what: str) -> str:
        return self._intern(scalars.object_id(node, what).removeprefix("."))

    def texts(self, node: yaml.Node, what: str) -> tuple[str, ...]:
        return self.each(node, what, _DocumentReader.text)

    def object_ids(self, node: yaml.Node, what: str) -> tuple[str, ...]:
        return self.each(node, what, _DocumentReader.walk_oid)

    def metric_type(self, node: yaml.Node, what: str) -> str:
        return self._intern(yaml_scalars.choice(node, what, _METRIC_TYPES))

    def index_type(self, node: yaml.Node, what: str) -> str:
        return self._intern(yaml_scalars.choice(node, what, _INDEX_TYPES))

    def lookup_type(self, node: yaml.Node, what: str) -> str:
        return self._intern(yaml_scalars.choice(node, what, _METRIC_TYPES | _INDEX_TYPES))

    def enum(self, node: yaml.Node, what: str) -> tuple[tuple[int, str], ...]:
        out: dict[int, str] = {}
        before = self._error_count
        for name, key, value in yaml_nodes.entries(node, what, on_error=self._report):
            try:
                number = yaml_scalars.integer(key, f"a key of {what}")
                if number in out:
                    raise NodeError(key, f"key {yaml_nodes.quoted(name)} stands twice in {what}")
                out[number] = self.text(value, what)
            except NodeError as error:
                self._report(error)
        if self._error_count != before:
            raise ReportedError(node)
        return self._intern(tuple(out.items()))

    # ----------------------------------------------------------------------------------------------- the language

    def index(self, node: yaml.Node, what: str) -> Index:
        return self._intern(Index(**self._fields(node, f"an index of {self._context}", _INDEX, "labelname")))

    def lookup(self, node: yaml.Node, what: str) -> Lookup:
        fields = self._fields(node, f"a lookup of {self._context}", _LOOKUP, "labelname")
        if fields.get("labels") and not fields.get("oid"):
            raise NodeError(node, f"a lookup of {self._context} with 'labels' has no 'oid'")
        return self._intern(Lookup(**{"labels": (), **fields}))

    def extracts(self, node: yaml.Node, what: str) -> tuple[RegexExtract, ...]:
        return tuple(
            RegexExtract(suffix, self.each(value, what, _DocumentReader.pattern))
            for suffix, value in yaml_nodes.pairs(node, what)
        )

    def pattern(self, node: yaml.Node, what: str) -> tuple[str, str]:
        fields = self._fields(node, f"a regex extract of {self._context}", _PATTERN)
        return fields.get("regex", ""), fields.get("value", "$1")

    def full_match_regex(self, node: yaml.Node, what: str) -> str:
        return self._intern(scalars.regex(node, what, whole=True))

    def regex(self, node: yaml.Node, what: str) -> str:
        return self._intern(scalars.regex(node, what))

    def regexes(self, node: yaml.Node, what: str) -> tuple[str, ...]:
        return self.each(node, what, _DocumentReader.regex)

    def metric(self, node: yaml.Node, what: str) -> Metric:
        name, outer_context = yaml_nodes.scalar_at(node, "name"), self._context
        self._context = described = f"metric {yaml_nodes.quoted(name)}" if name else "a metric"
        try:
            metric = Metric(**self._fields(node, described, _METRIC, "name", "oid", "type"))
        finally:
            self._context = outer_context
        if labels_in_circle := circular_lookups(metric):
            labels = ", ".join(map(repr, labels_in_circle))
            raise NodeError(
                node, f"lookups of metric {yaml_nodes.quoted(metric.name)} go in a circle: {labels} need each other"
            )
        return metric

    def filter(self, node: yaml.Node, what: str) -> Filter:
        return Filter(
            **{"targets": (), "values": (), **self._fields(node, f"a filter of {self._context}", _FILTER, "oid")}
        )

    def module(self, name: str, node: yaml.Node) -> Module:
        self._context = what = f"module {yaml_nodes.quoted(name)}"
        return Module(name, **self._fields(node, what, _MODULE))

    def part(self, section: str, key: str, node: yaml.Node) -> yaml.Node:
        """What stands in the place of an item of a list when it is complete (``yaml_text.PartReader``)."""
        if section != "modules" or key != "metrics":
            return node
        try:
            return _ReadMetric(node, self._read_once(node, "'metrics' of a module", _DocumentReader.metric))
        except NodeError as error:
            self._report(error)
            return _ReadMetric(node, None)

    def auth(self, name: str, node: yaml.Node) -> Credentials:
        return read_auth(name, node, self._environment, on_error=self._report)

    def document(self, root: yaml.Node) -> Document:
        parts = dict(yaml_nodes.pairs(root, "the file", ("auths", "modules", "version"), on_error=self._report))
        if "version" in parts:
            self._part("version", parts["version"], lambda _, node: yaml_scalars.integer(node, "'version' of the file"))
        return Document(
            self._section(parts.get("modules"), "'modules'", self.module),
            self._section(parts.get("auths"), "'auths'", self.auth),
        )

    def _section(self, node: yaml.Node | None, what: str, reader: Callable[[str, yaml.Node], _T]) -> dict[str, _T]:
        """Its parts by name, without those that something is wrong with."""
        parts: dict[str, _T] = {}
        if node is not None:
            try:
                for name, value in yaml_nodes.pairs(node, what, on_error=self._report):
                    self._part(name, value, lambda name, value: parts.setdefault(name, reader(name, value)))
            except NodeError as error:
                self._report(error)
        return parts

    def _part(self, name: str, node: yaml.Node, reader: Callable[[str, yaml.Node], object]) -> None:
        try:
            reader(name, node)
        except NodeError as error:
            self._report(error)


def circular_lookups(metric: Metric) -> tuple[str, ...]:
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
    return lambda document_reader, node, what: document_reader.each(node, what, reader)


def _plain(reader: Callable[[yaml.Node, str], Any]) -> _Reader:
    return lambda _, node, what: reader(node, what)


_INDEX: Mapping[str, _Reader] = {
    "labelname": _DocumentReader.text,
    "type": _DocumentReader.index_type,
    "fixed_size": _plain(yaml_scalars.count),
    "implied": _plain(yaml_scalars.flag),
    "enum_values": _DocumentReader.enum,
}
_LOOKUP: Mapping[str, _Reader] = {
    "labels": _DocumentReader.texts,
    "labelname": _DocumentReader.text,
    "oid": _DocumentReader.object_id,
    "type": _DocumentReader.lookup_type,
}
_PATTERN: Mapping[str, _Reader] = {"regex": _DocumentReader.full_match_regex, "value": _DocumentReader.text}
_METRIC: Mapping[str, _Reader] = {
    "name": _DocumentReader.text,
    "oid": _DocumentReader.object_id,
    "type": _DocumentReader.metric_type,
    "help": _DocumentReader.text,
    "indexes": _list_of(_DocumentReader.index),
    "lookups": _list_of(_DocumentReader.lookup),
    "regex_extracts": _DocumentReader.extracts,
    "datetime_pattern": _DocumentReader.text,
    "enum_values": _DocumentReader.enum,
    "offset": _plain(yaml_scalars.number),
    "scale": _plain(yaml_scalars.number),
}
_FILTER: Mapping[str, _Reader] = {
    "oid": _DocumentReader.walk_oid,
    "targets": _DocumentReader.object_ids,
    "values": _DocumentReader.regexes,
}
_MODULE: Mapping[str, _Reader] = {
    "walk": _DocumentReader.object_ids,
    "get": _DocumentReader.object_ids,
    "metrics": _list_of(_DocumentReader.metric),
    "max_repetitions": _plain(yaml_scalars.count32),
    "retries": _plain(yaml_scalars.count),
    "timeout": _plain(yaml_scalars.seconds),
    "use_unconnected_udp_socket": _plain(yaml_scalars.flag),
    "allow_nonincreasing_oids": _plain(yaml_scalars.flag),
    "filters": _list_of(_DocumentReader.filter),
}
_DEFAULT_IF_NULL = frozenset({"fixed_size", "implied", "offset", "scale", "max_repetitions", "retries", "timeout"}) | {
    *("use_unconnected_udp_socket", "allow_nonincreasing_oids")
}
"""Keys of numbers and flags, which have their default when there is nothing behind the colon."""
