"""Datagrams that wait for being processed: bounded in bytes, first come, first served."""

from __future__ import annotations

import asyncio
from collections import deque

from promsnmp.traps.receive.listener import Datagram

OVERHEAD = 800
"""Bytes of memory of a datagram besides its octets, about."""


class DatagramQueue:
    """Holds datagrams of ``max_octets`` bytes together, their overhead included."""

    def __init__(self, max_octets: int) -> None:
        self._max_octets = max_octets
        self._octets = 0
        self._items: deque[Datagram] = deque()
        self._filled = asyncio.Event()

    def __len__(self) -> int:
        return len(self._items)

    @property
    def octets(self) -> int:
        """Bytes that it holds."""
        return self._octets

    def put(self, datagram: Datagram) -> bool:
        """Adds a datagram; False when there is no room."""
        size = len(datagram.data) + OVERHEAD
        if self._octets + size > self._max_octets:
            return False
        self._octets += size
        self._items.append(datagram)
        self._filled.set()
        return True

    async def get(self) -> Datagram:
        """The next datagram; waits for one."""
        while not self._items:
            self._filled.clear()
            await self._filled.wait()
        datagram = self._items.popleft()
        self._octets -= len(datagram.data) + OVERHEAD
        return datagram
