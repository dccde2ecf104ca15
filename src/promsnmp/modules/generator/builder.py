"""Builds a module from its configuration and the MIBs, as snmp_exporter's generator does.

Names that no MIB defines are listed, and everything else is built.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from promsnmp.modules.display_hint import is_octet_hint
from promsnmp.modules.generator.config import MIB_HINT, LookupRule, ModuleConfig, Override
from promsnmp.modules.generator.requested_oids import RequestedObject, RequestedOids, find_object
from promsnmp.modules.generator.types import (
    TYPE_COLUMN_CONVENTIONS,
    UnusableIndex,
    as_declared,
    index_type,
    is_address,
    label_type,
    make_index,
    metric_type,
    type_index_distance,
    without_own_type,
)
from promsnmp.modules.mibs.tree import IndexPart, MibNode, MibTree, ObjectType, Oid, dotted, parse_oid
from promsnmp.modules.model import Filter, Index, Lookup, Metric, Module
from promsnmp.modules.types import MetricType

_ACCESSIBLE = frozenset({"read-only", "read-write", "read-create", "not-accessible"})
_NOT_IN_LABELS = re.compile(r"[^a-zA-Z0-9_]")


@dataclass(frozen=True, slots=True)
class BuildResult:
    """A module, and the names that are missing."""

    module: Module
    missing: tuple[str, ...] = ()
    """Names in the configuration that no MIB defines."""
    notes: tuple[str, ...] = ()
    """Objects that are left out, and possible mistakes in the configuration."""
    mib_modules: frozenset[str] = frozenset()
    """The MIB modules that define the objects of the module."""


def build(config: ModuleConfig, tree: MibTree) -> BuildResult:
    """Builds the module of ``config`` from the objects in ``tree``."""
    return _Builder(config, tree).build()


def label_name(name: str) -> str:
    """The name as a valid metric or label name of Prometheus."""
    return _NOT_IN_LABELS.sub("_", name)


class _Builder:
    def __init__(self, config: ModuleConfig, tree: MibTree) -> None:
        self._config, self._tree = config, tree
        self._missing: list[str] = []
        self._notes: list[str] = []
        self._requested = RequestedOids()
        self._overrides: dict[Oid, Override] = {}
        self._mib_modules: set[str] = set()
        self._derived: dict[str, None] = {}
        """The objects that are shown as octets, and would not be if what their types are derived from counted."""
        self._nodes: dict[str, MibNode] = {}
        """The node of each metric, by the metric's OID."""

    def build(self) -> BuildResult:
        self._resolve_overrides()
        metrics = [self._with_lookups(metric) for metric in self._metrics(self._targets())]
        metrics = [self._typed_by_neighbour(metric) for metric in metrics]
        self._note_unused_lookups(metrics)
        metrics = [self._overridden(metric) for metric in metrics]
        self._note_clashes(metrics)
        self._filter_statically(metrics)
        filters = tuple(found for one in self._config.filters if (found := self._filter(one)))
        self._note_derived()
        walk, get = self._requested.minimal()
        module = Module(self._config.name, walk, get, tuple(metrics), filters=filters, **self._config.settings)
        missing, notes = tuple(dict.fromkeys(self._missing)), tuple(dict.fromkeys(self._notes))
        return BuildResult(module, missing, notes, frozenset(self._mib_modules))

    # ---------------------------------------------------------------------------------------------------- overrides

    def _resolve_overrides(self) -> None:
        for name, override in self._config.overrides:
            found = self._named(name)
            if not found:
                self._missing.append(f"{name} (override)")
            for node in found:
                self._overrides[node.oid] = self._overrides.get(node.oid, Override()).merged_with(override)

    def _named(self, name: str) -> list[MibNode]:
        """All nodes that a name in an override means; it may be a name of the MIB or of a metric."""
        if oid := parse_oid(name):
            node = self._tree.at(oid)
            return [node] if node else []
        return self._tree.named(name) or self._tree.named(name.replace("_", "-"))

    def _type(self, node: MibNode) -> str:
        override = self._overrides.get(node.oid)
        return (override.type if override else "") or (metric_type(self._seen(node.type)) if node.type else "")

    def _seen(self, object_type: ObjectType) -> ObjectType:
        """A type as it counts here: ``base_types`` says whether what it is derived from counts, too."""
        return object_type if self._config.base_types else as_declared(object_type)

    def _compare(self, name: str, object_type: ObjectType, override: Override | None) -> None:
        """Remembers an object that is shown as octets because of ``as_declared``."""
        if self._config.base_types or (override is not None and override.type):
            return
        if metric_type(as_declared(object_type)) == MetricType.OCTET_STRING != metric_type(object_type):
            self._derived.setdefault(name)

    def _note_derived(self) -> None:
        if self._derived:
            names = ", ".join(list(self._derived)[:3])
            more = f" and {len(self._derived) - 3} more" if len(self._derived) > 3 else ""
            self._notes.append(
                f"{names}{more}: shown in hexadecimal, as snmp_exporter's generator does, since their types are derived"
                " from others (Name ::= DisplayString); --base-types shows them like those"
            )

    def _label_type(self, node: MibNode) -> tuple[str, tuple[tuple[int, str], ...]]:
        """The type of a column as a label, and the names that it shows."""
        if node.type is None:
            return self._type(node), ()
        override = self._overrides.get(node.oid)
        seen = self._seen(node.type)
        kind = label_type(seen, override.type if override else "")
        self._compare(node.name, node.type, override)
        return kind, seen.enums if kind == MetricType.ENUM_AS_INFO else ()

    # ------------------------------------------------------------------------------------------------------ metrics

    def _targets(self) -> Iterator[RequestedObject]:
        for name in self._config.walk:
            target = find_object(name, self._tree, usable=self._is_usable)
            if target is None:
                self._missing.append(name)
                continue
            self._requested.add(target)
            yield target

    def _is_usable(self, node: MibNode) -> bool:
        return bool(self._type(node)) and node.access in _ACCESSIBLE and not node.broken

    def _metrics(self, targets: Iterator[RequestedObject]) -> Iterator[Metric]:
        nodes: dict[Oid, MibNode] = {}
        for target in targets:
            nodes.update((node.oid, node) for node in self._tree.under(target.node_oid, target.module))
            self._note_renamed(target, nodes)
        for oid in sorted(nodes):
            node = nodes[oid]
            self._mib_modules.add(node.module)
            override = self._overrides.get(oid)
            if (node.type is None and not node.broken) or (override is not None and override.ignore):
                continue
            if metric := self._metric(node):
                self._nodes[metric.oid] = node
                yield metric

    def _note_renamed(self, target: RequestedObject, nodes: Mapping[Oid, MibNode]) -> None:
        """Notes the objects that are left out since another MIB module has other names for their OIDs."""
        left = defaultdict[tuple[str, str], list[MibNode]](list)
        for other in self._tree.renamed(target.node_oid):
            chosen = nodes[other.oid]
            if chosen.name != other.name and other.type is not None:
                left[other.module, chosen.module].append(other)
        for (module, chosen_module), others in left.items():
            first = others[0]
            more = f" and {len(others) - 1} more" if len(others) > 1 else ""
            self._notes.append(
                f"{module}::{first.name}{more} left out: {chosen_module} has another name for this OID,"
                f" {nodes[first.oid].name}; name an object of {module} to build its names ({first.place})"
            )

    def _metric(self, node: MibNode) -> Metric | None:
        row = self._tree.at(node.oid[:-1], node.module)
        if node.broken:
            at_fault = row if row is not None and row.broken == node.broken else node
            self._notes.append(f"{at_fault.name} is left out: {node.broken} ({at_fault.place})")
            return None
        if node.access not in _ACCESSIBLE:
            if not node.access:
                self._notes.append(f"{node.name} is left out: it has no MAX-ACCESS ({node.place})")
            return None
        kind = self._type(node)
        if not kind:
            assert node.type is not None
            reason = f"no metric type fits {node.type.kind.capitalize()}, override its type"
            self._notes.append(f"{node.name} is left out: {reason} ({node.place})")
            return None
        try:
            indexes = self._indexes(node)
        except UnusableIndex as problem:
            at_fault = row or node
            self._notes.append(f"{at_fault.name} is left out: {problem} ({at_fault.place})")
            return None
        if node.type is not None:
            self._compare(node.name, node.type, self._overrides.get(node.oid))
        enums = self._seen(node.type).enums if node.type else ()
        return Metric(label_name(node.name), dotted(node.oid), kind, _help(node), indexes, enum_values=enums)

    def _indexes(self, node: MibNode) -> tuple[Index, ...]:
        out: list[Index] = []
        before: list[IndexPart] = []
        behind_address = False
        for part in node.indexes:
            override = self._overrides.get(part.oid) if part.oid else None
            self._compare(part.label, part.type, override)
            part = replace(part, type=self._seen(part.type))
            index = make_index(part, override.type if override else "", label=label_name(part.label))
            follows_address, behind_address = behind_address, is_address(index)
            if follows_address and behind_address:
                index = without_own_type(index, part)
            elif distance := type_index_distance(index, before):
                del out[-distance:]
            before.append(part)
            out.append(index)
        return tuple(out)

    def _typed_by_neighbour(self, metric: Metric) -> Metric:
        """An InetAddress needs the InetAddressType in the column before it; without one it becomes octets."""
        if metric.type not in TYPE_COLUMN_CONVENTIONS:
            return metric
        oid = self._nodes[metric.oid].oid
        before = self._tree.at((*oid[:-1], oid[-1] - 1))
        if (
            before is None
            or before.type is None
            or TYPE_COLUMN_CONVENTIONS[MetricType(metric.type)] not in self._seen(before.type).conventions
        ):
            return replace(metric, type=str(MetricType.OCTET_STRING))
        self._requested.add_beside(oid, before.oid)
        return metric

    # ------------------------------------------------------------------------------------------------------ lookups

    def _with_lookups(self, metric: Metric) -> Metric:
        node = self._nodes[metric.oid]
        chained = {label_name(source) for rule in self._config.lookups for source in rule.sources}
        lookups: list[Lookup] = []
        dropped_labels: list[str] = []
        indexes = list(metric.indexes)
        for rule in self._config.lookups:
            sources = tuple(map(label_name, rule.sources))
            if not set(sources) <= {index.labelname for index in indexes}:
                continue
            column = self._lookup_column(rule, node)
            if column is None:
                continue
            self._note_other_rows(rule, column)
            label, kind, enums = label_name(column.name), *self._label_type(column)
            hint = self._display_hint(rule.display_hint, column, kind)
            lookups.append(Lookup(sources, label, dotted(column.oid), kind, enums, hint))
            if label in chained and label not in {index.labelname for index in indexes}:
                if as_index := index_type(kind):
                    indexes.append(Index(label, as_index, enum_values=enums))  # another lookup starts from it
                else:
                    reason = f"a {kind} cannot be an index"
                    self._notes.append(f"no lookup can start from {rule.lookup}: {reason} ({column.place})")
            whole_index = sources == tuple(index.labelname for index in metric.indexes)
            self._requested.add_beside(node.oid, column.oid, same_rows=whole_index)
            dropped_labels += sources if rule.drop_sources else ()
        lookups += [Lookup((), label) for label in dict.fromkeys(dropped_labels)]
        return replace(metric, indexes=tuple(indexes), lookups=tuple(lookups))

    def _note_other_rows(self, rule: LookupRule, column: MibNode) -> None:
        """Notes a lookup by other indexes than its column has: no row is found, and the label stays empty."""
        try:
            labels = [index.labelname for index in self._indexes(column)]
        except UnusableIndex:
            return
        if len(labels) != len(rule.sources):
            rows = f"its rows have the indexes {', '.join(labels)}" if labels else "it is not in a table"
            self._notes.append(
                f"lookup {rule.lookup} by {', '.join(rule.sources)} gives an empty label: {rows} ({column.place})"
            )

    def _lookup_column(self, rule: LookupRule, node: MibNode) -> MibNode | None:
        """The column of a lookup; of several with that name, the one in the metric's own table."""
        found = self._named(rule.lookup)
        column = next((one for one in found if one.oid[:-1] == node.oid[:-1]), found[0] if found else None)
        if column is None:
            self._missing.append(f"{rule.lookup} (lookup)")
        elif not self._type(column) or column.broken:
            reason = column.broken or "it has no values"
            self._notes.append(f"lookup {rule.lookup} is left out: {reason} ({column.place})")
            return None
        return column

    def _note_unused_lookups(self, metrics: Sequence[Metric]) -> None:
        used = {(one.labels, one.oid) for metric in metrics for one in metric.lookups}
        for rule in self._config.lookups:
            sources = tuple(map(label_name, rule.sources))
            if not any(labels == sources and oid in self._oids_named(rule.lookup) for labels, oid in used):
                if not self._named(rule.lookup):
                    self._missing.append(f"{rule.lookup} (lookup)")
                else:
                    self._notes.append(
                        f"lookup {rule.lookup} is not used: no metric has the index {', '.join(rule.sources)}"
                    )

    def _oids_named(self, name: str) -> set[str]:
        return {dotted(node.oid) for node in self._named(name)}

    # ---------------------------------------------------------------------------------------- overrides and filters

    def _overridden(self, metric: Metric) -> Metric:
        override = self._overrides.get(self._nodes[metric.oid].oid)
        if override is None:
            return metric
        return replace(
            metric,
            name=override.name or metric.name,
            help=override.help or metric.help,
            regex_extracts=override.regex_extracts,
            datetime_pattern=override.datetime_pattern,
            offset=override.offset,
            scale=override.scale,
            display_hint=self._display_hint(override.display_hint, self._nodes[metric.oid], metric.type),
        )

    def _display_hint(self, configured: str, node: MibNode, kind: str) -> str:
        """The DISPLAY-HINT of a metric or lookup; one that has no effect is noted."""
        hint = configured if configured != MIB_HINT else self._seen(node.type).hint if node.type else ""
        if configured and not hint:
            self._notes.append(f"display_hint of {node.name} is left out: its MIB has no DISPLAY-HINT ({node.place})")
        elif is_octet_hint(hint) and kind != MetricType.OCTET_STRING:
            self._notes.append(
                f"display_hint of {node.name} has no effect on {kind}: override its type by {MetricType.OCTET_STRING}"
            )
        return hint

    def _note_clashes(self, metrics: Sequence[Metric]) -> None:
        first: dict[str, Metric] = {}
        for metric in metrics:
            if (other := first.setdefault(metric.name, metric)) is not metric:
                self._notes.append(
                    f"{metric.name} is the name of both {other.oid} and {metric.oid}: rename or ignore one of them"
                )

    def _filter_statically(self, metrics: Sequence[Metric]) -> None:
        for one in self._config.static_filters:
            for target in one.targets:
                oid = self._filter_oid(target)
                if not oid:
                    continue
                looking = [
                    self._nodes[metric.oid].oid for metric in metrics if dotted(oid) in {x.oid for x in metric.lookups}
                ]
                for filtered in (oid, *looking):
                    self._requested.restrict_to_rows(filtered, one.indices)

    def _filter(self, found: Filter) -> Filter | None:
        oid, targets = self._filter_oid(found.oid), [self._filter_oid(target) for target in found.targets]
        if not oid or not all(targets):
            return None
        return Filter(dotted(oid), tuple(map(dotted, targets)), found.values)

    def _filter_oid(self, name: str) -> Oid:
        if oid := parse_oid(name):
            return oid
        node = self._tree.find(name)
        if node is None:
            self._missing.append(f"{name} (filter)")
        return node.oid if node else ()


def _help(node: MibNode) -> str:
    """The first sentence of the description, and the OID."""
    return f"{' '.join(node.description.split()).split('. ', 1)[0]} - {dotted(node.oid)}"
