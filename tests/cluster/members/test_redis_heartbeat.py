"""Heartbeats in a real Redis."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from promsnmp.cluster.clients.redis_client import RedisClient
from promsnmp.cluster.clients.redis_url import parse_redis_address
from promsnmp.cluster.members.announcements import Announcements
from promsnmp.cluster.members.members import Member, Members
from promsnmp.cluster.members.redis_heartbeat import MAX_ENTRY, MAX_HEARD, RedisHeartbeats
from promsnmp.cluster.peers.cluster_key import ClusterKey
from promsnmp.errors import CoordinatorError
from tests.support.cluster.members import Clock
from tests.support.cluster.redis_server import RedisServer


@pytest.fixture
async def redis_client(redis: RedisServer) -> AsyncIterator[RedisClient]:
    made = RedisClient(parse_redis_address(redis.url))
    yield made
    await made.close()


KEY = ClusterKey("a key of the tests of heartbeats, 32+")
CLOCK = Clock()
"""Of all replicas; it only goes on."""
STAMP = 0.002
"""Seconds after which the next heartbeat surely has another stamp: Redis's clock in milliseconds, whatever CLOCK is."""


class Replica:
    """A replica to which each announced one proves itself at once, when it is not ``dead``."""

    def __init__(
        self,
        redis_client: RedisClient,
        name: str,
        prefix: str = "",
        *,
        key: ClusterKey = KEY,
        installation: str = "",
        instance: str = "",
    ) -> None:
        me = Member(name, instance or f"instance of {name}", f"{name}.example:8080", 1.0, installation)
        self.is_fit, self.fitness = True, dict[str, tuple[bool, float]]()
        self.members = Members(me, member_timeout=10.0, clock=CLOCK)
        self.announced = Announcements(self.members)
        self.heart = RedisHeartbeats(
            redis_client,
            me,
            key,
            prefix=prefix,
            is_fit=lambda: self.is_fit,
            on_fitness=self._note_fitness,
            clock=CLOCK,
        )
        self.dead: set[str] = set()

    def _note_fitness(self, instance: str, is_fit: bool, age: float) -> None:
        self.fitness[instance] = is_fit, age

    async def beat(self, *, later: float = 0.0) -> list[str]:
        """One round, ``later`` seconds after the last one; returns the names of the members."""
        CLOCK.now += later
        await asyncio.sleep(STAMP)
        await self.heart.refresh(self.announced)
        for address in self.announced.addresses:
            name = address.partition(".")[0]
            if name not in self.dead:
                self.members.mark_alive(Member(name, f"instance of {name}", address, 1.0))
        self.members.refresh()
        return [one.name for one in self.members.present]


async def test_replicas_find_each_other(redis_client: RedisClient) -> None:
    one, two = Replica(redis_client, "pod-0"), Replica(redis_client, "pod-1")
    assert await one.beat() == ["pod-0"]
    assert await two.beat() == ["pod-0", "pod-1"]
    assert await one.beat() == ["pod-0", "pod-1"]
    assert one.members.find("pod-1") == two.members.me


async def test_another_prefix_is_another_cluster(redis_client: RedisClient) -> None:
    await Replica(redis_client, "pod-0", "site-1:").beat()
    assert await Replica(redis_client, "pod-1", "site-2:").beat() == ["pod-1"]


async def test_an_old_heartbeat_is_no_member_and_is_removed(redis_client: RedisClient, redis: RedisServer) -> None:
    one, two = Replica(redis_client, "pod-0"), Replica(redis_client, "pod-1")
    await two.beat()
    entry = redis.cli("HGET", "promsnmp:members", "instance of pod-1")
    moment, _, description = entry.partition(" ")
    redis.cli("HSET", "promsnmp:members", "instance of pod-1", f"{int(moment) - 11_000} {description}")
    assert await one.beat() == ["pod-0"]
    assert redis.cli("HLEN", "promsnmp:members") == "2"
    redis.cli("HSET", "promsnmp:members", "instance of pod-1", f"{int(moment) - 700_000} {description}")
    await one.beat()
    assert redis.cli("HLEN", "promsnmp:members") == "1"


async def test_the_last_heartbeat_of_a_crashed_replica_does_not_announce_it_again(redis_client: RedisClient) -> None:
    one, two = Replica(redis_client, "pod-0"), Replica(redis_client, "pod-1")
    await two.beat()
    assert await one.beat() == ["pod-0", "pod-1"]
    one.dead.add("pod-1")
    one.members.mark_refused("instance of pod-1")
    assert await one.beat(later=5.0) == ["pod-0"]
    await one.beat(later=1.0)
    assert not one.announced.addresses
    await two.beat()
    await one.beat(later=1.0)
    assert one.announced.addresses == {two.members.me.address}


