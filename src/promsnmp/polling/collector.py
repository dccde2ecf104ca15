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
from promsnmp.exposition.plan import ModulePlan, Plan, make_plan
from promsnmp.exposition.samples import DeviceState, Renderer
from promsnmp.exposition.samples import Page as Samples
from promsnmp.exposition.utilization.interfaces import add_utilization
from promsnmp.inventory.modules import AUTO, FALLBACK, settled_modules
from promsnmp.modules.catalogue import Catalogues
from promsnmp.polling.detection.identify import Identity, identify
from promsnmp.polling.detection.schedule import Recognition
from promsnmp.polling.label_cache import KeptLabels
from promsnmp.polling.page import Format, Page
from promsnmp.polling.poll import Asking, Harvest
from promsnmp.polling.target import Source
from promsnmp.snmp import ber, oid
from promsnmp.snmp.credentials import User
from promsnmp.snmp.operations.walk import AgentLimits, Cost
from promsnmp.snmp.security import CommunityModel, SecurityModel
from promsnmp.snmp.session import Session
from promsnmp.snmp.v3.engine import EngineState
from promsnmp.snmp.v3.keys import KeyCache
from promsnmp.snmp.v3.usm import UsmModel

log = logging.getLogger(__name__)

Tell = Callable[[Source, Identity], None]

RECOGNITION_SHARE = 1 / 3
"""Part of the time of a poll that may go into finding out what the device is."""
_SYS_DESCR, _SYS_OBJECT_ID, _SYS_UP_TIME = "1.3.6.1.2.1.1.1", "1.3.6.1.2.1.1.2", "1.3.6.1.2.1.1.3"


@dataclass(slots=True)
class Known:
    """What is remembered of one source from poll to poll."""

    limits: AgentLimits = field(default_factory=AgentLimits)
    engine: EngineState = field(default_factory=EngineState)
    device: DeviceState = field(default_factory=DeviceState)
    asked: set[Format] = field(default_factory=set)
    """Formats that scrapes asked for since the last poll."""
    formats: set[Format] = field(default_factory=lambda: {Format.TEXT})
    """Formats that a poll renders at once: those asked for lately."""
    outcome: str = "success"
    """How the last poll ended."""
    ended_at: float = 0.0
    """When it ended, Unix time; 0: there was none."""
    problem: str = ""
    """What was wrong with it."""
    recognition: Recognition = field(default_factory=Recognition)
    modules: tuple[str, ...] = ()
    """What it was asked for last."""
    answered: bool = False
    """Whether it ever gave anything."""
    labels: KeptLabels | None = None
    labels_of: Source | None = None
    """Label columns that are kept, and the source that they are of."""


