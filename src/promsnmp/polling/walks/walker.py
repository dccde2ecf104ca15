"""Walks a part of one device of the inventory for a person who looks at it, within bounds."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from promsnmp.errors import PromSnmpError, SnmpError
from promsnmp.polling.poll import SessionFactory
from promsnmp.polling.target import Target
from promsnmp.snmp import ber
from promsnmp.snmp.operations.browse import BrowseOperation
from promsnmp.snmp.operations.get import GetOperation
from promsnmp.snmp.operations.walk import Subtree
from promsnmp.snmp.v3.engine import EngineState

MOST_ROWS = 2_000
MOST_OCTETS = 1024 * 1024
MOST_SECONDS = 15.0
MOST_WALKS = 4
"""Walks of this process at a time."""
_COST = 96
"""Octets of memory of a varbind besides its OID and value."""


class WalksBusy(PromSnmpError):
    """Too many walks run already."""


@dataclass(slots=True)
class Walked:
    """What a walk returned. ``stopped``: why it ended before the subtree did; empty when it did not."""

    varbinds: list[ber.VarBind] = field(default_factory=list)
    stopped: str = ""
    packets: int = 0
    seconds: float = 0.0


class DeviceWalker:
    """Walks devices, with sessions of ``sessions``."""

    def __init__(self, sessions: SessionFactory) -> None:
        self._sessions = sessions
        self._running = 0

    async def walk(self, target: Target, root: bytes) -> Walked:
        """The objects at and below ``root`` (content octets). Raises SnmpError when the device does not answer, and
        WalksBusy."""
        if self._running >= MOST_WALKS:
            raise WalksBusy(f"{MOST_WALKS} devices are being walked already; retry later")
        self._running += 1
        try:
            return await self._walk(target, root)
        finally:
            self._running -= 1

    async def get(self, target: Target, names: Sequence[bytes], engine: EngineState) -> dict[bytes, ber.VarBind]:
        """Those of the objects ``names`` (content octets) that a device returns; ``engine`` is what is known of it.
        Raises SnmpError."""
        deadline = asyncio.get_running_loop().time() + MOST_SECONDS
        session = self._sessions.create(target, (), engine, deadline=deadline)
        gets = GetOperation(names, limits=session.limits, batch_size=target.overrides.max_varbinds or 20)
        async with session:
            await session.run(gets)
        return {one.oid: one for one in gets.varbinds}

    async def _walk(self, target: Target, root: bytes) -> Walked:
        loop = asyncio.get_running_loop()
        began, taken = loop.time(), _Taken()
        session = self._sessions.create(target, (), EngineState(), deadline=began + MOST_SECONDS)
        subtree = Subtree(root, min(target.overrides.max_repetitions or 25, 100))
        browse = BrowseOperation(subtree, taken.take, version=target.credentials.version, limits=session.limits)
        try:
            async with session:
                taken.task = asyncio.ensure_future(session.run(browse))
                await asyncio.wait({taken.task})
                if not taken.stopped:
                    taken.task.result()
                    if browse.failure is not None:
                        raise browse.failure
        except SnmpError as error:
            if not taken.varbinds:
                raise
            taken.stopped = str(error)
        finally:
            if taken.task is not None:
                taken.task.cancel()
        return Walked(taken.varbinds, taken.stopped, session.traffic.sent, loop.time() - began)


class _Taken:
    """Keeps varbinds up to the bounds, and then ends ``task``."""

    def __init__(self) -> None:
        self.varbinds: list[ber.VarBind] = []
        self.stopped = ""
        self.task: asyncio.Task[None] | None = None
        self._octets = 0

    def take(self, varbinds: list[ber.VarBind]) -> None:
        for one in varbinds:
            if len(self.varbinds) >= MOST_ROWS:
                self._stop(f"the first {MOST_ROWS:,} objects; walk a smaller part for others")
                return
            self._octets += len(one.oid) + len(one.value) + _COST
            if self._octets > MOST_OCTETS:
                self._stop(f"the first {MOST_OCTETS:,} octets; walk a smaller part for others")
                return
            self.varbinds.append(one)

    def _stop(self, why: str) -> None:
        self.stopped = why
        if self.task is not None:
            self.task.cancel()
