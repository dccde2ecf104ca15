"""Values in Redis and in a Lease that no replica writes: each is shown as a problem, and the record can be replaced."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from promsnmp.cluster.clients.redis_client import RedisClient
from promsnmp.cluster.clients.redis_url import parse_redis_address
from promsnmp.cluster.election.backend_kubernetes import ANNOTATION, KubernetesLeaseStore
from promsnmp.cluster.election.backend_redis import RedisLeaseStore
from promsnmp.errors import CoordinatorError
from tests.support.cluster.api_server import ApiServer
from tests.support.cluster.lease_stores import lease_record, write
from tests.support.cluster.redis_server import RedisServer

# --- Redis


@pytest.fixture
async def in_redis(redis: RedisServer) -> AsyncIterator[RedisLeaseStore]:
    client = RedisClient(parse_redis_address(redis.url), timeout=1.0)
    yield RedisLeaseStore(client)
    await client.close()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("term", str(2**62 + 1)), ("term", "9" * 4300), ("term", "-1"), ("term", "1.5")),
        *(("duration", "inf"), ("duration", "1e300"), ("duration", "nan"), ("holder", "x" * 5000)),
        ("address", "a\nb"),
    ],
    ids=lambda value: value[:8],
)
async def test_an_invalid_value_in_redis_is_a_problem_and_the_record_can_be_replaced(
    in_redis: RedisLeaseStore, redis: RedisServer, field: str, value: str
) -> None:
    await write(in_redis, lease_record("pod-0", 1))
    redis.cli("HSET", "promsnmp:election", field, value)
    redis.cli("DEL", "leader")
    state = await in_redis.read()
    assert state.record is None
    assert "promsnmp:election" in state.problem
    assert len(state.problem) < 200
    assert not (await write(in_redis, lease_record("pod-1", 2))).problem


async def test_a_record_that_is_not_utf_8_can_be_replaced(in_redis: RedisLeaseStore, redis: RedisServer) -> None:
    redis.cli("EVAL", r"return redis.call('HSET', 'promsnmp:election', 'term', '\255\254', 'beat', '\200')", "0")
    state = await in_redis.read()
    assert state.problem
    assert await in_redis.write(lease_record("pod-0", 1), state)


async def test_the_installation_is_a_part_of_the_record_in_redis(in_redis: RedisLeaseStore) -> None:
    state = await write(in_redis, replace(lease_record("pod-0", 1), installation="mine"))
    assert state.record is not None
    assert state.record.installation == "mine"


async def test_an_unreadable_record_counts_as_missing_and_can_be_replaced(
    in_redis: RedisLeaseStore, redis: RedisServer
) -> None:
    redis.cli("HSET", "promsnmp:election", "term", "many", "instance", "x")
    state = await in_redis.read()
    assert state.record is None
    assert await in_redis.write(lease_record("pod-0", 1), state)


@pytest.mark.parametrize("order", ["CONFIG SET maxmemory 1", "CONFIG SET min-replicas-to-write 1"])
async def test_errors_of_redis_are_reported(in_redis: RedisLeaseStore, redis: RedisServer, order: str) -> None:
    redis.cli(*order.split())
    try:
        state = await in_redis.read()
        with pytest.raises(CoordinatorError, match=r"maxmemory|[Nn]ot enough"):
            await in_redis.write(lease_record("pod-0", 1), state)
    finally:
        redis.cli("CONFIG", "SET", "maxmemory", "0")
        redis.cli("CONFIG", "SET", "min-replicas-to-write", "0")


# --- a Lease


@pytest.mark.parametrize(
    "values",
    [
        *({"term": 2**62 + 1}, {"term": -1}, {"term": True}, {"term": 1.5}),
        *({"duration": 1e300}, {"duration": -1}, {"holder": "x" * 5000}, {"address": ["a"]}, {"instance": "a\nb"}),
    ],
    ids=str,
)
async def test_an_invalid_value_in_a_lease_is_a_problem_and_the_record_can_be_replaced(
    lease_store: KubernetesLeaseStore, api_server: ApiServer, values: dict[str, object]
) -> None:
    await write(lease_store, lease_record("pod-0", 1))
    lease = api_server.lease()
    note = json.loads(lease["metadata"]["annotations"][ANNOTATION])
    lease["metadata"]["annotations"][ANNOTATION] = json.dumps(note | values)
    lease["spec"]["holderIdentity"] = values.get("holder", "pod-0")
    api_server.store.update("site", "promsnmp-leader", lease)
    state = await lease_store.read()
    assert state.record is None or (state.record.instance, state.record.fencing_token) == ("", 1)
    assert "promsnmp-leader" in state.problem or state.record is not None
    assert (await write(lease_store, lease_record("pod-0", 2))).problem == ""


@pytest.mark.parametrize("note", ['{"term": %s}' % ("9" * 5000), "[" * 100_000], ids=["digits", "depth"])
async def test_an_annotation_that_json_cannot_read_is_a_problem(
    lease_store: KubernetesLeaseStore, api_server: ApiServer, note: str
) -> None:
    await write(lease_store, lease_record("pod-0", 1))
    lease = api_server.lease()
    lease["metadata"]["annotations"][ANNOTATION] = note
    api_server.store.update("site", "promsnmp-leader", lease)
    assert "annotation" in (await lease_store.read()).problem
    assert (await write(lease_store, lease_record("pod-0", 2))).problem == ""


@pytest.mark.parametrize("transitions", [2**31 - 1, 2**31, 10**30, -1, "many", [], None, 1.5, True])
async def test_transitions_that_are_no_int32_start_again_and_the_highest_one_stays(
    lease_store: KubernetesLeaseStore, api_server: ApiServer, transitions: object
) -> None:
    await write(lease_store, lease_record("pod-0", 1))
    lease = api_server.lease()
    lease["spec"]["leaseTransitions"] = transitions
    with api_server.lock:
        api_server.store.leases["site", "promsnmp-leader"] = lease
    await write(lease_store, lease_record("pod-1", 2))
    assert api_server.lease()["spec"]["leaseTransitions"] in (0, 1, 2, 2**31 - 1)


async def test_the_installation_is_a_part_of_the_record(lease_store: KubernetesLeaseStore) -> None:
    state = await write(lease_store, replace(lease_record("pod-0", 1), installation="mine"))
    assert state.record is not None
    assert state.record.installation == "mine"