@dataclass(frozen=True, slots=True)
class Options:
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
    """Polls sources and renders their pages.

    ``dropped`` counts values that were left out, by reason; ``max_known`` is how many sources it remembers, the least
    recently polled go first.
    """

    def __init__(self, catalogues: Catalogues, options: Options, *, tell: Tell | None = None) -> None:
        """``tell`` is called with each source of which it was found out what its device is, and with that."""
        self._tell = tell
        self._catalogues = catalogues
        self._planned_for = catalogues.generation
        self._options = options
        self._plans: dict[tuple[str, ...], Plan] = {}
        self._keys = KeyCache()
        self._known: OrderedDict[tuple[str, tuple[str, ...]], Known] = OrderedDict()
        self.dropped: dict[str, int] = {}
        self.max_known = 10_000

    @property
    def generation(self) -> int:
        """Another number whenever the modules are others."""
        return self._catalogues.generation

    def known(self, source: Source) -> Known:
        """What is remembered of a source; created when there is nothing yet."""
        key = source.key, source.modules
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = Known()
            while len(self._known) > self.max_known:
                self._known.popitem(last=False)
        self._known.move_to_end(key)
        return found

    def remembered(self, source: Source) -> Known | None:
        """As ``known``, but None when nothing is remembered of the source."""
        return self._known.get((source.key, source.modules))

    def plan(self, modules: tuple[str, ...]) -> Plan:
        """The plan of some modules, by the present catalogue. Raises ModuleError for an unknown one."""
        catalogue = self._catalogues.current
        if self._catalogues.generation != self._planned_for:
            self._planned_for = self._catalogues.generation
            self._plans.clear()
            for known in self._known.values():  # labels and numbers of tables belong to the plans that are gone
                known.device = DeviceState(utilization=known.device.utilization)
        plan = self._plans.get(modules)
        if plan is None:
            plan = self._plans[modules] = make_plan([catalogue.module(name) for name in modules])
        return plan

    async def collect(self, source: Source, *, deadline: float) -> tuple[Page, SnmpError | None]:
        """The page of a source, and what was wrong with it when it is not complete.

        ``deadline`` is loop time. Raises SnmpError when nothing could be read, ModuleError for an unknown module.
        """
        known = self.known(source)
        modules = await self._modules(source, known, deadline)
        plan = self.plan(modules)
        if modules != known.modules:  # labels and numbers of tables belong to the plan
            known.modules, known.device = modules, DeviceState(utilization=known.device.utilization)
        if not plan.modules:  # ``module=``: nothing is wanted, so nothing is asked
            return Page(time.monotonic(), (), {one: _body(Samples(), one) for one in known.formats}), None
        harvest = await self._harvest(source, plan, known, deadline)
        if harvest.error is not None and not harvest.scanner.varbind_count:
            raise harvest.error
        failures = list(harvest.failures.values())
        if self._options.strict:
            _insist(source, harvest)
        elif failures and not harvest.scanner.varbind_count:
            raise failures[0]
        known.answered = True
        _look(known.recognition, plan, harvest.scanner)
        return self._render(source, harvest.plan, known, harvest), harvest.error or (failures[0] if failures else None)

    def check(self, modules: tuple[str, ...]) -> None:
        """Raises ModuleError for a module that there is not."""
        self.plan(tuple(name for name in modules if name != AUTO or self._is_module(AUTO)))

    async def _modules(self, source: Source, known: Known, deadline: float) -> tuple[str, ...]:
        """What a source is asked for: its modules, with ``AUTO`` replaced by those that suit the device.

        Finds out which these are, when it is time for that. Raises SnmpError when a device that has never answered does
        not even answer to this.
        """
        if AUTO not in source.modules or self._is_module(AUTO):
            return source.modules
        recognition, now = known.recognition, time.monotonic()
        recognition.heed(source.detected, source.key, now)
        if recognition.is_due(now):
            try:
                identity = await self.identify(source, deadline=deadline)
                is_settled = recognition.took(identity, time.monotonic())
                if is_settled and self._tell is not None:
                    self._tell(source, identity)
            except SnmpError:
                recognition.failed(time.monotonic())
                if not known.answered:
                    raise
        return settled_modules(source.modules, [name for name in recognition.modules if self._is_module(name)])

    async def identify(self, source: Source, *, deadline: float) -> Identity:
        """Asks a source what it is. Raises SnmpError."""
        known = self.known(source)
        now = asyncio.get_running_loop().time()
        session = self._session(source, self.plan(FALLBACK), known, now + (deadline - now) * RECOGNITION_SHARE)
        try:
            async with session:
                identity = await identify(session, limits=known.limits)
        except AuthenticationError:
            known.engine = EngineState()
            raise
        is_news = known.recognition.modules not in ((), identity.match.names)
        level = logging.INFO if is_news else logging.DEBUG
        log.log(level, "%s (%s) is %s", source.name, source.endpoint, _told(identity))
        return identity

    def _is_module(self, name: str) -> bool:
        return name in self._catalogues.current.modules

    async def _harvest(self, source: Source, plan: Plan, known: Known, deadline: float) -> Harvest:
        harvest = Harvest(ber.Scanner(list(plan.columns)), time.monotonic(), plan)
        began = time.perf_counter()
        session = self._session(source, plan, known, deadline)
        version, labels = source.credentials.version, self._labels(source, known)
        try:
            async with session:
                asking = Asking(session, harvest, version, known.limits)
                if plan.filters:
                    await asking.filters()
                if labels is None or not plan.labels:
                    await asking.everything()
                else:
                    await asking.sparingly(labels, partial(self._rendered, plan, harvest.scanner, known))
        except SnmpError as error:
            harvest.error = error
            if isinstance(error, AuthenticationError):
                known.engine = EngineState()  # whatever was believed of it, the next poll asks anew
        harvest.seconds = time.perf_counter() - began
        return harvest

    def _labels(self, source: Source, known: Known) -> KeptLabels | None:
        """What is kept of a source's labels; None when they are to be read at every poll.

        That is so for what only scrapes ask for: nobody knows when the next one comes.
        """
        options = self._options
        if not source.managed or options.label_refresh < 2:
            return None
        if known.labels is None or known.labels_of != source:
            known.labels_of = source
            known.labels = KeptLabels(every=options.label_refresh, seconds=options.label_age)
        return known.labels

    def _session(self, source: Source, plan: Plan, known: Known, deadline: float) -> Session:
        modules = [one.module for one in plan.modules]
        return Session(
            source.endpoint,
            self._security(source, known),
            timeout=max(one.timeout for one in modules) if source.timeout is None else source.timeout,
            retries=max(one.retries for one in modules) if source.retries is None else source.retries,
            deadline=deadline,
            connected=not any(one.use_unconnected_udp_socket for one in modules),
            source=self._options.source_address,
        )

    def _security(self, source: Source, known: Known) -> SecurityModel:
        credentials = source.credentials
        if isinstance(credentials, User):
            return UsmModel(credentials, engine=known.engine, keys=self._keys)
        return CommunityModel(credentials)

    # ---------------------------------------------------------------------------------------------- rendering

    def _rendered(self, plan: Plan, scanner: ber.Scanner, known: Known, kept: Mapping[int, bytes]) -> Renderer:
        options = self._options
        renderer = Renderer(plan, scanner, known.device, wrap=options.wrap, zeros=options.zeros, kept=kept)
        for one in plan.modules:
            renderer.module(one.metrics)
        return renderer

    def _render(self, source: Source, plan: Plan, known: Known, harvest: Harvest) -> Page:
        began = time.perf_counter()
        renderer = harvest.renderer or self._rendered(plan, harvest.scanner, known, harvest.kept)
        page, own = renderer.page, self._options.own_metrics
        if self._options.utilization:
            add_utilization(renderer, plan, known.device.utilization, at=harvest.started, shown=own)
        page.deduplicate()
        if self._options.strict:
            _insist_on_one(source, page)
        _add_scrape_metrics(page, plan, harvest, time.perf_counter() - began, own=own)
        for reason, count in page.dropped.items():
            self.dropped[reason] = self.dropped.get(reason, 0) + count
        if known.asked:
            known.formats, known.asked = known.asked, set()
        bodies = {one: _body(page, one) for one in known.formats}
        return Page(harvest.started, known.modules, bodies)


