"""A replica knows when another one has a newer inventory, and says so when that lasts."""

from __future__ import annotations

import pytest

from promsnmp.cluster.members.members import Members
from promsnmp.cluster.members.peer_inventories import LAG_LIMIT, InventoryVersion, PeerInventories
from tests.support.cluster.members import PATIENCE, Clock, member


class Replica:
    """pod-0 with revision 5 of term 2, and two others."""

    def __init__(self) -> None:
        self.clock, self.own = Clock(), InventoryVersion(2, 5)
        self.members = Members(member("pod-0"), member_timeout=PATIENCE, clock=self.clock)
        self.inventories = PeerInventories(self.members, own=lambda: self.own, clock=self.clock)
        self.hear("pod-1", "pod-2")

    def hear(self, *names: str) -> None:
        for name in names:
            self.members.mark_alive(member(name))
        self.members.refresh()

    def report(self, name: str, term: int, revision: int) -> None:
        self.inventories.note(member(name).instance, InventoryVersion(term, revision))

    @property
    def newest(self) -> str:
        newest = self.inventories.newest()
        return newest.name if newest is not None else ""


def test_the_member_with_the_newest_inventory_is_found_by_term_and_revision() -> None:
    replica = Replica()
    assert replica.newest == ""
    replica.report("pod-1", 2, 5)
    assert replica.newest == ""
    replica.report("pod-1", 2, 6)
    assert replica.newest == "pod-1"
    replica.report("pod-2", 3, 1)
    assert replica.newest == "pod-2"
    replica.own = InventoryVersion(3, 1)
    assert replica.newest == ""


def test_a_member_that_is_gone_does_not_count() -> None:
    replica = Replica()
    replica.report("pod-1", 9, 9)
    replica.members.mark_left(member("pod-1").instance)
    replica.members.refresh()
    assert replica.newest == ""


def test_being_behind_is_reported_when_it_lasts_and_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    replica = Replica()
    replica.report("pod-1", 2, 6)
    assert replica.inventories.lag() == ""
    replica.clock.now += LAG_LIMIT
    replica.report("pod-1", 2, 7)
    replica.report("pod-1", 2, 8)
    assert "pod-1 has revision 8 of term 2, this replica revision 5 of term 2" in replica.inventories.lag()
    assert caplog.text.count("out of date") == 1
    replica.own = InventoryVersion(2, 8)
    assert replica.inventories.lag() == ""
    replica.report("pod-1", 2, 9)
    assert replica.inventories.lag() == ""
