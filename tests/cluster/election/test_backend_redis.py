"""The lease store in a real Redis, alone and with election runners that compete for the lease."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from promsnmp.cluster.clients.redis_client import RedisClient
from promsnmp.cluster.clients.redis_url import parse_redis_address
from promsnmp.cluster.election.backend_redis import RedisLeaseStore
from promsnmp.cluster.election.lease import LeaseRecord, LeaseState, vacancy
from promsnmp.cluster.election.rules import Timing
from promsnmp.cluster.election.runner import ElectionRunner
from promsnmp.errors import CoordinatorError
from tests.support.cluster.lease_stores import TIMING, RunnerGroup, lease_record
from tests.support.cluster.proxy import Proxy
from tests.support.cluster.redis_server import RedisServer
from tests.support.tools import until, wait_until


@asynccontextmanager
async def lease_store(url: str, prefix: str = "") -> AsyncIterator[RedisLeaseStore]:
    redis_client = RedisClient(parse_redis_address(url), timeout=1.0)
    try:
        yield RedisLeaseStore(redis_client, prefix=prefix)
    finally:
        await redis_client.close()


async def state_of(one: RedisLeaseStore) -> tuple[LeaseRecord | None, LeaseState]:
    state = await one.read()
    return state.record, state


# --- the lease store


async def test_a_written_record_is_read_unchanged(redis: RedisServer) -> None:
    async with lease_store(redis.url) as one:
        assert await one.write(lease_record("pod-0", 1), await one.read())
        state = await one.read()
        assert state.record is not None
        assert state.record.beat
        assert state.record.store == state.store != ""
        assert replace(state.record, beat="", store="") == lease_record("pod-0", 1)


async def test_the_key_leader_has_the_name_and_expires_with_the_lease(redis: RedisServer) -> None:
    async with lease_store(redis.url) as one:
        await one.write(lease_record("pod-0", 1), await one.read())
    assert redis.cli("GET", "leader") == "pod-0"
    assert 29_000 < int(redis.cli("PTTL", "leader")) <= 30_000


async def test_a_renewal_extends_the_lease(redis: RedisServer) -> None:
    async with lease_store(redis.url) as one:
        await one.write(lease_record("pod-0", 1), await one.read())
        redis.cli("PEXPIRE", "leader", "5000")
        assert await one.write(lease_record("pod-0", 1), await one.read())
    assert int(redis.cli("PTTL", "leader")) > 29_000


async def test_a_write_based_on_an_older_record_is_rejected(redis: RedisServer) -> None:
    async with lease_store(redis.url) as one:
        old = await one.read()
        assert await one.write(lease_record("pod-0", 1), old)
        assert not await one.write(lease_record("pod-1", 1), old)
        assert redis.cli("GET", "leader") == "pod-0"


async def test_a_renewal_never_overwrites_a_successor(redis: RedisServer) -> None:
    async with lease_store(redis.url) as one:
        await one.write(lease_record("pod-0", 1), await one.read())
        before = await one.read()
        await one.write(lease_record("pod-1", 2), before)
        assert not await one.write(lease_record("pod-0", 1), before)
        assert redis.cli("GET", "leader") == "pod-1"


async def test_a_name_deleted_by_hand_is_not_renewed(redis: RedisServer) -> None:
    async with lease_store(redis.url) as one:
        await one.write(lease_record("pod-0", 1), await one.read())
        before = await one.read()
        redis.cli("DEL", "leader")
        assert not await one.write(lease_record("pod-0", 1), before)
        assert (await one.read()).forced
        assert redis.cli("GET", "leader") == ""


async def test_a_release_removes_the_name_and_keeps_the_fencing_token(redis: RedisServer) -> None:
    async with lease_store(redis.url) as one:
        await one.write(lease_record("pod-0", 7), await one.read())
        assert await one.write(lease_record("pod-0", 7, released=True), await one.read())
        left = (await one.read()).record
    assert left is not None
    assert (left.fencing_token, left.released) == (7, True)
    assert redis.cli("EXISTS", "leader") == "0"


async def test_another_program_that_holds_the_key_is_not_overwritten(redis: RedisServer) -> None:
    redis.cli("SET", "leader", "other", "PX", "30000")
    async with lease_store(redis.url) as one:
        found, state = await state_of(one)
        assert found is not None
        assert found.holder == "other"
        assert not await one.write(lease_record("pod-0", 1), state)
    assert redis.cli("GET", "leader") == "other"


async def test_keys_have_the_prefix(redis: RedisServer) -> None:
    async with lease_store(redis.url, "site-1:") as one:
        await one.write(lease_record("pod-0", 1), await one.read())
    assert sorted(redis.cli("KEYS", "*").split()) == ["site-1:leader", "site-1:promsnmp:election"]


async def test_a_closed_connection_is_opened_again(redis: RedisServer) -> None:
    with Proxy(redis.port) as proxy:
        async with lease_store(f"redis://127.0.0.1:{proxy.port}") as one:
            await one.read()
            proxy.cut()
            await one.read()


async def test_a_redis_that_hangs_is_an_error_after_the_timeout(redis: RedisServer) -> None:
    with Proxy(redis.port) as proxy:
        async with lease_store(f"redis://127.0.0.1:{proxy.port}") as one:
            await one.read()
            proxy.hang = True
            with pytest.raises(CoordinatorError):
                await one.read()
            proxy.hang = False
            assert (await one.read()).fencing_token == 0


# --- a Redis that loses data


async def test_an_empty_redis_keeps_its_mark_until_the_first_leader_or_the_next_flush(redis: RedisServer) -> None:
    async with lease_store(redis.url) as one, lease_store(redis.url) as two:
        first = await one.read()
        assert first.record is not None
        assert first.record == vacancy(first.record.beat, first.store)
        assert await two.read() == first
        redis.cli("FLUSHALL")
        second = await one.read()
        assert second.changed_from(first)
        assert not await one.write(lease_record("pod-0", 1), first)
        assert await one.write(lease_record("pod-0", 1), second)


async def test_a_write_into_an_emptied_redis_without_a_mark_is_refused(redis: RedisServer) -> None:
    async with lease_store(redis.url) as one:
        before = await one.read()
        redis.cli("FLUSHALL")
        assert not await one.write(lease_record("pod-0", 1), before)


async def test_a_leader_that_writes_its_record_again_writes_a_new_beat(redis: RedisServer) -> None:
    async with lease_store(redis.url) as one:
        found = []
        for _ in range(3):
            assert await one.write(lease_record("pod-0", 5), await one.read())
            found.append(await one.read())
            redis.cli("FLUSHALL")
        assert all(state.changed_from(before) for before, state in pairwise(found))
        assert not await one.write(lease_record("pod-0", 5), found[0])


@contextmanager
def replica_of(server: RedisServer, folder: Path) -> Iterator[RedisServer]:
    """A second Redis that replicates ``server``."""
    with RedisServer(folder, options=["--replicaof", server.address, str(server.port)]) as made:
        wait_until(lambda: "master_link_status:up" in made.cli("INFO", "replication"))
        yield made


async def test_a_failover_is_a_change_and_writes_based_on_older_reads_are_refused(
    redis: RedisServer, tmp_path: Path
) -> None:
    async with lease_store(redis.url) as one:
        await one.write(lease_record("pod-0", 3), await one.read())
        before = await one.read()
        with replica_of(redis, tmp_path) as second:
            second.cli("REPLICAOF", "NO", "ONE")
            async with lease_store(second.url) as other:
                expected = await other.read()
                assert expected.record == before.record
                assert expected.changed_from(before)
                assert not await other.write(lease_record("pod-1", 4), before)
                assert await other.write(lease_record("pod-1", 4), expected)
                on_written = (await other.read()).record
    assert on_written is not None
    assert on_written.store == expected.store


async def test_a_replica_promoted_twice_has_two_store_names(redis: RedisServer, tmp_path: Path) -> None:
    with replica_of(redis, tmp_path) as second:
        stores = []
        for _ in range(2):
            second.cli("REPLICAOF", "NO", "ONE")
            async with lease_store(second.url) as other:
                stores.append((await other.read()).store)
            second.cli("REPLICAOF", redis.address, str(redis.port))
            wait_until(lambda: "master_link_status:up" in second.cli("INFO", "replication"))
    assert stores[0] != stores[1]


async def test_a_restart_with_saved_data_is_a_change(tmp_path: Path) -> None:
    with RedisServer(tmp_path) as server:
        async with lease_store(server.url) as one:
            await one.write(lease_record("pod-0", 3), await one.read())
            before = await one.read()
        server.cli("SAVE")
    with RedisServer(tmp_path, port=server.port) as server:
        async with lease_store(server.url) as one:
            expected = await one.read()
    assert expected.record == before.record
    assert expected.changed_from(before)


async def test_a_read_only_redis_can_be_read(redis: RedisServer, tmp_path: Path) -> None:
    with replica_of(redis, tmp_path) as second:
        async with lease_store(second.url) as one:
            assert (await one.read()).record is None
            with pytest.raises(CoordinatorError, match="read only"):
                await one.write(lease_record("pod-0", 1), await one.read())


async def test_elections_work_for_a_user_without_permission_for_info(redis: RedisServer) -> None:
    redis.cli("ACL", "SETUSER", "plain", "on", ">secret", "~*", "+@all", "-info")
    async with lease_store(f"redis://plain:secret@127.0.0.1:{redis.port}") as one:
        assert await one.write(lease_record("pod-0", 1), await one.read())
        assert (await one.read()).fencing_token == 1


# --- election runners


class CandidateGroup(RunnerGroup):
    """Election runners that use one Redis."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url
        self.links: list[RedisClient] = []

    def make(self, name: str, *, url: str = "", timing: Timing = TIMING) -> ElectionRunner:
        redis_client = RedisClient(parse_redis_address(url or self.url), timeout=1.0)
        self.links.append(redis_client)
        return self.add(name, RedisLeaseStore(redis_client), timing=timing, timeout=4.0)

    def join(self, name: str, *, url: str = "", timing: Timing = TIMING) -> ElectionRunner:
        runner = self.make(name, url=url, timing=timing)
        runner.start()
        return runner