def move(redis: RedisServer, name: str, milliseconds: int) -> None:
    """Moves the stamp of a replica's heartbeat."""
    moment, _, description = redis.cli("HGET", "promsnmp:members", f"instance of {name}").partition(" ")
    redis.cli("HSET", "promsnmp:members", f"instance of {name}", f"{int(moment) + milliseconds} {description}")


async def test_a_heartbeat_left_behind_with_a_stamp_in_the_future_is_no_member(
    redis_client: RedisClient, redis: RedisServer
) -> None:
    one, dead = Replica(redis_client, "pod-0"), Replica(redis_client, "pod-1")
    await dead.beat()
    move(redis, "pod-1", 300_000)
    for _ in range(3):
        assert await one.beat(later=2.0) == ["pod-0"]


async def test_a_member_that_dies_is_gone_although_its_stamp_is_in_the_future(
    redis_client: RedisClient, redis: RedisServer
) -> None:
    one, other = Replica(redis_client, "pod-0"), Replica(redis_client, "pod-1")
    await other.beat()
    assert await one.beat() == ["pod-0", "pod-1"]
    move(redis, "pod-1", 300_000)  # its last heartbeat was written by a server whose clock is fast
    assert await one.beat(later=2.0) == ["pod-0", "pod-1"]
    for _ in range(4):
        assert await one.beat(later=2.0) == ["pod-0", "pod-1"]
    assert await one.beat(later=2.0) == ["pod-0"]


async def test_members_stay_members_when_the_clock_of_redis_goes_back(
    redis_client: RedisClient, redis: RedisServer
) -> None:
    one, other = Replica(redis_client, "pod-0"), Replica(redis_client, "pod-1")
    await other.beat()
    assert await one.beat() == ["pod-0", "pod-1"]
    move(redis, "pod-0", 300_000)
    move(redis, "pod-1", 300_000)
    for _ in range(7):
        assert await one.beat(later=2.0) == ["pod-0", "pod-1"]
        await other.beat()


async def test_a_stamp_too_far_in_the_future_is_removed(redis_client: RedisClient, redis: RedisServer) -> None:
    one, dead = Replica(redis_client, "pod-0"), Replica(redis_client, "pod-1")
    await dead.beat()
    move(redis, "pod-1", 10**12)
    assert await one.beat() == ["pod-0"]
    assert redis.cli("HLEN", "promsnmp:members") == "1"


async def test_entries_that_are_too_large_are_removed_and_too_many_are_an_error(
    redis_client: RedisClient, redis: RedisServer
) -> None:
    one = Replica(redis_client, "pod-0")
    redis.cli("EVAL", "redis.call('HSET', 'promsnmp:members', 'x', '1 ' .. string.rep('x', 1000000))", "0")
    assert await one.beat() == ["pod-0"]
    assert redis.cli("HLEN", "promsnmp:members") == "1"
    redis.cli("EVAL", "for i = 1, 600 do redis.call('HSET', 'promsnmp:members', i, 'x') end", "0")
    with pytest.raises(CoordinatorError, match="promsnmp:members has more than 512 entries; delete this key"):
        await one.beat()


async def test_replicas_of_another_installation_are_no_members_and_are_noticed(redis_client: RedisClient) -> None:
    one, other = (Replica(redis_client, f"pod-{number}", installation=f"site {number}") for number in range(2))
    older = Replica(redis_client, "pod-2")
    await other.beat()
    await older.beat()
    assert await one.beat() == ["pod-0", "pod-2"]
    assert one.members.foreign == other.members.me
    names = [await one.beat(later=2.0) for _ in range(5)]
    assert names[-1] == ["pod-0"]
    assert one.members.foreign is None


async def test_replicas_say_whether_they_are_fit_to_lead(redis_client: RedisClient) -> None:
    one, other = Replica(redis_client, "pod-0"), Replica(redis_client, "pod-1")
    await other.beat()
    await one.beat()
    other.is_fit = False
    await other.beat()
    assert [is_fit for is_fit, _ in one.fitness.values()] == [True]
    await one.beat()
    assert one.fitness == {"instance of pod-1": (False, 0.0)}
    await one.beat(later=3.0)
    assert one.fitness == {"instance of pod-1": (False, 3.0)}


async def test_a_replica_that_leaves_is_gone_for_all_later_reads(redis_client: RedisClient) -> None:
    one, two = Replica(redis_client, "pod-0"), Replica(redis_client, "pod-1")
    await two.beat()
    assert await one.beat() == ["pod-0", "pod-1"]
    await two.heart.leave()
    assert await one.beat() == ["pod-0"]
    assert await Replica(redis_client, "pod-2").beat() == ["pod-0", "pod-2"]


