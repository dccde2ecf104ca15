"""Members of the cluster: alive, silent, gone, or unknown because nothing can be heard."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from promsnmp.cluster.members.members import Members, read_member
from promsnmp.errors import PeerError
from tests.support.cluster.members import PATIENCE, Clock, member


class View:
    """What pod-1 sees, with a clock set by hand."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.members = Members(member("pod-1"), member_timeout=PATIENCE, clock=self.clock)

    def hears(self, *names: str, age: float = 0.0) -> None:
        for name in names:
            self.members.mark_alive(member(name), age=age)

    @property
    def names(self) -> list[str]:
        self.members.refresh()
        return [one.name for one in self.members.present]


@pytest.fixture
def view() -> View:
    return View()


def test_a_replica_is_a_member_for_itself(view: View) -> None:
    assert view.names == ["pod-1"]
    assert view.members.others == ()
    assert view.members.ring.is_mine("device")


def test_members_are_sorted_by_name(view: View) -> None:
    view.hears("pod-2", "pod-0")
    assert view.names == ["pod-0", "pod-1", "pod-2"]
    assert [one.name for one in view.members.others] == ["pod-0", "pod-2"]
    assert view.members.ring.members == ("pod-0", "pod-1", "pod-2")


def test_refresh_returns_whether_the_members_changed(view: View) -> None:
    assert not view.members.refresh()
    view.hears("pod-2")
    assert view.members.refresh()
    ring = view.members.ring
    assert not view.members.refresh()
    assert view.members.ring is ring


def test_a_member_that_is_silent_while_others_are_heard_is_gone(view: View) -> None:
    view.hears("pod-0", "pod-2")
    for _ in range(9):
        view.clock.now += 1.0
        view.hears("pod-0")
        assert view.names == ["pod-0", "pod-1", "pod-2"]
    view.clock.now += 1.0
    view.hears("pod-0")
    assert view.names == ["pod-0", "pod-1"]


def test_a_coordinator_that_answers_is_enough_to_count_silence(view: View) -> None:
    view.hears("pod-0", "pod-2")
    for _ in range(10):
        view.clock.now += 1.0
        view.members.mark_reachable()
        view.members.refresh()
    assert view.names == ["pod-1"]


def test_while_nothing_can_be_heard_the_members_known_last_are_kept(view: View) -> None:
    view.hears("pod-0", "pod-2")
    for _ in range(120):
        view.clock.now += 1.0
        assert view.names == ["pod-0", "pod-1", "pod-2"]
    view.members.mark_reachable()  # and from now on silence counts again
    for _ in range(9):
        view.clock.now += 1.0
        view.members.mark_reachable()
        assert view.names == ["pod-0", "pod-1", "pod-2"]
    view.clock.now += 1.0
    view.members.mark_reachable()
    assert view.names == ["pod-1"]


def test_a_suspended_process_does_not_count_its_own_silence(view: View) -> None:
    view.hears("pod-0", "pod-2")
    view.clock.now += 60.0
    view.hears("pod-0")  # of all that is waiting, this is read first
    assert view.names == ["pod-0", "pod-1", "pod-2"]
    for _ in range(10):
        view.clock.now += PATIENCE / 10
        view.hears("pod-0")
    assert view.names == ["pod-0", "pod-1"]


def test_an_old_status_does_not_make_a_member(view: View) -> None:
    view.hears("pod-0", age=PATIENCE + 1)
    assert view.names == ["pod-1"]


def test_an_old_sign_of_life_does_not_replace_a_newer_one(view: View) -> None:
    view.hears("pod-0")
    view.hears("pod-0", age=9.0)
    view.clock.now += 5.0
    view.members.mark_reachable()
    assert view.names == ["pod-0", "pod-1"]


def test_a_member_that_left_is_gone_at_once_despite_late_messages(view: View) -> None:
    view.hears("pod-0", "pod-2")
    view.members.mark_left(member("pod-2").instance)
    view.hears("pod-2")
    assert view.names == ["pod-0", "pod-1"]


def test_a_member_whose_address_refuses_connections_is_gone_sooner_unless_it_gives_a_sign_of_life(view: View) -> None:
    view.hears("pod-2", "pod-3")
    view.members.mark_refused(member("pod-2").instance)
    view.members.mark_refused(member("pod-3").instance)
    view.clock.now += PATIENCE / 2 - 1
    view.hears("pod-3")
    view.clock.now += 1.0
    assert view.names == ["pod-1", "pod-3"]
    view.clock.now += PATIENCE / 2
    assert view.names == ["pod-1", "pod-3"]


