"""Tells other replicas what became of notifications: alerts that have ended, and what polls found of link traps.

Whichever replica received a notification raised its alert. Another one may get the notification that resolves it, and
the owner of the device is the one that compares what the notification said with what the device answers. Notes wait in
memory, and are sent again until their replica has them, for GIVE_UP seconds at most; what is lost ends by its timeout.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from promsnmp.cluster.cluster import Cluster
from promsnmp.cluster.peers.client import TRAPS_PATH
from promsnmp.errors import PeerError

log = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 15.0
"""Seconds before a message is sent again; the pause doubles each time."""
GIVE_UP = 600.0
"""Seconds for which a note is sent again."""
MAX_OCTETS = 4 * 1024 * 1024
"""Bytes of the notes that wait for one replica; the oldest are given up."""
MAX_MESSAGE = 256 * 1024
TIMEOUT = 2.0
RESOLVED, FINDINGS = "resolved", "findings"
"""The kinds of notes, as messages name them."""
_HEADERS = ((b"content-type", b"application/json"),)
_OVERHEAD = 200
"""Bytes of memory of a note besides its text, about."""


class Note(NamedTuple):
    """One note, as JSON; ``until``: seconds, monotonic."""

    kind: str
    text: str
    until: float


@dataclass(slots=True)
class NoteQueue:
    """The notes for one replica, the oldest first, bounded by MAX_OCTETS."""

    notes: deque[Note] = field(default_factory=deque)
    octets: int = 0
    given_up: int = 0
    task: asyncio.Task[None] | None = None

    def add(self, note: Note) -> None:
        self.notes.append(note)
        self.octets += len(note.text) + _OVERHEAD
        while self.octets > MAX_OCTETS and self.notes:
            self._drop()
            self.given_up += 1

    def expire(self, now: float) -> None:
        """Gives up what is too old."""
        while self.notes and self.notes[0].until <= now:
            self._drop()
            self.given_up += 1

    def first(self) -> list[Note]:
        """The notes of the next message."""
        found: list[Note] = []
        octets = 0
        for note in self.notes:
            octets += len(note.text) + 1
            if found and octets > MAX_MESSAGE:
                break
            found.append(note)
        return found

    def done(self, sent: list[Note]) -> None:
        """Removes what has arrived, as far as it is still there."""
        for note in sent:
            if self.notes and self.notes[0] is note:
                self._drop()

    def _drop(self) -> None:
        self.octets -= len(self.notes.popleft().text) + _OVERHEAD


class PeerNotes:
    """The notes of this replica for others. ``clock``: seconds, monotonic."""

    def __init__(
        self,
        cluster: Cluster,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._cluster = cluster
        self._clock, self._sleep = clock, sleep
        self._queues: dict[str, NoteQueue] = {}
        """By name of the replica, which it keeps over its restarts."""

    @property
    def me(self) -> str:
        """The name of this replica."""
        return self._cluster.members.me.name

    @property
    def given_up(self) -> int:
        """Notes that no replica has got."""
        return sum(queue.given_up for queue in self._queues.values())

    def tell_all(self, kind: str, document: object) -> None:
        """Sends a note to all other replicas."""
        if self._cluster.has_peers:
            for member in self._cluster.members.others:
                self.tell(member.name, kind, document)

    def tell(self, name: str, kind: str, document: object) -> None:
        """Sends a note to one replica."""
        if not self._cluster.has_peers:
            return
        if name not in self._queues:
            self._forget()
        queue = self._queues.setdefault(name, NoteQueue())
        queue.add(Note(kind, json.dumps(document), self._clock() + GIVE_UP))
        if queue.task is None or queue.task.done():
            queue.task = asyncio.create_task(self._send_all(name, queue), name="notes about traps")

    async def stop(self) -> None:
        """Ends all requests."""
        tasks = [queue.task for queue in self._queues.values() if queue.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _forget(self) -> None:
        """Forgets replicas for which nothing waits."""
        for name in [name for name, queue in self._queues.items() if not queue.notes and not queue.given_up]:
            del self._queues[name]

    async def _send_all(self, name: str, queue: NoteQueue) -> None:
        pause = FIRST_PAUSE
        while True:
            before = queue.given_up
            queue.expire(self._clock())
            if queue.given_up > before:
                log.warning("gave up %d notes about traps for replica %s", queue.given_up - before, name)
            if not (notes := queue.first()):
                return
            try:
                await self._send(name, notes)
            except PeerError as error:
                log.debug("cannot tell %s about traps, trying again: %s", name, error)
                await self._sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
            else:
                pause = FIRST_PAUSE
                queue.done(notes)

    async def _send(self, name: str, notes: list[Note]) -> None:
        member = self._cluster.members.find(name)
        if member is None:
            raise PeerError("no such replica now")
        answer = await self._cluster.peers.request(
            member.address, "POST", TRAPS_PATH.encode(), _HEADERS, message_of(notes), timeout=TIMEOUT
        )
        if answer.status == 400:  # an older version, or a mistake: sending it again does not help
            log.warning("replica %s does not understand notes about traps", name)
        elif answer.status != 200:
            raise PeerError(f"it answers with status {answer.status}")


def message_of(notes: list[Note]) -> bytes:
    """The message for another replica, with no claims."""
    parts = (
        f'"{kind}":[{",".join(note.text for note in notes if note.kind == kind)}]' for kind in (RESOLVED, FINDINGS)
    )
    return f'{{"claims":[],"done":[],"released":[],{",".join(parts)}}}'.encode()


def notes_in(message: dict[str, Any]) -> list[tuple[str, Any]]:
    """Kind and document of each note in a message; one of an older version has none. Raises TypeError."""
    return [(kind, one) for kind in (RESOLVED, FINDINGS) for one in list(message.get(kind, ()))]
