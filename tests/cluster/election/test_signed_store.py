"""Records of the lease count only with the signature of a replica, in a real Redis."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from promsnmp.cluster.clients.kube_api import KubeApi, KubeApiAddress
from promsnmp.cluster.clients.redis_client import RedisClient
from promsnmp.cluster.clients.redis_url import parse_redis_address
from promsnmp.cluster.election.backend_kubernetes import ANNOTATION, KubernetesLeaseStore
from promsnmp.cluster.election.backend_redis import RedisLeaseStore
from promsnmp.cluster.election.lease import LeaseRecord, LeaseState
from promsnmp.cluster.election.rules import Candidate, Timing
from promsnmp.cluster.election.signed_store import MAX_DURATION, SignedLeaseStore
from promsnmp.cluster.peers.cluster_key import ClusterKey
from promsnmp.support.claim import Claim
from tests.support.cluster.api_server import ApiServer
from tests.support.cluster.lease_stores import lease_record
from tests.support.cluster.members import Clock
from tests.support.cluster.redis_server import RedisServer

KEY, OTHER_KEY = ClusterKey("a key of the tests of leases, 32+ ..."), ClusterKey("another key of the tests, 32+ ...")
RECORD = "promsnmp:election"


class Stores:
    """The store without and with signatures, of this cluster and of another one."""

    def __init__(self, client: RedisClient) -> None:
        self.plain = RedisLeaseStore(client)
        self.problems: list[str] = []
        self.signed = SignedLeaseStore(self.plain, KEY, installation="mine", on_problem=self.problems.append)
        self.foreign = SignedLeaseStore(self.plain, OTHER_KEY, on_problem=lambda _: None)

    async def read(self) -> LeaseState:
        self.problems.clear()
        return await self.signed.read()


@pytest.fixture
async def stores(redis: RedisServer) -> AsyncIterator[Stores]:
    client = RedisClient(parse_redis_address(redis.url))
    yield Stores(client)
    await client.close()


async def test_a_signed_record_is_read_as_it_was_written(stores: Stores) -> None:
    for token, released in ((1, False), (2, True)):
        assert await stores.signed.write(lease_record("pod-1", token, released=released), await stores.read())
        state = await stores.read()
        assert state.record is not None
        assert replace(state.record, beat="", store="", mac="") == lease_record("pod-1", token, released=released)
        assert stores.problems == [""]


@pytest.mark.parametrize("released", [False, True])
async def test_a_record_without_or_with_a_foreign_signature_is_somebodys_who_is_no_replica(
    stores: Stores, released: bool
) -> None:
    for store, reason in ((stores.plain, "older version"), (stores.foreign, "another CLUSTER_KEY")):
        assert await store.write(
            lease_record("pod-9", 7, duration=80_000.0, released=released), await stores.plain.read()
        )
        state = await stores.read()
        assert state.record is not None
        assert (state.record.holder, state.record.address, state.record.instance) == ("pod-9", "", "")
        assert (state.fencing_token, state.is_held, state.forced) == (0, True, False)
        assert state.record.duration == MAX_DURATION
        assert reason in stores.problems[0]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("address", "192.0.2.66:8080"),
        ("term", "9"),
        ("holder", "pod-9"),
        ("instance", "x"),
        ("released", "1"),
        ("installation", "x"),
    ],
)
async def test_a_changed_field_makes_the_record_invalid(
    stores: Stores, redis: RedisServer, field: str, value: str
) -> None:
    await stores.signed.write(lease_record("pod-1", 3), await stores.read())
    redis.cli("HSET", RECORD, field, value)
    if field == "holder":
        redis.cli("SET", "leader", value)
    state = await stores.read()
    assert state.record is not None
    assert (state.record.address, state.fencing_token, state.is_held) == ("", 0, True)


async def test_the_problem_names_another_installation_with_a_key_of_its_own(stores: Stores) -> None:
    for installation, shown in (("theirs", "theirs"), ("a text for people", "")):
        record = replace(lease_record("pod-9", 7), installation=installation)
        assert await stores.foreign.write(record, await stores.plain.read())
        state = await stores.read()
        assert state.record is not None
        assert (state.record.installation, state.fencing_token) == (shown, 0)
        assert ("another installation, theirs: give each its own REDIS_KEY_PREFIX" in stores.problems[0]) == bool(shown)


async def test_a_name_without_a_record_has_neither_address_nor_term(stores: Stores, redis: RedisServer) -> None:
    fields = {"holder": "somebody", "instance": "", "address": "192.0.2.66:8080", "term": "99", "duration": "30.0"}
    redis.cli("HSET", RECORD, *(word for pair in fields.items() for word in pair))
    redis.cli("SET", "leader", "somebody")
    state = await stores.read()
    assert state.record is not None
    assert (state.record.holder, state.record.address, state.fencing_token) == ("somebody", "", 0)


async def test_a_forged_record_ends_no_leadership_and_is_replaced_after_a_lease(
    stores: Stores, redis: RedisServer
) -> None:
    clock = Clock()
    timing = Timing(duration=30.0, renew=10.0, read_interval=1.0)
    candidate = Candidate(LeaseRecord("pod-1", "instance 1", "pod-1:8080", 0, 0), timing, clock=clock)

    async def one_round() -> None:
        state = await stores.read()
        if (wanted := candidate.on_read(state)) is not None and await stores.signed.write(wanted, state):
            candidate.on_written(wanted, sent_at=clock())

    await one_round()
    assert candidate.is_elected
    candidate.on_claimed(candidate.wanted_claim.claim if candidate.wanted_claim else Claim())
    assert candidate.leads
    forged = {"holder": "pod-9", "instance": "x", "address": "192.0.2.66:8080", "term": "7", "mac": "0" * 64}
    redis.cli("HSET", RECORD, *(word for pair in forged.items() for word in pair))
    redis.cli("SET", "leader", "pod-9")
    await one_round()
    assert candidate.leads
    await one_round()
    assert stores.problems == [""], "the leader wrote its record again"
    follower = Candidate(LeaseRecord("pod-2", "instance 2", "pod-2:8080", 0, 0), timing, clock=clock)
    redis.cli("HSET", RECORD, *(word for pair in forged.items() for word in pair), "beat", "another")
    redis.cli("SET", "leader", "pod-9")
    for _ in range(29):
        assert follower.on_read(await stores.read()) is None
        assert follower.leader is None or follower.leader.address == ""
        clock.now += 1.0
    clock.now += 2.0
    wanted = follower.on_read(await stores.read())
    assert wanted is not None


async def test_the_lease_of_kubernetes_is_signed_too() -> None:
    problems: list[str] = []
    with ApiServer() as server:
        api = KubeApi(KubeApiAddress(server.address, tls=False), timeout=5.0)
        store = SignedLeaseStore(KubernetesLeaseStore(api, "site"), KEY, on_problem=problems.append)
        assert await store.write(lease_record("pod-1", 3), await store.read())
        state = await store.read()
        assert state.record is not None
        assert replace(state.record, beat="", mac="") == lease_record("pod-1", 3)
        lease = server.lease()
        note = json.loads(lease["metadata"]["annotations"][ANNOTATION])
        lease["metadata"]["annotations"][ANNOTATION] = json.dumps({**note, "address": "192.0.2.66:8080"})
        server.store.update("site", lease["metadata"]["name"], lease)
        state = await store.read()
        api.close()
    assert state.record is not None
    assert (state.record.holder, state.record.address, state.fencing_token, state.is_held) == ("pod-1", "", 0, True)
    assert "another CLUSTER_KEY" in problems[-1]


def test_the_signature_covers_every_field_that_the_replica_sets() -> None:
    signed = ["holder", "instance", "address", "fencing_token", "duration", "released", "installation"]
    expected = {*signed, "beat", "store", "mac"}
    assert set(LeaseRecord.__dataclass_fields__) == expected, "a new field is signed, unless the lease store sets it"
