"""The status that replicas exchange, as JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass

from promsnmp.cluster.election.runner import Leader
from promsnmp.cluster.members.members import Member, read_member
from promsnmp.errors import PeerError


@dataclass(frozen=True, slots=True)
class PeerStatus:
    """The status of one replica."""

    member: Member
    revision: int = 0
    """Of its inventory."""
    leader: Leader | None = None
    """The leader, as far as it knows."""
    leaving: bool = False

    def json(self) -> bytes:
        leader = self.leader
        known = (
            None if leader is None else {"name": leader.name, "address": leader.address, "term": leader.fencing_token}
        )
        document = {"revision": self.revision, "leaving": self.leaving, "leader": known}
        return json.dumps({**self.member.document(), **document}).encode()


def read_peer_status(body: bytes) -> PeerStatus:
    """The status in a message. Raises PeerError when the message is invalid."""
    try:
        document = json.loads(body)
        known = document.get("leader")
        leader = None if known is None else Leader(str(known["name"]), str(known["address"]), int(known["term"]))
        return PeerStatus(read_member(document), int(document["revision"]), leader, bool(document["leaving"]))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise PeerError("invalid status of a replica") from None
