"""Adds the health of a device to its page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

from promsnmp.exposition.families import Exposition
from promsnmp.exposition.health.columns import Rows, table_columns
from promsnmp.exposition.health.evaluate import Health, evaluate
from promsnmp.exposition.health.rows import DefinitionPlan
from promsnmp.exposition.renderer import Renderer
from promsnmp.modules.auto_modules import fingerprint
from promsnmp.modules.health.expression import text_of
from promsnmp.modules.health.families import help_text
from promsnmp.polling.health.health_plan import SYS_DESCR
from promsnmp.polling.health.health_run import HealthResult
from promsnmp.snmp import ber
from promsnmp.support.steps import Steps

INFO = "snmp_device_info"
_NO_ROWS: Rows = {}
MOST_INFOS = 1000
"""Pairs of sysObjectID and sysDescr whose vendor and model are kept."""
_SAMPLES_PER_STEP = 256


def health_of(result: HealthResult, renderer: Renderer) -> Steps[Health]:
    """The readings of a poll."""
    state, plan = result.state, renderer.plan
    shared: dict[str, Rows] = {}
    for name in result.plan.oids:
        if (column := plan.by_oid.get(name)) is not None:
            shared[name] = yield from state.decoded(name, renderer.octets(column), len(column.oid))

    def source(name: str) -> Rows:
        """A column: that which the modules read, or else that which was read for health."""
        return shared[name] if name in shared else result.rows.get(name, _NO_ROWS)

    descr = next((text_of(value) for value in source(SYS_DESCR).values()), "")
    plans = [_readable(one, result.unread) for one in result.plan.definitions]
    info = _known_info(state.object_id, descr)
    health = yield from evaluate(plans, source, info, state.memory, encoding=plan.text_encoding)
    yield from state.trim()
    return health


@lru_cache(MOST_INFOS)
def _known_info(object_id: str, descr: str) -> Mapping[str, str]:
    known = fingerprint(object_id, {}, descr)
    return {"vendor": known.vendor, "model": known.model}


def _readable(plan: DefinitionPlan, unread: frozenset[str]) -> DefinitionPlan:
    """A definition without the tables whose names and limits could not be read."""
    if not unread:
        return plan
    return replace(plan, tables=tuple(one for one in plan.tables if not table_columns(one.table).labels & unread))


def add_health(exposition: Exposition, health: Health) -> Steps[None]:
    """Adds samples to a page; families whose names the modules' metrics have already are left out and counted."""
    taken = set(exposition.families)
    exposition.drop("health_rows", health.left_out)
    added: dict[str, list[bytes]] = {}
    for number, one in enumerate(health.samples):
        if one.family in taken:
            exposition.drop("reserved_name")
            continue
        parts = added.get(one.family)
        if parts is None:
            parts = added[one.family] = exposition.family(one.family, "gauge", help_text(one.family))
            exposition.families[one.family].shared = True
        parts += (one.text, ber.float_text(one.value))
        if number % _SAMPLES_PER_STEP == _SAMPLES_PER_STEP - 1:
            yield
    if health.info and INFO in taken:
        exposition.drop("reserved_name")
    elif health.info:
        exposition.add(INFO, "gauge", help_text(INFO), [(health.info, 1.0)])
