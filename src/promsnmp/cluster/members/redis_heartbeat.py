"""Finds replicas by heartbeats in Redis: one script writes this replica's heartbeat and reads those of the others.

Writing and reading are one step on purpose: a Redis that takes no writes would only know members of the past. Each
heartbeat has a stamp, the time of Redis's clock. A replica is alive when its stamp changes between two reads, whatever
the stamp is; only a stamp that is seen for the first time is compared with Redis's clock. So a heartbeat that is left
behind with a stamp in the future, as after a failover to a server whose clock is slow, makes no member.

A heartbeat also repeats which heartbeats its replica has read. So a replica knows who certainly knows it, although a
reply of Redis may have been late or lost there (read_leases/rules.py).
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from promsnmp.cluster.clients.redis_client import RedisClient, Script
from promsnmp.cluster.election.rules import lease_clock
from promsnmp.cluster.members.announcements import Announcements
from promsnmp.cluster.members.members import MAX_TEXT, Member, read_member
from promsnmp.cluster.peers.cluster_key import ClusterKey
from promsnmp.cluster.peers.record_mac import RecordSigner, UnknownMac
from promsnmp.errors import CoordinatorError, PeerError

MEMBERS = "promsnmp:members"
FORGET_AFTER = 600_000
"""Milliseconds after which a silent member's entry is removed; a stamp further in the future than that is, too."""
MAX_ENTRIES, MAX_ENTRY = 512, 4096
"""Entries, of members and of processes that were members lately, and bytes of each one. A larger one is removed."""
SHOWN_FOR = 30.0
"""Seconds for which an entry that is not believed is a problem: then whoever wrote it is gone."""
MAX_UPTIME = 2.0**40
"""Seconds that a replica may have been running."""
MAX_STARTS = 1024
"""Replicas whose start is remembered."""
MAX_HEARD, MAX_INSTANCE = 32, 64
"""Replicas whose heartbeats are repeated in an entry, and characters of their instances, so that it stays small."""
CLOCK_DRIFT = 0.05
"""By how much the clocks of two replicas may differ in speed; one that was behind, as after a pause of its virtual
machine, catches up at this rate."""

BEAT = Script(
    """
    local now = redis.call('TIME')
    local milliseconds = now[1] * 1000 + math.floor(now[2] / 1000)
    local forget_after, max_entries, max_entry = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
    if redis.call('HLEN', KEYS[1]) > max_entries then
        return redis.error_reply('ERR ' .. KEYS[1] .. ' has more than ' .. max_entries .. ' entries; delete this key')
    end
    redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f', milliseconds) .. ' ' .. ARGV[2])
    local found, entries = {}, redis.call('HGETALL', KEYS[1])
    for i = 1, #entries, 2 do
        local at, document = string.match(string.sub(entries[i + 1], 1, max_entry + 1), '^(%d+) (.*)$')
        local age = at and #at < 16 and #entries[i] + #entries[i + 1] <= max_entry and milliseconds - tonumber(at)
        if not age or math.abs(age) > forget_after then redis.call('HDEL', KEYS[1], entries[i])
        else table.insert(found, {entries[i], at, string.format('%.0f', age), document}) end
    end
    redis.call('PEXPIRE', KEYS[1], ARGV[3])
    return found
    """
)
"""Writes one member's entry; returns the name of the entry, stamp, age (milliseconds) and description of every
member."""


@dataclass(frozen=True, slots=True)
class _Heartbeat:
    name: str
    stamp: str
    age: float
    """Seconds by Redis's clock; negative in the future."""
    description: str


class _Seen(NamedTuple):
    """An entry at the last read."""

    stamp: str
    alive_at: float
    """When its replica was alive last, by this replica's clock; infinitely long ago when that is not known."""


