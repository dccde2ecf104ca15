"""What the queues of outputs have in common."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from promsnmp.errors import PromSnmpError

MAX_RECORD = 1 << 20
"""Octets of one record, at most; a notification has fewer."""
FULL, DAMAGED, TOO_LARGE, UNWRITABLE = "full", "damaged", "too_large", "unwritable"
"""Why a queue has dropped records."""


class QueueError(PromSnmpError):
    """A record could not be made safe: the disk cannot be written, or too much waits for it."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive records, the oldest first. ``end`` is the number of the record behind the last one."""

    records: Sequence[bytes]
    end: int


class EventQueue(Protocol):
    """Records in their order; the oldest are dropped, and counted, when there are too many."""

    dropped: Counter[str]
    """Records that were dropped, by reason."""
    filled: asyncio.Event
    """Set while there are records."""

    def __len__(self) -> int: ...

    @property
    def octets(self) -> int:
        """Octets that the records take, in memory or on disk."""

    async def open(self) -> None:
        """Reads what an earlier process has left. Raises QueueError."""

    async def put(self, record: bytes) -> None:
        """Adds a record and returns when it is safe. Raises QueueError."""

    async def peek(self, count: int, octets: int) -> Batch:
        """The oldest records: at most ``count``, and ``octets`` unless the first alone is larger."""

    async def acknowledge(self, end: int) -> None:
        """Removes the records before number ``end``, as far as they are still there."""

    async def close(self) -> None: ...
