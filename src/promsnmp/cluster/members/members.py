"""Decides which replicas are members, from this replica's view: rules without I/O, by its own clock.

A member is present until ``member_timeout`` seconds after the last sign of life, from a coordinator or from itself.
Silence counts only while this replica can hear anybody: when Redis is gone and nobody answers, this replica is isolated
and keeps the last known members. A member that stops says so and is gone at once. One whose address refuses connections
has crashed: it is gone after a few seconds of silence.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

from promsnmp.cluster.election.rules import lease_clock
from promsnmp.cluster.members.hash_ring import HashRing
from promsnmp.errors import PeerError

REFUSAL_TIMEOUT = 3.0
"""Seconds without a sign of life after which a member is gone whose address refuses connections."""


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
    name, instance, address = (one if isinstance(one, str) and len(one) < 1000 else "" for one in texts)
    host, colon, port = address.rpartition(":")
    if not (name and instance and host and colon and port.isdigit()) or not isinstance(started, int | float):
        raise PeerError("invalid description of a replica")
    return Member(name, instance, address, float(started))


class Members:
    """The known members, including ``me`` until it leaves."""

    def __init__(self, me: Member, *, member_timeout: float, clock: Callable[[], float] = lease_clock) -> None:
        self.me = me
        self.member_timeout = member_timeout
        self.refusal_timeout = min(REFUSAL_TIMEOUT, member_timeout / 2)
        self._clock = clock
        self._last_seen: dict[str, tuple[Member, float]] = {}
        self._refused_at: dict[str, float] = {}
        """When connections to a member were refused, without a sign of life since."""
        self._gone: dict[str, float] = {}
        """Instances that have left, and when: their late messages are ignored."""
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

    def mark_alive(self, member: Member, *, age: float = 0.0) -> None:
        """Notes a sign of life of a member, ``age`` seconds ago."""
        self.mark_reachable()
        if member.instance == self.me.instance or member.instance in self._gone:
            return
        _, before = self._last_seen.get(member.instance, (member, -math.inf))
        seen_at = max(before, self._clock() - max(age, 0.0))
        self._last_seen[member.instance] = member, seen_at
        if seen_at > self._refused_at.get(member.instance, math.inf):
            del self._refused_at[member.instance]

    def mark_refused(self, instance: str) -> None:
        """Notes that nothing listens at a member's address: its process is gone, unless it gives a sign of life."""
        self._refused_at.setdefault(instance, self._clock())

    def mark_left(self, instance: str) -> None:
        """Notes that a member has left."""
        self._last_seen.pop(instance, None)
        if instance not in self._gone:
            self._gone[instance] = self._clock()

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
            is_silent = now - max(at, self._isolated_until) >= self.member_timeout
            if is_silent or now - self._refused_at.get(instance, math.inf) >= self.refusal_timeout:
                del self._last_seen[instance]
        self._refused_at = {one: at for one, at in self._refused_at.items() if one in self._last_seen}
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

    def _note_isolation(self) -> None:
        """After a time in which nothing was heard, silence counts from now: this process may have been suspended."""
        if (now := self._clock()) - self._reachable_at > self.member_timeout / 2:
            self._isolated_until = now
