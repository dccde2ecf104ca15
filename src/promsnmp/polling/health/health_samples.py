"""Adds the health of a device to its page."""

from __future__ import annotations

from dataclasses import dataclass, replace

from promsnmp.exposition.families import Exposition
from promsnmp.exposition.health.columns import Rows, table_columns
from promsnmp.exposition.health.evaluate import Health, evaluate
from promsnmp.exposition.health.rows import DefinitionPlan
from promsnmp.exposition.renderer import Renderer
from promsnmp.modules.auto_modules import fingerprint
from promsnmp.modules.health.expression import text_of
from promsnmp.modules.health.families import help_text
from promsnmp.polling.health.health_run import HealthResult
from promsnmp.snmp import ber
from promsnmp.support.steps import Steps

SYS_DESCR = "1.3.6.1.2.1.1.1"
INFO = "snmp_device_info"
_NO_ROWS: Rows = {}
_SAMPLES_PER_STEP = 64


@dataclass(slots=True)
class HealthColumns:
    """The columns of one poll: those that the modules read, or else those read for health."""

    result: HealthResult
    renderer: Renderer

    def __call__(self, name: str) -> Rows:
        """The rows of a column."""
        column = self.renderer.plan.by_oid.get(name)
        if column is None:
            return self.result.state.rows.get(name, _NO_ROWS)
        return self.result.state.decoded(name, self.renderer.octets(column), len(column.oid))


def health_of(result: HealthResult, renderer: Renderer) -> Steps[Health]:
    """The readings of a poll."""
    source = HealthColumns(result, renderer)
    descr = next((text_of(value) for value in source(SYS_DESCR).values()), "")
    known = fingerprint(result.state.object_id, {}, descr)
    plans = [_readable(one, result.unread) for one in result.plan.definitions]
    info = {"vendor": known.vendor, "model": known.model}
    encoding = renderer.plan.text_encoding
    health = yield from evaluate(plans, source, info, result.state.memory, encoding=encoding)
    return health


def _readable(plan: DefinitionPlan, unread: frozenset[str]) -> DefinitionPlan:
    """A definition without the tables whose names and limits could not be read."""
    if not unread:
        return plan
    return replace(plan, tables=tuple(one for one in plan.tables if not table_columns(one.table).labels & unread))


def add_health(exposition: Exposition, health: Health) -> Steps[None]:
    """Adds samples to a page; families whose names the modules' metrics have already are left out and counted."""
    taken = set(exposition.families)
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
        if not number % _SAMPLES_PER_STEP:
            yield
    if health.info and INFO not in taken:
        exposition.add(INFO, "gauge", help_text(INFO), [(health.info, 1.0)])
