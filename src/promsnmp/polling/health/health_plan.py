"""What some health definitions ask of a device, apart from what its modules read anyway."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cachetools import LRUCache

from promsnmp.exposition.health.columns import NeededColumns, info_columns, table_columns
from promsnmp.exposition.health.rows import DefinitionPlan, plan_definition
from promsnmp.modules.health.model import Definition

MOST_PLANS = 500
"""Sets of definitions whose plans are kept: one for each kind of device."""


@dataclass(frozen=True, slots=True)
class HealthPlan:
    """The definitions of a device, those that suit it best first, and the columns that they use."""

    definitions: tuple[DefinitionPlan, ...]
    columns: NeededColumns

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the definitions."""
        return tuple(one.definition.name for one in self.definitions)


def make_health_plan(definitions: Sequence[Definition]) -> HealthPlan:
    """The plan of some definitions."""
    columns = NeededColumns(frozenset(), frozenset())
    for one in definitions:
        for table in one.tables:
            columns = columns | table_columns(table)
        for source in one.info:
            columns = columns | info_columns(source)
    return HealthPlan(tuple(map(plan_definition, definitions)), columns)


EMPTY_PLAN = HealthPlan((), NeededColumns(frozenset(), frozenset()))
"""The plan of no definitions."""


class HealthPlans:
    """The plans of sets of definitions, made once for all devices of a kind."""

    def __init__(self) -> None:
        self._plans: LRUCache[tuple[str, ...], HealthPlan] = LRUCache(MOST_PLANS)
        self._known: Mapping[str, Definition] = {}

    def of(self, names: tuple[str, ...], known: Mapping[str, Definition]) -> HealthPlan:
        """The plan of the definitions with these names; ``known`` are those of the catalogue."""
        if known is not self._known:
            self._known = known
            self._plans.clear()
        plan = self._plans.get(names)
        if plan is None:
            plan = self._plans[names] = make_health_plan([known[name] for name in names if name in known])
        return plan