async def test_unknown_entries_are_ignored(redis_client: RedisClient, redis: RedisServer) -> None:
    now = int(redis.cli("TIME").split()[0]) * 1000
    for number, text in enumerate(("nonsense", "123 {}", f"{now} [1]", f"{now} {{")):
        redis.cli("HSET", "promsnmp:members", f"other {number}", text)
    one = Replica(redis_client, "pod-0")
    assert await one.beat() == ["pod-0"]
    assert "2 entries of promsnmp:members are not believed" in one.heart.problem
    redis.cli("DEL", "promsnmp:members")
    assert await one.beat() == ["pod-0"]
    assert one.heart.problem == ""


async def test_entries_of_another_cluster_or_another_place_are_not_believed(
    redis_client: RedisClient, redis: RedisServer
) -> None:
    one = Replica(redis_client, "pod-0")
    await Replica(redis_client, "pod-1", key=ClusterKey("another key of the tests, 32 or more")).beat()
    assert await one.beat() == ["pod-0"]
    assert "another CLUSTER_KEY" in one.heart.problem
    redis.cli("FLUSHALL")
    await Replica(redis_client, "pod-1", "site-2:").beat()
    redis.cli("RENAME", "site-2:promsnmp:members", "promsnmp:members")
    assert await one.beat() == ["pod-0"]
    assert one.heart.problem


async def test_the_problem_names_another_installation_with_a_key_of_its_own(
    redis_client: RedisClient, redis: RedisServer
) -> None:
    key, ours = ClusterKey("another key of the tests, 32 or more"), Replica(redis_client, "pod-0", installation="mine")
    for name in ("pod-1", "pod-2"):
        await Replica(redis_client, name, key=key, installation="theirs").beat()
    now = int(redis.cli("TIME").split()[0]) * 1000
    redis.cli("HSET", "promsnmp:members", "an older version", f"{now} {{}}")
    assert await ours.beat() == ["pod-0"]
    assert "3 entries of promsnmp:members are not believed: " in ours.heart.problem
    assert "another installation, theirs: give each its own REDIS_KEY_PREFIX" in ours.heart.problem
    assert not ours.members.foreign  # nobody has proven that


async def test_an_entry_that_somebody_left_behind_is_no_problem(redis_client: RedisClient, redis: RedisServer) -> None:
    """Such as those of the replicas of an older version, after an update."""
    one = Replica(redis_client, "pod-0")
    await one.beat()
    moment = int(redis.cli("HGET", "promsnmp:members", "instance of pod-0").partition(" ")[0])
    redis.cli("HSET", "promsnmp:members", "old", f"{moment - 20_000} {{}}")
    await one.beat()
    assert one.heart.problem
    redis.cli("HDEL", "promsnmp:members", "old")
    redis.cli("HSET", "promsnmp:members", "older", f"{moment - 40_000} {{}}")
    await one.beat()
    assert one.heart.problem == ""


async def test_an_entry_that_was_changed_makes_no_member_and_removes_none(
    redis_client: RedisClient, redis: RedisServer
) -> None:
    one, two = Replica(redis_client, "pod-0"), Replica(redis_client, "pod-1")
    await two.beat()
    assert await one.beat() == ["pod-0", "pod-1"]
    entry = redis.cli("HGET", "promsnmp:members", "instance of pod-1")
    redis.cli("HSET", "promsnmp:members", "instance of pod-9", entry.replace("pod-1", "pod-9"))
    moment = entry.partition(" ")[0]
    goodbye = f'{moment} {{"instance": "instance of pod-1", "leaving": true}}'
    redis.cli("HSET", "promsnmp:members", "instance of pod-1", goodbye)
    assert await one.beat() == ["pod-0", "pod-1"]


async def test_a_replica_is_no_member_before_it_has_proven_itself(redis_client: RedisClient) -> None:
    one, two = Replica(redis_client, "pod-0"), Replica(redis_client, "pod-1")
    one.dead.add("pod-1")
    await two.beat()
    assert await one.beat() == ["pod-0"]
    assert one.announced.addresses == {"pod-1.example:8080"}
    one.dead.clear()
    assert await one.beat() == ["pod-0", "pod-1"]


