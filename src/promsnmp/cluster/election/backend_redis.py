"""Stores the lease in Redis: the key ``leader``, and a record beside it.

``leader`` is for people and other programs: its value is the leader's name, it expires with the lease, and deleting it
forces an election. The record (``promsnmp:election``, a hash that stays) is for the replicas: it distinguishes two
processes with one name, has the fencing token (``term``), and outlives the lease. One script compares and changes both,
so that no leader ever overwrites its successor, or another program that holds ``leader``.

Redis forgets: it is emptied, restarted with what it saved last, or replaced by a replica that lacks the last writes. So
that no replica mistakes old data for new, each write puts a new random ``beat`` into the record, a missing record gets
one when it is read, and the record names the server that it was written to. A restarted server has another run_id, a
replica that became the master another master_replid (INFO).
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from itertools import count

from promsnmp.cluster.clients.redis_client import RedisClient, Script
from promsnmp.cluster.election.lease import (
    RECORD_FIELDS,
    InvalidRecord,
    LeaseRecord,
    LeaseState,
    read_record,
    read_word,
    vacancy,
)
from promsnmp.errors import CoordinatorError

LEADER, RECORD = "leader", "promsnmp:election"
_FIELDS = (*RECORD_FIELDS, "beat", "store")

_STORE = """
    local function info(section, name)
        local text = redis.pcall('INFO', section)
        return type(text) == 'string' and string.match(text, name .. ':(%w+)') or ''
    end
    local store = info('server', 'run_id') .. '/' .. info('replication', 'master_replid')
"""
"""The name of the server; the same for all where INFO is not allowed."""

READ = Script(
    _STORE
    + """
    local fields = redis.call('HMGET', KEYS[2], unpack(ARGV, 2))
    if redis.call('EXISTS', KEYS[2]) == 0 then
        redis.pcall('HSET', KEYS[2], 'beat', ARGV[1], 'store', store)
        fields = redis.call('HMGET', KEYS[2], unpack(ARGV, 2))
    end
    return {redis.call('GET', KEYS[1]), fields, store}
    """
)
"""Returns the value of ``leader``, the fields of the record, and the server. Marks a missing record if Redis accepts
writes."""

WRITE = Script(
    _STORE
    + """
    local seen_instance, seen_term, seen_beat, seen_store, milliseconds, beat = unpack(ARGV, 1, 6)
    local holder, instance, address, term, duration, released, installation, mac = unpack(ARGV, 7)
    local old = redis.call('HMGET', KEYS[2], 'instance', 'term', 'beat', 'holder')
    local name = redis.call('GET', KEYS[1])
    if (old[1] or '') ~= seen_instance or (old[2] or '') ~= seen_term or (old[3] or '') ~= seen_beat then return 0 end
    if store ~= seen_store then return 0 end
    local renews = old[1] == instance and old[2] == term
    if name and name ~= (old[4] or holder) then return 0 end
    if renews and not name and released == '0' then return 0 end
    redis.call('HSET', KEYS[2], 'holder', holder, 'instance', instance, 'address', address, 'term', term,
               'duration', duration, 'released', released, 'beat', beat, 'store', store,
               'installation', installation, 'mac', mac)
    if released == '1' then redis.call('DEL', KEYS[1])
    else redis.call('SET', KEYS[1], holder, 'PX', milliseconds) end
    return 1
    """
)
"""Writes record and ``leader`` and returns 1 if record, server and ``leader`` are as expected; otherwise writes nothing
and returns 0."""


class RedisLeaseStore:
    """A LeaseStore (see backend.py). ``prefix`` is the prefix of the keys."""

    backend = "redis"

    def __init__(self, redis: RedisClient, *, prefix: str = "") -> None:
        self._redis = redis
        self._keys = [prefix + LEADER, prefix + RECORD]
        self._strangers = count()

    async def read(self) -> LeaseState:
        reply = await self._redis.run(READ, self._keys, (secrets.token_hex(8), *_FIELDS))
        name, fields, server = _checked_reply(reply)
        texts, store = dict(zip(_FIELDS, map(_text, fields), strict=True)), _text(server)
        seen = dict(zip(_FIELDS, fields, strict=True))
        version = (*(seen[name] or b"" for name in ("instance", "term", "beat")), server)
        holder = _text(name)
        try:
            read_word(holder)
            record = _record(texts)
        except InvalidRecord as error:
            return LeaseState(None, version, store=store, problem=f"{error} (keys {', '.join(self._keys)})")
        if name is not None and (record is None or record.released or record.holder != holder):
            return LeaseState(self._stranger(holder, record), version, store=store)
        is_forced = name is None and record is not None and not record.released
        return LeaseState(record, version, is_forced, store)

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
            record.installation,
            record.mac,
        )
        arguments = (*expected.version, milliseconds, secrets.token_hex(8), *map(str, fields))
        written = await self._redis.run(WRITE, self._keys, arguments)
        if written not in (0, 1) or not isinstance(written, int):
            raise CoordinatorError("unexpected reply from Redis to a write of the lease")
        return written == 1

    def _stranger(self, holder: str, record: LeaseRecord | None) -> LeaseRecord:
        """Another program holds ``leader``: it counts as renewed at each read, since only Redis knows when it
        expires."""
        term, duration = (record.fencing_token, record.duration) if record else (0, 0.0)
        return LeaseRecord(holder, "", "", term, duration, beat=f"stranger {next(self._strangers)}")


def _checked_reply(reply: object) -> tuple[bytes | None, list[bytes | None], bytes]:
    """The three parts of an answer to READ. Raises CoordinatorError for anything else."""
    match reply:
        case [bytes() | None as name, list() as fields, bytes() as server] if len(fields) == len(_FIELDS):
            if all(isinstance(one, bytes | None) for one in fields):
                return name, fields, server
    raise CoordinatorError("unexpected reply from Redis to a read of the lease")


def _text(one: bytes | None) -> str:
    return "" if one is None else one.decode("utf-8", "replace")


def _record(texts: Mapping[str, str]) -> LeaseRecord | None:
    """The record in the fields; None when it is missing. Raises InvalidRecord."""
    beat, store = texts["beat"], texts["store"]
    if not any(texts.values()):
        return None
    if beat and not texts["term"]:
        return vacancy(beat, store)
    return read_record(texts, released=texts["released"] == "1", beat=beat, store=store)
