"""What replicas accept from each other, and from who only knows some of their keys: with real replicas and Redis."""

from __future__ import annotations

import secrets
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from promsnmp.cluster.peers.client import STATUS_PATH
from promsnmp.cluster.peers.cluster_key import ClusterKey, cluster_key_file
from tests.support.cluster.redis_server import RedisServer
from tests.support.cluster.replica import DEVICES, KEY, Replica, running_replicas
from tests.support.cluster.signed import SignedRequests, key_in
from tests.support.tools import free_tcp_port, wait_until

QUIET = {"COLLECTION_INTERVAL": "60000"}


@pytest.fixture(scope="module")
def replicas(tmp_path_factory: pytest.TempPathFactory, redis_server: RedisServer) -> Iterator[list[Replica]]:
    with running_replicas(tmp_path_factory.mktemp("replicas"), 2, {**redis_server.env, **QUIET}) as running:
        yield running


@pytest.fixture(scope="module")
def leader(replicas: list[Replica]) -> Replica:
    return next(one for one in replicas if one.leads)


@pytest.fixture(scope="module")
def follower(replicas: list[Replica], leader: Replica) -> Replica:
    return next(one for one in replicas if one is not leader)


@pytest.fixture(scope="module")
def name(leader: Replica) -> str:
    """A device that no agent answers for."""
    made = leader.client.post(DEVICES, json={"sysName": "switch-1", "agents": []})
    assert made.status_code == 201
    return "switch-1"


@pytest.fixture(scope="module")
def key(replicas: list[Replica]) -> ClusterKey:
    """The key that the first of the replicas made."""
    path = cluster_key_file(replicas[0].folder / "inventory.json")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    return ClusterKey(path=path)


def test_a_replica_proves_itself_and_its_answers(replicas: list[Replica], key: ClusterKey) -> None:
    for one in replicas:
        asker = SignedRequests(one.client, key)
        peer = asker.prove()
        assert (peer.name, peer.address) == (one.name, f"127.0.0.1:{one.port}")
        for target in ("/promsnmp/devices", "/-/healthy", "/nowhere"):
            asker.send("GET", target)


def test_a_request_with_an_invalid_signature_is_refused(replicas: list[Replica], name: str, key: ClusterKey) -> None:
    good = SignedRequests(replicas[0].client, key)
    for other in (ClusterKey(KEY), ClusterKey("another key of the tests, 32 or more")):
        bad = SignedRequests(replicas[0].client, other)
        for path in (f"/snmp?target={name}", "/-/healthy", "/promsnmp/hello"):
            headers, _ = bad.headers(good.prove(), "GET", path)
            answer = replicas[0].client.get(path, headers=headers)
            assert answer.status_code == 403
            assert "CLUSTER_KEY" in answer.text


def test_status_is_accepted_only_from_replicas(leader: Replica, key: ClusterKey) -> None:
    body = b'{"name": "pod-9"}'
    client, signed = leader.client, SignedRequests(leader.client, key)
    assert client.post(STATUS_PATH, content=body).status_code == 403
    assert client.get(STATUS_PATH).status_code == 403
    headers, mac = signed.headers(signed.prove(), "POST", STATUS_PATH, b"{}")
    answer = client.post(STATUS_PATH, content=body, headers=headers)
    assert (answer.status_code, "signature" in answer.text) == (403, True)
    signed.check(answer, mac)
    assert signed.send("POST", STATUS_PATH, body).status_code == 400
    assert len(leader.leadership["members"]) == 2  # type: ignore[arg-type]


def test_a_forwarded_request_is_not_forwarded_again(
    replicas: list[Replica], follower: Replica, name: str, key: ClusterKey
) -> None:
    refused = SignedRequests(follower.client, key).send("POST", DEVICES, b"{}")
    assert (refused.status_code, refused.headers["x-promsnmp-not-leader"]) == (503, "1")
    for one in replicas:
        before = one.metric('promsnmp_cluster_forwards_total{kind="scrape",outcome="answered"}')
        assert SignedRequests(one.client, key).send("GET", f"/snmp?target={name}").status_code == 404
        assert one.metric('promsnmp_cluster_forwards_total{kind="scrape",outcome="answered"}') == before


