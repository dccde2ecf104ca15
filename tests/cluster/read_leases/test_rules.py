"""Who may answer from memory, and what must be confirmed before a page is sent: the rules of single replicas."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

import pytest

from promsnmp.cluster.read_leases.messages import MAX_DEVICES, LeaseMessage
from promsnmp.cluster.read_leases.rules import ReadLeases
from tests.support.cluster.members import Clock

MEMBER_TIMEOUT = 10.0


class Replica:
    """The rules of one replica, and what they asked for."""

    def __init__(self, name: str, clock: Clock, *, has_peers: bool = True) -> None:
        self.name = name
        self.revoked: list[tuple[str | None, bool]] = []
        self.slept: list[float] = []
        self.rules = ReadLeases(
            name,
            member_timeout=MEMBER_TIMEOUT,
            has_peers=has_peers,
            on_revoked=lambda device, was_owner: self.revoked.append((device, was_owner)),
            on_awake=self.slept.append,
            clock=clock,
        )


def exchange(one: Replica, other: Replica) -> None:
    """``one`` renews the lease that ``other`` grants."""
    sent_at = one.rules.clock()
    one.rules.accept(other.rules.respond(one.rules.message(other.name)), sent_at=sent_at)


def renew(*replicas: Replica) -> None:
    for one in replicas:
        one.rules.tick()
        for other in replicas:
            if other is not one:
                exchange(one, other)


def passes(clock: Clock, seconds: float, *replicas: Replica) -> None:
    """Time passes while these replicas are awake and renew their leases."""
    end = clock.now + seconds
    while clock.now < end:
        clock.now += 0.5
        renew(*replicas)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def trio(clock: Clock) -> list[Replica]:
    """Three replicas that know each other and hold all leases."""
    made = [Replica(name, clock) for name in "abc"]
    for one in made:
        one.rules.set_members(other.name for other in made if other is not one)
    for one in made:
        one.rules.begin()
    renew(*made)
    return made


def pending(one: Replica, device: str, holders: Iterable[str]) -> dict[str, float]:
    return dict(one.rules.pending(one.rules.revoke(device), holders))


# --- holding leases


def test_a_replica_without_others_answers_from_memory_while_it_is_awake(clock: Clock) -> None:
    alone = Replica("a", clock)
    assert not alone.rules.is_valid
    alone.rules.begin()
    assert alone.rules.is_valid
    clock.now += 3.0
    assert not alone.rules.is_valid
    alone.rules.tick()
    assert alone.rules.is_valid
    assert alone.slept == [3.0]


def test_a_replica_that_cannot_have_others_always_answers_from_memory(clock: Clock) -> None:
    alone = Replica("a", clock, has_peers=False)
    alone.rules.tick()
    assert alone.rules.has_begun
    clock.now += 100.0
    alone.rules.tick()
    assert alone.rules.is_valid
    assert not alone.rules.is_dropped
    assert alone.slept == [100.0]
    assert not alone.revoked


def test_an_owner_answers_from_memory_only_with_the_leases_of_all(trio: list[Replica], clock: Clock) -> None:
    a, b, c = trio
    assert a.rules.is_valid
    passes(clock, 3.5, a, b)  # c is silent
    assert not a.rules.is_valid
    assert a.rules.holds("b")
    assert not a.rules.holds("c")
    exchange(a, c)
    assert a.rules.is_valid


def test_a_lease_counts_from_before_the_request_was_sent(trio: list[Replica], clock: Clock) -> None:
    a, b, c = trio
    sent_at, request = clock.now, a.rules.message("b")
    clock.now += 1.3
    response = b.rules.respond(request)
    clock.now += 0.4
    renew(a, c)
    a.rules.accept(response, sent_at=sent_at)
    assert a.rules.is_valid
    clock.now += 0.2
    a.rules.tick()
    assert not a.rules.is_valid


def test_only_members_get_a_lease(clock: Clock) -> None:
    a, stranger = Replica("a", clock), Replica("x", clock)
    a.rules.begin()
    stranger.rules.set_members(["a"])
    stranger.rules.begin()
    exchange(stranger, a)
    assert not stranger.rules.is_valid
    a.rules.set_members([], announced=["x"])
    exchange(stranger, a)
    assert not stranger.rules.is_valid
    assert not a.rules.is_valid  # it may answer scrapes
    a.rules.set_members(["x"])
    exchange(stranger, a)
    assert stranger.rules.is_valid


def test_a_lease_counts_only_if_its_grantor_is_a_member(clock: Clock) -> None:
    """The grantor outranks the holder for some devices, and polls these without any revocation."""
    holder, grantor = Replica("a", clock), Replica("b", clock)
    holder.rules.set_members([], announced=["b"])
    grantor.rules.set_members(["a"])
    for one in (holder, grantor):
        one.rules.begin()
    renew(holder, grantor)
    assert not holder.rules.is_dropped
    assert not holder.rules.holds("b")
    holder.rules.note_refusal("b")
    assert not holder.rules.is_valid  # what it showed before its crash is unknown
    holder.rules.set_members(["b"])
    assert holder.rules.is_valid


@pytest.mark.parametrize("is_member", [False, True])
def test_a_replica_that_starts_answers_nothing_until_the_others_know_it(clock: Clock, is_member: bool) -> None:
    """The other one wrote its heartbeat before this one started, and may answer from memory until it reads again."""
    new = Replica("new", clock)
    new.rules.set_members(["a"] if is_member else [], announced=[] if is_member else ["a"])
    new.rules.begin()
    assert new.rules.is_dropped
    started = clock.now
    clock.now += 1.5
    new.rules.tick()
    assert new.rules.is_dropped
    new.rules.note_heard("a", started)
    assert not new.rules.is_dropped


def test_that_a_heartbeat_was_read_counts_from_when_it_was_sent_and_only_if_it_was_a_later_one(clock: Clock) -> None:
    new = Replica("new", clock)
    new.rules.set_members([], announced=["a"])
    new.rules.begin()
    sent_at = clock.now
    new.rules.message("a")  # it is asked all the time, and does not answer
    for _ in range(8):
        clock.now += 1.0
        new.rules.tick()
    new.rules.note_heard("a", sent_at)
    new.rules.note_heard("a", sent_at - 5.0)
    assert not new.rules.is_dropped
    clock.now += 1.0
    new.rules.tick()
    assert new.rules.is_dropped  # it may have dropped this one soon after
    clock.now += 1.0
    new.rules.tick()
    assert not new.rules.is_dropped  # it is asked for as long as members may be silent: it is gone, or cut off
    new.rules.note_heard("unknown", clock.now)
    assert not new.rules.is_dropped


def test_a_member_that_is_only_announced_again_gets_no_lease_and_its_own_does_not_count(
    trio: list[Replica], clock: Clock
) -> None:
    a, b, c = trio
    a.rules.set_members(["c"], announced=["b"])
    passes(clock, 3.0, a, b, c)
    assert a.rules.holds("c")
    assert not a.rules.holds("b")
    assert not b.rules.holds("a")
    a.rules.set_members(["b", "c"])
    b.revoked.clear()
    renew(a, b, c)
    assert a.rules.is_valid
    assert (None, True) in b.revoked  # a may have owned its devices


def test_a_message_for_a_replica_that_was_at_this_address_before_changes_nothing(trio: list[Replica]) -> None:
    a, b, _ = trio
    request = replace(a.rules.message("b"), receiver="an earlier b", revoked=("device",), number=99)
    assert b.rules.respond(request).duration == 0.0
    assert b.revoked == []


# --- revocations


def test_a_page_waits_until_the_owner_has_confirmed_that_it_shows_no_earlier_poll(trio: list[Replica]) -> None:
    a, b, _ = trio
    revocation = b.rules.revoke("device")
    assert set(b.rules.pending(revocation, ["a"])) == {"a"}
    exchange(b, a)
    assert a.revoked == [("device", False)]
    assert b.rules.pending(revocation, ["a"]) == {}
    assert b.rules.message("a").revoked == ()


def test_a_page_waits_no_longer_than_the_lease_of_an_owner_that_does_not_answer(
    trio: list[Replica], clock: Clock
) -> None:
    a, b, c = trio
    granted_at = clock.now
    passes(clock, 1.0, b, c)
    revocation = b.rules.revoke("device")
    assert b.rules.pending(revocation, ["a"]) == {"a": granted_at + b.rules.duration}
    passes(clock, 2.0, b, c)
    assert b.rules.pending(revocation, ["a"]) == {}
    assert not a.rules.is_valid


def test_a_lease_comes_with_the_revocations_that_its_holder_missed(trio: list[Replica], clock: Clock) -> None:
    a, b, c = trio
    passes(clock, 3.5, b, c)
    assert pending(b, "device", ["a"]) == {}
    a.rules.tick()
    exchange(a, b)
    exchange(a, c)
    assert a.rules.is_valid
    assert ("device", False) in a.revoked
    exchange(a, b)
    assert b.rules.message("a").revoked == ()


def test_a_revocation_is_carried_out_once(trio: list[Replica]) -> None:
    a, b, _ = trio
    b.rules.pending(b.rules.revoke("device"), ["a"])
    late = b.rules.message("a")
    exchange(b, a)
    a.rules.respond(late)
    assert a.revoked == [("device", False)]


def test_too_many_revoked_devices_become_all_devices(trio: list[Replica]) -> None:
    a, b, _ = trio
    for number in range(MAX_DEVICES + 1):
        b.rules.pending(b.rules.revoke(f"device-{number}"), ["a"])
    message = b.rules.message("a")
    assert (message.revoked, message.all_revoked) == ((), True)
    exchange(b, a)
    assert a.revoked == [(None, False)]
    assert not b.rules.message("a").all_revoked


def test_while_it_hands_over_only_confirmations_count(trio: list[Replica], clock: Clock) -> None:
    b, c = trio[1:]
    passes(clock, 4.0, b, c)
    b.rules.is_draining = True
    assert pending(b, "device", ["a"]) == {"a": math.inf}


# --- members


def test_a_newcomer_shows_no_poll_from_before_the_others_knew_it(trio: list[Replica], clock: Clock) -> None:
    new = Replica("d", clock)
    new.rules.set_members(one.name for one in trio)
    for one in trio:
        one.rules.set_members(other.name for other in (*trio, new) if other is not one)
    new.rules.begin()
    renew(*trio, new)
    assert (None, True) in new.revoked
    assert not any(one.revoked for one in trio), "the newcomer answered no scrape before it knew them"
    assert new.rules.is_valid


def test_what_a_replica_showed_before_it_vanished_is_unknown(trio: list[Replica], clock: Clock) -> None:
    a, b, _ = trio
    passes(clock, 4.0, a, b)
    a.rules.set_members(["b"])
    assert a.revoked == [(None, False)]
    assert a.rules.is_valid


def test_nothing_is_unknown_of_a_replica_that_said_goodbye(trio: list[Replica], clock: Clock) -> None:
    a, b, c = trio
    c.rules.leave()
    exchange(c, a)
    passes(clock, 4.0, a, b)
    a.rules.set_members(["b"])
    assert a.revoked == []


def test_nothing_is_unknown_of_a_replica_whose_address_refused_connections_while_its_lease_was_held(
    trio: list[Replica], clock: Clock
) -> None:
    a, b, _ = trio
    passes(clock, 1.0, a, b)
    a.rules.note_refusal("c")
    passes(clock, 4.0, a, b)
    a.rules.set_members(["b"])
    assert a.revoked == []


def test_nobody_waits_for_the_lease_of_a_crashed_replica(trio: list[Replica], clock: Clock) -> None:
    _, b, c = trio
    revocation = b.rules.revoke("device")
    assert b.rules.pending(revocation, ["a"])
    b.rules.note_refusal("a")
    assert not b.rules.pending(revocation, ["a"])
    passes(clock, 4.0, b, c)
    assert b.rules.is_valid


def test_a_replica_that_only_seemed_to_have_crashed_is_silent(trio: list[Replica], clock: Clock) -> None:
    _, b, c = trio
    b.rules.note_refusal("a")
    passes(clock, 4.0, b, c)
    b.rules.note_alive("a")
    assert not b.rules.is_valid
    b.rules.set_members(["c"])
    assert b.revoked == [(None, False)]


def test_a_replica_that_dropped_another_one_waits_for_the_end_of_its_lease(trio: list[Replica], clock: Clock) -> None:
    a, b, _ = trio
    a.rules.set_members(["b"])  # c was replaced by a process with its name
    assert not a.rules.is_valid
    passes(clock, 3.0, a, b)
    assert a.rules.is_valid


def test_a_replica_that_stops_grants_no_lease_and_shows_nothing_from_memory(trio: list[Replica]) -> None:
    a, b, _ = trio
    b.rules.leave()
    assert not b.rules.is_valid
    assert b.rules.respond(a.rules.message("b")).duration == 0.0


# --- silence


def test_a_replica_that_the_others_may_have_dropped_says_so(trio: list[Replica], clock: Clock) -> None:
    a, b, c = trio
    assert not a.rules.is_dropped
    passes(clock, MEMBER_TIMEOUT - 2, a, c)  # b does not answer
    assert not a.rules.is_dropped
    passes(clock, 1.5, a, c)
    assert a.rules.is_dropped
    passes(clock, MEMBER_TIMEOUT, a, c)
    for _ in range(int(MEMBER_TIMEOUT) + 1):  # it cannot be reached: waiting longer does not help
        a.rules.message("b")
        passes(clock, 1.0, a, c)
    assert not a.rules.is_dropped
    exchange(a, b)
    assert not a.rules.is_dropped


def test_after_a_short_sleep_the_leases_are_renewed_and_nothing_is_forgotten(trio: list[Replica], clock: Clock) -> None:
    a, b, c = trio
    passes(clock, 5.0, b, c)
    assert a.rules.notice_sleep()
    assert a.slept == [5.0]
    assert not a.rules.is_valid
    renew(a, b, c)
    assert a.rules.is_valid
    assert a.revoked == []


def test_after_a_long_sleep_a_replica_begins_anew(trio: list[Replica], clock: Clock) -> None:
    a, b, c = trio
    passes(clock, MEMBER_TIMEOUT, b, c)
    assert a.rules.notice_sleep()
    assert a.revoked == [(None, True)]
    assert a.rules.is_dropped
    renew(a, b, c)
    assert not a.rules.is_valid
    a.rules.begin()
    assert a.rules.is_valid


def test_histograms_that_are_still_to_come_are_announced_with_the_lease(trio: list[Replica]) -> None:
    a, b, _ = trio
    b.rules.handing_over.add("a")
    exchange(a, b)
    assert not a.rules.is_handed_over
    b.rules.handing_over.discard("a")
    exchange(a, b)
    assert a.rules.is_handed_over


def test_the_stamp_of_a_replica_says_that_it_held_all_leases(trio: list[Replica], clock: Clock) -> None:
    a, b, _ = trio
    exchange(a, b)
    assert b.rules.stamp_of("a") == clock.now
    assert b.rules.stamp_of("nobody") is None
    assert isinstance(a.rules.message("b"), LeaseMessage)