def _told(identity: Identity) -> str:
    match = identity.match
    kind = " ".join(filter(None, (match.vendor, match.model))) or f"of an unknown kind ({identity.sys_object_id})"
    return f"{kind}: {', '.join(match.names)}" + (f" (not all was told: {identity.problem})" * bool(identity.problem))


def _look(recognition: Recognition, plan: Plan, scanner: ber.Scanner) -> None:
    """Shows a recognition what a poll brought of the system group, if anything."""
    descr, object_id, up_time = (
        scanner.column(column.at) if (column := plan.by_oid.get(name)) and not column.part else b""
        for name in (_SYS_DESCR, _SYS_OBJECT_ID, _SYS_UP_TIME)
    )
    recognition.saw((descr, object_id), up_time)


def _body(page: Samples, wanted: Format) -> bytes:
    return page.render(as_openmetrics=wanted is Format.OPENMETRICS)


def _insist(source: Source, harvest: Harvest) -> None:
    """Raises StrictFailure for what fails a scrape of snmp_exporter: all but an error-status that ends a walk, and OIDs
    that do not increase."""
    walks = [one for at, one in harvest.failures.items() if at not in harvest.plan.gets]
    forgiven = {id(one) for one in walks if isinstance(one, ErrorStatus | OutOfOrder)}
    for problem in (harvest.error, *harvest.failures.values()):
        if problem is not None and id(problem) not in forgiven:
            raise StrictFailure(f"not all was read: {problem.message}", target=str(source.endpoint), oid=problem.oid)