@pytest.mark.parametrize("is_refused", [True, False], ids=["crashed", "silent"])
def test_a_process_that_was_dropped_returns_by_a_newer_sign_of_life_only(view: View, is_refused: bool) -> None:
    view.hears("pod-2")
    if is_refused:
        view.members.mark_refused(member("pod-2").instance)
    for _ in range(2):
        view.clock.now += PATIENCE / 2
        view.hears("pod-3")
    assert view.names == ["pod-1", "pod-3"]
    view.clock.now += 1.0
    view.hears("pod-2", age=1.5)
    assert view.names == ["pod-1", "pod-3"]
    view.hears("pod-2", age=0.5)
    assert view.names == ["pod-1", "pod-2", "pod-3"]


def test_a_restarted_replica_takes_the_place_of_the_one_before(view: View) -> None:
    view.hears("pod-0")
    view.members.mark_alive(member("pod-0", instance="restarted", started=2.0))
    assert view.names == ["pod-0", "pod-1"]
    assert view.members.present[0].instance == "restarted"


def test_the_younger_of_two_replicas_with_one_name_owns_the_devices(view: View) -> None:
    view.members.mark_alive(member("pod-1", instance="younger", started=2.0))
    assert view.names == ["pod-1"]
    assert view.members.namesake is not None
    assert not view.members.ring.is_mine("device")
    view.members.mark_left("younger")
    assert view.names == ["pod-1"]
    assert view.members.namesake is None
    assert view.members.ring.is_mine("device")


def test_an_older_namesake_changes_nothing_for_the_younger(view: View) -> None:
    view.members.mark_alive(member("pod-1", instance="older", started=0.0))
    assert view.names == ["pod-1"]
    assert view.members.namesake is None
    assert view.members.ring.is_mine("device")


def test_a_replica_of_another_installation_is_no_member(view: View) -> None:
    view.members.me = replace(view.members.me, installation="mine")
    view.members.mark_alive(replace(member("pod-0"), installation="another"))
    view.members.mark_alive(replace(member("pod-2"), installation="mine"))
    view.members.mark_alive(member("pod-3"))  # of an earlier version
    assert view.names == ["pod-1", "pod-2", "pod-3"]
    assert view.members.foreign is not None
    assert view.members.foreign.name == "pod-0"
    view.clock.now += PATIENCE
    assert view.members.foreign is None


def test_what_others_can_make_grow_is_bounded(view: View) -> None:
    view.members.me = replace(view.members.me, installation="mine")
    for number in range(5000):
        view.members.mark_left(f"gone {number}")
        view.members.mark_alive(replace(member(f"foreign-{number}"), installation="another"))
    assert len(view.members._gone) == 1000
    assert len(view.members._foreign) == 16
    view.members.mark_alive(member("pod-9", instance="gone 4999"))
    assert view.names == ["pod-1"]


def test_a_leaving_replica_owns_no_devices(view: View) -> None:
    view.hears("pod-0")
    view.members.leave()
    assert view.names == ["pod-0"]
    assert not view.members.ring.is_mine("device")


def test_a_member_is_written_and_read() -> None:
    one = replace(member("pod-0"), address="[fd00::1]:8080")
    assert read_member(json.loads(json.dumps(one.document()))) == one


@pytest.mark.parametrize(
    "document",
    [
        {},
        [],
        None,
        {"name": "a", "instance": "b", "address": "c", "started": 1},
        {"name": "", "instance": "b", "address": "c:1", "started": 1},
        {"name": "a", "instance": 5, "address": "c:1", "started": 1},
        {"name": "a", "instance": "b", "address": "c:x", "started": 1},
        {"name": "a", "instance": "b", "address": "c:1", "started": "now"},
        {"name": "a", "instance": "b", "address": "c:1", "started": float("nan")},
        {"name": "a", "instance": "b", "address": "c:1", "started": 10**400},
        {"name": "a", "instance": "b", "address": "c:123456", "started": 1},
        {"name": "a", "instance": "b", "address": "c:٣", "started": 1},
        {"name": "a\nb", "instance": "b", "address": "c:1", "started": 1},
        {"name": "a" * 5000, "instance": "b", "address": "c:1", "started": 1},
    ],
)
def test_an_invalid_description_of_a_member_is_refused(document: dict[str, object]) -> None:
    with pytest.raises(PeerError):
        read_member(document)
