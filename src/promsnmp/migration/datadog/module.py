"""Makes a module of a profile: scalars, tables with their tags, and how each value becomes a sample.

A profile gives neither the types of objects nor the indexes of tables. Types are those of ``metric_type``, else those
that our own modules have for an OID, else gauge. An index becomes labels part by part: what a tag needs alone, and the
rest as dotted numbers, so that no two rows have the same labels.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from itertools import pairwise

from promsnmp.migration.datadog.module_names import module_name
from promsnmp.migration.datadog.profiles import Entry, Profile, Symbol, Tag
from promsnmp.migration.drafts import label_name
from promsnmp.migration.notes import Notes
from promsnmp.modules.catalogue import Catalogue
from promsnmp.modules.generator.types import metric_type
from promsnmp.modules.mibs.tree import MibTree
from promsnmp.modules.model import Index, Lookup, Metric, Module, RegexExtract
from promsnmp.modules.regex import compile_full_match
from promsnmp.modules.types import IndexType, MetricType

COUNTERS = frozenset({"counter", "rate", "percent", "monotonic_count", "monotonic_count_and_rate"})
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_:]")
_FORMATS = {"mac_address": MetricType.PHYS_ADDRESS_48, "ip_address": MetricType.INET_ADDRESS_IPV4}
_FLAGS = "flag_stream"
_TEXTS = (MetricType.OCTET_STRING, MetricType.DISPLAY_STRING)
_NUMBERS = (MetricType.GAUGE, MetricType.COUNTER, MetricType.FLOAT, MetricType.DOUBLE)
_NUMBER_IN_TEXT = RegexExtract("", ((r"\s*([-+]?[0-9]+(?:\.[0-9]+)?)\s*", "$1"),))
"""The agent takes the number of a text, and passes over other texts."""

Types = Callable[[str], str]
"""The type of the object with an OID; "" when it is not known."""


@dataclass(slots=True)
class ImportedModule:
    """A module, and how much of its profile it has."""

    module: Module
    sys_object_ids: tuple[str, ...]
    symbols: int = 0
    """Of the profile with what it extends, each OID of a table or scalar once."""
    converted: int = 0
    guessed: int = 0
    """Metrics whose type is not known, and is taken for a gauge."""
    missing: list[str] = field(default_factory=list)
    """What the module does not have, with file and line."""


def known_types(catalogue: Catalogue, mibs: MibTree | None = None) -> Types:
    """The types of objects from our own modules (gauge and counter), and from MIB files."""
    plain = (MetricType.GAUGE, MetricType.COUNTER)
    own = {
        metric.oid: str(metric.type)
        for module in catalogue.modules.values()
        for metric in module.metrics
        if metric.type in plain
    }

    def type_of(oid: str) -> str:
        if oid in own or mibs is None:
            return own.get(oid, "")
        node = mibs.at(tuple(map(int, oid.split("."))))
        return "" if node is None or node.type is None else metric_type(node.type)

    return type_of


def import_profile(profile: Profile, types: Types, notes: Notes) -> ImportedModule:
    """The module of a profile; what does not fit is noted."""
    return _Importer(profile, types, notes).imported()


class _Importer:
    def __init__(self, profile: Profile, types: Types, notes: Notes) -> None:
        self._profile = profile
        self._types = types
        self._notes = notes
        self._metrics: dict[str, Metric] = {}
        """By OID: one object becomes one metric."""
        self._walk: dict[str, None] = {}
        self._get: dict[str, None] = {}
        self._result = ImportedModule(Module(module_name(profile.name)), profile.sys_object_ids)

    def imported(self) -> ImportedModule:
        entries = self._profile.entries
        for entry in entries:
            for symbol in entry.symbols:
                if not symbol.is_one:
                    self._symbol(entry, symbol)
        for entry in entries:  # later: they take a column that no other metric needs
            for symbol in entry.symbols:
                if symbol.is_one:
                    self._one(entry, symbol)
        self._result.module = replace(
            self._result.module,
            walk=_without_covered(self._walk),
            get=tuple(self._get),
            metrics=tuple(self._metrics.values()),
        )
        return self._result

    def _lost(self, file: str, line: int, what: str) -> None:
        if (text := f"{file}:{line}: {what}") not in self._result.missing:
            self._result.missing.append(text)
            self._notes.add(file, line, what, lost=True)

    def _symbol(self, entry: Entry, symbol: Symbol) -> None:
        metric = self._metric(entry, symbol)
        if metric is None:
            self._result.symbols += 1
            return
        before = self._metrics.get(metric.oid)
        if before is not None:
            self._again(before, metric)
            return
        self._result.symbols += 1
        self._result.converted += 1
        self._metrics[metric.oid] = metric
        if entry.is_table:
            self._walk[metric.oid] = None
        else:
            self._get[f"{metric.oid}.0"] = None
            if symbol.oid == metric.oid and not symbol.oid.endswith(".0"):
                self._get[metric.oid] = None  # the OID of an instance

    def _again(self, before: Metric, metric: Metric) -> None:
        """The same object once more, with another type or name: one metric is enough, with the flags of both."""
        have = {one.suffix for one in before.regex_extracts}
        more = tuple(one for one in metric.regex_extracts if one.suffix not in have)
        if more and before.regex_extracts:
            self._metrics[metric.oid] = replace(before, regex_extracts=(*before.regex_extracts, *more))

    def _metric(self, entry: Entry, symbol: Symbol) -> Metric | None:
        """The metric of an object; None when it cannot be one."""
        if not symbol.oid or not symbol.name:
            self._lost(
                entry.file, entry.line, f"{symbol.name or 'a metric'}: without an OID; write it into the profile"
            )
            return None
        oid = symbol.oid if entry.is_table else symbol.oid.removesuffix(".0")
        indexes, lookups = self._labels(entry) if entry.is_table else ((), ())
        kind = symbol.metric_type or entry.metric_type
        metric = Metric(
            name=_metric_name(symbol.name),
            oid=oid,
            type=MetricType.COUNTER if kind in COUNTERS else MetricType.GAUGE,
            help=f"{symbol.name} - {symbol.oid}",
            indexes=indexes,
            lookups=lookups,
            scale=symbol.scale if symbol.scale != 1 else 0.0,
        )
        if kind == "percent":
            metric = replace(metric, scale=(metric.scale or 1) * 100)
        if kind == _FLAGS:
            return replace(metric, type=MetricType.DISPLAY_STRING, scale=0.0, regex_extracts=(_flag(*entry.flag),))
        if symbol.extract:
            return self._extracting(metric, symbol.extract, entry)
        if not kind:
            known = self._types(oid)
            self._result.guessed += not known
            if known in _TEXTS:
                return replace(metric, type=MetricType.DISPLAY_STRING, regex_extracts=(_NUMBER_IN_TEXT,))
            metric = replace(metric, type=known if known in _NUMBERS else MetricType.GAUGE)
        return metric

    def _extracting(self, metric: Metric, pattern: str, entry: Entry) -> Metric | None:
        """The number in a text: theirs is anywhere in it, ours is the whole text (RE2, as in Go)."""
        whole = f"(?s).*?(?:{pattern}).*"
        try:
            compile_full_match(whole)
        except ValueError as error:
            self._lost(entry.file, entry.line, f"{metric.name}: its extract_value is not RE2: {error}")
            return None
        extract = RegexExtract("", ((whole, "$1"),))
        return replace(metric, type=MetricType.DISPLAY_STRING, regex_extracts=(extract,))

    def _one(self, entry: Entry, symbol: Symbol) -> None:
        """A metric that is 1 for each row: made of a column of that table, which need not be a number."""
        self._result.symbols += 1
        name = _metric_name(symbol.name)
        own = [tag.symbol.oid for tag in entry.tags if tag.symbol and tag.symbol.oid and not tag.ranges]
        parents = [one.oid.rpartition(".")[0] for one in entry.symbols if one.oid]
        wanted = parents or [self._row_of(entry)]
        free = [oid for oid in own if oid not in self._metrics and oid.rpartition(".")[0] in wanted]
        if not symbol.name or not free:
            what = f"{name}: it is 1 for each row, but each column of the table in its tags is a metric already"
            self._lost(entry.file, entry.line, what)
            return
        indexes, lookups = self._labels(entry)
        self._result.converted += 1
        self._walk[free[0]] = None
        self._metrics[free[0]] = Metric(
            name=name,
            oid=free[0],
            type=MetricType.DISPLAY_STRING,
            help=f"{symbol.name} - 1 for each row",
            indexes=indexes,
            lookups=lookups,
            regex_extracts=(RegexExtract("", (("(?s).*", "1"),)),),
        )

    def _row_of(self, entry: Entry) -> str:
        """The OID of the rows of most columns among the tags."""
        rows = [tag.symbol.oid.rpartition(".")[0] for tag in entry.tags if tag.symbol and tag.symbol.oid]
        return max(rows, key=rows.count, default="")

    def _labels(self, entry: Entry) -> tuple[tuple[Index, ...], tuple[Lookup, ...]]:
        tags = [tag for tag in entry.tags if self._is_usable(tag, entry)]
        segments = _segments(tags)
        names = {one: f"index{number}" for number, one in enumerate(segments, 1)} | {None: "index"}
        enums: dict[object, tuple[tuple[int, str], ...]] = {}
        for tag in tags:
            if tag.index:
                place = (tag.index - 1, tag.index - 1)
                names[place], enums[place] = label_name(tag.name), tag.mapping
        indexes = [_index(names[one], one, enums.get(one, ())) for one in segments]
        if segments:
            names[None] = "index_rest"
        indexes.append(Index(names[None], IndexType.OBJECT_IDENTIFIER, implied=True))
        lookups = []
        for tag in tags:
            if tag.symbol is None:
                continue
            whole = [*segments, None]
            used = [one for first, last in tag.ranges for one in segments if first <= one[0] and one[1] <= last]
            labels = tuple(names[one] for one in (used if tag.ranges else whole))
            self._walk[tag.symbol.oid] = None
            lookups.append(_lookup(label_name(tag.name), labels, tag.symbol, tag.mapping))
        return tuple(indexes), tuple(lookups)

    def _is_usable(self, tag: Tag, entry: Entry) -> bool:
        if tag.unsupported or not tag.name:
            label = f"tag {tag.name}" if tag.name else "a tag without a name"
            self._lost(entry.file, tag.line, f"{label}: {tag.unsupported or 'no name'} has no counterpart")
            return False
        if tag.symbol is not None and not tag.symbol.oid:
            self._lost(entry.file, tag.line, f"tag {tag.name}: without an OID; write it into the profile")
            return False
        if tag.symbol is not None and (tag.symbol.extract or tag.symbol.matches):
            what = f"tag {tag.name}: extract_value has no counterpart for labels: it is the whole text"
            self._lost(entry.file, tag.line, what)
        return tag.symbol is not None or tag.index > 0


Segment = tuple[int, int]
"""First and last sub-identifier of an index, from 0."""


def _segments(tags: Iterable[Tag]) -> list[Segment]:
    """The parts of an index that tags need, and what lies between them, in order."""
    wanted = [(tag.index - 1, tag.index - 1) for tag in tags if tag.index] + [one for tag in tags for one in tag.ranges]
    borders = sorted({border for first, last in wanted for border in (first, last + 1)} | ({0} if wanted else set()))
    return [(first, after - 1) for first, after in pairwise(borders)]


def _index(name: str, segment: Segment, enum: tuple[tuple[int, str], ...]) -> Index:
    size = segment[1] - segment[0] + 1
    if size > 1:
        return Index(name, IndexType.OBJECT_IDENTIFIER, fixed_size=size)
    return Index(name, IndexType.ENUM_AS_INFO, enum_values=enum) if enum else Index(name)


def _lookup(name: str, labels: tuple[str, ...], symbol: Symbol, enum: tuple[tuple[int, str], ...]) -> Lookup:
    if enum:
        return Lookup(labels, name, symbol.oid, MetricType.ENUM_AS_INFO, enum)
    return Lookup(labels, name, symbol.oid, _FORMATS.get(symbol.format, MetricType.DISPLAY_STRING))


def _flag(place: int, suffix: str) -> RegexExtract:
    """One flag of a text of zeros and ones."""
    before = f"(?s).{{{max(place - 1, 0)}}}"
    return RegexExtract(f"_{_NOT_IN_NAMES.sub('_', suffix)}", ((f"{before}1.*", "1"), (f"{before}.*", "0")))


def _metric_name(text: str) -> str:
    name = _NOT_IN_NAMES.sub("_", text)
    return f"_{name}" if name[:1].isdigit() else name


def _without_covered(oids: Iterable[str]) -> tuple[str, ...]:
    """The subtrees without those that lie in others."""
    found = set(oids)

    def is_covered(oid: str) -> bool:
        parts = oid.split(".")
        return any(".".join(parts[:size]) in found for size in range(1, len(parts)))

    return tuple(
        sorted((oid for oid in found if not is_covered(oid)), key=lambda oid: [int(one) for one in oid.split(".")])
    )
