"""The keys of snmp.yml, each with the function that reads it: from the nodes of a YAML document to the model.

A new key of the language is a line in one of the tables at the end, and a field of ``modules/model.py``. Equal parts of
a file (indexes, lookups, texts) become one object, because large files repeat a few of them thousands of times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import yaml

from promsnmp.modules.health.model import Definition
from promsnmp.modules.health.reader import DefinitionReader
from promsnmp.modules.model import Filter, Index, Lookup, Metric, Module, RegexExtract
from promsnmp.modules.snmp_yml import scalars
from promsnmp.modules.snmp_yml.auths import read_auth
from promsnmp.modules.snmp_yml.circular_lookups import circular_lookups
from promsnmp.modules.snmp_yml.other_forms import other_form
from promsnmp.modules.types import IndexType, MetricType
from promsnmp.snmp.credentials import Credentials
from promsnmp.support import yaml_nodes, yaml_scalars
from promsnmp.support.yaml_nodes import (
    ErrorHandler,
    NodeError,
    ReportedError,
    UnknownKeyError,
    UnknownKeyHandler,
)

_METRIC_TYPES = frozenset(one.value for one in MetricType)
_INDEX_TYPES = frozenset(one.value for one in IndexType)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Document:
    """What one file defines."""

    modules: Mapping[str, Module] = field(default_factory=dict)
    auths: Mapping[str, Credentials] = field(default_factory=dict)
    health: Mapping[str, Definition] = field(default_factory=dict)


_Reader = Callable[["DocumentReader", yaml.Node, str], Any]


class _ReadMetric(yaml.Node):
    """Replaces the node of a metric after reading; ``metric`` is None when it had errors."""

    def __init__(self, node: yaml.Node, metric: Metric | None) -> None:
        super().__init__(node.tag, "", node.start_mark, None)
        self.metric = metric


class DocumentReader:
    """Reads one document into the model.

    Metrics are read one by one while the document is composed, so that their nodes, which take twenty times as much
    memory as the model, never exist all at once.
    """

    def __init__(
        self,
        environment: Mapping[str, str] | None,
        on_error: ErrorHandler,
        on_unknown_key: UnknownKeyHandler | None = None,
    ) -> None:
        """Errors go to ``on_error``, and unknown keys to ``on_unknown_key``, if it is given: they are then ignored."""
        self._environment = environment
        self._on_error = on_error
        self._on_unknown_key = on_unknown_key
        self._error_count = 0
        self._context = ""
        """The owner of the index, lookup or filter that is being read, for error texts."""
        self._interned: dict[Any, Any] = {}
        self._read_values: WeakKeyDictionary[yaml.Node, dict[object, Any]] = WeakKeyDictionary()

    def _intern(self, part: _T) -> _T:
        """The first part that is equal to ``part``."""
        return self._interned.setdefault(part, part)  # type: ignore[no-any-return]  # equal parts have one type

    def _fields(self, node: yaml.Node, what: str, readers: Mapping[str, _Reader], *required: str) -> dict[str, Any]:
        """Reads a mapping with ``readers``; its keys are also field names of the model. Raises NodeError."""
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
        if self._on_unknown_key is not None and isinstance(error, UnknownKeyError):
            self._on_unknown_key(error)
            return
        self._error_count += 1
        self._on_error(error)

    def each(self, node: yaml.Node, what: str, reader: _Reader) -> tuple[Any, ...]:
        """Reads a list; a list with several aliases is read once. Raises NodeError."""
        read = self._read_values.setdefault(node, {})
        if (list, reader) not in read:
            before = self._error_count
            items = tuple(self._items(node, what, reader))
            if self._error_count != before:
                raise ReportedError(node)
            read[list, reader] = items if reader is DocumentReader.metric else self._intern(items)
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
        if isinstance(node, _ReadMetric) and reader is DocumentReader.metric:
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
        return self.each(node, what, DocumentReader.text)

    def object_ids(self, node: yaml.Node, what: str) -> tuple[str, ...]:
        return self.each(node, what, DocumentReader.walk_oid)

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
                    raise NodeError(key, f"key {yaml_nodes.quoted(name)} is repeated in {what}")
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
            RegexExtract(suffix, self.each(value, what, DocumentReader.pattern))
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
        return self.each(node, what, DocumentReader.regex)

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
                node, f"lookups of metric {yaml_nodes.quoted(metric.name)} are circular: {labels} need each other"
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
        """Reads each metric as soon as its node is complete (``yaml_text.PartReader``)."""
        if section != "modules" or key != "metrics":
            return node
        try:
            return _ReadMetric(node, self._read_once(node, "'metrics' of a module", DocumentReader.metric))
        except NodeError as error:
            self._report(error)
            return _ReadMetric(node, None)

    def auth(self, name: str, node: yaml.Node) -> Credentials:
        return read_auth(name, node, self._environment, on_error=self._report, on_unknown_key=self._on_unknown_key)

    def document(self, root: yaml.Node) -> Document:
        if error := other_form(root):
            raise error
        parts = dict(
            yaml_nodes.pairs(root, "the file", ("auths", "health", "modules", "version"), on_error=self._report)
        )
        if "version" in parts:
            self._part("version", parts["version"], lambda _, node: yaml_scalars.integer(node, "'version' of the file"))
        return Document(
            self._section(parts.get("modules"), "'modules'", self.module),
            self._section(parts.get("auths"), "'auths'", self.auth),
            self._section(parts.get("health"), "'health'", DefinitionReader(self._report).definition),
        )

    def _section(self, node: yaml.Node | None, what: str, reader: Callable[[str, yaml.Node], _T]) -> dict[str, _T]:
        """The parts of a section by name, without those that have errors."""
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


def _list_of(reader: _Reader) -> _Reader:
    return lambda document_reader, node, what: document_reader.each(node, what, reader)


def _plain(reader: Callable[[yaml.Node, str], Any]) -> _Reader:
    return lambda _, node, what: reader(node, what)


_INDEX: Mapping[str, _Reader] = {
    "labelname": DocumentReader.text,
    "type": DocumentReader.index_type,
    "fixed_size": _plain(yaml_scalars.count),
    "implied": _plain(yaml_scalars.flag),
    "enum_values": DocumentReader.enum,
}
_LOOKUP: Mapping[str, _Reader] = {
    "labels": DocumentReader.texts,
    "labelname": DocumentReader.text,
    "oid": DocumentReader.object_id,
    "type": DocumentReader.lookup_type,
    "enum_values": DocumentReader.enum,
    "display_hint": DocumentReader.text,
}
_PATTERN: Mapping[str, _Reader] = {"regex": DocumentReader.full_match_regex, "value": DocumentReader.text}
_METRIC: Mapping[str, _Reader] = {
    "name": DocumentReader.text,
    "oid": DocumentReader.object_id,
    "type": DocumentReader.metric_type,
    "help": DocumentReader.text,
    "indexes": _list_of(DocumentReader.index),
    "lookups": _list_of(DocumentReader.lookup),
    "regex_extracts": DocumentReader.extracts,
    "datetime_pattern": DocumentReader.text,
    "enum_values": DocumentReader.enum,
    "offset": _plain(yaml_scalars.number),
    "scale": _plain(yaml_scalars.number),
    "display_hint": DocumentReader.text,
}
_FILTER: Mapping[str, _Reader] = {
    "oid": DocumentReader.walk_oid,
    "targets": DocumentReader.object_ids,
    "values": DocumentReader.regexes,
}
_MODULE: Mapping[str, _Reader] = {
    "walk": DocumentReader.object_ids,
    "get": DocumentReader.object_ids,
    "metrics": _list_of(DocumentReader.metric),
    "max_repetitions": _plain(yaml_scalars.count32),
    "retries": _plain(yaml_scalars.count),
    "timeout": _plain(yaml_scalars.seconds),
    "use_unconnected_udp_socket": _plain(yaml_scalars.flag),
    "allow_nonincreasing_oids": _plain(yaml_scalars.flag),
    "filters": _list_of(DocumentReader.filter),
}
_DEFAULT_IF_NULL = frozenset({"fixed_size", "implied", "offset", "scale", "max_repetitions", "retries", "timeout"}) | {
    *("use_unconnected_udp_socket", "allow_nonincreasing_oids")
}
"""Keys of numbers and flags, which have their default when the value is empty."""
