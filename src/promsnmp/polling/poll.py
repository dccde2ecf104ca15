"""Polls a device once: creates the session, walks filters, then what the plan asks for, and labels only when due."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, Self

from promsnmp.errors import ErrorStatus, SnmpError, StrictFailure
from promsnmp.exposition import filters
from promsnmp.exposition.partial_plan import merged_plan, plan_for_columns
from promsnmp.exposition.plan import Plan, filtered_plan
from promsnmp.exposition.renderer import Renderer, RenderState
from promsnmp.modules.model import Module
from promsnmp.observe.exporter_counts import ExporterCounts
from promsnmp.polling.health.health_run import HealthResult
from promsnmp.polling.label_cache import LabelCache
from promsnmp.polling.overrides import is_unconnected
from promsnmp.polling.target import Target
from promsnmp.snmp import ber, oid
from promsnmp.snmp.credentials import User, Version
from promsnmp.snmp.operations.base import AgentLimits, Cost
from promsnmp.snmp.operations.budget import ReadBudget
from promsnmp.snmp.operations.get import GetOperation
from promsnmp.snmp.operations.walk import Subtree, WalkOperation
from promsnmp.snmp.security import CommunityModel, SecurityModel
from promsnmp.snmp.session import Session
from promsnmp.snmp.traffic import SessionObserver, Traffic
from promsnmp.snmp.v3.engine import EngineState
from promsnmp.snmp.v3.keys import KeyCache
from promsnmp.snmp.v3.usm import UsmModel
from promsnmp.support.steps import StepRunner, Steps

Render = Callable[["PollResult"], Awaitable[Renderer]]
"""Renders the modules."""
HR_SYSTEM_UPTIME = oid.encode("1.3.6.1.2.1.25.1.1.0")
"""How long the host is up (RFC 2790 section 4.2), which may be longer than its agent is (sysUpTime)."""
SMALL = 256 * 1024
"""Octets of varbinds up to which a poll is processed on the event loop: no step then takes longer than some 20 ms."""


@dataclass(slots=True)
class PollResult:
    """What a poll read, what failed, and what each part cost."""

    scanner: ber.Scanner
    started: float
    render_state: RenderState
    """What the device's state keeps of earlier pages, as of the beginning of the poll: it belongs to the plan."""
    plan: Plan
    """What was asked for: the target's plan after its filters, without the labels that are cached."""
    seconds: float = 0.0
    finished: set[bytes] = field(default_factory=set)
    failures: dict[bytes, SnmpError] = field(default_factory=dict)
    costs: dict[bytes, Cost] = field(default_factory=dict)
    gets_cost: Cost = field(default_factory=Cost)
    gets_failed: bool = True
    error: SnmpError | None = None
    """What ended the session early."""
    cached_columns: dict[int, bytes] = field(default_factory=dict)
    """Columns of the plan that this poll did not read, with the content from when they were read last."""
    renderer: Renderer | None = None
    """A renderer that has all modules already."""
    render_seconds: float = 0.0
    """Seconds that this rendering took."""
    health: HealthResult | None = None
    """What was read for health; None when it was not asked for."""
    host_ticks: int | None = None
    """hrSystemUptime in hundredths of a second, where it was asked for and is there."""
    asked_host_uptime: bool = False
    """Whether the device answered a request for it."""

    @classmethod
    def begin(cls, plan: Plan, render_state: RenderState) -> Self:
        """The empty result of a poll that begins now."""
        return cls(ber.Scanner(list(plan.columns)), time.monotonic(), render_state, plan)

    @property
    def octets(self) -> int:
        """Octets of memory of what the poll has read, and of the columns that it reuses."""
        own = self.scanner.kept_octets + sum(map(len, self.cached_columns.values()))
        return own + (self.health.octets if self.health is not None else 0)

    @property
    def is_small(self) -> bool:
        """Whether it can be processed on the event loop."""
        return self.octets <= SMALL


class PollObserver(SessionObserver, Protocol):
    """Sees a poll: each request and response, and the result at the end."""

    def on_poll_end(self, result: PollResult, traffic: Traffic) -> None:
        """The poll is over, whole or not."""


