"""What the other replicas report of their inventories: whether this replica is behind, and which one to ask instead.

A replica is behind for a moment after each change, until it has read the file. One that stays behind sees another
volume, or cannot read the file.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import NamedTuple

from promsnmp.cluster.election.rules import lease_clock
from promsnmp.cluster.members.members import Member, Members

log = logging.getLogger(__name__)

LAG_LIMIT = 10.0
"""Seconds for which a replica may be behind: several times what reading the file takes, also over NFS."""


class InventoryVersion(NamedTuple):
    """The numbers of an inventory; the larger of two is the newer."""

    term: int
    revision: int

    def __str__(self) -> str:
        return f"revision {self.revision} of term {self.term}"


class PeerInventories:
    """The versions of the other members; ``own`` returns this replica's."""

    def __init__(
        self, members: Members, *, own: Callable[[], InventoryVersion], clock: Callable[[], float] = lease_clock
    ) -> None:
        self._members = members
        self._own = own
        self._clock = clock
        self._versions: dict[str, InventoryVersion] = {}
        """By instance."""
        self._behind_since: float | None = None
        self._has_warned = False

    def note(self, instance: str, version: InventoryVersion) -> None:
        """Notes the version that another replica reports."""
        there = {member.instance for member in self._members.others} | {instance}
        known = {member: reported for member, reported in self._versions.items() if member in there}
        self._versions = known | {instance: version}
        self.lag()

    def newest(self) -> Member | None:
        """The member with the newest inventory, if that is newer than this replica's; else None."""
        reported = [
            (self._versions[member.instance], member)
            for member in self._members.others
            if member.instance in self._versions
        ]
        version, newest = max(reported, default=(self._own(), None), key=lambda pair: pair[0])
        return newest if version > self._own() else None

    def lag(self) -> str:
        """Why this replica's inventory is out of date, for people; empty when it is not, or only for a moment."""
        now, newest = self._clock(), self.newest()
        if newest is None:
            self._behind_since, self._has_warned = None, False
            return ""
        self._behind_since = now if self._behind_since is None else self._behind_since
        if now - self._behind_since < LAG_LIMIT:
            return ""
        text = (
            f"{newest.name} has {self._versions[newest.instance]}, this replica {self._own()}; "
            "do they share the volume, and can this one read the file?"
        )
        if not self._has_warned:
            log.warning("the inventory of this replica is out of date: %s", text)
            self._has_warned = True
        return text
