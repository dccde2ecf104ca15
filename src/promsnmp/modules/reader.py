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
from promsnmp.modules import nodes
from promsnmp.modules.auths import read_auth
from promsnmp.modules.model import Filter, Index, IndexType, Lookup, Metric, MetricType, Module, RegexExtract
from promsnmp.modules.nodes import Problem, parse_duration
from promsnmp.snmp.credentials import Credentials

__all__ = ["Document", "parse_duration", "read_file", "read_text"]

_METRIC_TYPES = frozenset(one.value for one in MetricType)
_INDEX_TYPES = frozenset(one.value for one in IndexType)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Document:
    """What one file defines."""

    modules: Mapping[str, Module] = field(default_factory=dict)
    auths: Mapping[str, Credentials] = field(default_factory=dict)


def read_file(path: Path, *, environment: Mapping[str, str] | None = None) -> Document:
    """Reads one file; ``environment`` as for ``read_text``. Raises ModuleError."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise ModuleError(f"{path}: cannot be read: {error.strerror}") from None
    return read_text(text, source=str(path), environment=environment)


def read_text(text: bytes | str, *, source: str, environment: Mapping[str, str] | None = None) -> Document:
    """Reads a document; ``source`` names it in errors. Raises ModuleError.

    ``environment`` has the variables that auths may name; without it they stay as they are written.
    """
    try:
        with _uncollected():
            reading = _Reading(environment)
            root = nodes.compose(text, reading.part)
            return Document() if root is None else reading.document(root)
    except yaml.YAMLError as error:
        line, reason = nodes.explain(error)
        raise ModuleError(f"{source}{f':{line}' if line else ''}: not valid YAML: {reason}") from None
    except Problem as problem:
        raise ModuleError(f"{source}:{problem.line}: {problem}") from None
    except RecursionError:
        raise ModuleError(f"{source}: not valid YAML: lists or mappings stand too deep in one another") from None


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
    """Stands where the node of a metric stood that is read."""

    def __init__(self, node: yaml.Node, metric: Metric) -> None:
        super().__init__(node.tag, "", node.start_mark, None)
        self.metric = metric


class _Reading:
    """One document on its way into the model.

    Metrics are read while the document is composed, one after the other, so that never all of them are there as nodes,
    which take twenty times as much memory as the model.
    """

    def __init__(self, environment: Mapping[str, str] | None) -> None:
        self._environment = environment
        self._same: dict[Any, Any] = {}
        self._read: WeakKeyDictionary[yaml.Node, dict[_Reader, Any]] = WeakKeyDictionary()

    def _one(self, part: _T) -> _T:
        """The first part that is equal to ``part``."""
        return self._same.setdefault(part, part)  # type: ignore[no-any-return]

    def _fields(self, node: yaml.Node, what: str, readers: Mapping[str, _Reader], *required: str) -> dict[str, Any]:
        """A mapping by ``readers``, whose keys are those of the file and of the model alike."""
        found = {
            key: readers[key](self, value, f"{key!r} of {what}") for key, value in nodes.pairs(node, what, readers)
        }
        for name in required:
            if not found.get(name):
                raise Problem(node, f"{what} has no {name!r}")
        return found

    def each(self, node: yaml.Node, what: str, reader: _Reader) -> tuple[Any, ...]:
        """A list; what several aliases name is read once."""
        read = self._read.setdefault(node, {})
        if reader not in read:
            found = tuple([self._once(one, what, reader) for one in nodes.items(node, what)])
            read[reader] = found if reader is _Reading.metric else self._one(found)
        made: tuple[Any, ...] = read[reader]
        return made

    def _once(self, node: yaml.Node, what: str, reader: _Reader) -> Any:
        if isinstance(node, yaml.ScalarNode):
            return reader(self, node, what)
        if isinstance(node, _Read) and reader is _Reading.metric:
            return node.metric
        read = self._read.setdefault(node, {})
        if reader not in read:
            read[reader] = reader(self, node, what)
        return read[reader]

    # ----------------------------------------------------------------------------------------------------- values

    def text(self, node: yaml.Node, what: str) -> str:
        return self._one(nodes.text(node, what))

    def object_id(self, node: yaml.Node, what: str) -> str:
        return self._one(nodes.object_id(node, what))

    def walked(self, node: yaml.Node, what: str) -> str:
        return self._one(nodes.object_id(node, what).removeprefix("."))

    def texts(self, node: yaml.Node, what: str) -> tuple[str, ...]:
        return self.each(node, what, _Reading.text)

    def object_ids(self, node: yaml.Node, what: str) -> tuple[str, ...]:
        return self.each(node, what, _Reading.walked)

    def metric_type(self, node: yaml.Node, what: str) -> str:
        return self._one(nodes.choice(node, what, _METRIC_TYPES))

    def index_type(self, node: yaml.Node, what: str) -> str:
        return self._one(nodes.choice(node, what, _INDEX_TYPES))

    def lookup_type(self, node: yaml.Node, what: str) -> str:
        return self._one(nodes.choice(node, what, _METRIC_TYPES | _INDEX_TYPES))

    def enum(self, node: yaml.Node, what: str) -> tuple[tuple[int, str], ...]:
        out: dict[int, str] = {}
        for key, value in nodes.pairs(node, what):
            try:
                number = int(key, 0)
            except ValueError:
                raise Problem(value, f"{what}: {nodes.shown(key)} is not a whole number") from None
            if number in out:
                raise Problem(value, f"key {nodes.shown(key)} stands twice in {what}")
            out[number] = self.text(value, what)
        return self._one(tuple(out.items()))

    # ----------------------------------------------------------------------------------------------- the language

    def index(self, node: yaml.Node, what: str) -> Index:
        return self._one(Index(**self._fields(node, "an index", _INDEX, "labelname")))

    def lookup(self, node: yaml.Node, what: str) -> Lookup:
        found = self._fields(node, "a lookup", _LOOKUP, "labelname")
        if found.get("labels") and not found.get("oid"):
            raise Problem(node, "a lookup with 'labels' has no 'oid'")
        return self._one(Lookup(**{"labels": (), **found}))

    def extracts(self, node: yaml.Node, what: str) -> tuple[RegexExtract, ...]:
        return tuple(
            RegexExtract(suffix, self.each(value, what, _Reading.pattern)) for suffix, value in nodes.pairs(node, what)
        )

    def pattern(self, node: yaml.Node, what: str) -> tuple[str, str]:
        found = self._fields(node, "a regex extract", _PATTERN)
        return found.get("regex", ""), found.get("value", "$1")

    def regex(self, node: yaml.Node, what: str) -> str:
        return self._one(nodes.regex(node, what))

    def regexes(self, node: yaml.Node, what: str) -> tuple[str, ...]:
        return self.each(node, what, _Reading.regex)

    def metric(self, node: yaml.Node, what: str) -> Metric:
        return Metric(**self._fields(node, "a metric", _METRIC, "name", "oid", "type"))

    def filter(self, node: yaml.Node, what: str) -> Filter:
        return Filter(**self._fields(node, "a filter", _FILTER, "oid", "targets", "values"))

    def timeout(self, node: yaml.Node, what: str) -> float:
        """A duration; a bare number is one of seconds, where snmp_exporter takes it for nanoseconds."""
        digits = nodes.text(node, what).isdecimal()
        return float(nodes.count(node, what)) if digits and nodes.count(node, what) else nodes.seconds(node, what)

    def module(self, name: str, node: yaml.Node) -> Module:
        return Module(name, **self._fields(node, f"module {nodes.shown(name)}", _MODULE))

    def part(self, section: str, key: str, node: yaml.Node) -> yaml.Node:
        """What stands in the place of an item of a list when it is complete (``nodes.PartReader``)."""
        if section != "modules" or key != "metrics":
            return node
        return _Read(node, self._once(node, "'metrics' of a module", _Reading.metric))

    def document(self, root: yaml.Node) -> Document:
        parts = dict(nodes.pairs(root, "the file", ("auths", "modules", "version")))
        modules = parts.get("modules")
        auths = parts.get("auths")
        return Document(
            {name: self.module(name, node) for name, node in nodes.pairs(modules, "'modules'")} if modules else {},
            {name: read_auth(name, node, self._environment) for name, node in nodes.pairs(auths, "'auths'")}
            if auths
            else {},
        )


def _list_of(reader: _Reader) -> _Reader:
    return lambda reading, node, what: reading.each(node, what, reader)


def _plain(reader: Callable[[yaml.Node, str], Any]) -> _Reader:
    return lambda _, node, what: reader(node, what)


_INDEX: Mapping[str, _Reader] = {
    "labelname": _Reading.text,
    "type": _Reading.index_type,
    "fixed_size": _plain(nodes.count),
    "implied": _plain(nodes.flag),
    "enum_values": _Reading.enum,
}
_LOOKUP: Mapping[str, _Reader] = {
    "labels": _Reading.texts,
    "labelname": _Reading.text,
    "oid": _Reading.object_id,
    "type": _Reading.lookup_type,
}
_PATTERN: Mapping[str, _Reader] = {"regex": _Reading.regex, "value": _Reading.text}
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
    "offset": _plain(nodes.number),
    "scale": _plain(nodes.number),
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
    "max_repetitions": _plain(nodes.count),
    "retries": _plain(nodes.count),
    "timeout": _Reading.timeout,
    "use_unconnected_udp_socket": _plain(nodes.flag),
    "allow_nonincreasing_oids": _plain(nodes.flag),
    "filters": _list_of(_Reading.filter),
}
