"""Finds replicas by heartbeats in Redis: one script writes this replica's heartbeat and reads those of the others.

Only Redis's clock counts, so the clocks of replicas need not be right. Writing and reading are one step on purpose: a
Redis that takes no writes would only know members of the past.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from promsnmp.cluster.clients.redis_client import RedisClient, Script
from promsnmp.cluster.election.rules import lease_clock
from promsnmp.cluster.members.announcements import Announcements
from promsnmp.cluster.members.members import Member, read_member
from promsnmp.cluster.peers.cluster_key import ClusterKey
from promsnmp.cluster.peers.record_mac import RecordSigner, UnknownMac
from promsnmp.errors import CoordinatorError, PeerError

MEMBERS = "promsnmp:members"
FORGET_AFTER = 600_000
"""Milliseconds after which a silent member's entry is removed."""
SHOWN_FOR = 30_000
"""Milliseconds for which an entry that is not believed is a problem: then whoever wrote it is gone."""
MAX_STARTS = 1024
"""Replicas whose start is remembered."""
CLOCK_DRIFT = 0.05
"""By how much the clocks of two replicas may differ in speed; one that was behind, as after a pause of its virtual
machine, catches up at this rate."""

BEAT = Script(
    """
    local now = redis.call('TIME')
    local milliseconds = now[1] * 1000 + math.floor(now[2] / 1000)
    redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f', milliseconds) .. ' ' .. ARGV[2])
    local found, entries = {}, redis.call('HGETALL', KEYS[1])
    for i = 1, #entries, 2 do
        local at, document = string.match(entries[i + 1], '^(%d+) (.*)$')
        local age = at and milliseconds - tonumber(at)
        if not age or age > tonumber(ARGV[3]) then redis.call('HDEL', KEYS[1], entries[i])
        else table.insert(found, {string.format('%.0f', age), document}) end
    end
    redis.call('PEXPIRE', KEYS[1], ARGV[3])
    return found
    """
)
"""Writes one member's entry; returns age (milliseconds) and description of every member."""


class RedisHeartbeats:
    """A source of members (see gossip.py), whose entries have the signature of a replica (``key``).

    Each entry says how long its replica has been running, so an old entry is no new sign of life, whatever Redis says
    about its time.
    """

    name = "redis"

    def __init__(
        self,
        redis: RedisClient,
        me: Member,
        key: ClusterKey,
        *,
        prefix: str = "",
        clock: Callable[[], float] = lease_clock,
    ) -> None:
        self._redis = redis
        self._me = me
        self._keys = [prefix + MEMBERS]
        self._signer = RecordSigner(key, f"a heartbeat in {prefix}{MEMBERS}")
        self._clock = clock
        self._started = clock()
        self._starts: dict[str, tuple[float, float]] = {}
        """By instance: when it was started, by this clock, and when that was computed."""
        self.problem = ""
        """Why entries in Redis are not believed; empty when all are."""

    async def refresh(self, members: Announcements) -> None:
        """Writes this replica's heartbeat, and updates the members. Raises CoordinatorError."""
        found = await self._beat(self._me.document())
        members.mark_reachable()
        problems: list[str] = []
        for age, description in found:
            try:
                record = self._signer.verify(_document(description))
                if record.get("leaving"):
                    members.mark_left(str(record.get("instance")))
                else:
                    member = read_member(record)
                    members.mark_alive(member, age=max(int(age) / 1000, self._age(member.instance, record)))
            except UnknownMac as error:
                if int(age) < SHOWN_FOR:
                    problems.append(str(error))
            except (PeerError, ValueError):
                continue  # of another version
        text = f"{len(problems)} entries of {self._keys[0]} are not believed: "
        self.problem = text + problems[0] if problems else ""

    def _age(self, instance: str, record: Mapping[str, object]) -> float:
        """Seconds since the entry was written, compared with the most recent entry of this replica. Raises
        PeerError."""
        uptime = record.get("uptime")
        if not isinstance(uptime, int | float):
            raise PeerError("invalid heartbeat of a replica")
        now = self._clock()
        start = now - uptime
        known, at = self._starts.get(instance, (start, now))
        known = min(start, known + CLOCK_DRIFT * (now - at))
        self._starts[instance] = known, now
        while len(self._starts) > MAX_STARTS:
            del self._starts[next(iter(self._starts))]
        return start - known

    async def leave(self) -> None:
        """Says goodbye, also to replicas that this one does not know yet. Raises CoordinatorError."""
        await self._beat({"instance": self._me.instance, "leaving": True})

    async def _beat(self, record: Mapping[str, object]) -> list[tuple[bytes, bytes]]:
        description = json.dumps(self._signer.sign({**record, "uptime": self._clock() - self._started}))
        found = await self._redis.run(BEAT, self._keys, [self._me.instance, description, FORGET_AFTER])
        if not isinstance(found, list):
            raise CoordinatorError("unexpected reply from Redis")
        return [(one[0], one[1]) for one in found]


def _document(description: bytes) -> Mapping[str, object]:
    """Raises UnknownMac when it is no JSON object."""
    try:
        document = json.loads(description)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise UnknownMac("it is not written by PromSNMP")
    return document
