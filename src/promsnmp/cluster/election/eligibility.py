"""Whether this replica may be elected: not while another one has a later inventory.

When the inventory file is gone, or an older one was put in its place, a replica that is started has less than the
others have in memory, and as the leader it would write that over what they know. So the others are asked first.
"""

from __future__ import annotations

from collections.abc import Callable

from promsnmp.cluster.election.rules import lease_clock
from promsnmp.cluster.members.members import Members


class Eligibility:
    """``revision`` is that of the inventory here, ``members_known`` says whether the coordinators were asked who else
    is there. Others are waited for as long as their silence is, from the start."""

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
        """Revisions of the others, by instance."""

    def note_revision(self, instance: str, revision: int) -> None:
        """Another replica has told which revision it has."""
        there = {one.instance for one in self._members.others} | {instance}
        self._revisions = {one: known for one, known in self._revisions.items() if one in there} | {instance: revision}

    def __call__(self) -> bool:
        others = {one.instance for one in self._members.others}
        if self._clock() < self._waits_until and not (self._members_known() and others <= self._revisions.keys()):
            return False
        return max((self._revisions.get(one, 0) for one in others), default=0) <= self._revision()
