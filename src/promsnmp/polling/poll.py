"""One session's asking: filters first, then what the plan wants, and of labels only what has to be read again."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from promsnmp.errors import SnmpError
from promsnmp.exposition import filters
from promsnmp.exposition.partial_plan import merged_plan, plan_for_columns
from promsnmp.exposition.plan import Plan, filtered_plan
from promsnmp.exposition.renderer import Renderer
from promsnmp.polling.label_cache import LabelCache
from promsnmp.snmp import ber
from promsnmp.snmp.credentials import Version
from promsnmp.snmp.operations.walk import AgentLimits, Cost, GetOperation, Subtree, WalkOperation, feed
from promsnmp.snmp.session import Session

Render = Callable[[Mapping[int, bytes]], Renderer]
"""Renders the modules, with columns that were read earlier."""


@dataclass(slots=True)
class PollResult:
    """All that one session brought."""

    scanner: ber.Scanner
    started: float
    plan: Plan
    """What was asked for: the target's plan as its filters left it, without labels that were kept."""
    seconds: float = 0.0
    finished: set[bytes] = field(default_factory=set)
    failures: dict[bytes, SnmpError] = field(default_factory=dict)
    costs: dict[bytes, Cost] = field(default_factory=dict)
    gets_cost: Cost = field(default_factory=Cost)
    gets_failed: bool = True
    error: SnmpError | None = None
    """What ended the session early."""
    cached_columns: dict[int, bytes] = field(default_factory=dict)
    """Columns of the plan that were not read, and what they held when they were read last."""
    renderer: Renderer | None = None
    """One that has all modules already."""
    render_seconds: float = 0.0
    """Seconds that this took."""


@dataclass(frozen=True, slots=True)
class PollRun:
    """A session with an agent, and where what it brings is put."""

    session: Session
    result: PollResult
    version: Version
    limits: AgentLimits

    async def read_all(self) -> None:
        """Walks and gets what the plan asks for."""
        await self._walk(self.result.plan.subtrees)
        await self._get(self.result.plan.gets)

    async def apply_filters(self) -> None:
        """Walks what the modules' filters look at, and leaves in the plan what they let through.

        A filter that cannot be walked lets everything through. What is walked anyway is not walked a second time.
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
        modules = [one.module for one in result.plan.modules]
        plan = filtered_plan(result.plan, [filters.filtered_oids(one, columns) for one in modules])
        for tree in plan.subtrees:
            if tree.root in columns:
                result.scanner.feed(columns[tree.root], 0, len(columns[tree.root]), False)
                result.finished.add(tree.root)
        result.plan = replace(plan, subtrees=tuple(one for one in plan.subtrees if one.root not in columns))

    async def read_without_cached_labels(self, label_cache: LabelCache, render: Render) -> None:
        """As ``read_all``, but without the label columns that need not be read again.

        ``render`` renders what came, which tells whether the rows are those of the last poll.
        """
        try:
            await self._read_without_cached_labels(label_cache, render)
        except SnmpError:
            label_cache.forget()
            raise

    async def _read_without_cached_labels(self, label_cache: LabelCache, render: Render) -> None:
        result, plan, now = self.result, self.result.plan, self.result.started
        batch_size = 1 if self.version is Version.V1 else self.limits.max_repetitions
        indicators = label_cache.indicators(plan, batch_size=batch_size)
        values = await self._get(plan.gets, indicators)
        part = label_cache.begin(
            plan, values={one: values[one] for one in indicators if one in values}, now=now, batch_size=batch_size
        )
        result.plan = part.plan
        result.cached_columns = label_cache.octets(part.omitted)
        await self._walk(part.plan.subtrees)
        renderer = self._rendered(render)
        stale_columns = label_cache.columns_to_reread(plan, renderer.changed_tables(), part.omitted)
        if stale_columns:
            result.renderer, rest = None, plan_for_columns(plan, stale_columns)
            result.plan = merged_plan(part.plan, rest)
            for at in stale_columns:
                del result.cached_columns[at]
                result.scanner.take(at)  # what came of it with its neighbours
            await self._walk(rest.subtrees)
            renderer = self._rendered(render)
        complete = not result.failures and not result.gets_failed
        label_cache.end(plan, renderer, without=frozenset(result.cached_columns), complete=complete, now=now)

    def _rendered(self, render: Render) -> Renderer:
        began = time.perf_counter()
        self.result.renderer = renderer = render(self.result.cached_columns)
        self.result.render_seconds += time.perf_counter() - began
        return renderer

    def _walks(self, trees: Sequence[Subtree], scanner: ber.Scanner) -> WalkOperation:
        return WalkOperation(trees, scanner, version=self.version, limits=self.limits, meter=self.session.meter)

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
        """Fetches objects; of the ``indicators``, which are asked for in the same breath, the numbers."""
        result, batch_size = self.result, self.result.plan.batch_size
        both = tuple(dict.fromkeys((*names, *indicators)))
        gets = GetOperation(both, limits=self.limits, batch_size=batch_size, meter=self.session.meter)
        try:
            if both:
                await self.session.run(gets)
        finally:
            feed(result.scanner, [one for one in gets.varbinds if one.oid in names])
            failures = {name: error for name, error in gets.failures.items() if name in names}
            result.failures |= failures
            result.gets_cost, result.gets_failed = gets.cost, bool(failures) or not gets.complete
        numbers = {one.oid: ber.integer_value(one.tag, one.value) for one in gets.varbinds}
        return {name: number for name, number in numbers.items() if number is not None}
