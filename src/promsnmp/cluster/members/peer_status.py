"""What replicas tell each other of themselves, and how it is written."""

from __future__ import annotations

import json
from dataclasses import dataclass

from promsnmp.cluster.election.runner import Leader
from promsnmp.cluster.members.members import Member, read_member
from promsnmp.errors import PeerError


@dataclass(frozen=True, slots=True)
class PeerStatus:
    """One replica's news."""

    member: Member
    revision: int = 0
    """Of the inventory that it has."""
    leader: Leader | None = None
    """Who leads, as far as it knows."""
    leaving: bool = False

    def json(self) -> bytes:
        leader = self.leader
        known = (
            None if leader is None else {"name": leader.name, "address": leader.address, "term": leader.fencing_token}
        )
        document = {"revision": self.revision, "leaving": self.leaving, "leader": known}
        return json.dumps({**self.member.document(), **document}).encode()


def read_peer_status(body: bytes) -> PeerStatus:
    """The news of a message. Raises PeerError when it is none."""
    try:
        document = json.loads(body)
        known = document.get("leader")
        leader = None if known is None else Leader(str(known["name"]), str(known["address"]), int(known["term"]))
        return PeerStatus(read_member(document), int(document["revision"]), leader, bool(document["leaving"]))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise PeerError("what should be a replica's news is none") from None
