"""Explains the health of one device: which definitions suit it, where readings come from, why others are missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from promsnmp.exposition.health.evaluate import HealthSample
from promsnmp.inventory.modules import HEALTH
from promsnmp.modules.catalogue import Catalogue, CatalogueStore
from promsnmp.modules.health.choose import matching_devices
from promsnmp.modules.health.families import KINDS
from promsnmp.modules.health.model import Definition, Reading, Table
from promsnmp.polling.collector import Collector
from promsnmp.polling.explain.recorder import PollRecording
from promsnmp.polling.health.health_run import HealthResult
from promsnmp.polling.options import CollectorOptions
from promsnmp.polling.target import Target
from promsnmp.snmp.operations.base import Cost

MOST_REASONS = 3
"""Reasons that are given for a kind without readings."""


@dataclass(frozen=True, slots=True)
class ReadingExplanation:
    """A reading of a definition, the OIDs of its values, how many samples it gave, or why none."""

    definition: str
    table: str
    kind: str
    oids: tuple[str, ...]
    samples: int
    reason: str


@dataclass(frozen=True, slots=True)
class HealthExplanation:
    """The health of one device."""

    target: str
    object_id: str
    info: Mapping[str, str]
    definitions: tuple[tuple[str, str], ...]
    """The definitions that suit it, each with the reason."""
    samples: Sequence[HealthSample]
    readings: tuple[ReadingExplanation, ...]
    missing: Mapping[str, str]
    """Why a kind has no readings, by kind."""
    problem: str
    cost: Cost


async def explain_health(
    target: Target, catalogue: Catalogue, *, deadline: float, recording: PollRecording, options: CollectorOptions
) -> HealthExplanation:
    """Polls a device once for its health alone; ``recording`` shows the progress. ``deadline`` is loop time.

    Raises SnmpError when nothing could be read.
    """
    modules = {name: module for name, module in catalogue.modules.items() if name != HEALTH}
    store = CatalogueStore(replace(catalogue, modules=modules))
    alone = replace(target, modules=(HEALTH,), managed=False)
    collector = Collector(store, options)
    try:
        _, problem = await collector.collect(alone, deadline=deadline, observer=recording)
    finally:
        collector.step_runner.close()
    assert recording.result is not None
    result = recording.result.health
    assert result is not None
    samples = () if result.health is None else result.health.samples
    readings = tuple(_readings(result, samples))
    return HealthExplanation(
        target=str(target.endpoint),
        object_id=result.state.object_id,
        info={} if result.health is None else result.health.info,
        definitions=tuple(
            (one.definition.name, _why(one.definition, result.state.object_id)) for one in result.plan.definitions
        ),
        samples=samples,
        readings=readings,
        missing=_missing(readings),
        problem="" if problem is None else str(problem),
        cost=result.cost,
    )


def _why(definition: Definition, object_id: str) -> str:
    reasons = []
    if prefixes := matching_devices(definition, object_id):
        reasons.append(f"sysObjectID {object_id} is below {prefixes[0]}")
    if definition.answers:
        reasons.append(f"the device has something at {' or '.join(definition.answers)}")
    return ", and ".join(reasons)


def _readings(result: HealthResult, samples: Sequence[HealthSample]) -> Iterator[ReadingExplanation]:
    counts = Counter((one.definition, id(one.reading)) for one in samples)
    for plan in result.plan.definitions:
        definition = plan.definition
        for table_plan in plan.tables:
            table = table_plan.table
            for reading, oids in zip(table.readings, table_plan.origins, strict=True):
                count = counts[definition.name, id(reading)]
                reason = "" if count else _reason(result, definition, table, reading, oids)
                yield ReadingExplanation(definition.name, table.name, reading.kind.key, oids, count, reason)


def _reason(result: HealthResult, definition: Definition, table: Table, reading: Reading, oids: Sequence[str]) -> str:
    if absent := [one for one in oids if not result.rows.get(one)]:
        return f"the device has nothing at {', '.join(absent)}"
    if reading.kind.key in definition.fallback:
        return "another definition has readings of this kind, or no row has a valid value"
    conditions = ", ".join(one.text for one in (table.where, reading.where, reading.valid) if one is not None)
    return f"no row has a valid value{f' for which holds: {conditions}' if conditions else ''}"


def _missing(readings: Sequence[ReadingExplanation]) -> dict[str, str]:
    missing = {}
    for kind in KINDS:
        ours = [one for one in readings if one.kind == kind]
        if not ours:
            missing[kind] = "no definition that suits the device has it"
        elif not any(one.samples for one in ours):
            reasons = dict.fromkeys(f"{one.definition}: {one.reason}" for one in ours)
            more = f" (and {len(reasons) - MOST_REASONS} more)" if len(reasons) > MOST_REASONS else ""
            missing[kind] = "; ".join(list(reasons)[:MOST_REASONS]) + more
    return missing
