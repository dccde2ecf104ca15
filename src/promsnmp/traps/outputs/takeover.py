"""Takes over the queues on disk of replicas that do not run any more, on a folder that replicas share.

Each process holds the lock of its folder (``factory.claim_folder``) as long as it lives. A folder that stays unlocked
for a while was left behind by a replica that does not come back, as after scaling down: whoever sees that locks it and
moves its notifications and firing alerts into its own queues. A replica that starts meanwhile gets another folder.
After a crash in between some notifications are delivered twice, none is lost.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from promsnmp.traps.outputs.alertmanager.output import AlertmanagerOutput
from promsnmp.traps.outputs.queue.disk import DiskQueue
from promsnmp.traps.outputs.queue.model import QueueError
from promsnmp.traps.outputs.worker import Worker

log = logging.getLogger(__name__)

LOOK_EVERY = 60.0
"""Seconds between two looks at the folders."""
TAKE_AFTER = 300.0
"""Seconds for which a folder has to be without a process: a replica that restarts takes its own again."""
MAX_FOLDERS = 256
STATE_FILE = "firing.json"
_COUNT, _OCTETS = 200, 1 << 20


class QueueTakeover:
    """For the process whose folder is ``own`` below ``base``. ``max_octets`` of a queue; ``clock``: monotonic."""

    def __init__(
        self,
        base: Path,
        own: Path,
        workers: Sequence[Worker],
        *,
        max_octets: int,
        after: float = TAKE_AFTER,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._base, self._own, self._workers = base, own, workers
        self._max_octets, self._after, self._clock = max_octets, after, clock
        self._free_since: dict[Path, float] = {}
        self.taken = 0
        """Notifications taken over."""

    async def look(self) -> None:
        """Takes over what nobody has needed for long enough."""
        for folder in await asyncio.to_thread(self._left_behind):
            lock = await asyncio.to_thread(try_lock, folder)
            if lock < 0:
                self._free_since.pop(folder, None)
                continue
            try:
                since = self._free_since.setdefault(folder, self._clock())
                if self._clock() - since >= self._after:
                    await self._take(folder)
            except (OSError, QueueError) as error:
                log.warning("cannot take over the queue of a replica that is gone: %s: %s", folder, error)
            finally:
                os.close(lock)

    def _left_behind(self) -> list[Path]:
        """Other folders that hold something for the outputs of this process."""
        names = [one.output.name for one in self._workers]
        found = []
        for number in range(MAX_FOLDERS):
            folder = self._base / f"queue-{number}"
            if folder != self._own and any(_holds_something(folder / name) for name in names):
                found.append(folder)
        return found

    async def _take(self, folder: Path) -> None:
        before = self.taken
        for worker in self._workers:
            if _holds_something(folder / worker.output.name):
                await self._take_queue(folder / worker.output.name, worker)
        if self.taken > before:
            log.warning("took over %d notifications of a replica that is gone: %s", self.taken - before, folder)

    async def _take_queue(self, folder: Path, worker: Worker) -> None:
        if isinstance(worker.output, AlertmanagerOutput):
            await asyncio.to_thread(worker.output.adopt, folder / STATE_FILE)
        queue = DiskQueue(folder, max_octets=self._max_octets)
        await queue.open()
        try:
            while len(queue):
                if worker.queue.octets > self._max_octets // 2:
                    return  # goes on at the next look: nothing is dropped for it
                batch = await queue.peek(_COUNT, min(_OCTETS, self._max_octets // 4))
                await asyncio.gather(*(worker.queue.put(record) for record in batch.records))
                await queue.acknowledge(batch.end)
                self.taken += len(batch.records)
        finally:
            await queue.close()
        await asyncio.to_thread(_empty, folder)


def try_lock(folder: Path) -> int:
    """The descriptor of the folder's lock, -1 when a process has it. Raises OSError."""
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return -1
    return lock


def _holds_something(folder: Path) -> bool:
    return folder.is_dir() and (any(folder.glob("*.segment")) or (folder / STATE_FILE).exists())


def _empty(folder: Path) -> None:
    for path in (*folder.glob("*.segment"), folder / "position", folder / STATE_FILE):
        path.unlink(missing_ok=True)
