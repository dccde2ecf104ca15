"""Finds out which health definitions suit a device, and which of their columns it has."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from promsnmp.exposition.health.columns import decode_rows, decode_value
from promsnmp.exposition.plan import Plan
from promsnmp.modules.health.choose import candidates, choose
from promsnmp.modules.health.definitions import heads
from promsnmp.modules.health.model import Definition
from promsnmp.polling.detection.identity_state import scalar
from promsnmp.polling.health.health_plan import HealthPlan, HealthPlans, make_health_plan
from promsnmp.polling.health.health_state import REDETECT_SECONDS, RETRY_SECONDS, HealthState
from promsnmp.snmp import ber, oid
from promsnmp.snmp.operations.base import AgentLimits
from promsnmp.snmp.operations.exists import ExistsOperation
from promsnmp.snmp.operations.get import GetOperation
from promsnmp.snmp.session import Session
from promsnmp.support.steps import StepRunner, Steps

SYS_OBJECT_ID = "1.3.6.1.2.1.1.2"


@dataclass(frozen=True, slots=True)
class HealthDetection:
    """The detection of one device, over a session whose modules have been read."""

    session: Session
    state: HealthState
    known: Mapping[str, Definition]
    """The definitions of the catalogue."""
    generation: int
    plans: HealthPlans
    limits: AgentLimits
    step_runner: StepRunner

    async def refresh(self, plan: Plan, scanner: ber.Scanner) -> HealthPlan:
        """The plan of the definitions that suit the device; chosen again when it is time. Raises SnmpError.

        ``plan`` and ``scanner`` are those of the modules. After a failure the present definitions stay in use if they
        can be, and the next attempt is later.
        """
        state = self.state
        object_id = _object_id_of(plan, scanner)
        if state.generation != self.generation or (object_id and object_id != state.object_id):
            state.reset()
        if time.monotonic() >= state.due:
            if state.names:
                state.due = time.monotonic() + RETRY_SECONDS
            await self._detect(plan, object_id)
        return await self._plan(state.names)

    async def _detect(self, plan: Plan, object_id: str) -> None:
        object_id = object_id or await self._read_object_id()
        possible = candidates(heads(self.known), object_id)
        answering = await self._existing(sorted({one for definition in possible for one in definition.answers}))
        names = tuple(one.name for one in choose(possible, object_id, answering))
        columns = (await self._plan(names)).columns
        own = [one for one in sorted(columns.values | columns.labels) if one not in plan.by_oid]
        present = frozenset(await self._existing(own))
        state = self.state
        state.reset()
        state.generation, state.object_id, state.names, state.present = self.generation, object_id, names, present
        state.detected = time.monotonic()
        state.due = state.detected + REDETECT_SECONDS

    async def _plan(self, names: tuple[str, ...]) -> HealthPlan:
        """The plan of some definitions; those of built-in files are read first, which takes a while."""
        plan = self.plans.find(names, self.known)
        if plan is None:
            plan = await self.step_runner.run(_made(names, self.known), is_small=False)
            self.plans.keep(names, plan, self.known)
        return plan

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


def _made(names: tuple[str, ...], known: Mapping[str, Definition]) -> Steps[HealthPlan]:
    yield
    return make_health_plan(names, known)


def _object_id_of(plan: Plan, scanner: ber.Scanner) -> str:
    """The sysObjectID that the modules' poll has read; "" when it has not."""
    rows = decode_rows(scalar(plan, scanner, SYS_OBJECT_ID), len(oid.encode(SYS_OBJECT_ID)))
    value = next(iter(rows.values()), "")
    return value if isinstance(value, str) else ""