@pytest.fixture
async def candidates(redis: RedisServer) -> AsyncIterator[CandidateGroup]:
    made = CandidateGroup(redis.url)
    yield made
    await made.stop()
    for redis_client in made.links:
        await redis_client.close()


async def test_one_of_three_leads_and_the_others_know_the_leader(candidates: CandidateGroup) -> None:
    for number in range(3):
        candidates.join(f"pod-{number}")
    leader = await candidates.leader()
    await until(lambda: all(one.leader is not None for one in candidates.members))
    assert len({one.leader for one in candidates.members}) == 1
    assert leader.leader is not None
    assert leader.leader.fencing_token == leader.claim().term


async def test_a_leader_that_stops_has_a_successor_with_a_higher_token_at_once(candidates: CandidateGroup) -> None:
    for number in range(3):
        candidates.join(f"pod-{number}")
    first = await candidates.leader()
    term = first.claim().term
    await first.stop()
    second = await candidates.leader(other_than=first)
    assert second.claim().term == term + 1


async def test_another_replica_leads_after_the_leader_steps_down(candidates: CandidateGroup) -> None:
    candidates.join("pod-0")
    candidates.join("pod-1")
    first = await candidates.leader()
    await first.step_down("asked to")
    assert not first.leads
    await candidates.leader(other_than=first)


