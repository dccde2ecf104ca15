"""Heartbeats in a real Redis."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from promsnmp.cluster.clients.redis_client import RedisClient
from promsnmp.cluster.clients.redis_url import parse_redis_address
from promsnmp.cluster.members.members import Member, Members
from promsnmp.cluster.members.redis_heartbeat import RedisHeartbeats
from promsnmp.errors import CoordinatorError
from tests.support.cluster.redis_server import RedisServer


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with RedisServer(tmp_path_factory.mktemp("redis")) as running:
        yield running


@pytest.fixture
async def redis_client(server: RedisServer) -> AsyncIterator[RedisClient]:
    server.cli("FLUSHALL")
    made = RedisClient(parse_redis_address(server.url))
    yield made
    await made.close()


class Replica:
    def __init__(self, redis_client: RedisClient, name: str, prefix: str = "") -> None:
        me = Member(name, f"instance of {name}", "192.0.2.1:8080", 1.0)
        self.members = Members(me, member_timeout=10.0)
        self.heart = RedisHeartbeats(redis_client, me, prefix=prefix)

    async def beat(self) -> list[str]:
        await self.heart.refresh(self.members)
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


async def test_an_old_heartbeat_is_no_member_and_is_removed(redis_client: RedisClient, server: RedisServer) -> None:
    one, two = Replica(redis_client, "pod-0"), Replica(redis_client, "pod-1")
    await two.beat()
    entry = server.cli("HGET", "promsnmp:members", "instance of pod-1")
    moment, _, description = entry.partition(" ")
    server.cli("HSET", "promsnmp:members", "instance of pod-1", f"{int(moment) - 11_000} {description}")
    assert await one.beat() == ["pod-0"]
    assert server.cli("HLEN", "promsnmp:members") == "2"
    server.cli("HSET", "promsnmp:members", "instance of pod-1", f"{int(moment) - 700_000} {description}")
    await one.beat()
    assert server.cli("HLEN", "promsnmp:members") == "1"


async def test_a_replica_that_leaves_is_gone_for_all_later_reads(redis_client: RedisClient) -> None:
    one, two = Replica(redis_client, "pod-0"), Replica(redis_client, "pod-1")
    await two.beat()
    assert await one.beat() == ["pod-0", "pod-1"]
    await two.heart.leave()
    assert await one.beat() == ["pod-0"]
    assert await Replica(redis_client, "pod-2").beat() == ["pod-0", "pod-2"]


async def test_unknown_entries_are_ignored(redis_client: RedisClient, server: RedisServer) -> None:
    for number, text in enumerate(("nonsense", "123 {}", "9999999999999 [1]", "9999999999999 {")):
        server.cli("HSET", "promsnmp:members", f"other {number}", text)
    assert await Replica(redis_client, "pod-0").beat() == ["pod-0"]


async def test_a_read_only_redis_is_not_a_source_of_members(redis_client: RedisClient, server: RedisServer) -> None:
    one = Replica(redis_client, "pod-0")
    await one.beat()
    server.cli("CONFIG", "SET", "min-replicas-to-write", "1")
    try:
        with pytest.raises(CoordinatorError, match=r"[Nn]ot enough"):
            await one.beat()
    finally:
        server.cli("CONFIG", "SET", "min-replicas-to-write", "0")