def _insist_on_one(source: Source, page: Samples) -> None:
    """Raises StrictFailure when a series stands on the page twice, or a family with several types or helps."""
    target, twice, names = str(source.endpoint), page.dropped.get("duplicate", 0), ", ".join(sorted(page.conflicts))
    if twice:
        raise StrictFailure(f"{twice} samples have name and labels of another one", target=target)
    if names:
        raise StrictFailure(f"metrics of one name have several types or help texts: {names}", target=target)


def _add_scrape_metrics(page: Samples, plan: Plan, harvest: Harvest, rendering: float, *, own: bool) -> None:
    """What is known of the poll itself, per module: what it cost, and with ``own`` whether it was whole."""
    rows: dict[str, list[tuple[dict[str, str], float]]] = {name: [] for name in _SCRAPE_METRICS}
    for one in plan.modules:
        labels = {"module": one.module.name}
        cost = _cost(one, harvest)
        complete = _complete(one, harvest)
        seconds = cost.seconds + harvest.rendering + rendering
        figures = (complete, cost.seconds, cost.sent, cost.retried, cost.varbinds, seconds)
        for name, number in zip(rows, figures, strict=True):
            rows[name].append((labels, float(number)))
    for name, samples in rows.items():
        if own or not name.startswith(_OWN_PREFIX):
            page.add(name, "gauge", _SCRAPE_METRICS[name], samples)
    if not own:
        return
    taken = time.time() - harvest.seconds - rendering
    page.add("promsnmp_collected_timestamp_seconds", "gauge", _COLLECTED, [({}, round(taken, 3))])
    if page.dropped:
        dropped = [({"reason": reason}, float(count)) for reason, count in sorted(page.dropped.items())]
        page.add("promsnmp_page_dropped_values", "gauge", _DROPPED, dropped)


def _cost(one: ModulePlan, harvest: Harvest) -> Cost:
    total = Cost()
    roots = dict.fromkeys((*one.roots, *(oid.encode(each.oid) for each in one.module.filters)))
    costs: Sequence[Cost] = [harvest.costs[root] for root in roots if root in harvest.costs]
    for cost in (*costs, harvest.gets_cost) if one.gets else costs:
        total = total + cost
    return total


def _complete(one: ModulePlan, harvest: Harvest) -> bool:
    if any(root not in harvest.finished for root in one.roots):
        return False
    return not (one.gets and harvest.gets_failed and not all(_walked(get, harvest) for get in one.gets))


def _walked(get: bytes, harvest: Harvest) -> bool:
    return any(get.startswith(root) for root in harvest.finished)


_OWN_PREFIX = "promsnmp_"
_SCRAPE_METRICS = {
    "promsnmp_module_up": "Whether all that the module asks for was read (1) or some of it is missing (0).",
    "snmp_scrape_walk_duration_seconds": "Seconds spent on asking the device for what the module wants.",
    "snmp_scrape_packets_sent": "SNMP packets sent for the module, retransmissions included.",
    "snmp_scrape_packets_retried": "SNMP packets sent again for the module because no answer came in time.",
    "snmp_scrape_pdus_returned": "Variable bindings that the device returned for the module.",
    "snmp_scrape_duration_seconds": "Seconds spent on the module, making the page included.",
}
OWN_NAMES = frozenset((*_SCRAPE_METRICS, "promsnmp_collected_timestamp_seconds"))
"""Families that every page has: samples that a module makes under one of these names are left out."""
_COLLECTED = "When the device was polled for this page, in Unix seconds; time() minus this is the age of the data."
_DROPPED = "Values that the device returned but that are not on this page, by reason."