async def test_deleting_the_key_forces_an_election(candidates: CandidateGroup, redis: RedisServer) -> None:
    candidates.join("pod-0")
    candidates.join("pod-1")
    first = await candidates.leader()
    redis.cli("DEL", "leader")
    second = await candidates.leader(other_than=first)
    await until(lambda: redis.cli("GET", "leader") == f"pod-{candidates.members.index(second)}")


async def test_two_processes_with_the_same_name_never_both_lead(candidates: CandidateGroup, redis: RedisServer) -> None:
    first, second = candidates.join("pod-0"), candidates.join("pod-0")
    leader = await candidates.leader()
    assert redis.cli("GET", "leader") == "pod-0"
    await leader.stop()
    await candidates.leader(other_than=leader)
    assert redis.cli("GET", "leader") == "pod-0"
    assert not (first.leads and second.leads)


async def test_emptying_redis_does_not_change_the_leader(candidates: CandidateGroup, redis: RedisServer) -> None:
    for number in range(3):
        candidates.join(f"pod-{number}")
    leader = await candidates.leader()
    await until(lambda: all(one.leader is not None for one in candidates.members))
    term = leader.claim().term
    redis.cli("FLUSHALL")
    await until(lambda: redis.cli("GET", "leader") != "")
    assert candidates.leaders == [leader]
    assert leader.claim().term == term


