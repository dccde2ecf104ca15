"""A queue on disk: a record is safe before ``put`` returns, also from ``kill -9``, and with ``sync`` from power
failures.

Records that wait at the same time are written, and synced, together. Delivered segments are removed; when the queue is
full, the oldest segment is dropped as a whole.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from promsnmp.traps.outputs.queue.model import DAMAGED, FULL, MAX_RECORD, TOO_LARGE, UNWRITABLE, Batch, QueueError
from promsnmp.traps.outputs.queue.segments import (
    HEADER_SIZE,
    Segment,
    framed,
    read_position,
    records_of,
    scan,
    segment_path,
    sync_folder,
    write_position,
)

log = logging.getLogger(__name__)

SEGMENTS = 16
"""Segments that a full queue has: the oldest, which is dropped, is that part of it."""
MAX_SEGMENT = 8 << 20
MAX_WAITING = 8 << 20
"""Octets of records that wait for the disk, at most."""
T = TypeVar("T")


class DiskQueue:
    """At most ``max_octets`` in the files of ``folder``, which belongs to this process alone."""

    def __init__(self, folder: Path, *, max_octets: int, sync: bool = True) -> None:
        self._folder, self._max_octets, self._sync = folder, max_octets, sync
        self._segment_size = max(min(max_octets // SEGMENTS, MAX_SEGMENT), 4096)
        self._segments: list[Segment] = []
        self._next = 0
        """Number of the oldest record."""
        self._offset = 0
        """Where it begins in the first segment."""
        self._file = -1
        self._waiting: list[tuple[bytes, asyncio.Future[None]]] = []
        self._waiting_octets = 0
        self._writer: asyncio.Task[None] | None = None
        self._lock = asyncio.Lock()
        self.dropped: Counter[str] = Counter()
        self.filled = asyncio.Event()

    def __len__(self) -> int:
        return self._segments[-1].end - self._next if self._segments else 0

    @property
    def octets(self) -> int:
        return sum(one.size for one in self._segments)

    async def open(self) -> None:
        await self._run(self._open)
        if len(self):
            self.filled.set()

    async def put(self, record: bytes) -> None:
        if len(record) > MAX_RECORD:
            self.dropped[TOO_LARGE] += 1
            return
        if self._waiting_octets + len(record) > MAX_WAITING:
            self.dropped[FULL] += 1
            raise QueueError(f"the disk of {self._folder} is too slow: more than {MAX_WAITING >> 20} MiB wait for it")
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((record, written))
        self._waiting_octets += len(record)
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_waiting(), name="trap-queue-writer")
        await written

    async def peek(self, count: int, octets: int) -> Batch:
        return await self._run(lambda: self._peek(count, octets))

    async def acknowledge(self, end: int) -> None:
        await self._run(lambda: self._acknowledge(end))
        if not len(self):
            self.filled.clear()

    async def close(self) -> None:
        if self._writer is not None:
            await asyncio.wait([self._writer])
        async with self._lock:
            self._end_segment()

    # ---------------------------------------------------------------------------------------------------- in threads

    async def _run(self, work: Callable[[], T]) -> T:
        """The result of blocking work in a thread, one at a time. Raises QueueError."""
        async with self._lock:
            try:
                return await asyncio.to_thread(work)
            except OSError as error:
                raise QueueError(f"the queue in {self._folder} cannot be used: {error.strerror or error}") from None

    async def _write_waiting(self) -> None:
        while self._waiting:
            waiting, self._waiting = self._waiting, []
            records = [record for record, _ in waiting]
            self._waiting_octets -= sum(map(len, records))
            failure: QueueError | None = None
            try:
                await self._run(lambda records=records: self._append(records))  # type: ignore[misc]  # of this round
                self.filled.set()
            except QueueError as error:
                failure = error
                self.dropped[UNWRITABLE] += len(records)
            for _, written in waiting:
                if written.done():
                    continue
                if failure is None:
                    written.set_result(None)
                else:
                    written.set_exception(failure)

    def _open(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._segments, damaged = scan(self._folder)
        self.dropped[DAMAGED] += damaged
        if damaged:
            log.warning("%s: %d incomplete records were left out", self._folder, damaged)
        position = read_position(self._folder)
        if not self._segments or self._segments[-1].end < position:  # its file is gone, or was damaged
            self._segments.append(Segment(segment_path(self._folder, position), position))
        self._next, self._offset = self._segments[0].first, 0
        self._acknowledge(min(position, self._segments[-1].end))

    def _append(self, records: list[bytes]) -> None:
        at = 0
        while at < len(records):
            segment = self._current()
            end, size = at, segment.size
            while end < len(records) and (end == at or size < self._segment_size):
                size += HEADER_SIZE + len(records[end])
                end += 1
            self._write(segment, records[at:end])
            self._drop_oldest()
            at = end

    def _current(self) -> Segment:
        """The segment to append to, with its file open."""
        segment = self._segments[-1]
        if segment.size >= self._segment_size:
            self._end_segment()
            segment = Segment(segment_path(self._folder, segment.end), segment.end)
            self._segments.append(segment)
        if self._file < 0:
            self._file = os.open(segment.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            if self._sync:
                sync_folder(self._folder)
        return segment

    def _write(self, segment: Segment, records: list[bytes]) -> None:
        data = memoryview(framed(records))
        size = len(data)
        if os.fstat(self._file).st_size != segment.size:  # what a failed write has left
            os.ftruncate(self._file, segment.size)
        while data:
            data = data[os.write(self._file, data) :]
        if self._sync:
            os.fdatasync(self._file)
        segment.count += len(records)
        segment.size += size

    def _end_segment(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _drop_oldest(self) -> None:
        while self.octets > self._max_octets and len(self._segments) > 1:
            lost = self._segments[0].end - self._next
            self.dropped[FULL] += lost
            self._acknowledge(self._segments[0].end)

    def _peek(self, count: int, octets: int) -> Batch:
        found: list[bytes] = []
        while self._segments:
            for at, segment in enumerate(self._segments):
                wanted = segment.end - self._next if at == 0 else segment.count
                records = records_of(segment.path, 0 if at else self._offset)
                for record, _ in itertools.islice(records, wanted):
                    octets -= len(record)
                    if len(found) == count or (found and octets < 0):
                        return Batch(found, self._next + len(found))
                    found.append(record)
                    wanted -= 1
                if wanted:  # the file was damaged, or is gone
                    break
            if found or not len(self):
                break
            self.dropped[DAMAGED] += self._segments[0].end - self._next
            log.warning("%s is damaged; the rest of it is left out", self._segments[0].path)
            self._leave_first()
        return Batch(found, self._next + len(found))

    def _leave_first(self) -> None:
        """Goes on behind the first segment."""
        if len(self._segments) == 1:
            self._end_segment()
            end = self._segments[0].end
            self._segments.append(Segment(segment_path(self._folder, end), end))
        self._acknowledge(self._segments[0].end)

    def _acknowledge(self, end: int) -> None:
        if end <= self._next and self._segments[0].end > end:
            return
        while len(self._segments) > 1 and self._segments[0].end <= end:
            gone = self._segments.pop(0)
            self._next, self._offset = gone.end, 0
            gone.path.unlink(missing_ok=True)
        skip = end - self._next
        if skip > 0:
            offsets = (offset for _, offset in records_of(self._segments[0].path, self._offset))
            for offset in itertools.islice(offsets, skip):
                self._offset, self._next = offset, self._next + 1
        write_position(self._folder, self._next)
        self._start_anew()

    def _start_anew(self) -> None:
        """Removes the only segment when all of it was delivered and it is large."""
        segment = self._segments[0]
        if len(self._segments) == 1 and self._next == segment.end and segment.size >= self._segment_size:
            self._end_segment()
            segment.path.unlink(missing_ok=True)
            self._segments = [Segment(segment_path(self._folder, self._next), self._next)]
            self._offset = 0
