"""Claims: nobody leads before its term and process are in the inventory file, and the file decides who may.

The lease store of these tests goes back unnoticed: after a rollback the server has the same name, as where INFO of
Redis is not allowed or a proxy answers it.
"""

from __future__ import annotations

import pytest

from promsnmp.errors import NotLeader
from promsnmp.support.claim import Claim
from tests.support.cluster.candidates import Candidates


@pytest.fixture
def cluster() -> Candidates:
    made = Candidates()
    made.memory.is_named = False
    return made


def test_an_elected_candidate_leads_only_when_its_claim_is_in_the_file(cluster: Candidates) -> None:
    one = cluster.join("one")
    cluster.cannot_write = True
    cluster.look(one)
    assert one.is_elected
    assert not one.leads
    assert one.leader is None
    with pytest.raises(NotLeader):
        one.claim()
    cluster.cannot_write = False
    cluster.claim(one)
    assert one.claim() == cluster.file == Claim(1, "instance 0")
    assert one.leader is not None


def test_an_elected_candidate_keeps_its_lease_while_it_cannot_claim(cluster: Candidates) -> None:
    one, other = cluster.join("one"), cluster.join("other")
    cluster.cannot_write = True
    for _ in range(10):
        cluster.look(one)
        cluster.look(other)
        cluster.wait(10.0)
    assert one.is_elected
    assert not cluster.leaders


@pytest.mark.parametrize("is_behind", [False, True])
def test_a_released_record_that_comes_back_does_not_make_a_second_leader(cluster: Candidates, is_behind: bool) -> None:
    first, second, third = (cluster.join(name) for name in ("first", "second", "third"))
    cluster.lead(first)
    first.step_down("asked to")
    cluster.look(first)
    if is_behind:
        cluster.behind["third"] = cluster.file
    cluster.lead(second)
    cluster.memory.roll_back(1)
    cluster.look(third)
    assert cluster.leaders == [second]
    cluster.behind.clear()
    for _ in range(28):
        cluster.wait(1.0)
        cluster.look(third)
        assert not third.leads
    cluster.wait(2.0)
    cluster.look(third)
    cluster.wait(30.0)
    cluster.lead(third)
    assert third.own_token > second.own_token


def test_of_two_candidates_in_one_term_the_first_to_claim_leads_and_everybody_waits(cluster: Candidates) -> None:
    first, slow, quick, fresh = (cluster.join(name) for name in ("first", "slow", "quick", "fresh"))
    cluster.lead(first)
    first.step_down("asked to")
    cluster.look(first)
    cluster.cannot_write = True
    cluster.look(slow)
    cluster.memory.roll_back(1)
    cluster.look(quick)
    assert slow.own_token == quick.own_token
    assert not cluster.leaders
    cluster.cannot_write = False
    cluster.claim(slow)
    cluster.claim(quick)
    assert cluster.leaders == [slow]
    assert not quick.is_elected
    cluster.look(quick)  # releases nothing: the first one leads
    assert cluster.memory.record is not None
    assert not cluster.memory.record.released
    cluster.look(slow)
    assert not cluster.leaders
    for _ in range(29):
        cluster.wait(1.0)
        for one in (fresh, quick, slow):
            cluster.look(one)
            assert not cluster.leaders
    cluster.wait(2.0)
    cluster.lead(fresh)


def test_a_refused_claim_is_neither_followed_by_the_next_term_nor_released(cluster: Candidates) -> None:
    """The lease store says that the refused candidate holds the lease, and the file that another one leads."""
    first, slow, other, fresh = (cluster.join(name) for name in ("first", "slow", "other", "fresh"))
    cluster.lead(first)
    first.step_down("asked to")
    cluster.look(first)
    cluster.cannot_write = True
    cluster.look(slow)
    cluster.look(other)
    cluster.wait(20.0)
    cluster.look(slow)  # renewed, and lost
    cluster.memory.roll_back(1)
    cluster.wait(10.0)
    cluster.behind["other"] = cluster.file
    cluster.look(other)
    assert other.is_elected
    cluster.cannot_write = False
    cluster.claim(slow)
    cluster.claim(other)
    assert other.own_token > slow.own_token
    assert cluster.leaders == [slow]
    for _ in range(16):  # so long is the lease of the first one to claim, which hears nothing from the store
        for one in (other, fresh):
            cluster.look(one)
            assert cluster.leaders == [slow]
        cluster.wait(1.0)
    cluster.behind.clear()
    cluster.wait(14.0)
    assert not cluster.leaders
    cluster.look(other)
    cluster.wait(30.0)
    cluster.lead(other)
    assert other.own_token > slow.own_token + 1


def test_a_claim_that_appears_in_the_file_starts_the_wait_again(cluster: Candidates) -> None:
    leader, other = cluster.join("leader"), cluster.join("other")
    cluster.lead(leader)
    cluster.look(other)
    cluster.wait(29.0)
    cluster.file = Claim(7, "a third replica")
    cluster.look(other)
    cluster.wait(29.0)
    cluster.look(other)
    assert not other.is_elected
    cluster.wait(1.0)
    cluster.lead(other)
    assert other.own_token == 8


def test_a_later_claim_of_another_replica_ends_leadership(cluster: Candidates) -> None:
    leader = cluster.join("leader")
    cluster.lead(leader)
    cluster.file = Claim(1, "another process")
    cluster.look(leader)
    assert not leader.leads
    assert "claimed term 1" in leader.reason


def test_a_file_of_an_earlier_version_has_a_term_without_a_process(cluster: Candidates) -> None:
    leader, other = cluster.join("leader"), cluster.join("other")
    cluster.lead(leader)
    cluster.file = Claim(1, "")
    cluster.look(leader)
    assert leader.leads
    leader.step_down("asked to")
    cluster.look(leader)
    cluster.lead(other)


def test_a_first_leader_is_alone_although_the_store_is_emptied_before_its_claim_is_known(cluster: Candidates) -> None:
    first, second = cluster.join("first"), cluster.join("second")
    cluster.behind["second"] = Claim()
    cluster.lead(first)
    cluster.memory.empty()
    cluster.look(second)
    assert cluster.leaders == [first]
    assert not second.is_elected