async def test_an_evicted_record_is_written_again_while_the_key_leader_remains(
    candidates: CandidateGroup, redis: RedisServer
) -> None:
    for number in range(3):
        candidates.join(f"pod-{number}")
    leader = await candidates.leader()
    await until(lambda: all(one.leader is not None for one in candidates.members))
    term = leader.claim().term
    redis.cli("DEL", "promsnmp:election")
    await until(lambda: redis.cli("HGET", "promsnmp:election", "term") == str(term))
    assert candidates.leaders == [leader]
    assert leader.claim().term == term


@pytest.mark.parametrize("is_locked", [False, True], ids=["file can be written", "file is locked"])
async def test_a_released_record_that_a_failover_brings_back_unnoticed_makes_no_second_leader(
    candidates: CandidateGroup, redis: RedisServer, is_locked: bool
) -> None:
    """As with a proxy before Redis, or without permission for INFO: the server has the same name as before."""
    redis.cli("ACL", "SETUSER", "plain", "on", ">secret", "~*", "+@all", "-info")
    url = f"redis://plain:secret@127.0.0.1:{redis.port}"
    first, second, third = (candidates.make(f"pod-{number}", url=url) for number in range(3))
    await first.run_once()
    await until(lambda: first.leads)
    await first.step_down("asked to")
    released = redis.cli("HGETALL", "promsnmp:election").split("\n")
    released += [""] * (len(released) % 2)  # an empty value at the end
    candidates.file.fails = "another process is writing it" if is_locked else ""
    await second.run_once()
    await until(lambda: second.leads or bool(second.problem))
    redis.cli("DEL", "promsnmp:election", "leader")
    redis.cli("HSET", "promsnmp:election", *released)
    await third.run_once()
    assert third.candidate.own_token == (second.candidate.own_token if is_locked else 0)
    candidates.file.fails = ""
    await until(lambda: bool(candidates.leaders))
    assert len(candidates.leaders) == 1
    for one in (second, third, second, third):
        await one.run_once()
        assert len(candidates.leaders) <= 1


async def test_a_leader_cut_off_from_redis_stops_before_another_leads(
    candidates: CandidateGroup, redis: RedisServer
) -> None:
    with Proxy(redis.port) as proxy:
        first = candidates.join("pod-0", url=f"redis://127.0.0.1:{proxy.port}")
        assert await candidates.leader() is first
        second = candidates.join("pod-1")
        proxy.hang = True
        both = 0
        async with asyncio.timeout(20):
            while not second.leads:
                both += first.leads and second.leads
                await asyncio.sleep(0.005)
        assert not first.leads
        assert both == 0
        assert first.problem
        proxy.hang = False
        await until(lambda: first.leader is not None and first.leader.name == "pod-1")
        assert not first.problem


async def test_a_leader_renews_with_a_redis_that_takes_half_a_second_per_answer(
    candidates: CandidateGroup, redis: RedisServer
) -> None:
    with Proxy(redis.port) as proxy:
        proxy.delay = 0.5
        slow = candidates.join("pod-0", url=f"redis://127.0.0.1:{proxy.port}", timing=Timing(20.0, 0.5, 0.1))
        await candidates.leader()
        before = slow.candidate.renewed_at
        await until(lambda: slow.candidate.renewed_at > before)
        assert slow.transitions == 1