async def test_old_entries_keep_no_member_alive_whatever_redis_says(
    redis_client: RedisClient, redis: RedisServer
) -> None:
    """A Redis that shows an old entry every few seconds, each with the present time."""
    one, two = (Replica(redis_client, name) for name in ("pod-0", "pod-1"))
    old = []
    for _ in range(10):
        await two.beat()
        old.append(redis.cli("HGET", "promsnmp:members", "instance of pod-1").partition(" ")[2])
        assert await one.beat() == ["pod-0", "pod-1"]
        CLOCK.now += 2.0
    one.dead.add("pod-1")
    seen = []
    for entry in old:
        moment = redis.cli("HGET", "promsnmp:members", "instance of pod-0").partition(" ")[0]
        redis.cli("HSET", "promsnmp:members", "instance of pod-1", f"{moment} {entry}")
        seen.append(await one.beat())
        CLOCK.now += 2.0
    assert seen[-1] == ["pod-0"]
    await two.beat()
    one.dead.clear()
    assert await one.beat() == ["pod-0", "pod-1"]


async def test_a_read_only_redis_is_not_a_source_of_members(redis_client: RedisClient, redis: RedisServer) -> None:
    one = Replica(redis_client, "pod-0")
    await one.beat()
    redis.cli("CONFIG", "SET", "min-replicas-to-write", "1")
    try:
        with pytest.raises(CoordinatorError, match=r"[Nn]ot enough"):
            await one.beat()
    finally:
        redis.cli("CONFIG", "SET", "min-replicas-to-write", "0")


async def test_a_heartbeat_says_whose_heartbeats_its_replica_has_read(redis_client: RedisClient) -> None:
    one, two = Replica(redis_client, "pod-0"), Replica(redis_client, "pod-1")
    await one.beat()
    await two.beat(later=2.0)
    first_of_two = CLOCK.now
    assert not two.heart.heard_by  # the other one wrote its heartbeat before this one was there
    await one.beat(later=1.0)
    second_of_one = CLOCK.now
    assert not one.heart.heard_by  # the other one wrote its heartbeat before it read any
    await two.beat(later=1.0)
    assert not two.heart.heard_by  # the same
    await one.beat(later=0.5)
    assert one.heart.heard_by.keys() == {"instance of pod-1"}
    await two.beat(later=0.5)
    assert two.heart.heard_by.keys() == {"instance of pod-0"}
    third_of_two = CLOCK.now
    for replica in (one, two):  # from the second reading of a heartbeat on, its age is no estimate
        await replica.beat(later=1.0)
    assert second_of_one <= one.heart.heard_by["instance of pod-1"] < first_of_two + 2.0
    assert first_of_two + 2.0 - 0.01 <= two.heart.heard_by["instance of pod-0"] <= third_of_two


async def test_a_replica_that_is_not_known_any_more_is_not_named_in_heartbeats(
    redis_client: RedisClient, redis: RedisServer
) -> None:
    one, two = Replica(redis_client, "pod-0"), Replica(redis_client, "pod-1")
    for replica in (one, two, one):
        await replica.beat(later=1.0)
    await one.beat(later=1.0)
    assert named_by(redis, "pod-0") == {"instance of pod-1"}
    await two.heart.leave()
    await one.beat(later=1.0)
    await one.beat(later=1.0)
    assert named_by(redis, "pod-0") == set()


async def test_an_entry_stays_small_however_many_replicas_there_are(
    redis_client: RedisClient, redis: RedisServer
) -> None:
    one = Replica(redis_client, "pod-0")
    one.dead = {f"many-{number}" for number in range(100)}
    for name in one.dead:
        await Replica(redis_client, name).beat()
    await one.beat()
    await one.beat(later=1.0)
    assert len(named_by(redis, "pod-0")) == MAX_HEARD
    assert len(redis.cli("HGET", "promsnmp:members", "instance of pod-0")) < MAX_ENTRY


async def test_a_process_that_this_one_has_replaced_at_its_address_is_not_waited_for(redis_client: RedisClient) -> None:
    before, after = Replica(redis_client, "pod-0"), Replica(redis_client, "pod-0", instance="a new process")
    other = Replica(redis_client, "pod-1")
    await before.beat()
    other.dead = after.dead = {"pod-0"}
    await after.beat()
    assert not after.announced.replicas
    await other.beat()
    assert {one.instance for one in other.announced.replicas} == {"instance of pod-0", "a new process"}
    other.members.mark_alive(after.members.me)  # it has proven itself
    other.members.refresh()
    assert not other.announced.replicas


def named_by(redis: RedisServer, name: str) -> set[str]:
    """The replicas (instances) that the last heartbeat of a replica names."""
    _, _, description = redis.cli("HGET", "promsnmp:members", f"instance of {name}").partition(" ")
    return set(json.loads(description)["heard"])
