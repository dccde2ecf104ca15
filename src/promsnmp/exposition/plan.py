"""Plans a poll: what a set of modules asks of a device, and what its columns become; made once for all devices.

Modules overlap: their walks are merged so that no subtree is walked twice, and every column is stored once, whether
metrics or labels use it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from promsnmp.exposition import values
from promsnmp.exposition.deviations import sizes
from promsnmp.exposition.filters import FilteredOids
from promsnmp.exposition.formats import text
from promsnmp.exposition.labels import LabelSpec
from promsnmp.modules.model import Metric, Module
from promsnmp.modules.types import MetricType
from promsnmp.snmp import oid
from promsnmp.snmp.operations.walk import Subtree

NUMBER_TYPES = frozenset({MetricType.GAUGE, MetricType.COUNTER, MetricType.FLOAT, MetricType.DOUBLE})
DEFAULT_REPETITIONS = 50
"""max_repetitions of a module that has 0, as in snmp_exporter."""


@dataclass(frozen=True, slots=True)
class Column:
    """Where the rows of an OID are: column ``at`` of the scanner, or with ``part`` only what is below ``oid`` in it."""

    at: int
    oid: bytes
    part: bool = False


@dataclass(frozen=True, slots=True)
class MetricPlan:
    """A metric, its columns, and the constant parts of its text."""

    metric: Metric
    column: Column
    spec: LabelSpec
    table: int
    """Number of its label table: metrics of a plan with equal specs have the same."""
    sources: tuple[Column, ...]
    """The columns that its labels are made from."""
    type_columns: tuple[Column, ...]
    """The column with the types of its values, if there is one."""
    numeric: bool
    family: str
    name: bytes
    """The first piece of a sample: newline and family name."""
    is_size: bool = False
    """Whether its values are sizes that are never negative."""


@dataclass(frozen=True, slots=True)
class ModulePlan:
    """A module, the roots that are walked for it, the objects that are read for it by GET, and its metrics."""

    module: Module
    roots: tuple[bytes, ...]
    gets: tuple[bytes, ...]
    metrics: tuple[MetricPlan, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """The walks, gets and columns of all modules together."""

    modules: tuple[ModulePlan, ...]
    subtrees: tuple[Subtree, ...]
    gets: tuple[bytes, ...]
    columns: tuple[bytes, ...]
    by_oid: dict[str, Column] = field(default_factory=dict)
    """Columns by dotted OID."""
    filters: tuple[Subtree, ...] = ()
    """Columns of filters: walked first, because they decide what else is asked for (``filtered_plan``)."""
    label_columns: Mapping[int, frozenset[int]] = field(default_factory=dict)
    """The columns that serve only as labels, and the label tables (``MetricPlan.table``) that use each."""

    max_varbinds: int = 0
    """Objects per GET of the device; 0: as the modules say."""
    text_encoding: str = ""
    """The encoding of the device's texts, one of ``snmp.text_encodings.ENCODINGS``; empty: UTF-8."""

    @property
    def batch_size(self) -> int:
        """Objects per GET: those of the device, or else the smallest max_repetitions of the modules."""
        return self.max_varbinds or min((one.module.max_repetitions for one in self.modules), default=25) or 25


def make_plan(modules: Sequence[Module], more: Iterable[str] = ()) -> Plan:
    """The plan of some modules, in their order.

    ``more`` are columns that are wanted as well where the modules' walks read them anyway.
    """
    subtrees = _merge(modules)
    required = {name: oid.encode(name) for module in modules for name in _required_oids(module)}
    walked = {name: oid.encode(name) for name in more}
    required |= {name: at for name, at in walked.items() if any(at.startswith(tree.root) for tree in subtrees)}
    columns = _outermost(required.values())
    positions = {column: at for at, column in enumerate(columns)}
    by_oid = {name: _column_of(octets, positions) for name, octets in required.items()}
    tables: dict[LabelSpec, int] = {}
    plans = tuple(_module_plan(module, subtrees, by_oid, tables) for module in modules)
    labels = _label_columns(plans)
    return Plan(plans, subtrees, _gets(modules, subtrees), tuple(columns), by_oid, _filters(modules), labels)


def filtered_plan(plan: Plan, remaining: Sequence[FilteredOids]) -> Plan:
    """``plan`` reduced by filters: ``remaining`` is what each of its modules, in order, still asks for.

    Metrics and columns stay the same.
    """
    pairs = list(zip(plan.modules, remaining, strict=True))
    modules = [replace(one.module, walk=what.walk, get=what.get) for one, what in pairs]
    subtrees = _merge(modules)
    parts = [
        replace(one, roots=_roots(module, subtrees), gets=tuple(oid.encode(name) for name in module.get))
        for one, module in zip(plan.modules, modules, strict=True)
    ]
    return replace(plan, modules=tuple(parts), subtrees=subtrees, gets=_gets(modules, subtrees))


def with_text_encoding(plan: Plan, encoding: str) -> Plan:
    """``plan`` for a device whose texts have this encoding, one of ``snmp.text_encodings.ENCODINGS``."""
    parts = [
        replace(one, metrics=tuple(replace(m, spec=replace(m.spec, encoding=encoding)) for m in one.metrics))
        for one in plan.modules
    ]
    return replace(plan, modules=tuple(parts), text_encoding=encoding)


