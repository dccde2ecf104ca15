"""Decides which modules a target is polled for: its own, with ``auto`` replaced by those that suit the device.

Detection asks the device what it is, when the device's ``DetectionSchedule`` says that it is time for that.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from promsnmp.errors import AuthenticationError, SnmpError
from promsnmp.exposition.plan import Plan
from promsnmp.inventory.modules import AUTO, FALLBACK, resolve_modules
from promsnmp.modules.catalogue import CatalogueStore
from promsnmp.polling.detection.identify import DeviceIdentity, identify
from promsnmp.polling.detection.identity_state import scalar
from promsnmp.polling.detection.schedule import DetectionSchedule
from promsnmp.polling.device_state import DeviceState
from promsnmp.polling.poll import SessionFactory
from promsnmp.polling.target import Target
from promsnmp.snmp import ber

log = logging.getLogger(__name__)

OnDetected = Callable[[Target, DeviceIdentity], None]

DETECTION_SHARE = 1 / 3
"""Share of a poll's time that detection may take."""
_SYS_DESCR, _SYS_OBJECT_ID, _SYS_UP_TIME = "1.3.6.1.2.1.1.1", "1.3.6.1.2.1.1.2", "1.3.6.1.2.1.1.3"


class Detector:
    """Finds out the modules of targets; ``on_detected`` is called with every result that is settled."""

    def __init__(
        self, catalogue_store: CatalogueStore, sessions: SessionFactory, *, on_detected: OnDetected | None = None
    ) -> None:
        self._catalogue_store = catalogue_store
        self._sessions = sessions
        self._on_detected = on_detected

    def is_auto(self, modules: tuple[str, ...]) -> bool:
        """Whether modules are to be detected. A module of a file that is named ``auto`` is an ordinary one."""
        return AUTO in modules and not self.has_module(AUTO)

    async def resolve_modules(self, target: Target, state: DeviceState, *, deadline: float) -> tuple[str, ...]:
        """The modules to poll a target for, after detection where it is due.

        Raises SnmpError when a device that has never answered does not answer detection either.
        """
        if not self.is_auto(target.modules):
            return target.modules
        detection = state.detection
        detection.set_stored_modules(target.detected, target.key, time.monotonic())
        if detection.is_due(time.monotonic()):
            await self._detect(target, state, deadline)
        return resolve_modules(target.modules, [name for name in detection.modules if self.has_module(name)])

    async def _detect(self, target: Target, state: DeviceState, deadline: float) -> None:
        detection = state.detection
        try:
            identity = await self.identify(target, state, deadline=deadline)
        except SnmpError:
            detection.record_failure(time.monotonic())
            if not state.has_answered:
                raise
            return
        is_settled = detection.record_identity(identity, time.monotonic())
        if is_settled and self._on_detected is not None:
            self._on_detected(target, identity)

    async def identify(self, target: Target, state: DeviceState, *, deadline: float) -> DeviceIdentity:
        """Asks a target what it is, within ``DETECTION_SHARE`` of the time up to ``deadline``. Raises SnmpError."""
        now = asyncio.get_running_loop().time()
        catalogue = self._catalogue_store.current
        modules = [catalogue.module(name) for name in FALLBACK]
        until = now + (deadline - now) * DETECTION_SHARE
        session = self._sessions.create(
            target, modules, state.engine, deadline=until, share="detection: a third of", limits=state.limits
        )
        try:
            async with session:
                encoding = target.overrides.text_encoding
                identity = await identify(session, limits=state.limits, encoding=encoding)
        except AuthenticationError:
            state.forget_unproven_engine()
            raise
        has_changed = state.detection.modules not in ((), identity.match.names)
        level = logging.INFO if has_changed else logging.DEBUG
        log.log(level, "detected modules of %s (%s): %s", target.name, target.endpoint, _describe(identity))
        return identity

    def has_module(self, name: str) -> bool:
        """Whether the catalogue has a module of this name."""
        return name in self._catalogue_store.current.modules


def observe_system_group(detection: DetectionSchedule, plan: Plan, scanner: ber.Scanner) -> None:
    """Passes what a poll read of the system group, if anything, to the schedule."""
    descr, object_id, up_time = (scalar(plan, scanner, name) for name in (_SYS_DESCR, _SYS_OBJECT_ID, _SYS_UP_TIME))
    detection.observe_system_group((descr, object_id), up_time)


def _describe(identity: DeviceIdentity) -> str:
    match = identity.match
    device = " ".join(filter(None, (match.vendor, match.model))) or f"unknown device ({identity.sys_object_id})"
    incomplete = f" (incomplete: {identity.problem})" if identity.problem else ""
    return f"{', '.join(match.names)}; {device}{incomplete}"
