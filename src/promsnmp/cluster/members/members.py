"""Which replicas there are, as one of them sees it: rules without I/O, by one's own clock.

A member is there as long as something is heard of it, from a coordinator or from itself, and for ``member_timeout``
seconds after that. Silence counts only while something *could* be heard: when Redis is gone and nobody answers, it is
this replica that is deaf, and the members that were known last are kept. A member that ends says so and is gone at
once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

from promsnmp.cluster.election.rules import lease_clock
from promsnmp.cluster.members.hash_ring import HashRing
from promsnmp.errors import PeerError


@dataclass(frozen=True, slots=True)
class Member:
    """One running replica."""

    name: str
    """POD_NAME: what devices are given to, so that a restart moves none."""
    instance: str
    """Tells processes of one name apart."""
    address: str
    """``host:port`` of its HTTP server, as the others reach it."""
    started: float
    """Unix time."""

    def document(self) -> dict[str, object]:
        """For JSON."""
        return asdict(self)


def read_member(document: Mapping[str, object]) -> Member:
    """The member of a JSON document. Raises PeerError when it is none."""
    try:
        texts = [document[name] for name in ("name", "instance", "address")]
        started = document["started"]
    except (KeyError, TypeError):
        raise PeerError("what should be a replica's description is none") from None
    name, instance, address = (one if isinstance(one, str) and len(one) < 1000 else "" for one in texts)
    host, colon, port = address.rpartition(":")
    if not (name and instance and host and colon and port.isdigit()) or not isinstance(started, int | float):
        raise PeerError("what should be a replica's description is none")
    return Member(name, instance, address, float(started))


class Members:
    """The members that are known, ``me`` among them until it leaves."""

    def __init__(self, me: Member, *, member_timeout: float, clock: Callable[[], float] = lease_clock) -> None:
        self.me = me
        self.member_timeout = member_timeout
        self._clock = clock
        self._last_seen: dict[str, tuple[Member, float]] = {}
        self._gone: dict[str, float] = {}
        """Instances that have said goodbye, and when: what arrives late from them is of no meaning."""
        self._reachable_at = clock()
        self._isolated_until = -math.inf
        self.is_leaving = False
        self.present: tuple[Member, ...] = (me,)
        """Who is there, one for each name, sorted by name."""
        self.ring = HashRing([me.name], me.name)

    @property
    def others(self) -> tuple[Member, ...]:
        """Everybody that is there but this process."""
        return tuple(one for one in self.present if one.instance != self.me.instance)

    @property
    def namesake(self) -> Member | None:
        """A younger replica of the same name: then this one owns nothing. None when there is none."""
        mine = next((one for one in self.present if one.name == self.me.name), None)
        return mine if mine is not None and mine.instance != self.me.instance else None

    def find(self, name: str) -> Member | None:
        """The member of a name."""
        return next((one for one in self.present if one.name == name), None)

    def mark_alive(self, member: Member, *, age: float = 0.0) -> None:
        """A member was there ``age`` seconds ago."""
        self.mark_reachable()
        if member.instance == self.me.instance or member.instance in self._gone:
            return
        _, before = self._last_seen.get(member.instance, (member, -math.inf))
        self._last_seen[member.instance] = member, max(before, self._clock() - max(age, 0.0))

    def mark_left(self, instance: str) -> None:
        """A member has said goodbye."""
        self._last_seen.pop(instance, None)
        if instance not in self._gone:
            self._gone[instance] = self._clock()

    def mark_reachable(self) -> None:
        """Something could be heard just now: a coordinator has answered, whomever it named."""
        self._note_isolation()
        self._reachable_at = self._clock()

    def leave(self) -> None:
        """This process ends: it owns nothing from now on."""
        self.is_leaving = True

    def refresh(self) -> bool:
        """Forgets who has been silent for too long; whether somebody came or went since the last time."""
        now = self._clock()
        self._note_isolation()
        for instance, (_, at) in list(self._last_seen.items()):
            if now - max(at, self._isolated_until) >= self.member_timeout:
                del self._last_seen[instance]
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
        """Silence counts from the end of a time in which nothing was heard: this process may have slept."""
        if (now := self._clock()) - self._reachable_at > self.member_timeout / 2:
            self._isolated_until = now
