"""A Redis that lies: between it and the replicas, replies are replaced by older ones, by those to another replica, or
by nothing, delayed, or lost. No lie costs a scrape, a write or the order of readings, and each leadership has a term of
its own.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from promsnmp.cluster.election.rules import Timing, lease_clock
from tests.support.cluster.redis_server import RedisServer
from tests.support.cluster.replica import Replica
from tests.support.failures.faults import owners
from tests.support.failures.fleet.fleets import NAMES
from tests.support.failures.fleet.harness import SHORT_TIMING, Fleet, overlaps
from tests.support.failures.load.readings import SETTINGS, ReadingDevice, ReadingScrapes
from tests.support.failures.load.writers import WriteLog, Writers, inventory_in
from tests.support.service.threaded_server import ThreadedServer

REMEMBERED = 20
"""Replies to each script that may be given once more."""
LONGEST = 1.5
"""Seconds by which a reply is delayed, at most."""
WRITERS = 20


class LyingProxy(ThreadedServer):
    """Forwards requests to the Redis at ``port``. While ``lies``, a third of the replies to scripts and to INFO are
    lies; ``told`` counts them by kind."""

    def __init__(self, port: int) -> None:
        self.lies = False
        self.told = Counter[str]()
        self._redis = port
        self._chance = random.Random(port)
        self._replies: dict[bytes, deque[bytes]] = {}
        super().__init__()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_redis, to_redis = await asyncio.open_connection("127.0.0.1", self._redis)
        self._open.add(to_redis)
        try:
            while request := await _read_message(reader):
                to_redis.write(request)
                reply = await self._changed(request, await _read_message(from_redis))
                if not reply:
                    return
                writer.write(reply)
        except asyncio.IncompleteReadError:
            return
        finally:
            self._open.discard(to_redis)
            to_redis.close()

    async def _changed(self, request: bytes, reply: bytes) -> bytes:
        """What the replica gets; nothing to end the connection."""
        words = request.split(b"\r\n")
        command = words[2].upper() if len(words) > 2 else b""
        if command not in (b"EVALSHA", b"EVAL", b"INFO") or reply.startswith(b"-NOSCRIPT"):
            return reply
        key = command + (words[4] if len(words) > 4 else b"")
        earlier = self._replies.setdefault(key, deque(maxlen=REMEMBERED))
        earlier.append(reply)
        lie = self._chance.choices(["", "old", "none", "late", "lost"], [66, 20, 4, 5, 5])[0] if self.lies else ""
        self.told[lie] += bool(lie)
        if lie == "late":
            await asyncio.sleep(self._chance.uniform(0, LONGEST))
        return {"old": self._chance.choice(earlier), "none": b"$-1\r\n", "lost": b""}.get(lie, reply)


async def _read_message(reader: asyncio.StreamReader) -> bytes:
    """A whole message of the protocol of Redis (RESP2, and the aggregates of RESP3); empty at the end of a connection.

    Raises IncompleteReadError.
    """
    line = await reader.readline()
    if not line:
        return b""
    kind, rest = line[:1], line[1:].strip()
    if kind in b"$=!" and rest != b"-1":
        return line + await reader.readexactly(int(rest) + 2)
    if kind in b"*~>%" and rest != b"-1":
        parts = int(rest) * (2 if kind == b"%" else 1)
        return line + b"".join([await _read_message(reader) for _ in range(parts)])
    return line


@dataclass(frozen=True, slots=True)
class Lies:
    """``two_leaders``: pairs of periods in which two replicas led at once, each in its own term: only the later one
    can write (docs/high-availability.md, Limits)."""

    told: int
    scrapes: int
    slowest_scrape: float
    resets: int
    done: int
    refused: int
    unknown: int
    terms: int
    two_leaders: int


@contextmanager
def replicas_with_liar(
    folder: Path, timing: Timing = SHORT_TIMING, *, interval: float = 1.0
) -> Iterator[tuple[Fleet, LyingProxy]]:
    """Three replicas that reach Redis through a proxy that will lie, and devices whose counters are the time."""
    with RedisServer(folder) as redis, LyingProxy(redis.port) as liar:
        env = {**redis.env, "REDIS_PORT": str(liar.port), **SETTINGS}
        with Fleet(folder, env, timing, interval) as fleet:
            fleet.start(*NAMES)
            fleet.settle()
            fleet.add_devices(owners.DEVICES, kind=ReadingDevice)
            yield fleet, liar


def redis_lies(
    fleet: Fleet, liar: LyingProxy, *, scrapes: int, asleep: float, rest: float, rate: float = owners.RATE
) -> Lies:
    """Under lies, replicas crash, sleep and are replaced, while they are scraped and written to."""
    write_log, begun, unusable = WriteLog(), lease_clock(), set[Replica]()

    def written() -> Sequence[Replica]:
        return [one for one in fleet.replicas if one not in unusable]

    with ReadingScrapes(fleet.replicas, fleet.targets, rate=rate) as load:
        liar.lies = True
        with Writers(write_log, written, count=WRITERS, rest=rest):
            for number, turn in enumerate(itertools.cycle(owners.every_turn(fleet, asleep=asleep, rest=rest))):
                if len(load.done) >= scrapes:
                    break
                replica = written()[number % len(written())]
                unusable.add(replica)
                turn(load, replica)
                unusable.discard(replica)
            liar.lies = False
        time.sleep(rest)
    fleet.settle()
    readings = owners.check_readings(fleet, load, begun, may_reset=True)
    periods = fleet.lead_periods()
    assert len({period.term for period in periods}) == len(periods), f"two leaderships in one term: {periods}"
    contradictions = write_log.contradictions(inventory_in(fleet.folder))
    assert not contradictions, contradictions[:5]
    counts = write_log.counts
    return Lies(
        told=liar.told.total(),
        scrapes=readings.scrapes,
        slowest_scrape=readings.slowest_scrape,
        resets=readings.resets,
        done=counts["done"],
        refused=counts["refused"],
        unknown=counts["unknown"],
        terms=len(periods),
        two_leaders=len(overlaps(periods)),
    )
