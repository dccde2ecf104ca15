"""Decides whether this replica may be elected: not while another replica has a later inventory.

When the inventory file was deleted, or replaced by an older one, a replica that starts knows less than the others have
in memory, and as the leader it would overwrite their inventory. So it waits until it knows their revisions.
"""

from __future__ import annotations

from collections.abc import Callable

from promsnmp.cluster.election.rules import lease_clock
from promsnmp.cluster.members.members import Members


class Eligibility:
    """``revision`` returns this replica's revision, ``members_known`` whether the other members are known.

    After the start, it waits for the others for at most ``member_timeout`` seconds.
    """

    def __init__(
        self,
        members: Members,
        *,
        revision: Callable[[], int],
        members_known: Callable[[], bool],
        clock: Callable[[], float] = lease_clock,
    ) -> None:
        self._members = members
        self._revision = revision
        self._members_known = members_known
        self._clock = clock
        self._waits_until = clock() + members.member_timeout
        self._revisions: dict[str, int] = {}
        """Revisions of the other replicas, by instance."""

    def note_revision(self, instance: str, revision: int) -> None:
        """Notes the revision of another replica."""
        there = {one.instance for one in self._members.others} | {instance}
        self._revisions = {one: known for one, known in self._revisions.items() if one in there} | {instance: revision}

    def __call__(self) -> bool:
        others = {one.instance for one in self._members.others}
        if self._clock() < self._waits_until and not (self._members_known() and others <= self._revisions.keys()):
            return False
        return max((self._revisions.get(one, 0) for one in others), default=0) <= self._revision()