class RedisHeartbeats:
    """A source of members (see gossip.py), whose entries have the signature of a replica (``key``).

    Each entry says how long its replica has been running, so an old entry is no new sign of life, whatever Redis says
    about its time. ``is_fit`` returns whether this replica is fit to lead; ``on_fitness`` gets the same of the others:
    the instance, whether it is fit, and how many seconds ago it said so.
    """

    name = "redis"

    def __init__(
        self,
        redis: RedisClient,
        me: Member,
        key: ClusterKey,
        *,
        prefix: str = "",
        is_fit: Callable[[], bool] = lambda: True,
        on_fitness: Callable[[str, bool, float], object] = lambda instance, is_fit, age: None,
        clock: Callable[[], float] = lease_clock,
    ) -> None:
        self._redis = redis
        self._me = me
        self._keys = [prefix + MEMBERS]
        self._signer = RecordSigner(key, f"a heartbeat in {prefix}{MEMBERS}", installation=me.installation)
        self._is_fit = is_fit
        self._on_fitness = on_fitness
        self._clock = clock
        self._started = clock()
        self._seen: dict[str, _Seen] = {}
        """By the name of the entry, as of the last read."""
        self._starts: dict[str, tuple[float, float]] = {}
        """By instance: when it was started, by this clock, and when that was computed."""
        self._heard: dict[str, float] = {}
        """By instance: when it was alive last, as of the last read; seconds after its start."""
        self.heard_by: dict[str, float] = {}
        """Who has read a heartbeat of this replica, as of the last read: the instance, and when this one sent it, by
        ``clock``."""
        self.problem = ""
        """Why entries in Redis are not believed; empty when all are."""

    async def refresh(self, members: Announcements) -> None:
        """Writes this replica's heartbeat, and updates the members. Raises CoordinatorError."""
        known = {instance: at for instance, at in self._heard.items() if members.knows(instance)}
        heard = dict(list(known.items())[:MAX_HEARD])
        heartbeats = await self._beat({**self._me.document(), "fit": self._is_fit(), "heard": heard})
        members.mark_reachable()
        self._heard, self.heard_by = {}, {}
        self._seen = {heartbeat.name: self._seen_now(heartbeat) for heartbeat in heartbeats}
        problems: list[str] = []
        for heartbeat in heartbeats:
            try:
                self._take_in(members, heartbeat)
            except UnknownMac as error:
                if self._clock() - self._seen[heartbeat.name].alive_at < SHOWN_FOR:
                    problems.append(str(error))
            except PeerError:
                continue  # of another version
        text = f"{len(problems)} entries of {self._keys[0]} are not believed: "
        self.problem = text + max(problems, key=len) if problems else ""  # the longest reason says most

    def _seen_now(self, heartbeat: _Heartbeat) -> _Seen:
        now, last = self._clock(), self._seen.get(heartbeat.name)
        if last is None:
            return _Seen(heartbeat.stamp, now - heartbeat.age if heartbeat.age >= 0 else -math.inf)
        return last if last.stamp == heartbeat.stamp else _Seen(heartbeat.stamp, now)

    def _take_in(self, members: Announcements, heartbeat: _Heartbeat) -> None:
        """Raises UnknownMac when the entry is not to be believed, and PeerError when it is invalid."""
        record = self._signer.verify(_document(heartbeat.description))
        if record.get("leaving"):
            members.mark_left(str(record.get("instance"))[:MAX_TEXT])
            return
        member = read_member(record)
        age = max(self._clock() - self._seen[heartbeat.name].alive_at, self._age(member.instance, record))
        if age == math.inf:
            return
        members.mark_alive(member, age=age)
        if member.instance == self._me.instance or member.is_foreign_to(self._me):
            return
        if isinstance(fit := record.get("fit"), bool):
            self._on_fitness(member.instance, fit, age)
        if len(member.instance) <= MAX_INSTANCE:
            self._heard[member.instance] = math.floor(1000 * (_uptime(record) - age)) / 1000
        heard = record.get("heard")
        if isinstance(heard, dict) and self._me.instance in heard:
            sent_at = self._started + _seconds(heard[self._me.instance])
            self.heard_by[member.instance] = min(sent_at, self._clock())

    def _age(self, instance: str, record: Mapping[str, object]) -> float:
        """Seconds since the entry was written, compared with the most recent entry of this replica. Raises
        PeerError."""
        now = self._clock()
        start = now - _uptime(record)
        known, at = self._starts.get(instance, (start, now))
        known = min(start, known + CLOCK_DRIFT * (now - at))
        self._starts[instance] = known, now
        while len(self._starts) > MAX_STARTS:
            del self._starts[next(iter(self._starts))]
        return start - known

    async def leave(self) -> None:
        """Says goodbye, also to replicas that this one does not know yet. Raises CoordinatorError."""
        await self._beat({"instance": self._me.instance, "leaving": True})

    async def _beat(self, record: Mapping[str, object]) -> list[_Heartbeat]:
        description = json.dumps(self._signer.sign({**record, "uptime": self._clock() - self._started}))
        arguments = (self._me.instance, description, FORGET_AFTER, MAX_ENTRIES, MAX_ENTRY)
        reply = await self._redis.run(BEAT, self._keys, arguments)
        if not isinstance(reply, list):
            raise CoordinatorError("unexpected reply from Redis to a heartbeat")
        return [_read_heartbeat(entry) for entry in reply]


def _uptime(record: Mapping[str, object]) -> float:
    """Seconds for which a replica had been running when it wrote its entry. Raises PeerError."""
    return _seconds(record.get("uptime"))


def _seconds(value: object) -> float:
    """Raises PeerError."""
    if not isinstance(value, int | float) or not abs(value) <= MAX_UPTIME:
        raise PeerError("invalid heartbeat of a replica")
    return value


def _document(description: str) -> Mapping[str, object]:
    """Raises UnknownMac when it is no JSON object."""
    try:
        document = json.loads(description)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise UnknownMac("it is not written by PromSNMP")
    return document


def _read_heartbeat(entry: object) -> _Heartbeat:
    """Raises CoordinatorError."""
    match entry:
        case [bytes() as name, bytes() as stamp, bytes() as age, bytes() as description]:
            try:
                texts = [part.decode("utf-8", "replace") for part in (name, stamp, description)]
                return _Heartbeat(texts[0], texts[1], int(age) / 1000, texts[2])
            except (ValueError, OverflowError):
                pass
    raise CoordinatorError("unexpected reply from Redis to a heartbeat")
