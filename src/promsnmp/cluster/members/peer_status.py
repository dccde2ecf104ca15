"""The status that replicas exchange, as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from promsnmp.cluster.election.lease import read_term, read_word
from promsnmp.cluster.election.runner import Leader
from promsnmp.cluster.members.members import Member, read_member
from promsnmp.cluster.members.peer_inventories import InventoryVersion
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
    inventory_term: int = 0
    """The term of its inventory."""
    is_fit: bool | None = None
    """Whether it is fit to lead (``eligibility.py``); None when it does not say so."""

    @property
    def inventory(self) -> InventoryVersion:
        return InventoryVersion(self.inventory_term, self.revision)

    def json(self) -> bytes:
        leader = self.leader
        known = (
            None if leader is None else {"name": leader.name, "address": leader.address, "term": leader.fencing_token}
        )
        numbers = {"revision": self.revision, "inventoryTerm": self.inventory_term}
        document = {**numbers, "leaving": self.leaving, "leader": known, "fit": self.is_fit}
        return json.dumps({**self.member.document(), **document}).encode()


def read_peer_status(body: bytes) -> PeerStatus:
    """The status in a message. Raises PeerError when the message is invalid."""
    try:
        document = json.loads(body)
        known = document.get("leader")
        leader = None if known is None else _read_leader(known)
        revision, inventory_term = (_number(document.get(key, 0)) for key in ("revision", "inventoryTerm"))
        fit, leaving = document.get("fit"), bool(document["leaving"])
        is_fit = fit if isinstance(fit, bool) else None
        return PeerStatus(read_member(document), revision, leader, leaving, inventory_term, is_fit)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise PeerError("invalid status of a replica") from None


def _read_leader(document: Mapping[str, object]) -> Leader:
    """Raises KeyError and ValueError."""
    return Leader(read_word(document["name"]), read_word(document["address"]), _number(document["term"]))


def _number(value: object) -> int:
    """A term or a revision. Raises ValueError."""
    if not isinstance(value, int):
        raise ValueError("not a term or a revision")
    return read_term(value)