@pytest.mark.parametrize(
    ("method", "target", "body"), [("POST", DEVICES, b'{"sysName": "once"}'), ("GET", DEVICES, b"")]
)
def test_a_copy_of_a_request_is_refused(
    leader: Replica, follower: Replica, key: ClusterKey, method: str, target: str, body: bytes
) -> None:
    signed = SignedRequests(leader.client, key)
    headers, mac = signed.headers(signed.prove(), method, target, body, headers={"content-type": "application/json"})
    made = leader.client.request(method, target, content=body or None, headers=headers)
    assert made.status_code in (200, 201)
    signed.check(made, mac)
    again = leader.client.request(method, target, content=body or None, headers=headers)
    assert (again.status_code, again.text) == (403, "the signature was used before\n")
    signed.check(again, mac)
    elsewhere = follower.client.request(method, target, content=body or None, headers=headers)
    assert (elsewhere.status_code, "another process" in elsewhere.text) == (403, True)
    if "location" in made.headers:
        leader.client.delete(made.headers["location"])


def test_headers_that_the_signature_does_not_cover_have_no_effect(leader: Replica, key: ClusterKey) -> None:
    made = leader.client.post(DEVICES, json={"sysName": "covered", "agents": []})
    where, etag = made.headers["location"], made.headers["etag"]
    signed = SignedRequests(leader.client, key)
    headers, _ = signed.headers(signed.prove(), "DELETE", where, headers={"if-match": '"another"'})
    assert leader.client.delete(where, headers={**headers, "if-match": etag}).status_code == 403
    assert leader.client.delete(where, headers={**headers, "x-added": "by a proxy"}).status_code == 412
    headers, _ = signed.headers(signed.prove(), "DELETE", where)
    assert leader.client.delete(where, headers={**headers, "if-match": '"another"'}).status_code == 204


def test_a_request_from_before_a_restart_is_refused_after_it(tmp_path: Path, redis_server: RedisServer) -> None:
    env = {**redis_server.env, **QUIET, "REDIS_KEY_PREFIX": "restart:", "SERVER_PORT": str(free_tcp_port())}
    with Replica(tmp_path, "pod-0", env) as first:
        signed = SignedRequests(first.client, key_in(tmp_path))
        headers, _ = signed.headers(signed.prove(), "DELETE", "/promsnmp/discovery")
    with Replica(tmp_path, "pod-0", env) as second:
        refused = second.client.delete("/promsnmp/discovery", headers=headers)
        assert (refused.status_code, refused.headers["x-promsnmp-refused"]) == (403, "recipient")


def test_another_cluster_key_makes_a_cluster_of_its_own(tmp_path: Path, redis_server: RedisServer) -> None:
    env = {**redis_server.env, **QUIET, "REDIS_KEY_PREFIX": "keys:"}
    with (
        Replica(tmp_path, "pod-0", {**env, "CLUSTER_KEY": secrets.token_hex(32)}) as one,
        Replica(tmp_path, "pod-1", {**env, "CLUSTER_KEY": secrets.token_hex(32)}) as two,
    ):
        assert not cluster_key_file(tmp_path / "inventory.json").exists()
        for replica in (one, two):
            wait_until(lambda replica=replica: "CLUSTER_KEY" in problems_of(replica), deadline=30)  # type: ignore[misc]
            assert len(replica.leadership["members"]) == 1  # type: ignore[arg-type]
        wait_until(
            lambda: "heartbeats in redis: " in one.output(), deadline=30, what="the other's heartbeat to be refused"
        )
        assert one.output().count("heartbeats in redis: ") == 1


def problems_of(replica: Replica) -> str:
    """The health's problems of the replicas."""
    return str(replica.client.get("/actuator/health/replicas").json()["details"].get("problems", ""))