class SessionFactory:
    """Creates sessions with targets; ``source_address``, ``counts``, ``limit``: as for ``Session``. Localised v3 keys
    are kept."""

    def __init__(self, *, source_address: str = "", counts: ExporterCounts | None = None, limit: str = "") -> None:
        self._source_address = source_address
        self._limit = limit
        self._counts = counts
        self._keys = KeyCache()

    def create(
        self,
        target: Target,
        modules: Sequence[Module],
        engine: EngineState,
        *,
        deadline: float,
        share: str = "",
        limits: AgentLimits | None = None,
        observer: SessionObserver | None = None,
    ) -> Session:
        """A session with ``target``, not open yet. Timeout and retries are the target's, or else the modules'.

        ``share`` says which part of the poll's time ``deadline`` is, for errors; empty: all of it. ``limits`` are what
        is known of the agent, and are updated.
        """
        if limits is not None:
            limits.use_for((target.endpoint, target.credentials))
        return Session(
            target.endpoint,
            self._security(target, engine),
            timeout=max(one.timeout for one in modules) if target.timeout is None else target.timeout,
            retries=max(one.retries for one in modules) if target.retries is None else target.retries,
            deadline=deadline,
            limit=f"{share} {self._limit or 'the whole'}" if share else self._limit,
            connected=not is_unconnected(modules, target),
            source=self._source_address,
            limits=limits,
            observer=observer,
            counts=self._counts,
        )

    def _security(self, target: Target, engine: EngineState) -> SecurityModel:
        credentials = target.credentials
        if isinstance(credentials, User):
            return UsmModel(credentials, engine=engine, keys=self._keys)
        return CommunityModel(credentials)


@dataclass(frozen=True, slots=True)
class PollRun:
    """The requests of one poll: over ``session``, into ``result``, no more than ``budget`` allows."""

    session: Session
    result: PollResult
    version: Version
    limits: AgentLimits
    budget: ReadBudget
    step_runner: StepRunner
    wants_host_uptime: bool = False
    """Whether hrSystemUptime is read, too, if that takes no more packets."""

    async def read(self, label_cache: LabelCache | None, render: Render) -> None:
        """Reads what the plan asks for. Raises SnmpError when the session ends early.

        With a label cache, columns that serve only as labels are read only when they have to be; ``render`` is then
        called to see whether the rows are the same as at the last poll.
        """
        if self.result.plan.filters:
            await self._apply_filters()
        if label_cache is None or not self.result.plan.label_columns:
            await self._walk(self.result.plan.subtrees)
            await self._get(self.result.plan.gets)
            return
        try:
            await self._read_with_label_cache(label_cache, render)
        except SnmpError:
            await self._drop_unverified(label_cache)
            label_cache.forget()
            raise

    async def _drop_unverified(self, label_cache: LabelCache) -> None:
        """Leaves out of an interrupted poll the cached labels that it could not compare with the device's names."""
        result = self.result
        steps = label_cache.unverified(result.plan, result.scanner.column, result.cached_columns)
        for at in await self.step_runner.run(steps, is_small=result.is_small):
            result.renderer = None
            del result.cached_columns[at]

    async def _apply_filters(self) -> None:
        """Walks the columns that the modules' filters look at, and reduces the plan to the rows that they let through.

        A filter whose column cannot be walked lets everything through. A subtree of the plan that a filter walked is
        not walked a second time.
        """
        result = self.result
        columns: dict[bytes, bytes] = {}
        for tree in result.plan.filters:
            scanner = ber.Scanner([tree.root])
            walks = self._walks([tree], scanner)
            await self.session.run(walks)
            result.costs |= walks.costs
            result.failures |= walks.failures
            if tree.root in walks.finished:
                columns[tree.root] = scanner.column(0)
            self.budget.spend(scanner.varbind_count, scanner.kept_octets)
        is_small = sum(map(len, columns.values())) <= SMALL // 16  # each row costs some 20 microseconds
        plan = await self.step_runner.run(_filtered(result.plan, columns), is_small=is_small)
        for tree in plan.subtrees:
            if tree.root in columns:
                result.scanner.feed(columns[tree.root], 0, len(columns[tree.root]), False)
                result.finished.add(tree.root)
        result.plan = replace(plan, subtrees=tuple(one for one in plan.subtrees if one.root not in columns))

    async def _read_with_label_cache(self, label_cache: LabelCache, render: Render) -> None:
        result, plan, now = self.result, self.result.plan, self.result.started
        batch_size = 1 if self.version is Version.V1 else self.limits.batch_size
        objects = self.limits.objects_of(plan.batch_size)
        indicators = label_cache.indicators(plan, batch_size=batch_size, objects=objects)
        values = await self._get(plan.gets, indicators)
        part = label_cache.begin(
            plan, values={one: values[one] for one in indicators if one in values}, now=now, batch_size=batch_size
        )
        result.plan = part.plan
        result.cached_columns = label_cache.octets(part.omitted)
        await self._walk(part.plan.subtrees)
        renderer = await self._rendered(render)
        stale_columns = label_cache.columns_to_reread(plan, renderer, part.omitted)
        if stale_columns:
            result.renderer, rest = None, plan_for_columns(plan, stale_columns)
            result.plan = merged_plan(part.plan, rest)
            for at in stale_columns:
                del result.cached_columns[at]
                result.scanner.take(at)  # forgets the part that its neighbours' walk returned
            await self._walk(rest.subtrees)
            renderer = await self._rendered(render)
        complete = not result.failures and not result.gets_failed
        end = label_cache.end(plan, renderer, without=frozenset(result.cached_columns), complete=complete, now=now)
        await self.step_runner.run(end, is_small=result.is_small)

    async def _rendered(self, render: Render) -> Renderer:
        began = time.perf_counter()
        self.result.renderer = renderer = await render(self.result)
        self.result.render_seconds += time.perf_counter() - began
        return renderer

    def _walks(self, trees: Sequence[Subtree], scanner: ber.Scanner) -> WalkOperation:
        return WalkOperation(
            trees, scanner, version=self.version, limits=self.limits, meter=self.session.meter, budget=self.budget
        )

    async def _walk(self, trees: Sequence[Subtree]) -> None:
        result = self.result
        walks = self._walks(trees, result.scanner)
        try:
            await self.session.run(walks)
        finally:
            result.finished |= walks.finished
            result.costs |= walks.costs
            result.failures |= walks.failures

    async def _get(self, names: Sequence[bytes], indicators: Sequence[bytes] = ()) -> dict[bytes, int]:
        """Gets objects, and with the same requests the ``indicators``; returns the numbers among those."""
        result, wanted = self.result, frozenset(names)
        more = (HR_SYSTEM_UPTIME,) if self.wants_host_uptime and self.version is not Version.V1 else ()
        gets = GetOperation(
            tuple(dict.fromkeys((*names, *indicators, *more))),
            result.scanner,
            columns_of=wanted,
            limits=self.limits,
            batch_size=result.plan.batch_size,
            meter=self.session.meter,
            budget=self.budget,
        )
        try:
            if names or indicators:
                await self.session.run(gets)
        finally:
            failures = {name: error for name, error in gets.failures.items() if name in wanted}
            result.failures |= failures
            result.gets_cost, result.gets_failed = gets.cost, bool(failures) or not gets.complete
        values = {one.oid: ber.integer_value(one.tag, one.value) for one in gets.varbinds}
        result.asked_host_uptime = bool(more) and gets.complete and HR_SYSTEM_UPTIME not in gets.failures
        result.host_ticks = values.get(HR_SYSTEM_UPTIME)
        return {name: number for name in indicators if (number := values.get(name)) is not None}


