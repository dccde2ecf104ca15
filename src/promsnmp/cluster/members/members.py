"""Decides which replicas are members, from this replica's view: rules without I/O, by its own clock.

A member is present until ``member_timeout`` seconds after the last sign of life, from a coordinator or from itself.
Silence counts only while this replica can hear anybody: when Redis is gone and nobody answers, this replica is isolated
and keeps the last known members. A member that stops says so and is gone at once. One whose address refuses connections
has crashed: it is gone after half of that time without a sign of life. Replicas of another installation, which see each
other because both use one Redis without a prefix, are no members.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

from promsnmp.cluster.election.rules import lease_clock
from promsnmp.cluster.members.hash_ring import HashRing
from promsnmp.errors import PeerError

MAX_TEXT = 512
"""Characters of a name or an address; DNS allows 253."""
MAX_STARTED = 2.0**40
"""Unix time, far in the future."""
MAX_GONE = 1000
"""Instances that have left and are remembered."""
MAX_FOREIGN = 16
"""Replicas of other installations that are remembered."""


@dataclass(frozen=True, slots=True)
class Member:
    """One running replica."""

    name: str
    """POD_NAME: devices are assigned to names, so that a restart moves none."""
    instance: str
    """Distinguishes processes with the same name."""
    address: str
    """``host:port`` of its HTTP server, as the others reach it."""
    started: float
    """Unix time."""
    installation: str = ""
    """The same for all replicas over one inventory file; empty when unknown, and then any."""

    def is_foreign_to(self, other: Member) -> bool:
        """Whether this replica belongs to another installation than ``other``."""
        return bool(self.installation and other.installation) and self.installation != other.installation

    def document(self) -> dict[str, object]:
        """For JSON."""
        return asdict(self)


def read_member(document: Mapping[str, object]) -> Member:
    """The member in a JSON document. Raises PeerError when the document is invalid."""
    try:
        texts = [document[name] for name in ("name", "instance", "address")]
        started = document["started"]
    except (KeyError, TypeError):
        raise PeerError("invalid description of a replica") from None
    name, instance, address, installation = (
        one if isinstance(one, str) and len(one) <= MAX_TEXT and one.isprintable() else ""
        for one in (*texts, document.get("installation", ""))
    )
    host, colon, port = address.rpartition(":")
    is_address = bool(host and colon) and port.isascii() and port.isdigit() and len(port) <= 5
    if not (name and instance and is_address and isinstance(started, int | float) and 0 <= started <= MAX_STARTED):
        raise PeerError("invalid description of a replica")
    return Member(name, instance, address, float(started), installation)


class Members:
    """The known members, including ``me`` until it leaves."""

    def __init__(self, me: Member, *, member_timeout: float, clock: Callable[[], float] = lease_clock) -> None:
        self.me = me
        self.member_timeout = member_timeout
        self.refusal_timeout = member_timeout / 2
        """Seconds without a sign of life after which a replica is gone whose address refuses connections: long enough
        for the next heartbeat of one that lives, and that a firewall keeps away from this one."""
        self._clock = clock
        self._last_seen: dict[str, tuple[Member, float]] = {}
        self._refused_at: dict[str, float] = {}
        """When connections to a member were refused, without a sign of life since."""
        self._gone: dict[str, float] = {}
        """Instances that have left, and when: their late messages are ignored."""
        self._dropped: dict[str, float] = {}
        """Instances that crashed or are silent, and when they were dropped: an earlier sign of life means nothing."""
        self._foreign: dict[str, tuple[Member, float]] = {}
        """Replicas of other installations, and when they were last heard."""
        self._reachable_at = clock()
        self._isolated_until = -math.inf
        self.is_leaving = False
        self.present: tuple[Member, ...] = (me,)
        """The present members, one per name, sorted by name."""
        self.ring = HashRing([me.name], me.name)

    @property
    def others(self) -> tuple[Member, ...]:
        """The present members except this process."""
        return tuple(one for one in self.present if one.instance != self.me.instance)

    @property
    def namesake(self) -> Member | None:
        """A younger replica with the same name, else None. While there is one, this replica owns no devices."""
        mine = next((one for one in self.present if one.name == self.me.name), None)
        return mine if mine is not None and mine.instance != self.me.instance else None

    def find(self, name: str) -> Member | None:
        """The member with this name."""
        return next((one for one in self.present if one.name == name), None)

    def is_proven(self, member: Member) -> bool:
        """Whether this process is a member already, so that it has proven that it is a replica."""
        return self._last_seen.get(member.instance, (None, 0.0))[0] == member

    def is_heard(self, address: str) -> bool:
        """Whether the member at this address has given a sign of life lately, however it was heard."""
        now = self._clock()
        return any(one.address == address and now - at < self.member_timeout for one, at in self._last_seen.values())

    @property
    def foreign(self) -> Member | None:
        """A replica of another installation that was heard lately, else None."""
        now = self._clock()
        heard = (one for one, at in self._foreign.values() if now - at < self.member_timeout)
        return min(heard, key=lambda one: (one.installation, one.name), default=None)

    def mark_alive(self, member: Member, *, age: float = 0.0) -> None:
        """Notes a sign of life of a member, ``age`` seconds ago."""
        self.mark_reachable()
        at = self._clock() - max(age, 0.0)
        if member.is_foreign_to(self.me):
            _, before = self._foreign.pop(member.instance, (member, -math.inf))
            self._foreign[member.instance] = member, max(before, at)
            self._foreign = dict(list(self._foreign.items())[-MAX_FOREIGN:])
            return
        if member.instance == self.me.instance or member.instance in self._gone:
            return
        if self.hear(member.instance, age=age):
            _, before = self._last_seen.get(member.instance, (member, -math.inf))
            self._last_seen[member.instance] = member, max(before, at)

    def hear(self, instance: str, *, age: float) -> bool:
        """Notes a sign of life of a process, ``age`` seconds ago; returns whether it may still run: the last heartbeat
        of one that was dropped stays in Redis for a while."""
        at = self._clock() - max(age, 0.0)
        if at > self._refused_at.get(instance, math.inf):
            del self._refused_at[instance]
        if at < self._dropped.get(instance, -math.inf):
            return False
        self._dropped.pop(instance, None)
        return True

    def mark_refused(self, instance: str) -> None:
        """Notes that nothing listens at a replica's address: its process is gone, unless it gives a sign of life."""
        if len(self._refused_at) < MAX_GONE:
            self._refused_at.setdefault(instance, self._clock())

    def is_refused(self, instance: str) -> bool:
        """Whether nothing listened at a replica's address, and it has not given a sign of life since."""
        return instance in self._refused_at

    def is_gone(self, instance: str) -> bool:
        """Whether a replica has left or was dropped, and has not given a sign of life since."""
        return instance in self._gone or instance in self._dropped

    def mark_left(self, instance: str) -> None:
        """Notes that a member has left."""
        self._last_seen.pop(instance, None)
        if instance not in self._gone:
            self._gone[instance] = self._clock()
            if len(self._gone) > MAX_GONE:
                del self._gone[next(iter(self._gone))]

    def mark_reachable(self) -> None:
        """Notes that this replica is not isolated: a coordinator or a replica has just answered."""
        self._note_isolation()
        self._reachable_at = self._clock()

    def leave(self) -> None:
        """This process stops: it owns no devices from now on."""
        self.is_leaving = True

    def refresh(self) -> bool:
        """Drops members that are silent for too long; returns whether the members have changed since the last call."""
        now = self._clock()
        self._note_isolation()
        for instance, (_, at) in list(self._last_seen.items()):
            if now - max(at, self._isolated_until) >= self.member_timeout:
                self._drop(instance, now)
        for instance, at in list(self._refused_at.items()):
            if now - at >= self.refusal_timeout:
                self._drop(instance, now)
        self._gone = {instance: at for instance, at in self._gone.items() if now - at < 60 * self.member_timeout}
        known = [member for member, _ in self._last_seen.values()] + ([] if self.is_leaving else [self.me])
        youngest: dict[str, Member] = {}
        for one in sorted(known, key=lambda member: (member.started, member.instance)):
            youngest[one.name] = one
        present = tuple(youngest[name] for name in sorted(youngest))
        if present == self.present:
            return False
        self.present = present
        self.ring = HashRing([one.name for one in present], self.me.name if self.me in present else "")
        return True

    def _drop(self, instance: str, at: float) -> None:
        self._last_seen.pop(instance, None)
        self._refused_at.pop(instance, None)
        self._dropped[instance] = at
        if len(self._dropped) > MAX_GONE:
            del self._dropped[next(iter(self._dropped))]

    def _note_isolation(self) -> None:
        """After a time in which nothing was heard, silence counts from now: this process may have been suspended."""
        if (now := self._clock()) - self._reachable_at > self.member_timeout / 2:
            self._isolated_until = now
