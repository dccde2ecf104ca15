"""Explains what every metric of a poll made of the columns, and why one has no samples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from promsnmp.exposition.families import Exposition
from promsnmp.exposition.labels import ColumnRows
from promsnmp.exposition.plan import Column, MetricPlan, ModulePlan
from promsnmp.exposition.renderer import Renderer, RenderState
from promsnmp.modules.model import Lookup, Metric
from promsnmp.modules.types import MetricType
from promsnmp.polling.explain.model import (
    ColumnExplanation,
    LookupExplanation,
    MetricExplanation,
)
from promsnmp.polling.explain.reasons import PollEvidence, why_dropped, why_unplanned
from promsnmp.polling.poll import PollResult
from promsnmp.polling.render import OWN_METRIC_NAMES
from promsnmp.snmp import ber, oid
from promsnmp.snmp.credentials import Version

MAX_EXAMPLES = 5
"""Samples that are shown of a metric."""


class _CountingColumn(dict[bytes, tuple[int, bytes]]):
    """A column for look-ups that counts the look-ups that find nothing."""

    missed = 0

    def get(self, key: bytes, default: object = None) -> tuple[int, bytes] | None:  # type: ignore[override]  # it is called with a key only
        found = super().get(key)
        self.missed += found is None
        return found


class MetricExplainer:
    """Renders one metric after the other, to see what each made of the columns."""

    def __init__(self, result: PollResult, evidence: PollEvidence, version: Version) -> None:
        plan = self._plan = result.plan
        self._evidence = evidence
        self._version = version
        self._renderer = Renderer(plan, result.scanner, RenderState())
        self._seen: set[tuple[str, bytes]] = set()
        self._given: dict[tuple[str, bytes], str] = {}
        self._columns = {*plan.columns, *(one.root for one in plan.filters)}
        self._sizes = sorted(set(map(len, self._columns)))
        self._types: dict[bytes, tuple[int, Counter[int]]] = {}
        self._looked_up: dict[tuple[int, bytes], tuple[LookupExplanation, ...]] = {}

    def wants(self, name: bytes) -> bool:
        """Whether an OID lies in a column that a metric, a look-up or a filter uses."""
        return any(name[:size] in self._columns for size in self._sizes)

    def columns(self) -> Iterator[ColumnExplanation]:
        """The columns that the device returned and that are used, in MIB order."""
        users: dict[bytes, dict[str, None]] = {column.oid: {} for column in self._plan.by_oid.values()}
        for one in (one for module in self._plan.modules for one in module.metrics):
            users[one.column.oid][one.metric.name] = None
            for lookup in one.metric.lookups:
                if lookup.oid and lookup.labels:
                    users[self._plan.by_oid[lookup.oid].oid][f"label {lookup.labelname}"] = None
            for type_column in one.type_columns:
                users[type_column.oid][f"type of {one.metric.name}"] = None
        columns = {one.oid: one for one in self._plan.by_oid.values()}
        for octets in sorted(columns, key=oid.decode):
            rows, types = self._content(columns[octets])
            if rows:
                yield ColumnExplanation(oid.to_text(octets), rows, types, tuple(users[octets]))

    def metrics(self) -> Iterator[MetricExplanation]:
        """Every metric of every module, in their order."""
        for module in self._plan.modules:
            planned = {one.metric: one for one in module.metrics}
            for metric in dict.fromkeys(module.module.metrics):
                plan = planned.get(metric)
                yield self._unplanned(metric, module) if plan is None else self._explain_metric(plan, module)

    def _content(self, column: Column) -> tuple[int, Counter[int]]:
        content = self._types.get(column.oid)
        if content is None:
            _, values = ber.values(self._renderer.octets(column), len(column.oid))
            content = self._types[column.oid] = len(values), Counter(tag for tag, _ in values)
        return content

    def _unplanned(self, metric: Metric, module: ModulePlan) -> MetricExplanation:
        column = self._plan.by_oid.get(metric.oid)
        rows, types = self._content(column) if column is not None else (0, Counter())
        return _metric_explanation(metric, module, rows=rows, types=types, reason=why_unplanned(metric, module.module))

    def _explain_metric(self, plan: MetricPlan, module: ModulePlan) -> MetricExplanation:
        metric, octets = plan.metric, plan.column.oid
        rows, types = self._content(plan.column)
        giver = self._given.setdefault((metric.name, octets), module.module.name)
        if giver != module.module.name:
            return _metric_explanation(metric, module, rows=rows, types=types, given_by=giver)
        page = Exposition()
        self._renderer.exposition = page
        self._renderer.module([plan])
        page.deduplicate()
        families = {name: self._new(name, b"".join(one.parts), page.drop) for name, one in page.families.items()}
        lines = [line.decode() for family in families.values() for line in family]
        reason = "" if lines else why_dropped(page.dropped, rows) if rows else self._absent(metric, octets, module)
        return _metric_explanation(
            metric,
            module,
            rows=rows,
            types=types,
            samples=len(lines),
            families={name: len(family) for name, family in families.items() if family},
            labels=self._first_labels(plan),
            examples=tuple(lines[:MAX_EXAMPLES]),
            dropped=page.dropped,
            misfits=self._misfits(plan),
            lookups=self._lookups(plan),
            reason=reason,
        )

    def _absent(self, metric: Metric, octets: bytes, module: ModulePlan) -> str:
        old = self._version is Version.V1 and metric.type == MetricType.COUNTER
        why = self._evidence.why_filtered(metric, module.module) or self._evidence.why_empty(octets)
        return f"{why} (if it is a Counter64: SNMP v1 has no Counter64, use v2c or v3)" if old else why

    def _new(self, family: str, samples: bytes, drop: Callable[[str], None]) -> list[bytes]:
        """The lines of samples whose series no earlier metric has."""
        lines = []
        for line in samples.split(b"\n")[1:]:
            series = family, line.rpartition(b" ")[0]
            if family in OWN_METRIC_NAMES:
                drop("reserved_name")
            elif series in self._seen:
                drop("duplicate")
            else:
                self._seen.add(series)
                lines.append(line)
        return lines

    def _misfits(self, plan: MetricPlan) -> Sequence[int]:
        """For rows whose index does not fit the metric's indexes: sub-identifiers too many (negative: too few)."""
        index, _ = ber.values(self._renderer.octets(plan.column), len(plan.column.oid))
        return [misfit for suffix in ber.suffixes(index) if (misfit := plan.spec.excess_subids(suffix))]

    def _first_labels(self, plan: MetricPlan) -> Mapping[str, str]:
        index, values = ber.values(self._renderer.octets(plan.column), len(plan.column.oid))
        return plan.spec.labels(ber.suffixes(index)[0], self._renderer.rows) if values else {}

    def _lookups(self, plan: MetricPlan) -> tuple[LookupExplanation, ...]:
        """The look-ups of a metric; metrics with the same rows and labels share the work."""
        index, _ = ber.values(self._renderer.octets(plan.column), len(plan.column.oid))
        found = self._looked_up.get((plan.table, index))
        if found is None:
            found = self._looked_up[plan.table, index] = self._look_up(plan, ber.suffixes(index))
        return found

    def _look_up(self, plan: MetricPlan, suffixes: Sequence[bytes]) -> tuple[LookupExplanation, ...]:
        lookups = [one for one in plan.metric.lookups if one.oid and one.labels]
        watched = {one.oid: _CountingColumn(self._renderer.rows(one.oid)) for one in lookups}

        def column(name: str) -> ColumnRows:
            return watched[name] if name in watched else self._renderer.rows(name)

        for suffix in suffixes if lookups else ():
            plan.spec.labels(suffix, column)
        return tuple(self._lookup(one, watched[one.oid]) for one in lookups)

    def _lookup(self, lookup: Lookup, column: _CountingColumn) -> LookupExplanation:
        reason = "" if column else self._evidence.why_empty(oid.encode(lookup.oid))
        return LookupExplanation(lookup.labelname, lookup.oid, len(column), column.missed, reason)


def _metric_explanation(
    metric: Metric,
    module: ModulePlan,
    *,
    rows: int,
    types: Mapping[int, int],
    samples: int = 0,
    families: Mapping[str, int] | None = None,
    labels: Mapping[str, str] | None = None,
    examples: tuple[str, ...] = (),
    dropped: Mapping[str, int] | None = None,
    misfits: Sequence[int] = (),
    lookups: tuple[LookupExplanation, ...] = (),
    given_by: str = "",
    reason: str = "",
) -> MetricExplanation:
    """A ``MetricExplanation`` with the fields of the metric itself filled in."""
    return MetricExplanation(
        name=metric.name,
        module=module.module.name,
        oid=metric.oid,
        type=metric.type,
        help=metric.help,
        rows=rows,
        types=types,
        samples=samples,
        families=families or {},
        labels=labels or {},
        examples=examples,
        dropped=dropped or {},
        short=sum(one < 0 for one in misfits),
        long=sum(one > 0 for one in misfits),
        lookups=lookups,
        given_by=given_by,
        reason=reason,
    )
