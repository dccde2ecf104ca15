"""Keeps what Redis says about replicas apart from what they have proven.

An announced replica is asked at its address, and counts as a member when it has answered (gossip.py). From then on, its
heartbeats in Redis keep it a member, also while this replica cannot reach it.
"""

from __future__ import annotations

from promsnmp.cluster.members.members import Member, Members


class Announcements:
    """The replicas that a source announces, between it and ``members``."""

    def __init__(self, members: Members) -> None:
        self._members = members
        self._waiting: dict[str, Member] = {}
        """Announced, but not proven yet; by instance."""

    @property
    def addresses(self) -> set[str]:
        """Where replicas are announced that have not proven themselves yet."""
        return {member.address for member in self._waiting.values()}

    @property
    def replicas(self) -> tuple[Member, ...]:
        """The replicas that are announced and have not proven themselves yet: they may run all the same, unless a
        member listens in their place, as after a crash."""
        members = self._members
        taken = {(one.name, one.address) for one in members.present}
        return tuple(
            one
            for one in self._waiting.values()
            if not members.is_proven(one) and not members.is_gone(one.instance) and (one.name, one.address) not in taken
        )

    def knows(self, instance: str) -> bool:
        """Whether a process is a member or is announced, so that this replica needs its read lease."""
        return any(one.instance == instance for one in (*self._members.others, *self.replicas))

    def mark_reachable(self) -> None:
        """Notes that the source answers. What it announced before is forgotten: it says it again."""
        self._waiting.clear()
        self._members.mark_reachable()

    def mark_alive(self, member: Member, *, age: float = 0.0) -> None:
        """Notes a heartbeat, ``age`` seconds ago."""
        if self._members.is_proven(member) or member.is_foreign_to(self._members.me):
            self._members.mark_alive(member, age=age)
        elif self._may_run(member, age):
            self._waiting[member.instance] = member

    def _may_run(self, member: Member, age: float) -> bool:
        is_other = member.instance != self._members.me.instance
        return is_other and age < self._members.member_timeout and self._members.hear(member.instance, age=age)

    def mark_left(self, instance: str) -> None:
        """Notes that a replica has left."""
        self._members.mark_left(instance)
