"""What some health definitions ask of a device, apart from what its modules read anyway."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cachetools import LRUCache

from promsnmp.exposition.health.columns import NeededColumns, info_columns, table_columns
from promsnmp.exposition.health.rows import DefinitionPlan, plan_definition
from promsnmp.modules.health.model import Definition

SYS_DESCR = "1.3.6.1.2.1.1.1"
MOST_PLANS = 500
"""Sets of definitions whose plans are kept: one for each kind of device."""


@dataclass(frozen=True, slots=True)
class HealthPlan:
    """The definitions of a device, those that suit it best first, and the columns that they use."""

    definitions: tuple[DefinitionPlan, ...]
    columns: NeededColumns
    oids: tuple[str, ...]
    """All columns in order, and sysDescr, which tells vendor and model."""


def make_health_plan(names: Sequence[str], known: Mapping[str, Definition]) -> HealthPlan:
    """The plan of the definitions with these names; ``known`` are those of the catalogue."""
    definitions = [known[name] for name in names if name in known]
    columns = NeededColumns.union(
        (
            *(table_columns(table) for one in definitions for table in one.tables),
            *(info_columns(source) for one in definitions for source in one.info),
        )
    )
    oids = (*sorted(columns.values | columns.labels), SYS_DESCR)
    return HealthPlan(tuple(map(plan_definition, definitions)), columns, oids)


EMPTY_PLAN = make_health_plan((), {})
"""The plan of no definitions."""


class HealthPlans:
    """The plans of sets of definitions, made once for all devices of a kind."""

    def __init__(self) -> None:
        self._plans: LRUCache[tuple[str, ...], HealthPlan] = LRUCache(MOST_PLANS)
        self._known: Mapping[str, Definition] = {}

    def of(self, names: tuple[str, ...], known: Mapping[str, Definition]) -> HealthPlan:
        """The plan of the definitions with these names; ``known`` are those of the catalogue."""
        return self.find(names, known) or make_health_plan(names, known)

    def find(self, names: tuple[str, ...], known: Mapping[str, Definition]) -> HealthPlan | None:
        """The plan, if it has been made already."""
        if known is not self._known:
            self._known = known
            self._plans.clear()
        return self._plans.get(names)

    def keep(self, names: tuple[str, ...], plan: HealthPlan, known: Mapping[str, Definition]) -> None:
        """Keeps a plan, unless the catalogue is another one now."""
        if known is self._known:
            self._plans[names] = plan
