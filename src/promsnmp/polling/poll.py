"""One session's asking: filters first, then what the plan wants, and of labels only what has to be read again."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from promsnmp.errors import SnmpError
from promsnmp.exposition import filters
from promsnmp.exposition.partial_plan import joined, only
from promsnmp.exposition.plan import Plan, narrowed
from promsnmp.exposition.samples import Renderer
from promsnmp.polling.label_cache import KeptLabels
from promsnmp.snmp import ber
from promsnmp.snmp.credentials import Version
from promsnmp.snmp.operations.walk import AgentLimits, Cost, Gets, Subtree, Walks, feed
from promsnmp.snmp.session import Session

Render = Callable[[Mapping[int, bytes]], Renderer]
"""Renders the modules, with columns that were read earlier."""


@dataclass(slots=True)
class Harvest:
    """All that one session brought."""

    scanner: ber.Scanner
    started: float
    plan: Plan
    """What was asked for: the source's plan as its filters left it, without labels that were kept."""
    seconds: float = 0.0
    finished: set[bytes] = field(default_factory=set)
    failures: dict[bytes, SnmpError] = field(default_factory=dict)
    costs: dict[bytes, Cost] = field(default_factory=dict)
    gets_cost: Cost = field(default_factory=Cost)
    gets_failed: bool = True
    error: SnmpError | None = None
    """What ended the session early."""
    kept: dict[int, bytes] = field(default_factory=dict)
    """Columns of the plan that were not read, and what they held when they were read last."""
    renderer: Renderer | None = None
    """One that has all modules already."""
    rendering: float = 0.0
    """Seconds that this took."""


@dataclass(frozen=True, slots=True)
class Asking:
    """A session with an agent, and where what it brings is put."""

    session: Session
    harvest: Harvest
    version: Version
    limits: AgentLimits

    async def everything(self) -> None:
        """Walks and gets what the plan asks for."""
        await self._walk(self.harvest.plan.subtrees)
        await self._get(self.harvest.plan.gets)

    async def filters(self) -> None:
        """Walks what the modules' filters look at, and leaves in the plan what they let through.

        A filter that cannot be walked lets everything through. What is walked anyway is not walked a second time.
        """
        harvest = self.harvest
        columns: dict[bytes, bytes] = {}
        for tree in harvest.plan.filters:
            scanner = ber.Scanner([tree.root])
            walks = self._walks([tree], scanner)
            await self.session.run(walks)
            harvest.costs |= walks.costs
            harvest.failures |= walks.failures
            if tree.root in walks.finished:
                columns[tree.root] = scanner.column(0)
        modules = [one.module for one in harvest.plan.modules]
        plan = narrowed(harvest.plan, [filters.settle(one, columns) for one in modules])
        for tree in plan.subtrees:
            if tree.root in columns:
                harvest.scanner.feed(columns[tree.root], 0, len(columns[tree.root]), False)
                harvest.finished.add(tree.root)
        harvest.plan = replace(plan, subtrees=tuple(one for one in plan.subtrees if one.root not in columns))

    async def sparingly(self, labels: KeptLabels, render: Render) -> None:
        """As ``everything``, but without the label columns that need not be read again.

        ``render`` renders what came, which tells whether the rows are those of the last poll.
        """
        try:
            await self._sparingly(labels, render)
        except SnmpError:
            labels.forget()
            raise

    async def _sparingly(self, labels: KeptLabels, render: Render) -> None:
        harvest, plan, now = self.harvest, self.harvest.plan, self.harvest.started
        at_once = 1 if self.version is Version.V1 else self.limits.max_repetitions
        marks = labels.marks(plan, at_once=at_once)
        came = await self._get(plan.gets, marks)
        part = labels.begin(plan, marks={one: came[one] for one in marks if one in came}, now=now, at_once=at_once)
        harvest.plan = part.plan
        harvest.kept = labels.octets(part.without)
        await self._walk(part.plan.subtrees)
        renderer = self._rendered(render)
        late = labels.late(plan, renderer.moved(), part.without)
        if late:
            harvest.renderer, rest = None, only(plan, late)
            harvest.plan = joined(part.plan, rest)
            for at in late:
                del harvest.kept[at]
                harvest.scanner.take(at)  # what came of it with its neighbours
            await self._walk(rest.subtrees)
            renderer = self._rendered(render)
        whole = not harvest.failures and not harvest.gets_failed
        labels.end(plan, renderer, without=frozenset(harvest.kept), whole=whole, now=now)

    def _rendered(self, render: Render) -> Renderer:
        began = time.perf_counter()
        self.harvest.renderer = renderer = render(self.harvest.kept)
        self.harvest.rendering += time.perf_counter() - began
        return renderer

    def _walks(self, trees: Sequence[Subtree], scanner: ber.Scanner) -> Walks:
        return Walks(trees, scanner, version=self.version, limits=self.limits, meter=self.session.meter)

    async def _walk(self, trees: Sequence[Subtree]) -> None:
        harvest = self.harvest
        walks = self._walks(trees, harvest.scanner)
        try:
            await self.session.run(walks)
        finally:
            harvest.finished |= walks.finished
            harvest.costs |= walks.costs
            harvest.failures |= walks.failures

    async def _get(self, names: Sequence[bytes], marks: Sequence[bytes] = ()) -> dict[bytes, int]:
        """Fetches objects; of the ``marks``, which are asked for in the same breath, the numbers."""
        harvest, at_once = self.harvest, self.harvest.plan.at_once
        both = tuple(dict.fromkeys((*names, *marks)))
        gets = Gets(both, limits=self.limits, at_once=at_once, meter=self.session.meter)
        try:
            if both:
                await self.session.run(gets)
        finally:
            feed(harvest.scanner, [one for one in gets.varbinds if one.oid in names])
            failures = {name: error for name, error in gets.failures.items() if name in names}
            harvest.failures |= failures
            harvest.gets_cost, harvest.gets_failed = gets.cost, bool(failures) or not gets.complete
        numbers = {one.oid: ber.integer_value(one.tag, one.value) for one in gets.varbinds}
        return {name: number for name, number in numbers.items() if number is not None}
