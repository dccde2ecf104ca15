"""The election's register in Redis: the key ``leader``, and a record beside it.

``leader`` is what people and other programs see: its value is the leader's name, it runs out with the lease, and to
delete it forces an election. The record (``promsnmp:election``, a hash that stays) is what replicas go by: it tells two
processes of one name apart, knows the term, and survives the lease. Both are changed by one script that compares first,
so that no leader ever writes over its successor, nor over another program that holds ``leader``.
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
"""The value of ``leader``, and the record's fields."""

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
"""Compares the record with what was seen, and ``leader`` with the record; then writes both and returns 1, else 0."""


class RedisLeaseStore:
    """A LeaseStore (see runner.py). ``prefix`` goes before the names of keys."""

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
        """Some other program holds ``leader``: taken to renew it all the time, since only Redis knows its lease."""
        term, duration = (record.fencing_token, record.duration) if record else (1, 0.0)
        return LeaseRecord(holder, "", "", term, duration, beat=f"stranger {next(self._strangers)}")


def _text(one: bytes | None) -> str:
    return "" if one is None else one.decode("utf-8", "replace")


def _record(texts: Mapping[str, str]) -> LeaseRecord | None:
    """The record of the fields; None when there is none, or none that can be read."""
    try:
        term, duration = int(texts["term"]), float(texts["duration"])
    except ValueError:
        return None
    return LeaseRecord(
        texts["holder"], texts["instance"], texts["address"], term, duration, texts["released"] == "1", texts["beat"]
    )
