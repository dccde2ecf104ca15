"""Keeps the table of all devices up to date, in a thread, while somebody looks.

What other replicas poll they are asked for each table (``peers/statuses.py``). All rows are looked at again when the
inventory has changed, and every REVIEW seconds, for what only time changes: which devices are new, or stale.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence

from promsnmp.inventory.model import Device
from promsnmp.observe.tasks import SharedTask
from promsnmp.polling.pages.poll_status import PollStatus
from promsnmp.web.device_table.rows import ELSEWHERE
from promsnmp.web.device_table.table import DeviceTable, whole_table
from promsnmp.web.peers.statuses import PeerReport
from promsnmp.web.sources import Sources

REFRESH = 2.0
"""Seconds, at least, for which a table is shown to everybody."""
LONGEST = 10.0
"""Seconds, at most, also where tables then take more than MOST_SHARE."""
MOST_SHARE = 0.005
"""Of a core, that keeping the table takes."""
REVIEW = 30.0


class DeviceTables:
    """The present table of ``sources``. ``clock``: seconds, monotonic; ``wall``: Unix time."""

    def __init__(
        self,
        sources: Sources,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._sources = sources
        self._clock = clock
        self._wall = wall
        self._table: DeviceTable | None = None
        self._making = SharedTask[DeviceTable]("table of all devices")
        self._owned: tuple[object, object, Counter[str]] | None = None
        self._elsewhere: dict[tuple[str, str], PollStatus] = {}
        """By the replica that polls a device and its problem: the same objects, so that their rows stay the same."""

    async def table(self, *, is_current: bool = False) -> DeviceTable:
        """The present table; those who ask at the same time share the work. ``is_current``: of the inventory in use,
        for somebody who has just changed it, or is about to."""
        table, inventory = self._table, self._sources.devices.snapshot.inventory
        is_recent = table is not None and self._clock() - table.made_at < table.lifetime
        if table is not None and is_recent and (table.inventory is inventory or not is_current):
            return table
        if is_current:
            await self._making.ended()  # it may have begun with the inventory before
        self._table = await self._making.result(self._renew)
        return self._table

    async def _renew(self) -> DeviceTable:
        report = await self._sources.peer_report()
        return await asyncio.to_thread(self._make, report)

    def _make(self, report: PeerReport) -> DeviceTable:
        began, now = time.thread_time(), self._clock()
        inventory, before = self._sources.devices.snapshot.inventory, self._table
        statuses = self._statuses(inventory.devices, report)
        at, interval = self._wall(), self._sources.interval
        if before is None or before.inventory is not inventory or now - before.reviewed_at >= REVIEW:
            table = whole_table(inventory, statuses, before, now=at, interval=interval)
            table.reviewed_at = now
        else:
            table = before.later(statuses, now=at, interval=interval)
        table.made_at, table.peer_problems, table.peer_rates = self._clock(), report.problems, report.rates
        table.owned = self._count_owned(inventory.devices)
        spent = time.thread_time() - began + report.seconds
        table.lifetime = min(max(REFRESH, spent / MOST_SHARE), LONGEST)
        return table

    def _statuses(self, devices: tuple[Device, ...], report: PeerReport) -> Sequence[PollStatus]:
        """The status of a device is that of the replica that polls it. Where devices are polled only when they are
        scraped, this replica's own counts for nothing while it has not polled the device."""
        own, found = self._sources.statuses(devices), report.statuses
        statuses: list[PollStatus] = []
        for device, status in zip(devices, own, strict=True):
            known = found.get(device.id, status) if status is None or (found and not status.at) else status
            statuses.append(self._unknown(device, report) if known is None else known)
        return statuses

    def _unknown(self, device: Device, report: PeerReport) -> PollStatus:
        owner = self._sources.owner(device)
        problem = report.problems.get(owner, "")
        status = self._elsewhere.get((owner, problem))
        if status is None:
            if len(self._elsewhere) >= _MOST_ELSEWHERE:
                self._elsewhere.clear()
            why = f"{owner} polls it and does not answer: {problem}" if problem else f"{owner} polls it"
            status = self._elsewhere[owner, problem] = PollStatus(ELSEWHERE, problem=why)
        return status

    def _count_owned(self, devices: tuple[Device, ...]) -> Counter[str]:
        ring = self._sources.cluster.members.ring
        if self._owned is None or self._owned[0] is not ring or self._owned[1] is not devices:
            self._owned = ring, devices, Counter(ring.owner(device.id) for device in devices)
        return self._owned[2]


_MOST_ELSEWHERE = 1_000
