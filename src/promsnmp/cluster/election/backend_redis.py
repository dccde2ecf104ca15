"""Stores the lease in Redis: the key ``leader``, and a record beside it.

``leader`` is for people and other programs: its value is the leader's name, it expires with the lease, and deleting it
forces an election. The record (``promsnmp:election``, a hash that stays) is for the replicas: it distinguishes two
processes with one name, has the term, and outlives the lease. One script compares and changes both, so that no leader
ever overwrites its successor, or another program that holds ``leader``.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count

from promsnmp.cluster.backends.redis_client import RedisClient, Script
from promsnmp.cluster.election.rules import LeaseRecord, LeaseState

LEADER, RECORD = "leader", "promsnmp:election"
_FIELDS = ("holder", "instance", "address", "term", "duration", "released", "beat")

READ = Script(
    """
    return {redis.call('GET', KEYS[1]), redis.call('HMGET', KEYS[2], unpack(ARGV))}
    """
)
"""Returns the value of ``leader`` and the fields of the record."""

WRITE = Script(
    """
    local seen_instance, seen_term, seen_beat, milliseconds = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
    local holder, instance, address, term, duration, released = unpack(ARGV, 5)
    local old = redis.call('HMGET', KEYS[2], 'instance', 'term', 'beat', 'holder')
    local name = redis.call('GET', KEYS[1])
    if (old[1] or '') ~= seen_instance or (old[2] or '') ~= seen_term or (old[3] or '') ~= seen_beat then return 0 end
    local renews = old[1] == instance and old[2] == term
    if name and name ~= old[4] then return 0 end
    if renews and not name and released == '0' then return 0 end
    redis.call('HSET', KEYS[2], 'holder', holder, 'instance', instance, 'address', address, 'term', term,
               'duration', duration, 'released', released)
    redis.call('HINCRBY', KEYS[2], 'beat', 1)
    if released == '1' then redis.call('DEL', KEYS[1])
    else redis.call('SET', KEYS[1], holder, 'PX', milliseconds) end
    return 1
    """
)
"""Writes record and ``leader`` and returns 1 if they are as expected; otherwise writes nothing and returns 0."""


class RedisLeaseStore:
    """A LeaseStore (see runner.py). ``prefix`` is the prefix of the keys."""

    backend = "redis"

    def __init__(self, redis: RedisClient, *, prefix: str = "") -> None:
        self._redis = redis
        self._keys = [prefix + LEADER, prefix + RECORD]
        self._strangers = count()

    async def read(self) -> LeaseState:
        name, fields = await self._redis.run(READ, self._keys, _FIELDS)
        texts = dict(zip(_FIELDS, map(_text, fields), strict=True))
        record = _record(texts)
        version = (texts["instance"], texts["term"], texts["beat"])
        holder = _text(name)
        if name is not None and (record is None or record.released or record.holder != holder):
            return LeaseState(self._stranger(holder, record), version)
        is_forced = name is None and record is not None and not record.released
        return LeaseState(record, version, is_forced)

    async def write(self, record: LeaseRecord, expected: LeaseState) -> bool:
        assert isinstance(expected.version, tuple)
        milliseconds = round(record.duration * 1000)
        fields = (
            record.holder,
            record.instance,
            record.address,
            record.fencing_token,
            record.duration,
            int(record.released),
        )
        return bool(await self._redis.run(WRITE, self._keys, (*expected.version, milliseconds, *map(str, fields))))

    def _stranger(self, holder: str, record: LeaseRecord | None) -> LeaseRecord:
        """Another program holds ``leader``: it counts as renewed at each read, since only Redis knows when it
        expires."""
        term, duration = (record.fencing_token, record.duration) if record else (1, 0.0)
        return LeaseRecord(holder, "", "", term, duration, beat=f"stranger {next(self._strangers)}")


def _text(one: bytes | None) -> str:
    return "" if one is None else one.decode("utf-8", "replace")


def _record(texts: Mapping[str, str]) -> LeaseRecord | None:
    """The record in the fields; None when it is missing or unreadable."""
    try:
        term, duration = int(texts["term"]), float(texts["duration"])
    except ValueError:
        return None
    return LeaseRecord(
        texts["holder"], texts["instance"], texts["address"], term, duration, texts["released"] == "1", texts["beat"]
    )
