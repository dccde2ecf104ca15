"""Reads what health definitions need in one poll: which definitions suit, then values, and names and limits seldom.

Columns that the modules of the poll read are taken from there. The others are walked at the first poll and then at
every tenth, as labels are; in between, the values are read as single objects, many in one packet.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from promsnmp.errors import SnmpError
from promsnmp.exposition.health.columns import Index, decode_rows, decode_value
from promsnmp.exposition.health.evaluate import Health
from promsnmp.exposition.plan import Plan
from promsnmp.modules.health.choose import candidates, choose
from promsnmp.modules.health.definitions import heads
from promsnmp.modules.health.expression import Value
from promsnmp.modules.health.model import Definition
from promsnmp.polling.health.health_plan import EMPTY_PLAN, HealthPlan, HealthPlans
from promsnmp.polling.health.health_state import REDETECT_SECONDS, RETRY_SECONDS, HealthState
from promsnmp.snmp import ber, oid
from promsnmp.snmp.credentials import Version
from promsnmp.snmp.operations.base import AgentLimits, Cost
from promsnmp.snmp.operations.budget import ReadBudget
from promsnmp.snmp.operations.exists import ExistsOperation
from promsnmp.snmp.operations.get import GetOperation
from promsnmp.snmp.operations.walk import Subtree, WalkOperation
from promsnmp.snmp.session import Session

SYS_OBJECT_ID = "1.3.6.1.2.1.1.2"
REPETITIONS = 25
OBJECTS = 40
"""Objects of one GET: their numbers fit the frame of an Ethernet."""


@dataclass(slots=True)
class HealthResult:
    """What a poll read for health: the plan, its cost, and what was wrong."""

    plan: HealthPlan
    state: HealthState
    cost: Cost = field(default_factory=Cost)
    problem: SnmpError | None = None
    unread: frozenset[str] = frozenset()
    """Columns of names and limits that could not be read: what needs them is left out."""
    health: Health | None = None
    """The readings, as soon as they are computed."""
    varbinds: int = 0


@dataclass(frozen=True, slots=True)
class HealthRun:
    """The requests for the health of one device, over a session whose modules have been read."""

    session: Session
    state: HealthState
    known: Mapping[str, Definition]
    """The definitions of the catalogue."""
    generation: int
    plans: HealthPlans
    version: Version
    limits: AgentLimits
    budget: ReadBudget

    async def read(self, plan: Plan, scanner: ber.Scanner, *, every: int) -> HealthResult:
        """Reads values, and all columns once in ``every`` polls. ``plan`` and ``scanner`` are those of the modules.

        What goes wrong is in the result.
        """
        state, result = self.state, HealthResult(EMPTY_PLAN, self.state)
        seconds, sent, retried = self.session.meter()
        try:
            if self._is_detection_due(plan, scanner):
                await self._detect(plan, scanner)
            result.plan = self.plans.of(state.names, self.known)
            columns = result.plan.columns
            values = sorted(one for one in columns.values if one in state.present and one not in plan.by_oid)
            labels = sorted(one for one in columns.labels if one in state.present and one not in plan.by_oid)
            state.polls += 1
            if state.is_stale or state.polls >= every:
                await self._walk(values, labels, result)
            else:
                await self._get(list(state.instances(values)), result)
        except SnmpError as error:
            result.problem, state.is_stale = error, True
        now, sent_now, retried_now = self.session.meter()
        result.cost = Cost(now - seconds, sent_now - sent, retried_now - retried, result.varbinds)
        return result

    # ------------------------------------------------------------------------------------------------------- detection

    def _is_detection_due(self, plan: Plan, scanner: ber.Scanner) -> bool:
        state = self.state
        object_id = _object_id_of(plan, scanner)
        has_changed = bool(object_id) and object_id != state.object_id
        return state.generation != self.generation or time.monotonic() >= state.due or has_changed

    async def _detect(self, plan: Plan, scanner: ber.Scanner) -> None:
        """Chooses the definitions, and finds out which of their columns the device has. Raises SnmpError."""
        state = self.state
        state.reset()
        state.generation, state.due = self.generation, time.monotonic() + RETRY_SECONDS
        state.object_id = _object_id_of(plan, scanner) or await self._read_object_id()
        possible = candidates(heads(self.known), state.object_id)
        answering = await self._existing(sorted({one for definition in possible for one in definition.answers}))
        chosen = choose(possible, state.object_id, answering)
        names = tuple(one.name for one in chosen)
        columns = self.plans.of(names, self.known).columns
        own = [one for one in sorted(columns.values | columns.labels) if one not in plan.by_oid]
        state.present = frozenset(await self._existing(own))
        state.names, state.due = names, time.monotonic() + REDETECT_SECONDS

    async def _read_object_id(self) -> str:
        gets = GetOperation([oid.encode(f"{SYS_OBJECT_ID}.0")], limits=self.limits)
        await self.session.run(gets)
        values = [decode_value(one.tag, one.value) for one in gets.varbinds]
        return next((one for one in values if isinstance(one, str)), "")

    async def _existing(self, names: Sequence[str]) -> set[str]:
        """Which of the OIDs have something at or below them. Raises SnmpError."""
        roots = {oid.encode(one): one for one in names}
        operation = ExistsOperation(list(roots), limits=self.limits)
        if roots:
            await self.session.run(operation)
        return {roots[root] for root, is_present in operation.present.items() if is_present}

    # --------------------------------------------------------------------------------------------------------- reading

    async def _walk(self, values: Sequence[str], labels: Sequence[str], result: HealthResult) -> None:
        """Reads whole columns. Raises SnmpError.

        What was read before of the names and limits stays where it cannot be read again.
        """
        roots = {oid.encode(one): one for one in (*values, *labels)}
        outer = [one for one in roots if not any(one != other and one.startswith(other) for other in roots)]
        scanner = ber.Scanner(outer)
        walks = WalkOperation(
            [Subtree(one, REPETITIONS) for one in outer],
            scanner,
            version=self.version,
            limits=self.limits,
            meter=self.session.meter,
            budget=self.budget,
        )
        state = self.state
        try:
            if outer:
                await self.session.run(walks)
        finally:
            before, rows = state.rows, _rows_of(scanner, outer, roots)
            state.rows = {one: before[one] for one in rows if one in before}
            self._replace(rows)
            unfinished = {roots[one] for one in outer if one not in walks.finished}
            failed = {one for one in labels if any(f"{one}.".startswith(f"{root}.") for root in unfinished)}
            state.rows |= {one: before[one] for one in failed if one in before}
            result.unread = frozenset(one for one in failed if one not in before)
            result.problem = next(iter(walks.failures.values()), None)
            result.varbinds = scanner.varbind_count
            state.polls, state.is_stale = 0, bool(unfinished)
            self.budget.spend(scanner.varbind_count, scanner.kept_octets)
            state.trim()

    def _replace(self, rows: Mapping[str, dict[Index, Value]]) -> None:
        """Replaces columns by what has been read; a column that is the same stays the same object."""
        for column, found in rows.items():
            if self.state.rows.get(column) != found:
                self.state.rows[column] = found

    async def _get(self, instances: Iterable[tuple[str, Index]], result: HealthResult) -> None:
        """Reads single objects; those that do not come lose their rows. Raises SnmpError."""
        wanted = {oid.encode(column) + oid.encode_subids(index): (column, index) for column, index in instances}
        gets = GetOperation(
            list(wanted),
            limits=self.limits,
            batch_size=OBJECTS,
            meter=self.session.meter,
            budget=self.budget,
        )
        try:
            if wanted:
                await self.session.run(gets)
        finally:
            came: dict[bytes, Value] = {one.oid: decode_value(one.tag, one.value) for one in gets.varbinds}
            rows: dict[str, dict[Index, Value]] = {column: {} for column, _ in wanted.values()}
            for name, (column, index) in wanted.items():
                if (value := came.get(name)) is not None:
                    rows[column][index] = value
            self._replace(rows)
            self.state.is_stale = self.state.is_stale or sum(map(len, rows.values())) < len(wanted)
            result.problem = next(iter(gets.failures.values()), None)
            result.varbinds = len(came)


def _rows_of(scanner: ber.Scanner, outer: Sequence[bytes], roots: Mapping[bytes, str]) -> dict[str, dict[Index, Value]]:
    """The rows of columns (``roots``), of which some may lie inside others (``outer``)."""
    rows = {}
    for at, root in enumerate(outer):
        octets = scanner.column(at)
        for inner, name in roots.items():
            if inner == root:
                rows[name] = decode_rows(octets, len(root))
            elif inner.startswith(root):
                rows[name] = decode_rows(ber.below(octets, inner), len(inner))
    return rows


def _object_id_of(plan: Plan, scanner: ber.Scanner) -> str:
    """The sysObjectID that the modules' poll has read; "" when it has not."""
    column = plan.by_oid.get(SYS_OBJECT_ID)
    if column is None or column.part:
        return ""
    rows = decode_rows(scanner.column(column.at), len(column.oid))
    value = next(iter(rows.values()), "")
    return value if isinstance(value, str) else ""
