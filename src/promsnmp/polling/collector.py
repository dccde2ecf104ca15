"""Target to page: opens a session, asks for what the modules want, and has the answer rendered."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from math import inf

from promsnmp.errors import AuthenticationError, ErrorStatus, OutOfOrder, SnmpError, StrictFailure
from promsnmp.exposition.families import Exposition
from promsnmp.exposition.plan import ModulePlan, Plan, make_plan
from promsnmp.exposition.renderer import Renderer, RenderState
from promsnmp.exposition.utilization.interfaces import add_utilization
from promsnmp.inventory.modules import AUTO, FALLBACK, resolve_modules
from promsnmp.modules.catalogue import CatalogueStore
from promsnmp.polling.detection.identify import DeviceIdentity, identify
from promsnmp.polling.detection.schedule import DetectionSchedule
from promsnmp.polling.label_cache import LabelCache
from promsnmp.polling.page import Format, RenderedPage
from promsnmp.polling.poll import PollResult, PollRun
from promsnmp.polling.target import Target
from promsnmp.snmp import ber, oid
from promsnmp.snmp.credentials import User
from promsnmp.snmp.operations.walk import AgentLimits, Cost
from promsnmp.snmp.security import CommunityModel, SecurityModel
from promsnmp.snmp.session import Session
from promsnmp.snmp.v3.engine import EngineState
from promsnmp.snmp.v3.keys import KeyCache
from promsnmp.snmp.v3.usm import UsmModel

log = logging.getLogger(__name__)

OnDetected = Callable[[Target, DeviceIdentity], None]

DETECTION_SHARE = 1 / 3
"""Part of the time of a poll that may go into finding out what the device is."""
_SYS_DESCR, _SYS_OBJECT_ID, _SYS_UP_TIME = "1.3.6.1.2.1.1.1", "1.3.6.1.2.1.1.2", "1.3.6.1.2.1.1.3"


@dataclass(slots=True)
class TargetState:
    """What is remembered of one target from poll to poll."""

    limits: AgentLimits = field(default_factory=AgentLimits)
    engine: EngineState = field(default_factory=EngineState)
    device: RenderState = field(default_factory=RenderState)
    requested_formats: set[Format] = field(default_factory=set)
    """Formats that scrapes asked for since the last poll."""
    formats: set[Format] = field(default_factory=lambda: {Format.TEXT})
    """Formats that a poll renders at once: those asked for lately."""
    outcome: str = "success"
    """How the last poll ended."""
    ended_at: float = 0.0
    """When it ended, Unix time; 0: there was none."""
    problem: str = ""
    """What was wrong with it."""
    detection: DetectionSchedule = field(default_factory=DetectionSchedule)
    modules: tuple[str, ...] = ()
    """What it was asked for last."""
    has_answered: bool = False
    """Whether it ever gave anything."""
    label_cache: LabelCache | None = None
    label_cache_target: Target | None = None
    """Label columns that are kept, and the target that they are of."""


@dataclass(frozen=True, slots=True)
class CollectorOptions:
    """Settings of the collector."""

    utilization: bool = True
    wrap: bool = True
    """Whether Counter64 values are reduced modulo 2^53."""
    zeros: bool = False
    """Whether what is no number counts as 0 where a number is wanted, instead of having no sample."""
    strict: bool = False
    """Whether there is no page at all when a part cannot be read, or a series or a family is there twice."""
    own_metrics: bool = True
    """Whether pages have families that snmp_exporter does not have."""
    source_address: str = ""
    """The address that devices are asked from; empty: the system chooses."""
    label_refresh: int = 1
    """Columns that serve as labels only are read at every so many polls of a device of the inventory."""
    label_age: float = inf
    """Seconds after which they are read again however few polls there were."""


class Collector:
    """Polls targets and renders their pages.

    ``dropped`` counts values that were left out, by reason; ``max_states`` is how many targets it remembers, the least
    recently polled go first.
    """

    def __init__(
        self, catalogue_store: CatalogueStore, options: CollectorOptions, *, on_detected: OnDetected | None = None
    ) -> None:
        """``on_detected`` is called with each target of which it was found out what its device is, and with that."""
        self._on_detected = on_detected
        self._catalogue_store = catalogue_store
        self._plans_generation = catalogue_store.generation
        self._options = options
        self._plans: dict[tuple[str, ...], Plan] = {}
        self._keys = KeyCache()
        self._states: OrderedDict[tuple[str, tuple[str, ...]], TargetState] = OrderedDict()
        self.dropped: dict[str, int] = {}
        self.max_states = 10_000

    @property
    def generation(self) -> int:
        """Another number whenever the modules are others."""
        return self._catalogue_store.generation

    def state_of(self, target: Target) -> TargetState:
        """What is remembered of a target; created when there is nothing yet."""
        key = target.key, target.modules
        state = self._states.get(key)
        if state is None:
            state = self._states[key] = TargetState()
            while len(self._states) > self.max_states:
                self._states.popitem(last=False)
        self._states.move_to_end(key)
        return state

    def find_state(self, target: Target) -> TargetState | None:
        """As ``state_of``, but None when nothing is remembered of the target."""
        return self._states.get((target.key, target.modules))

    def plan(self, modules: tuple[str, ...]) -> Plan:
        """The plan of some modules, by the present catalogue. Raises ModuleError for an unknown one."""
        catalogue = self._catalogue_store.current
        if self._catalogue_store.generation != self._plans_generation:
            self._plans_generation = self._catalogue_store.generation
            self._plans.clear()
            for state in self._states.values():  # labels and numbers of tables belong to the plans that are gone
                state.device = RenderState(utilization=state.device.utilization)
        plan = self._plans.get(modules)
        if plan is None:
            plan = self._plans[modules] = make_plan([catalogue.module(name) for name in modules])
        return plan

    async def collect(self, target: Target, *, deadline: float) -> tuple[RenderedPage, SnmpError | None]:
        """The page of a target, and what was wrong with it when it is not complete.

        ``deadline`` is loop time. Raises SnmpError when nothing could be read, ModuleError for an unknown module.
        """
        state = self.state_of(target)
        modules = await self._resolve_modules(target, state, deadline)
        plan = self.plan(modules)
        if modules != state.modules:  # labels and numbers of tables belong to the plan
            state.modules, state.device = modules, RenderState(utilization=state.device.utilization)
        if not plan.modules:  # ``module=``: nothing is wanted, so nothing is asked
            return RenderedPage(time.monotonic(), (), {one: _body(Exposition(), one) for one in state.formats}), None
        result = await self._run_poll(target, plan, state, deadline)
        if result.error is not None and not result.scanner.varbind_count:
            raise result.error
        failures = list(result.failures.values())
        if self._options.strict:
            _require_complete(target, result)
        elif failures and not result.scanner.varbind_count:
            raise failures[0]
        state.has_answered = True
        _observe_system_group(state.detection, plan, result.scanner)
        return self._make_page(target, result.plan, state, result), result.error or (failures[0] if failures else None)

    def check(self, modules: tuple[str, ...]) -> None:
        """Raises ModuleError for a module that there is not."""
        self.plan(tuple(name for name in modules if name != AUTO or self._has_module(AUTO)))

    async def _resolve_modules(self, target: Target, state: TargetState, deadline: float) -> tuple[str, ...]:
        """What a target is asked for: its modules, with ``AUTO`` replaced by those that suit the device.

        Finds out which these are, when it is time for that. Raises SnmpError when a device that has never answered does
        not even answer to this.
        """
        if AUTO not in target.modules or self._has_module(AUTO):
            return target.modules
        detection, now = state.detection, time.monotonic()
        detection.set_stored_modules(target.detected, target.key, now)
        if detection.is_due(now):
            try:
                identity = await self.identify(target, deadline=deadline)
                is_settled = detection.record_identity(identity, time.monotonic())
                if is_settled and self._on_detected is not None:
                    self._on_detected(target, identity)
            except SnmpError:
                detection.record_failure(time.monotonic())
                if not state.has_answered:
                    raise
        return resolve_modules(target.modules, [name for name in detection.modules if self._has_module(name)])

    async def identify(self, target: Target, *, deadline: float) -> DeviceIdentity:
        """Asks a target what it is. Raises SnmpError."""
        state = self.state_of(target)
        now = asyncio.get_running_loop().time()
        session = self._session(target, self.plan(FALLBACK), state, now + (deadline - now) * DETECTION_SHARE)
        try:
            async with session:
                identity = await identify(session, limits=state.limits)
        except AuthenticationError:
            state.engine = EngineState()
            raise
        is_news = state.detection.modules not in ((), identity.match.names)
        level = logging.INFO if is_news else logging.DEBUG
        log.log(level, "%s (%s) is %s", target.name, target.endpoint, _describe(identity))
        return identity

    def _has_module(self, name: str) -> bool:
        return name in self._catalogue_store.current.modules

    async def _run_poll(self, target: Target, plan: Plan, state: TargetState, deadline: float) -> PollResult:
        result = PollResult(ber.Scanner(list(plan.columns)), time.monotonic(), plan)
        began = time.perf_counter()
        session = self._session(target, plan, state, deadline)
        version, labels = target.credentials.version, self._labels(target, state)
        try:
            async with session:
                run = PollRun(session, result, version, state.limits)
                if plan.filters:
                    await run.apply_filters()
                if labels is None or not plan.label_columns:
                    await run.read_all()
                else:
                    await run.read_without_cached_labels(
                        labels, partial(self._render_modules, plan, result.scanner, state)
                    )
        except SnmpError as error:
            result.error = error
            if isinstance(error, AuthenticationError):
                state.engine = EngineState()  # whatever was believed of it, the next poll asks anew
        result.seconds = time.perf_counter() - began
        return result

    def _labels(self, target: Target, state: TargetState) -> LabelCache | None:
        """What is kept of a target's labels; None when they are to be read at every poll.

        That is so for what only scrapes ask for: nobody knows when the next one comes.
        """
        options = self._options
        if not target.managed or options.label_refresh < 2:
            return None
        if state.label_cache is None or state.label_cache_target != target:
            state.label_cache_target = target
            state.label_cache = LabelCache(every=options.label_refresh, seconds=options.label_age)
        return state.label_cache

    def _session(self, target: Target, plan: Plan, state: TargetState, deadline: float) -> Session:
        modules = [one.module for one in plan.modules]
        return Session(
            target.endpoint,
            self._security(target, state),
            timeout=max(one.timeout for one in modules) if target.timeout is None else target.timeout,
            retries=max(one.retries for one in modules) if target.retries is None else target.retries,
            deadline=deadline,
            connected=not any(one.use_unconnected_udp_socket for one in modules),
            source=self._options.source_address,
        )

    def _security(self, target: Target, state: TargetState) -> SecurityModel:
        credentials = target.credentials
        if isinstance(credentials, User):
            return UsmModel(credentials, engine=state.engine, keys=self._keys)
        return CommunityModel(credentials)

    # ---------------------------------------------------------------------------------------------- rendering

    def _render_modules(
        self, plan: Plan, scanner: ber.Scanner, state: TargetState, cached_columns: Mapping[int, bytes]
    ) -> Renderer:
        options = self._options
        renderer = Renderer(
            plan, scanner, state.device, wrap=options.wrap, zeros=options.zeros, cached_columns=cached_columns
        )
        for one in plan.modules:
            renderer.module(one.metrics)
        return renderer

    def _make_page(self, target: Target, plan: Plan, state: TargetState, result: PollResult) -> RenderedPage:
        began = time.perf_counter()
        renderer = result.renderer or self._render_modules(plan, result.scanner, state, result.cached_columns)
        page, own = renderer.exposition, self._options.own_metrics
        if self._options.utilization:
            add_utilization(renderer, plan, state.device.utilization, at=result.started, visible=own)
        page.deduplicate()
        if self._options.strict:
            _require_unique(target, page)
        _add_scrape_metrics(page, plan, result, time.perf_counter() - began, own=own)
        for reason, count in page.dropped.items():
            self.dropped[reason] = self.dropped.get(reason, 0) + count
        if state.requested_formats:
            state.formats, state.requested_formats = state.requested_formats, set()
        bodies = {one: _body(page, one) for one in state.formats}
        return RenderedPage(result.started, state.modules, bodies)


def _describe(identity: DeviceIdentity) -> str:
    match = identity.match
    kind = " ".join(filter(None, (match.vendor, match.model))) or f"of an unknown kind ({identity.sys_object_id})"
    return f"{kind}: {', '.join(match.names)}" + (f" (not all was told: {identity.problem})" * bool(identity.problem))


def _observe_system_group(detection: DetectionSchedule, plan: Plan, scanner: ber.Scanner) -> None:
    """Tells a schedule what a poll brought of the system group, if anything."""
    descr, object_id, up_time = (
        scanner.column(column.at) if (column := plan.by_oid.get(name)) and not column.part else b""
        for name in (_SYS_DESCR, _SYS_OBJECT_ID, _SYS_UP_TIME)
    )
    detection.observe_system_group((descr, object_id), up_time)


def _body(page: Exposition, body_format: Format) -> bytes:
    return page.render(as_openmetrics=body_format is Format.OPENMETRICS)


def _require_complete(target: Target, result: PollResult) -> None:
    """Raises StrictFailure for what fails a scrape of snmp_exporter: all but an error-status that ends a walk, and OIDs
    that do not increase."""
    walks = [one for at, one in result.failures.items() if at not in result.plan.gets]
    tolerated = {id(one) for one in walks if isinstance(one, ErrorStatus | OutOfOrder)}
    for problem in (result.error, *result.failures.values()):
        if problem is not None and id(problem) not in tolerated:
            raise StrictFailure(f"not all was read: {problem.message}", target=str(target.endpoint), oid=problem.oid)


def _require_unique(target: Target, page: Exposition) -> None:
    """Raises StrictFailure when a series stands on the page twice, or a family with several types or helps."""
    address, twice, names = str(target.endpoint), page.dropped.get("duplicate", 0), ", ".join(sorted(page.conflicts))
    if twice:
        raise StrictFailure(f"{twice} samples have name and labels of another one", target=address)
    if names:
        raise StrictFailure(f"metrics of one name have several types or help texts: {names}", target=address)


def _add_scrape_metrics(page: Exposition, plan: Plan, result: PollResult, rendering: float, *, own: bool) -> None:
    """What is known of the poll itself, per module: what it cost, and with ``own`` whether it was whole."""
    rows: dict[str, list[tuple[dict[str, str], float]]] = {name: [] for name in _SCRAPE_METRICS}
    for one in plan.modules:
        labels = {"module": one.module.name}
        cost = _cost(one, result)
        complete = _is_complete(one, result)
        seconds = cost.seconds + result.render_seconds + rendering
        figures = (complete, cost.seconds, cost.sent, cost.retried, cost.varbinds, seconds)
        for name, number in zip(rows, figures, strict=True):
            rows[name].append((labels, float(number)))
    for name, samples in rows.items():
        if own or not name.startswith(_OWN_PREFIX):
            page.add(name, "gauge", _SCRAPE_METRICS[name], samples)
    if not own:
        return
    taken = time.time() - result.seconds - rendering
    page.add("promsnmp_collected_timestamp_seconds", "gauge", _COLLECTED, [({}, round(taken, 3))])
    if page.dropped:
        dropped = [({"reason": reason}, float(count)) for reason, count in sorted(page.dropped.items())]
        page.add("promsnmp_page_dropped_values", "gauge", _DROPPED, dropped)


def _cost(one: ModulePlan, result: PollResult) -> Cost:
    total = Cost()
    roots = dict.fromkeys((*one.roots, *(oid.encode(each.oid) for each in one.module.filters)))
    costs: Sequence[Cost] = [result.costs[root] for root in roots if root in result.costs]
    for cost in (*costs, result.gets_cost) if one.gets else costs:
        total = total + cost
    return total


def _is_complete(one: ModulePlan, result: PollResult) -> bool:
    if any(root not in result.finished for root in one.roots):
        return False
    return not (one.gets and result.gets_failed and not all(_is_walked(get, result) for get in one.gets))


def _is_walked(get: bytes, result: PollResult) -> bool:
    return any(get.startswith(root) for root in result.finished)


_OWN_PREFIX = "promsnmp_"
_SCRAPE_METRICS = {
    "promsnmp_module_up": "Whether all that the module asks for was read (1) or some of it is missing (0).",
    "snmp_scrape_walk_duration_seconds": "Seconds spent on asking the device for what the module wants.",
    "snmp_scrape_packets_sent": "SNMP packets sent for the module, retransmissions included.",
    "snmp_scrape_packets_retried": "SNMP packets sent again for the module because no answer came in time.",
    "snmp_scrape_pdus_returned": "Variable bindings that the device returned for the module.",
    "snmp_scrape_duration_seconds": "Seconds spent on the module, making the page included.",
}
OWN_METRIC_NAMES = frozenset((*_SCRAPE_METRICS, "promsnmp_collected_timestamp_seconds"))
"""Families that every page has: samples that a module makes under one of these names are left out."""
_COLLECTED = "When the device was polled for this page, in Unix seconds; time() minus this is the age of the data."
_DROPPED = "Values that the device returned but that are not on this page, by reason."
