"""Watches whether polls still reach the device that the inventory knows: an address may move, a box be replaced.

Nearly every such change shows in what polls read anyway: sysUpTime jumps, the v3 engine or the sysObjectID is another
one. Then, and every hour, the device is asked who it is (``CheckIdentity``). The check runs before the page is
rendered, so the first page of another device says so already.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Protocol

from promsnmp.errors import SnmpError
from promsnmp.inventory.model import Device, SeenIdentity
from promsnmp.polling.detection.identity_state import PollSigns
from promsnmp.polling.device_state import DeviceState
from promsnmp.polling.poll import PollResult, SessionFactory
from promsnmp.polling.target import Target
from promsnmp.snmp.credentials import Version
from promsnmp.snmp.operations.base import AgentLimits
from promsnmp.snmp.session import Session
from promsnmp.snmp.v3.engine import EngineState

log = logging.getLogger(__name__)

CHECK_SHARE = 1 / 3
"""Share of the time that a poll left which a check may take."""


class CheckIdentity(Protocol):
    """Asks the device in an open session who it is, and compares that with ``device``, which polls reached at ``seen``
    (Unix time) last. Raises SnmpError."""

    async def __call__(
        self,
        session: Session,
        device: Device,
        version: Version,
        *,
        engine: EngineState,
        limits: AgentLimits,
        seen: float,
    ) -> SeenIdentity: ...


OnIdentity = Callable[[Target, SeenIdentity], None]


class IdentityWatch:
    """Checks devices of the inventory with ``check``; ``on_identity`` is called with each result."""

    def __init__(
        self, sessions: SessionFactory, check: CheckIdentity | None, *, on_identity: OnIdentity | None = None
    ) -> None:
        """``check`` None: never."""
        self._sessions = sessions
        self._check = check
        self._on_identity = on_identity

    async def after_poll(self, target: Target, state: DeviceState, result: PollResult, *, deadline: float) -> None:
        """Checks the device of a target that was polled, if it is time for that. Raises nothing."""
        device = target.device
        if self._check is None or device is None:
            return
        signs = PollSigns.of(result.plan, result.scanner, state.engine.engine_id)
        watched = state.identity
        watched.observe(signs, _known(device, target), time.monotonic())
        if not watched.is_due(time.monotonic()):
            return
        try:
            seen = await self._ask(self._check, target, device, state, result, deadline)
        except SnmpError as error:
            log.debug("cannot check the identity of %s: %s", target.name, error)
            watched.record_failure(time.monotonic())
            return
        _log_change(target, device, watched.differences, seen.differences)
        watched.record(seen, time.monotonic())
        if self._on_identity is not None:
            self._on_identity(target, seen)

    async def _ask(
        self,
        check: CheckIdentity,
        target: Target,
        device: Device,
        state: DeviceState,
        result: PollResult,
        deadline: float,
    ) -> SeenIdentity:
        now = asyncio.get_running_loop().time()
        modules = [one.module for one in result.plan.modules]
        until = now + (deadline - now) * CHECK_SHARE
        session = self._sessions.create(target, modules, state.engine, deadline=until, limits=state.limits)
        known, reached_at = state.identity.known_device(device), state.identity.reached_at
        seen = 0.0 if reached_at is None else time.time() - (time.monotonic() - reached_at)
        version = target.credentials.version
        async with session:
            return await check(session, known, version, engine=state.engine, limits=state.limits, seen=seen)


def _known(device: Device, target: Target) -> object:
    """What the inventory knows of the identity of a device; a check is due when it has changed."""
    return device.identifiers, device.sys_name, tuple(agent.engine_id for agent in device.agents), target.endpoint


def _log_change(target: Target, device: Device, before: tuple[str, ...], now: tuple[str, ...]) -> None:
    """One line when another device appears, and one when it is the known device again."""
    was_other = bool(before) or device.identity_change is not None
    if now and not was_other:
        log.warning(
            "another device than the inventory knows answers for %s (%s): %s; search its address again",
            target.name, target.endpoint, "; ".join(now),
        )  # fmt: skip
    elif was_other and not now:
        log.info("the device that answers for %s (%s) is the known one again", target.name, target.endpoint)
