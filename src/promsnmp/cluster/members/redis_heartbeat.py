"""Finds replicas by heartbeats in Redis: one script writes this replica's heartbeat and reads those of the others.

Only Redis's clock counts, so the clocks of replicas need not be right. Writing and reading are one step on purpose: a
Redis that takes no writes would only know members of the past.
"""

from __future__ import annotations

import json

from promsnmp.cluster.clients.redis_client import RedisClient, Script
from promsnmp.cluster.members.members import Member, Members, read_member
from promsnmp.errors import CoordinatorError, PeerError

MEMBERS = "promsnmp:members"
FORGET_AFTER = 600_000
"""Milliseconds after which a silent member's entry is removed."""

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
    """A source of members (see gossip.py)."""

    name = "redis"

    def __init__(self, redis: RedisClient, me: Member, *, prefix: str = "") -> None:
        self._redis = redis
        self._me = me
        self._keys = [prefix + MEMBERS]

    async def refresh(self, members: Members) -> None:
        """Writes this replica's heartbeat, and updates the members. Raises CoordinatorError."""
        found = await self._beat(json.dumps(self._me.document()))
        members.mark_reachable()
        for age, description in found:
            try:
                document = json.loads(description)
                if isinstance(document, dict) and document.get("leaving"):
                    members.mark_left(str(document.get("instance")))
                else:
                    members.mark_alive(read_member(document), age=int(age) / 1000)
            except (PeerError, ValueError):
                continue  # of another version, or not ours

    async def leave(self) -> None:
        """Says goodbye, also to replicas that this one does not know yet. Raises CoordinatorError."""
        await self._beat(json.dumps({"instance": self._me.instance, "leaving": True}))

    async def _beat(self, description: str) -> list[tuple[bytes, bytes]]:
        found = await self._redis.run(BEAT, self._keys, [self._me.instance, description, FORGET_AFTER])
        if not isinstance(found, list):
            raise CoordinatorError("unexpected reply from Redis")
        return [(one[0], one[1]) for one in found]
