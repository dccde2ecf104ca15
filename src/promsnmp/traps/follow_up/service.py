"""What follows after a notification was passed on: alerts end on all replicas, outputs hear what polls found."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from cachetools import LRUCache

from promsnmp.errors import PeerError
from promsnmp.traps.confirm.object_states import Finding, Said
from promsnmp.traps.follow_up.peer_notes import FINDINGS, RESOLVED, PeerNotes
from promsnmp.traps.follow_up.recent import RecentTraps
from promsnmp.traps.names.model import NamedNotification
from promsnmp.traps.outputs.event import confirmation_of, decode, encode, event_of, read_resolution, resolution_of
from promsnmp.traps.outputs.outputs import Outputs
from promsnmp.traps.outputs.queue.model import QueueError

log = logging.getLogger(__name__)

MAX_OCTETS = 4 * 1024 * 1024
"""Bytes of the traps of which it is not known yet what a poll found; the oldest are forgotten."""
MAX_ID = 64
MAX_EARLY = 1000


class FollowUp:
    """Of one replica. ``outputs`` are those of the settings; ``clock``: Unix time; ``is_confirmable``: whether it
    is known what confirms a notification (OID)."""

    def __init__(
        self,
        outputs: Outputs,
        notes: PeerNotes,
        recent: RecentTraps,
        clock: Callable[[], float] = time.time,
        *,
        is_confirmable: Callable[[bytes], bool] = lambda _: True,
    ) -> None:
        self._is_confirmable = is_confirmable
        self._outputs, self._notes, self._recent, self._clock = outputs, notes, recent, clock
        self._waiting: OrderedDict[str, bytes] = OrderedDict()
        """Events by id of the notification."""
        self._octets = 0
        self._early: LRUCache[str, Finding] = LRUCache(MAX_EARLY)
        """Findings about notifications that are still being queued."""
        self._tasks: set[asyncio.Task[None]] = set()

    async def stop(self) -> None:
        """Waits for what is being queued."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def passed_on(self, named: NamedNotification) -> None:
        """A notification that this replica received is safe in the queues of the outputs."""
        self._recent.add(named)
        if named.resolves and self._outputs.has_alerts and (not named.outputs or "alertmanager" in named.outputs):
            self._notes.tell_all(RESOLVED, resolution_of(named))
        sent = named.notification
        if sent.device_id and self._is_confirmable(sent.oid):
            self._wait_for(sent.id, encode(event_of(named)))
            if (finding := self._early.pop(sent.id, None)) is not None:
                self._tell(sent.id, finding)

    def found(self, said: Said, finding: Finding) -> None:
        """A poll of this replica has found whether a trap was right: whoever received that tells it."""
        if not said.id:
            return
        if said.receiver and said.receiver != self._notes.me:
            self._notes.tell(said.receiver, FINDINGS, {"id": said.id, "finding": finding.value})
        else:
            self._tell(said.id, finding)

    async def receive(self, kind: str, document: Any) -> None:
        """A note of another replica. Raises PeerError for one that makes no sense, and when it is not safe."""
        try:
            if kind == RESOLVED:
                await self._outputs.resolve(read_resolution(document))
            else:
                self._tell(str(document["id"])[:MAX_ID], Finding(document["finding"]))
        except (ValueError, KeyError, TypeError):
            raise PeerError("invalid note about traps") from None

    def _wait_for(self, trap_id: str, event: bytes) -> None:
        self._waiting[trap_id] = event
        self._octets += len(event)
        while self._octets > MAX_OCTETS:
            _, gone = self._waiting.popitem(last=False)
            self._octets -= len(gone)

    def _tell(self, trap_id: str, finding: Finding) -> None:
        self._recent.confirm(trap_id, finding)
        event = self._waiting.pop(trap_id, None)
        if event is None:
            self._early[trap_id] = finding
        else:
            self._octets -= len(event)
            task = asyncio.create_task(self._confirm(event, finding), name="what a poll found of a trap")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _confirm(self, event: bytes, finding: Finding) -> None:
        try:
            await self._outputs.confirm(confirmation_of(decode(event), finding, self._clock()))
        except QueueError as error:
            log.debug("cannot tell the outputs what a poll found: %s", error)
