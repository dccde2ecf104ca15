"""One poll of one device, explained: what was asked, what came, which metric took it, and why others have nothing.

The page says what there is; whoever looks for what is not there asks here. The poll is the collector's own, listened to
(``recording.py``), and its columns go through the same renderer, metric by metric instead of all at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from promsnmp.errors import SnmpError
from promsnmp.exposition.families import Exposition
from promsnmp.exposition.labels import ColumnRows
from promsnmp.exposition.plan import Column, MetricPlan, ModulePlan, Plan
from promsnmp.exposition.renderer import Renderer, RenderState
from promsnmp.inventory.modules import AUTO
from promsnmp.modules.catalogue import Catalogue, CatalogueStore
from promsnmp.modules.model import Lookup, Metric, MetricType
from promsnmp.polling.collector import OWN_METRIC_NAMES
from promsnmp.polling.detection.identify import DeviceIdentity
from promsnmp.polling.explain.model import (
    ColumnExplanation,
    Explanation,
    GetExplanation,
    LookupExplanation,
    MetricExplanation,
    WalkExplanation,
)
from promsnmp.polling.explain.reasons import PollEvidence, WalkEnd, WalkEvidence, why_dropped, why_unplanned
from promsnmp.polling.explain.recorder import PollRecording, RecordingCollector, WalkTrace
from promsnmp.polling.explain.unclaimed import group_by_column, known_columns
from promsnmp.polling.poll import PollResult
from promsnmp.polling.target import Target
from promsnmp.snmp import ber, oid
from promsnmp.snmp.credentials import Version
from promsnmp.snmp.operations.walk import Cost, Subtree
from promsnmp.snmp.session import Traffic

MAX_EXAMPLES = 5


async def explain(
    target: Target, catalogue: Catalogue, *, deadline: float, recording: PollRecording, chosen_by: str = "asked for"
) -> Explanation:
    """Polls a target once and explains the poll; ``recording`` fills on the way and shows how far it is.

    ``deadline`` is loop time; ``chosen_by`` says who named the modules. Raises SnmpError when nothing could be read,
    ModuleError for an unknown module.
    """
    collector = RecordingCollector(CatalogueStore(catalogue), recording)
    _, problem = await collector.collect(target, deadline=deadline)
    assert collector.result is not None
    assert collector.session is not None
    plan = collector.result.plan
    requests = _Requests(plan, collector.result, recording, collector.session.traffic)
    modules = tuple(one.module.name for one in plan.modules)
    identity = await _identity(collector, target, deadline)
    explainer = _MetricExplainer(plan, collector.result, requests.evidence, target.credentials.version)
    metrics = tuple(explainer.metrics())
    left = (one for one in recording.varbinds.values() if requests.was_asked(one.oid) and not explainer.wants(one.oid))
    return Explanation(
        target=str(target.endpoint),
        modules=modules,
        module_reasons=_module_reasons(modules, target, identity, chosen_by),
        identity=identity,
        problem=str(problem) if problem is not None else "",
        total=requests.total,
        discarded=collector.session.traffic.discarded,
        walks=requests.walks,
        gets=requests.gets,
        gets_cost=collector.result.gets_cost,
        columns=tuple(explainer.columns()),
        metrics=metrics,
        dropped=collector.dropped,
        unclaimed=group_by_column(left, known_columns(catalogue)),
    )


async def _identity(collector: RecordingCollector, target: Target, deadline: float) -> DeviceIdentity | None:
    """What the device is: as found out for this poll, or by asking now where the poll had it from the inventory."""
    if AUTO not in target.modules or AUTO in collector.state_of(target).modules:
        return None
    identity = collector.state_of(target).detection.identity
    try:
        return identity or await collector.identify(target, deadline=deadline)
    except SnmpError:
        return None


def _module_reasons(
    modules: Sequence[str], target: Target, identity: DeviceIdentity | None, chosen_by: str
) -> dict[str, str]:
    """Why each of ``modules`` is asked for."""
    seen = dict(identity.match.modules) if identity is not None else {}
    found = {name: seen.get(name) or _undetected_reason(name, target) for name in modules}
    return {name: chosen_by if name in target.modules else reason for name, reason in found.items()}


def _undetected_reason(name: str, target: Target) -> str:
    if name in target.detected:
        return "found out before, as the inventory has it; the device does not show it now"
    return "asked for while it is not known what the device has"


def _error_text(error: SnmpError | None) -> str:
    """An error without its target, which stands above it all."""
    if error is None:
        return ""
    return f"{error.message} (at OID {error.oid})" if error.oid else error.message


class _Requests:
    """What was asked, and how each part of it ended."""

    def __init__(self, plan: Plan, result: PollResult, recording: PollRecording, traffic: Traffic) -> None:
        self._plan = plan
        self._result = result
        self._recording = recording
        self._gets = dict.fromkeys(plan.gets, "not asked")
        self._gets |= recording.gets
        self._gets |= {one: _error_text(result.failures[one]) for one in self._gets if one in result.failures}
        filters = {one.root for one in plan.filters}
        self._trees = (*plan.filters, *(one for one in plan.subtrees if one.root not in filters))
        varbinds = sum(map(self.was_asked, recording.varbinds))
        self.total = Cost(result.seconds, traffic.sent, traffic.retried, varbinds)
        self.walks = tuple(self._walk(one) for one in self._trees)
        pairs = zip(self._trees, self.walks, strict=True)
        self.evidence = PollEvidence(
            tuple(
                WalkEvidence(tree.root, one.end, self._trace(tree).last, one.error, tree.ordered) for tree, one in pairs
            ),
            self._gets,
            _error_text(result.error),
        )
        self.gets = tuple(self._fetched())

    def was_asked(self, name: bytes) -> bool:
        """Whether somebody wanted this OID: a GETBULK brings a few that nobody did."""
        return name in self._gets or any(name.startswith(tree.root) for tree in self._trees)

    def _trace(self, tree: Subtree) -> WalkTrace:
        return self._recording.walks.get(tree.root) or WalkTrace()

    def _walk(self, tree: Subtree) -> WalkExplanation:
        trace = self._trace(tree)
        failure = self._result.failures.get(tree.root)
        end, error = WalkEnd.WHOLE, ""
        if tree.root not in self._result.finished and (failure or tree.root not in self._result.costs):
            end = WalkEnd.PARTIAL if trace.last else WalkEnd.FAILED if trace.sent or failure else WalkEnd.NOT_ASKED
            error = _error_text(failure or self._result.error)
        return WalkExplanation(
            oid.to_text(tree.root) or "1",
            tuple(self._walkers(tree.root)),
            self._result.costs.get(tree.root) or self._interrupted(tree, trace),
            end,
            error,
            oid.to_text(trace.last),
        )

    def _walkers(self, root: bytes) -> Iterator[str]:
        for one in self._plan.modules:
            if root in one.roots:
                yield one.module.name
            if any(oid.encode(each.oid) == root for each in one.module.filters):
                yield f"{one.module.name} (filter)"

    def _interrupted(self, tree: Subtree, trace: WalkTrace) -> Cost:
        """What the walk took that the end of the session cut short: what the others leave of the whole."""
        if not trace.sent:
            return Cost()
        others = sum(self._result.costs.values(), self._result.gets_cost)
        varbinds = sum(name.startswith(tree.root) for name in self._recording.varbinds)
        return Cost(
            max(self.total.seconds - others.seconds, 0.0),
            max(self.total.sent - others.sent, trace.sent),
            max(self.total.retried - others.retried, 0),
            varbinds,
        )

    def _fetched(self) -> Iterator[GetExplanation]:
        gets: dict[bytes, None] = dict.fromkeys(get for one in self._plan.modules for get in one.gets)
        for name in (*gets, *(one for one in self._gets if one not in gets)):
            modules = tuple(one.module.name for one in self._plan.modules if name in one.gets)
            walk = next((one for one in self._trees if name.startswith(one.root)), None)
            if name in self._gets:
                yield GetExplanation(oid.to_text(name), modules, self._gets[name] or "value")
            elif walk is not None:
                yield GetExplanation(oid.to_text(name), modules, f"read by the walk of {oid.to_text(walk.root) or '1'}")


class _CountingColumn(dict[bytes, tuple[int, bytes]]):
    """A column for look-ups that counts those that find nothing."""

    missed = 0

    def get(self, key: bytes, default: object = None) -> tuple[int, bytes] | None:  # type: ignore[override]
        found = super().get(key)
        self.missed += found is None
        return found


class _MetricExplainer:
    """What every metric made of the columns, one after the other."""

    def __init__(self, plan: Plan, result: PollResult, evidence: PollEvidence, version: Version) -> None:
        self._plan = plan
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
        """Whether an OID lies in a column that a metric, a look-up or a filter wants."""
        return any(name[:size] in self._columns for size in self._sizes)

    def columns(self) -> Iterator[ColumnExplanation]:
        """The columns that came back and are wanted, in MIB order."""
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
        return f"{why} (if it is a Counter64: v1 has none, ask by v2c)" if old else why

    def _new(self, family: str, samples: bytes, drop: Callable[[str], None]) -> list[bytes]:
        """The lines of samples whose series no metric brought before."""
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
        """By how much the indexes of rows do not fit those of the metric, of rows where they do not."""
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
    """A ``MetricExplanation`` with what the metric itself says filled in."""
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
