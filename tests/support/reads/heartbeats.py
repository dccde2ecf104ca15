"""The Redis of replicas in simulated time: it keeps their heartbeats, as the script of the product does there."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from promsnmp.errors import CoordinatorError
from tests.support.reads.world import SimulatedProcess, World

LOST = 0.25
"""How many replies of Redis are lost, as a share of the messages between replicas that are lost."""
STARTED = 6.0
"""Seconds of a process without lost replies: a replica that cannot read Redis when it starts is alone (a limit)."""
WAIT = 1.0
"""Seconds until a client gives up."""


@dataclass
class SimulatedRedis:
    """Entries by name, with the time when they were written, in milliseconds, and their descriptions."""

    world: World
    entries: dict[bytes, tuple[int, bytes]] = field(default_factory=dict)

    def beat(self, name: bytes, description: bytes) -> list[list[bytes]]:
        """Writes an entry; returns all of them, with their stamps and ages."""
        now = 1 + int(self.world.now * 1000)
        self.entries[name] = now, description
        return [[one, b"%d" % at, b"%d" % (now - at), said] for one, (at, said) in self.entries.items()]


class SimulatedRedisClient:
    """One replica's connection: requests and replies take as long as messages between replicas; replies get lost."""

    def __init__(self, redis: SimulatedRedis, process: SimulatedProcess) -> None:
        self._redis = redis
        self._process = process
        self._started = redis.world.now

    async def run(self, script: object, keys: Sequence[str], arguments: Sequence[str | int]) -> list[list[bytes]]:
        """Raises CoordinatorError when the reply is lost."""
        world = self._redis.world
        await self._travel()
        reply = self._redis.beat(str(arguments[0]).encode(), str(arguments[1]).encode())
        if world.now - self._started > STARTED and world.chance.random() < world.lost * LOST:
            await asyncio.sleep(WAIT)
            raise CoordinatorError("no answer")
        await self._travel()
        return reply

    async def _travel(self) -> None:
        world = self._redis.world
        await asyncio.sleep(world.chance.random() * world.slowest / 2)