def _filtered(plan: Plan, columns: Mapping[bytes, bytes]) -> Steps[Plan]:
    """``plan`` after its filters, given what was read of their columns."""
    remaining = []
    for one in plan.modules:
        remaining.append(filters.filtered_oids(one.module, columns, encoding=plan.text_encoding))
        yield
    return filtered_plan(plan, remaining)


def check_result(result: PollResult, target: Target, *, strict: bool) -> SnmpError | None:
    """What was wrong with a poll that read something; None: nothing.

    Raises SnmpError when it read nothing, and with ``strict`` StrictFailure when something is missing.
    """
    failures = list(result.failures.values())
    if result.error is not None and not result.scanner.varbind_count:
        raise result.error
    if (
        not result.plan.modules
        and result.health is not None
        and result.health.problem
        and not result.health.cost.varbinds
    ):
        raise result.health.problem
    if strict:
        _require_complete(result, target)
    elif failures and not result.scanner.varbind_count:
        raise failures[0]
    return result.error or (failures[0] if failures else None)


def _require_complete(result: PollResult, target: Target) -> None:
    """Raises StrictFailure for what makes a scrape of snmp_exporter fail: everything except an error-status that ends
    a walk."""
    gets = frozenset(result.plan.gets)
    walks = [one for at, one in result.failures.items() if at not in gets]
    tolerated = {id(one) for one in walks if isinstance(one, ErrorStatus)}
    health = result.health.problem if result.health is not None else None
    if isinstance(health, ErrorStatus):
        tolerated.add(id(health))
    for problem in (result.error, *result.failures.values(), health):
        if problem is not None and id(problem) not in tolerated:
            raise StrictFailure(f"incomplete poll: {problem.message}", target=str(target.endpoint), oid=problem.oid)