def _label_columns(modules: Sequence[ModulePlan]) -> dict[int, frozenset[int]]:
    metrics = [metric for module in modules for metric in module.metrics]
    value_columns = {column.at for metric in metrics for column in (metric.column, *metric.type_columns)}
    tables: dict[int, set[int]] = {}
    for metric in metrics:
        for source in metric.sources:
            if source.at not in value_columns:
                tables.setdefault(source.at, set()).add(metric.table)
    return {at: frozenset(found) for at, found in tables.items()}


def _gets(modules: Sequence[Module], subtrees: Sequence[Subtree]) -> tuple[bytes, ...]:
    """The objects to read by GET: those that no walk reads."""
    gets = dict.fromkeys(oid.encode(one) for module in modules for one in module.get)
    return tuple(one for one in gets if not any(one.startswith(tree.root) and one != tree.root for tree in subtrees))


def _filters(modules: Sequence[Module]) -> tuple[Subtree, ...]:
    subtrees: dict[bytes, Subtree] = {}
    for module in modules:
        for one in module.filters:
            root, repetitions = oid.encode(one.oid), module.max_repetitions or DEFAULT_REPETITIONS
            subtrees.setdefault(root, Subtree(root, repetitions, not module.allow_nonincreasing_oids))
    return tuple(subtrees.values())


def _roots(module: Module, subtrees: Sequence[Subtree]) -> tuple[bytes, ...]:
    """The roots of the walks that read what the module walks."""
    walks = [oid.encode(root) for root in module.walk]
    return tuple(tree.root for tree in subtrees if any(walk.startswith(tree.root) for walk in walks))


def _merge(modules: Sequence[Module]) -> tuple[Subtree, ...]:
    """The walks of all modules, without those inside another.

    Equal walks use the smallest max_repetitions; a walk inside another matters only for whether OIDs must increase.
    """
    subtrees: dict[bytes, Subtree] = {}
    fetched = {oid.encode(one) for module in modules for one in module.get}
    for module in modules:
        for root in module.walk:
            octets, ordered = oid.encode(root), not module.allow_nonincreasing_oids
            same_root = subtrees.get(octets)
            repetitions = module.max_repetitions or DEFAULT_REPETITIONS
            repetitions = min(repetitions, same_root.max_repetitions) if same_root else repetitions
            ordered = ordered and (same_root is None or same_root.ordered)
            subtrees[octets] = Subtree(octets, repetitions, ordered, get_root=octets not in fetched)
    outer = set(_outermost(subtrees))
    unordered = [root for root, tree in subtrees.items() if not tree.ordered]
    return tuple(
        replace(tree, ordered=not any(one.startswith(root) for one in unordered))
        for root, tree in subtrees.items()
        if root in outer
    )


def _outermost(oids: Iterable[bytes]) -> list[bytes]:
    """The OIDs that are not below another one."""
    every_oid = set(oids)
    return sorted(one for one in every_oid if not any(one[:size] in every_oid for size in range(len(one))))


def _column_of(octets: bytes, positions: dict[bytes, int]) -> Column:
    for size in range(len(octets) + 1):
        at = positions.get(octets[:size])
        if at is not None:
            return Column(at, octets, part=size < len(octets))
    raise AssertionError("every required OID is in a column")


def _metrics(module: Module) -> list[Metric]:
    """The metrics that can have samples: the last of each OID, and none whose OID is below another's."""
    by_oid = {oid.encode(metric.oid): metric for metric in module.metrics if not metric.oid.startswith(".")}
    outer = set(_outermost(by_oid))
    return [metric for octets, metric in by_oid.items() if octets in outer]


def _required_oids(module: Module) -> Iterable[str]:
    for metric in _metrics(module):
        yield metric.oid
        yield from LabelSpec(metric.indexes, metric.lookups).columns()
        yield from _type_columns(metric)


def _type_columns(metric: Metric) -> Iterable[str]:
    """The column with the types of the values of an InetAddress or LldpPortId metric."""
    column = values.type_column(metric.type, metric.oid)
    return (column,) if column else ()


def _module_plan(
    module: Module, subtrees: Sequence[Subtree], by_oid: dict[str, Column], tables: dict[LabelSpec, int]
) -> ModulePlan:
    gets = tuple(oid.encode(one) for one in module.get)
    targets = [target for one in module.filters for target in one.targets]
    requested = (*map(oid.encode, (*module.walk, *targets)), *gets)
    plans = []
    for metric in _metrics(module):
        column = by_oid[metric.oid]
        if any(one.startswith(column.oid) or column.oid.startswith(one) for one in requested):
            spec = LabelSpec(metric.indexes, metric.lookups)
            table = tables.setdefault(spec, len(tables))
            numeric, family = metric.type in NUMBER_TYPES, text.metric_name(metric.name)
            sources = tuple(by_oid[name] for name in spec.columns())
            type_columns = tuple(by_oid[name] for name in _type_columns(metric))
            name = text.sample_prefix(metric.name)
            plan = MetricPlan(metric, column, spec, table, sources, type_columns, numeric, family, name)
            plans.append(replace(plan, is_size=sizes.is_size(column.oid)))
    return ModulePlan(module, _roots(module, subtrees), gets, tuple(plans))
