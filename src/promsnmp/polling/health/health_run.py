"""Reads what health definitions need in one poll: values at every poll, names and limits seldom.

Columns that the modules of the poll read are taken from there. The others are walked at the first poll and then at
every tenth, as labels are; in between, the values are read as single objects, many in one packet. Where these show that
rows have come, gone or changed their numbers, everything is walked in the same poll, and again until the rows stay.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from promsnmp.errors import SnmpError
from promsnmp.exposition.health.columns import Index, NeededColumns, Rows, decode_steps, decode_value
from promsnmp.exposition.health.evaluate import Health
from promsnmp.exposition.plan import Plan
from promsnmp.modules.health.expression import Value
from promsnmp.polling.health.health_changes import encoded, instance
from promsnmp.polling.health.health_detection import HealthDetection
from promsnmp.polling.health.health_plan import EMPTY_PLAN, HealthPlan
from promsnmp.polling.health.health_state import HealthState, memory_of
from promsnmp.snmp import ber, oid
from promsnmp.snmp.credentials import Version
from promsnmp.snmp.operations.base import AgentLimits, Cost
from promsnmp.snmp.operations.budget import ReadBudget
from promsnmp.snmp.operations.get import GetOperation
from promsnmp.snmp.operations.walk import Subtree, WalkOperation
from promsnmp.snmp.session import Session
from promsnmp.support.steps import StepRunner, Steps

REPETITIONS = 25
OBJECTS = 40
"""Objects of one GET: their numbers fit the frame of an Ethernet."""
MOST_VARBINDS, MOST_ROWS = 300_000, 50_000
"""Varbinds of one poll for health, and rows of one column: as Python objects they take ten times the memory."""
_SMALL = 64 * 1024
"""Octets of varbinds that are processed on the event loop."""
_ROWS_PER_STEP = 200


@dataclass(slots=True)
class HealthResult:
    """What a poll read for health: the plan, its cost, and what was wrong."""

    plan: HealthPlan
    state: HealthState
    rows: Mapping[str, Rows] = field(default_factory=dict)
    """The columns that were read for health alone."""
    octets: int = 0
    """Bytes of memory of ``rows``, about."""
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

    detection: HealthDetection
    version: Version
    budget: ReadBudget

    @property
    def session(self) -> Session:
        """The session of the poll."""
        return self.detection.session

    @property
    def limits(self) -> AgentLimits:
        """What is known of the agent."""
        return self.detection.limits

    @property
    def step_runner(self) -> StepRunner:
        """Runs what may take long."""
        return self.detection.step_runner

    async def read(self, plan: Plan, scanner: ber.Scanner, *, every: int) -> HealthResult:
        """Reads values, and all columns once in ``every`` polls. ``plan`` and ``scanner`` are those of the modules.

        What goes wrong is in the result.
        """
        state, result = self.detection.state, HealthResult(EMPTY_PLAN, self.detection.state)
        seconds, sent, retried = self.session.meter()
        self.budget.narrow(varbinds=MOST_VARBINDS, rows=MOST_ROWS, reason="the most for health")
        try:
            result.plan = await self.detection.refresh(plan, scanner)
            await self._read(_own_columns(result.plan.columns, state.present, plan), result, every)
        except SnmpError as error:
            result.problem, state.is_stale = error, True
        now, sent_now, retried_now = self.session.meter()
        result.cost = Cost(now - seconds, sent_now - sent, retried_now - retried, result.varbinds)
        result.rows, result.octets = state.rows, memory_of(state.rows)
        return result

    async def _read(self, columns: NeededColumns, result: HealthResult, every: int) -> None:
        state, before = self.detection.state, self.detection.state.rows
        if not columns.values and not columns.labels:  # the modules read everything
            state.rows, state.is_stale = {}, False
            return
        state.polls += 1
        is_missing = False
        if not state.has_to_walk and state.polls < every:
            is_same, is_missing = await self._get(columns, result)
        else:
            is_same = False
            if every > 1:
                await self._look(columns)
        if not is_same:
            await self._walk(columns, result)
            state.has_unreliable_gets |= is_missing and state.has_rows_of(before, columns)

    # ------------------------------------------------------------------------------------------------------------ walks

    async def _walk(self, columns: NeededColumns, result: HealthResult) -> None:
        """Reads whole columns. Raises SnmpError.

        Limits and the like that cannot be read again stay, as long as rows and names are the same; else what needs
        them is left out.
        """
        roots = {oid.encode(one): one for one in (*sorted(columns.values), *sorted(columns.labels))}
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
        self.detection.state.is_stale = True  # until all is well
        try:
            if outer:
                await self.session.run(walks)
        except SnmpError:
            await self._take_walks(columns, walks, scanner, outer, roots, result)
            raise
        await self._take_walks(columns, walks, scanner, outer, roots, result)

    async def _take_walks(
        self,
        columns: NeededColumns,
        walks: WalkOperation,
        scanner: ber.Scanner,
        outer: Sequence[bytes],
        roots: Mapping[bytes, str],
        result: HealthResult,
    ) -> None:
        state, before = self.detection.state, self.detection.state.rows
        steps = _rows_of(scanner, outer, roots)
        rows = await self.step_runner.run(steps, is_small=scanner.kept_octets <= _SMALL)
        unfinished = {roots[one] for one in outer if one not in walks.finished}
        failed = {one for one in columns.labels if any(f"{one}.".startswith(f"{root}.") for root in unfinished)}
        state.replace(rows)
        if not state.is_steady(before, columns) or not failed <= before.keys():
            state.drop(failed)
            result.unread = frozenset(failed)
        else:
            state.rows |= {one: before[one] for one in failed}
        result.problem = next(iter(walks.failures.values()), None)
        result.varbinds += scanner.varbind_count
        state.end_walk(columns, before, is_complete=not unfinished)
        self.budget.spend(scanner.varbind_count, scanner.kept_octets)

    # ------------------------------------------------------------------------------------------------------------- gets

    async def _look(self, columns: NeededColumns) -> None:
        """Notes the indicators of changes, before everything is read. Raises SnmpError."""
        state = self.detection.state
        state.watch.missing.clear()
        indicators = state.watch.indicators(columns.labels)
        wanted = {encoded(*instance(one)): one for one in indicators}
        gets = GetOperation(list(wanted), limits=self.limits)
        await self.session.run(gets)
        came = {wanted[one.oid]: decode_value(one.tag, one.value) for one in gets.varbinds}
        if state.watch.see(indicators, came):
            state.drop(columns.labels)

    async def _get(self, columns: NeededColumns, result: HealthResult) -> tuple[bool, bool]:
        """Reads single objects; those that do not come lose their rows. Raises SnmpError.

        Returns whether the rows are the same as before, as far as can be seen (else all has to be walked), and whether
        objects did not come.
        """
        state = self.detection.state
        indicators = state.watch.indicators(columns.labels)
        names = state.watch.names(state.rows, sorted(columns.names))
        wanted = await self.step_runner.run(
            _wanted([*map(instance, indicators), *names], state.rows, columns.values), is_small=True
        )
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
        except SnmpError:
            came = await self._take_gets(columns, gets, wanted, result)
            if not all(came.get(encoded(*one)) == state.rows[one[0]][one[1]] for one in names):
                result.unread = columns.labels  # nobody knows whether they are the names of these values
            raise
        came = await self._take_gets(columns, gets, wanted, result)
        seen = [came.get(encoded(*one)) for one in names]
        is_changed = state.watch.see(indicators, {one: came.get(encoded(*instance(one))) for one in indicators})
        if is_changed or seen != [state.rows[column][index] for column, index in names]:
            is_changed = True
            state.drop(columns.labels)
        is_missing = state.is_missing_rows or None in seen
        return not (is_changed or is_missing), is_missing

    async def _take_gets(
        self,
        columns: NeededColumns,
        gets: GetOperation,
        wanted: Mapping[bytes, tuple[str, Index]],
        result: HealthResult,
    ) -> Mapping[bytes, Value]:
        state = self.detection.state
        state.is_stale = True  # until all is well
        came, rows = await self.step_runner.run(_rows_of_gets(gets, wanted, columns.values), is_small=True)
        state.take(rows)
        state.is_stale = False
        result.problem = next(iter(gets.failures.values()), None)
        result.varbinds += len(came)
        return came


def _own_columns(columns: NeededColumns, present: frozenset[str], plan: Plan) -> NeededColumns:
    """The columns that the device has and that the modules do not read."""
    own = frozenset(one for one in present if one not in plan.by_oid)
    return NeededColumns(columns.values & own, columns.labels & own, columns.names & own)


def _wanted(
    first: Iterable[tuple[str, Index]], rows: Mapping[str, Rows], columns: Iterable[str]
) -> Steps[dict[bytes, tuple[str, Index]]]:
    """The objects to read, by OID."""
    wanted = {encoded(*one): one for one in first}
    for column in sorted(columns):
        root = oid.encode(column)
        for number, index in enumerate(rows.get(column, ()), 1):
            wanted[root + oid.encode_subids(index)] = column, index
            if not number % _ROWS_PER_STEP:
                yield
    return wanted


def _rows_of_gets(
    gets: GetOperation, wanted: Mapping[bytes, tuple[str, Index]], columns: Iterable[str]
) -> Steps[tuple[dict[bytes, Value], dict[str, dict[Index, Value]]]]:
    """The values of objects, and the rows of columns that came."""
    came: dict[bytes, Value] = {}
    for number, one in enumerate(gets.varbinds, 1):
        came[one.oid] = decode_value(one.tag, one.value)
        if not number % _ROWS_PER_STEP:
            yield
    rows: dict[str, dict[Index, Value]] = {column: {} for column in columns}
    for number, (name, (column, index)) in enumerate(wanted.items(), 1):
        if column in rows and (value := came.get(name)) is not None:
            rows[column][index] = value
        if not number % _ROWS_PER_STEP:
            yield
    return came, rows


def _rows_of(
    scanner: ber.Scanner, outer: Sequence[bytes], roots: Mapping[bytes, str]
) -> Steps[dict[str, dict[Index, Value]]]:
    """The rows of columns (``roots``), of which some may lie inside others (``outer``)."""
    rows = {}
    for at, root in enumerate(outer):
        octets = scanner.column(at)
        for inner, name in roots.items():
            if inner == root:
                rows[name] = yield from decode_steps(octets, len(root))
            elif inner.startswith(root):
                below = b"".join([ber.below(piece, inner) for piece in ber.pieces(octets)])
                yield
                rows[name] = yield from decode_steps(below, len(inner))
    return rows
