"""Collects a target: decides on the modules, polls the device for them, and renders the page."""

from __future__ import annotations

import time
from collections.abc import Callable
from operator import itemgetter

from cachetools import LRUCache

from promsnmp.errors import AuthenticationError, MemoryShort, SnmpError, TooMuchData
from promsnmp.exposition.plan import Plan
from promsnmp.exposition.renderer import Renderer
from promsnmp.inventory.model import NO_OVERRIDES, PollOverrides
from promsnmp.inventory.modules import AUTO, HEALTH
from promsnmp.modules.catalogue import CatalogueStore
from promsnmp.modules.model import Module
from promsnmp.observe.exporter_counts import ExporterCounts
from promsnmp.observe.memory_guard import MemoryGuard
from promsnmp.polling.detection.detector import Detector, OnDetected, observe_system_group
from promsnmp.polling.detection.identify import DeviceIdentity
from promsnmp.polling.detection.identity_watch import CheckIdentity, IdentityWatch, OnIdentity
from promsnmp.polling.device_state import DeviceState, DeviceStates
from promsnmp.polling.health.health_detection import HealthDetection
from promsnmp.polling.health.health_plan import EMPTY_PLAN, HealthPlans
from promsnmp.polling.health.health_run import HealthResult, HealthRun
from promsnmp.polling.history.rate_history import RateHistories
from promsnmp.polling.label_cache import LabelCache
from promsnmp.polling.options import CollectorOptions
from promsnmp.polling.overrides import overrides_of_plan, plan_with
from promsnmp.polling.pages.page import RenderedPage
from promsnmp.polling.poll import PollObserver, PollResult, PollRun, SessionFactory, check_result
from promsnmp.polling.render import PageFamilies, PageRenderer, empty_page, no_families
from promsnmp.polling.target import Target
from promsnmp.snmp.operations.budget import ReadBudget
from promsnmp.support.steps import StepRunner, Steps, run_steps

MAX_PLANS = 16 * 1024 * 1024
PLAN_OCTETS = 1024
"""Bytes of memory for plans, and bytes of a plan for each of its metrics, about. Many more plans would also make the
garbage collector's pauses long: a plan has ten objects for each metric."""
RENDERING_FACTOR = 7
"""Bytes that rendering needs for each octet that was read, about."""
FEW_MODULES = 4
"""Modules whose plan is made on the event loop: within a few milliseconds."""

_PlanKey = tuple[tuple[str, ...], PollOverrides, tuple[str, ...]]
"""Names of modules, the overrides that plans depend on, and names of health definitions."""


