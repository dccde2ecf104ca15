"""A queue in memory: what it holds is lost when the process ends."""

from __future__ import annotations

import asyncio
from collections import Counter, deque

from promsnmp.traps.outputs.queue.model import FULL, MAX_RECORD, TOO_LARGE, Batch


class MemoryQueue:
    """At most ``max_count`` records of ``max_octets`` together."""

    def __init__(self, *, max_count: int, max_octets: int) -> None:
        self._max_count, self._max_octets = max_count, max_octets
        self._records: deque[bytes] = deque()
        self._first = self._octets = 0
        self.dropped: Counter[str] = Counter()
        self.filled = asyncio.Event()

    def __len__(self) -> int:
        return len(self._records)

    @property
    def octets(self) -> int:
        return self._octets

    async def open(self) -> None:
        """There is nothing to read."""

    async def put(self, record: bytes) -> None:
        if len(record) > min(self._max_octets, MAX_RECORD):
            self.dropped[TOO_LARGE] += 1
            return
        self._records.append(record)
        self._octets += len(record)
        while len(self._records) > self._max_count or self._octets > self._max_octets:
            self._remove()
            self.dropped[FULL] += 1
        self.filled.set()

    async def peek(self, count: int, octets: int) -> Batch:
        found: list[bytes] = []
        for record in self._records:
            octets -= len(record)
            if len(found) == count or (found and octets < 0):
                break
            found.append(record)
        return Batch(found, self._first + len(found))

    async def acknowledge(self, end: int) -> None:
        while self._first < end and self._records:
            self._remove()
        if not self._records:
            self.filled.clear()

    async def close(self) -> None:
        """There is nothing to close."""

    def _remove(self) -> None:
        self._octets -= len(self._records.popleft())
        self._first += 1