class Collector:
    """Collects targets; ``states`` is what it remembers of their devices between polls, and ``rate_histories``
    the rates of their interfaces in the last hour."""

    def __init__(
        self,
        catalogue_store: CatalogueStore,
        options: CollectorOptions,
        *,
        on_detected: OnDetected | None = None,
        check_identity: CheckIdentity | None = None,
        on_identity: OnIdentity | None = None,
        counts: ExporterCounts | None = None,
        observes: Callable[[str], bool] = lambda _: True,
        memory: MemoryGuard | None = None,
        page_families: PageFamilies = no_families,
    ) -> None:
        """``on_detected`` is called with each target whose device was detected, and with the result; ``on_identity``
        with each whose identity ``check_identity`` has checked. ``counts`` gets packets and collections; ``observes``
        and ``page_families`` are as for ``PageRenderer``; ``memory`` bounds what polls take."""
        self._catalogue_store = catalogue_store
        self._options = options
        self._memory = memory or MemoryGuard(0)
        self._plans: LRUCache[_PlanKey, tuple[int, Plan]] = LRUCache(MAX_PLANS, getsizeof=itemgetter(0))
        self._plans_generation = catalogue_store.generation
        self._counts = ExporterCounts() if counts is None else counts
        self._sessions = SessionFactory(
            source_address=options.source_address, counts=self._counts, limit=options.deadline_setting
        )
        self._detector = Detector(catalogue_store, self._sessions, on_detected=on_detected)
        self._identity_watch = IdentityWatch(self._sessions, check_identity, on_identity=on_identity)
        self._health_plans = HealthPlans()
        self._renderer = PageRenderer(options, self._counts, observes=observes, page_families=page_families)
        self.step_runner = StepRunner()
        self.states = DeviceStates()
        self.rate_histories = RateHistories(options.history_octets)

    @property
    def generation(self) -> int:
        """A number that changes whenever the modules change."""
        return self._catalogue_store.generation

    @property
    def dropped(self) -> dict[str, int]:
        """How many values were left out of pages, by reason."""
        return self._renderer.dropped

    async def collect(
        self, target: Target, *, deadline: float, observer: PollObserver | None = None
    ) -> tuple[RenderedPage, SnmpError | None]:
        """The page of a target, and what was wrong with it when it is not complete.

        ``deadline`` is loop time; ``observer`` sees the poll, but not the detection before it. Raises SnmpError when
        nothing could be read, StrictFailure when the page would not be strict, ModuleError for an unknown module.
        """
        state = self.states.of(target)
        state.use_overrides(target.overrides)
        modules = await self._detector.resolve_modules(target, state, deadline=deadline)
        has_health = self._has_health(target, modules)
        modules = tuple(name for name in modules if not (has_health and name == HEALTH))
        plan = await self._plan(modules, target.overrides, state.health.names if has_health else ())
        state.use_modules(modules)
        if not plan.modules and not has_health:  # ``module=``: no modules, so there is nothing to ask for
            return empty_page(state.formats), None
        result = await self._poll(target, plan, state, deadline, observer, has_health=has_health)
        try:
            problem = check_result(result, target, strict=self._options.strict)
        except SnmpError:
            for name in modules:
                self._counts.record_collection(name, result.seconds)
            raise
        state.has_answered = True
        observe_system_group(state.detection, plan, result.scanner)
        await self._identity_watch.after_poll(target, state, result, deadline=deadline)
        is_small = result.is_small
        if not is_small:
            await self._require_memory(result)
        release = observer is None and not is_small
        steps = self._renderer.page(target, state, result, state.next_formats(), release=release)
        rendering = await self.step_runner.run(steps, is_small=is_small)
        self._renderer.count(rendering.dropped)
        state.samples = rendering.samples
        state.summary = rendering.summary
        if target.managed and target.owned:
            self.rate_histories.note(target.key, state.render_state.utilization.current_series(), result.started)
        self.states.record_size(target, result.octets + state.health.octets)
        if not is_small:
            await self._free_memory(state, result)
        health_problem = None if result.health is None else result.health.problem
        return rendering.page, problem or rendering.problem or health_problem

    async def identify(self, target: Target, *, deadline: float) -> DeviceIdentity:
        """Asks a target what it is. Raises SnmpError."""
        return await self._detector.identify(target, self.states.of(target), deadline=deadline)

    def check(self, modules: tuple[str, ...]) -> None:
        """Raises ModuleError for a module that does not exist."""
        is_auto, has_health = self._detector.is_auto(modules), not self._detector.has_module(HEALTH)
        self.plan(tuple(one for one in modules if not (is_auto and one == AUTO) and not (has_health and one == HEALTH)))

    def plan(self, modules: tuple[str, ...], overrides: PollOverrides = NO_OVERRIDES) -> Plan:
        """The plan of some modules, by the present catalogue. Raises ModuleError for an unknown one."""
        key = modules, overrides_of_plan(overrides), ()
        return self._known_plan(key) or run_steps(self._make_plan(key))

    def known_plan(self, target: Target) -> Plan | None:
        """The plan of the last poll of a target; None when it is not known any more."""
        state = self.states.find(target)
        if state is None:
            return None
        has_health = target.health and not self._detector.has_module(HEALTH)
        names = state.health.names if has_health else ()
        return self._known_plan((state.modules, overrides_of_plan(target.overrides), names))

    async def _plan(self, modules: tuple[str, ...], overrides: PollOverrides, definitions: tuple[str, ...]) -> Plan:
        """As ``plan``, with the columns that health definitions need of the walks; a large one is made in a thread."""
        key = modules, overrides_of_plan(overrides), definitions
        plan = self._known_plan(key)
        if plan is None:
            plan = await self.step_runner.run(self._make_plan(key), is_small=len(modules) <= FEW_MODULES)
        return plan

    def _known_plan(self, key: _PlanKey) -> Plan | None:
        if self._catalogue_store.generation != self._plans_generation:
            self._plans_generation = self._catalogue_store.generation
            self._plans.clear()
            self.states.reset_rendering()
        known = self._plans.get(key)
        return None if known is None else known[1]

    def _make_plan(self, key: _PlanKey) -> Steps[Plan]:
        generation, catalogue = self._catalogue_store.generation, self._catalogue_store.current
        modules, overrides, definitions = key
        columns = self._health_plans.of(definitions, catalogue.health).columns.values if definitions else ()
        plan = plan_with([catalogue.module(name) for name in modules], overrides, columns)
        yield
        if generation == self._plans_generation:
            self._plans[key] = PLAN_OCTETS * (1 + sum(len(one.metrics) for one in plan.modules)), plan
        return plan

    async def _poll(
        self,
        target: Target,
        plan: Plan,
        state: DeviceState,
        deadline: float,
        observer: PollObserver | None,
        *,
        has_health: bool,
    ) -> PollResult:
        result = PollResult.begin(plan, state.render_state)
        began = time.perf_counter()
        modules = [one.module for one in plan.modules] or [Module(HEALTH)]
        session = self._sessions.create(
            target, modules, state.engine, deadline=deadline, limits=state.limits, observer=observer
        )
        budget = ReadBudget(self._options.limits, is_memory_short=self._memory.is_critical)
        wants_host_uptime = self._options.start_times and state.start.has_host_uptime is not False
        run = PollRun(
            session, result, target.credentials.version, state.limits, budget, self.step_runner, wants_host_uptime
        )
        try:
            async with session:
                await run.read(self._label_cache(target, state), self._render_modules)
                if has_health:
                    result.health = await self._read_health(target, state, run)
        except SnmpError as error:
            result.error = error
            if isinstance(error, AuthenticationError):
                state.forget_unproven_engine()
            if has_health:
                state.health.is_stale = True  # it may come back with other rows
                result.health = HealthResult(EMPTY_PLAN, state.health, problem=error)
        result.seconds = time.perf_counter() - began
        if observer is not None:
            observer.on_poll_end(result, session.traffic)
        return result

    def _has_health(self, target: Target, modules: tuple[str, ...]) -> bool:
        """Whether the page of a target has the device's health. A module of a file that is named ``health`` is an
        ordinary one."""
        return (target.health or HEALTH in modules) and not self._detector.has_module(HEALTH)

    async def _read_health(self, target: Target, state: DeviceState, run: PollRun) -> HealthResult:
        """Reads what the health definitions need, over the session of the poll."""
        detection = HealthDetection(
            run.session,
            state.health,
            self._catalogue_store.current.health,
            self._catalogue_store.generation,
            self._health_plans,
            run.limits,
            run.step_runner,
        )
        health_run = HealthRun(detection, run.version, run.budget)
        every = self._options.label_refresh if target.managed else 1
        return await health_run.read(run.result.plan, run.result.scanner, every=every)

    async def _require_memory(self, result: PollResult) -> None:
        """Raises MemoryShort when rendering what was read would exceed the memory limit."""
        if not await self._memory.admits(RENDERING_FACTOR * result.octets):
            raise MemoryShort("the page is not rendered: it needs more memory than MEMORY_LIMIT leaves")

    async def _free_memory(self, state: DeviceState, result: PollResult) -> None:
        """After a large poll: a device that returned more than it may is not worth remembering."""
        if any(isinstance(error, TooMuchData | MemoryShort) for error in result.failures.values()):
            await self.step_runner.run(state.forget_rows(), is_small=False)
        self._memory.release_soon()

    async def _render_modules(self, result: PollResult) -> Renderer:
        is_small = result.is_small
        if not is_small:
            await self._require_memory(result)
        return await self.step_runner.run(self._renderer.render_modules(result), is_small=is_small)

    def _label_cache(self, target: Target, state: DeviceState) -> LabelCache | None:
        """The label cache of a target; None when labels are read at every poll.

        That is so for targets that only scrapes ask for: nobody knows when the next scrape comes.
        """
        options = self._options
        if not target.managed or options.label_refresh < 2:
            return None
        age = options.label_refresh * target.overrides.interval / 1000 or options.label_age
        return state.labels(target, every=options.label_refresh, seconds=age)
