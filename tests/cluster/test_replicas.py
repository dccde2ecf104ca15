"""Three real replicas with one folder and one real Redis: each of them gives the same answers."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from promsnmp.cluster.peers.challenge import CHALLENGE_PATH, ProvenPeer
from promsnmp.cluster.peers.client import DETECTED_MODULES_PATH, HANDOVER_PATH, READ_LEASE_PATH, STATUS_PATH
from promsnmp.cluster.peers.cluster_key import ClusterKey, cluster_key_file
from promsnmp.inventory.store import InventoryStore
from promsnmp.sim.agent import SimulatedAgent
from promsnmp.sim.devices import switch
from tests.support.agents.threads import running
from tests.support.cluster.redis_server import RedisServer
from tests.support.cluster.replica import DEVICES, KEY, Replica, device, running_replicas
from tests.support.cluster.signed import SignedRequests
from tests.support.service.certificates import Authority
from tests.support.service.preloaded import run
from tests.support.service.service_process import ServiceProcess
from tests.support.tools import wait_until

SLOW = {"COLLECTION_INTERVAL": "60000"}
"""Devices are polled seldom, so that pages stay the same during comparisons."""


@pytest.fixture(scope="module")
def replicas(tmp_path_factory: pytest.TempPathFactory, redis_server: RedisServer) -> Iterator[list[Replica]]:
    with running_replicas(tmp_path_factory.mktemp("replicas"), 3, {**redis_server.env, **SLOW}) as running:
        yield running


@pytest.fixture(scope="module")
def agent() -> Iterator[SimulatedAgent]:
    made = SimulatedAgent(switch(ports=4).mib)
    with running(made):
        yield made


def followers_of(replicas: list[Replica]) -> list[Replica]:
    return [one for one in replicas if not one.leads]


@pytest.fixture(scope="module")
def name(replicas: list[Replica], agent: SimulatedAgent) -> str:
    """A device of the inventory, added at a follower and known everywhere."""
    answer = followers_of(replicas)[0].client.post(DEVICES, json=device(agent, "switch-1"))
    assert answer.status_code == 201
    for one in replicas:
        wait_until(lambda one=one: one.client.get(f"{DEVICES}/switch-1").status_code == 200)  # type: ignore[misc]
    return "switch-1"


# --- scrapes


def samples(text: str) -> list[str]:
    """The lines of a page that do not describe the poll."""
    return [line for line in text.splitlines() if not line.startswith(("#", "snmp_scrape", "promsnmp_"))]


def test_a_scrape_at_any_replica_returns_the_owners_page(replicas: list[Replica], name: str) -> None:
    pages = [one.client.get("/snmp", params={"target": name}) for one in replicas]
    assert [page.status_code for page in pages] == [200, 200, 200]
    assert len({page.text for page in pages}) == 1
    assert "ifHCInOctets" in pages[0].text
    owned = [one.metric("promsnmp_cluster_owned_devices") for one in replicas]
    assert sorted(owned) == [0, 0, 1]


@pytest.mark.parametrize(
    "headers",
    [
        {"accept-encoding": "gzip"},
        {"accept-encoding": "identity"},
        {"accept": "application/openmetrics-text;version=1.0.0", "accept-encoding": "gzip"},
    ],
)
def test_the_page_comes_in_the_format_and_coding_that_was_asked_for(
    replicas: list[Replica], name: str, headers: dict[str, str]
) -> None:
    answers = [one.client.get("/snmp", params={"target": name}, headers=headers) for one in replicas]
    kinds = {(one.headers["content-type"], one.headers.get("content-encoding")) for one in answers}
    assert len(kinds) == 1
    assert len({one.text for one in answers}) == 1
    assert kinds.pop()[1] == ("gzip" if headers["accept-encoding"] == "gzip" else None)


def test_histograms_of_a_target_come_from_its_owner(replicas: list[Replica], name: str) -> None:
    for one in replicas:
        answer = one.client.get("/metrics", params={"target": name})
        assert answer.status_code == 200
        assert "promsnmp_cluster_owned_devices 1.0" in answer.text  # the owner's own


def test_errors_are_the_same_everywhere(replicas: list[Replica], name: str) -> None:
    for query in ("target=nobody", "target=", f"target={name}&module=nothing"):
        answers = [one.client.get(f"/snmp?{query}") for one in replicas]
        assert len({(one.status_code, one.text) for one in answers}) == 1
        assert answers[0].status_code in (400, 404)


def test_head_is_answered_as_get_is_without_the_page(replicas: list[Replica], name: str) -> None:
    for one in replicas:
        answer = one.client.head("/snmp", params={"target": name})
        assert (answer.status_code, answer.content) == (200, b"")


# --- changes


def test_a_change_at_any_replica_is_made_by_the_leader_and_soon_visible_everywhere(replicas: list[Replica]) -> None:
    for number, one in enumerate(replicas):
        made = one.client.post(DEVICES, json={"sysName": f"box-{number}", "agents": []})
        assert made.status_code == 201
        where = made.headers["location"]
        for other in replicas:
            wait_until(lambda other=other, where=where: other.client.get(where).status_code == 200, deadline=2.0)  # type: ignore[misc]
        etag = made.headers["etag"]
        assert one.client.delete(where, headers={"if-match": '"other"'}).status_code == 412
        assert one.client.delete(where, headers={"if-match": etag}).status_code == 204


def test_the_file_keeps_the_id_of_every_forwarded_write_and_of_no_other(replicas: list[Replica]) -> None:
    def ids_after(one: Replica, method: str, path: str, document: object) -> tuple[str, ...]:
        assert one.client.request(method, path, json=document).status_code < 300
        store = InventoryStore(one.folder / "inventory.json", KEY.encode())
        return store.load().request_ids

    leader, follower = next(one for one in replicas if one.leads), followers_of(replicas)[0]
    path = f"{DEVICES}/6a3c1d5e-0000-4000-8000-00000000000a"
    before = ids_after(leader, "PUT", path, {"sysName": "from the leader"})
    seed = {"potentialTargets": ["192.0.2.1"], "readCommunity": "public"}
    for method, target, document in (
        ("PUT", path, {"sysName": "forwarded"}),
        ("PATCH", path, {"sysName": "patched"}),
        ("DELETE", path, None),
        ("POST", DEVICES, {"sysName": "another", "agents": []}),
        ("POST", "/promsnmp/discovery?scheduleNow=false&saveSeed=true", seed),
        ("DELETE", "/promsnmp/discovery", None),
    ):
        after = ids_after(follower, method, target, document)
        assert after[:-1] == before, (method, target)
        before = after
    assert ids_after(leader, "DELETE", f"{DEVICES}/another", None) == before


def test_the_audit_log_of_the_leader_says_who_asked_the_follower(replicas: list[Replica]) -> None:
    leader = next(one for one in replicas if one.leads)
    made = followers_of(replicas)[0].client.post(DEVICES, json={"sysName": "audited", "agents": []})
    assert 'what="device added" device=audited' in leader.output()
    assert "who=anonymous@127.0.0.1" in leader.output()
    leader.client.delete(made.headers["location"])


def test_an_error_of_the_leader_is_the_answer(replicas: list[Replica]) -> None:
    for one in replicas:
        refused = one.client.post(DEVICES, json={"sysName": "x", "agents": 5})
        assert refused.status_code == 400
        assert refused.json()["problems"]
        assert one.client.patch(f"{DEVICES}/nobody", json={}).status_code == 404


def test_a_body_that_is_too_large_is_refused_before_it_is_passed_on(replicas: list[Replica]) -> None:
    large = b'{"devices": []' + b" " * (64 * 1024 * 1024) + b"}"
    for one in replicas:
        assert one.client.post("/promsnmp/inventory", content=large, timeout=60).status_code == 413


def test_many_changes_at_once_through_all_replicas_all_land(replicas: list[Replica]) -> None:
    def add(number: int) -> str:
        answer = replicas[number % 3].client.post(DEVICES, json={"sysName": f"many-{number}", "agents": []}, timeout=60)
        assert answer.status_code == 201
        return str(answer.headers["location"])

    with ThreadPoolExecutor(12) as pool:
        places = list(pool.map(add, range(60)))
    for one in replicas:
        wait_until(lambda one=one: all(one.client.get(where).status_code == 200 for where in places))  # type: ignore[misc]
    for where in places:
        replicas[0].client.delete(where)


# --- who leads


def promsnmp(*words: str, **env: str) -> subprocess.CompletedProcess[str]:
    return run(*words, env=env)


def test_the_command_shows_the_leader_at_any_replica(replicas: list[Replica], redis_server: RedisServer) -> None:
    leader = redis_server.cli("GET", "leader")
    for one in replicas:
        asked = promsnmp("leader", "--url", one.url)
        assert asked.returncode == 0
        assert f"leader: {leader} (127.0.0.1:" in asked.stdout
        assert "backend: redis (reachable)" in asked.stdout
        assert "replicas: pod-0, pod-1, pod-2" in asked.stdout


def test_health_shows_role_leader_and_backend(replicas: list[Replica], redis_server: RedisServer) -> None:
    leader = redis_server.cli("GET", "leader")
    for one in replicas:
        part = one.client.get("/actuator/health/leaderElection").json()
        assert part["status"] == "UP"
        role = "leader" if one.name == leader else "follower"
        assert part["details"] | {"term": 0} == {
            "backend": "redis",
            "role": role,
            "name": one.name,
            "leader": leader,
            "term": 0,
            "backendState": "answers",
        }


def test_a_leader_asked_through_a_follower_to_step_down_has_a_successor(
    replicas: list[Replica], redis_server: RedisServer
) -> None:
    before = redis_server.cli("GET", "leader")
    stepped_down = promsnmp("leader", "--step-down", "--url", followers_of(replicas)[0].url)
    assert (stepped_down.returncode, stepped_down.stdout) == (0, f"{before} stepped down\n")
    wait_until(lambda: redis_server.cli("GET", "leader") not in ("", before), deadline=30)
    wait_until(lambda: sum(one.metric("promsnmp_leader_election_is_leader") for one in replicas) == 1, deadline=30)


def test_an_election_is_forced_by_deleting_the_key(replicas: list[Replica], redis_server: RedisServer) -> None:
    wait_until(lambda: all(one.has_all for one in replicas), deadline=30)
    before = redis_server.cli("GET", "leader")
    redis_server.cli("DEL", "leader")
    wait_until(lambda: redis_server.cli("GET", "leader") not in ("", before), deadline=30)


def test_a_foreign_name_in_the_key_is_left_alone_and_reported(
    replicas: list[Replica], redis_server: RedisServer
) -> None:
    wait_until(lambda: all(one.has_all for one in replicas), deadline=30)
    redis_server.cli("SET", "leader", "somebody")
    try:
        wait_until(lambda: not any(one.leads for one in replicas), deadline=30)
        held = "somebody holds the lease, but is not a replica of this cluster"
        wait_until(lambda: {error_of(one) for one in replicas} == {held}, deadline=30, what=held)
        refused = replicas[0].client.post(DEVICES, json={"sysName": "x", "agents": []})
        assert refused.status_code == 503
        assert "somebody holds the lease" in refused.json()["error"]
        assert redis_server.cli("GET", "leader") == "somebody"
    finally:
        redis_server.cli("DEL", "leader")
    wait_until(lambda: any(one.leads for one in replicas), deadline=60)


def error_of(replica: Replica) -> str:
    """The health's error of the election; empty when it works."""
    return str(replica.client.get("/actuator/health/leaderElection").json()["details"].get("error", ""))


def test_replicas_that_serve_tls_ask_each_other_over_tls(tmp_path: Path, redis_server: RedisServer) -> None:
    authority = Authority()
    authority.server().write(tmp_path, "server")
    (tmp_path / "ca.crt").write_bytes(authority.cert)
    web = {"tls_server_config": {"cert_file": "server.crt", "key_file": "server.key"}}
    (tmp_path / "web.yml").write_text(json.dumps(web))
    env = {**redis_server.env, **SLOW, "WEB_CONFIG_FILE": str(tmp_path / "web.yml"), "REDIS_KEY_PREFIX": "tls:"}
    with (
        Replica(tmp_path, "pod-0", env) as one,
        Replica(tmp_path, "pod-1", env) as two,
        httpx.Client(verify=authority.context(), timeout=30) as client,
    ):
        for replica in (one, two):
            place = f"https://localhost:{replica.port}{DEVICES}"
            answer = client.post(place, json={"sysName": f"by {replica.name}", "agents": []})
            assert answer.status_code == 201, answer.text
        follower = one if redis_server.cli("GET", "tls:leader") == "pod-1" else two
        text = client.get(f"https://localhost:{follower.port}/metrics").text
        assert 'promsnmp_cluster_forwards_total{kind="change",outcome="answered"} 1.0' in text


def test_beside_a_replica_its_own_settings_are_all_that_the_order_to_step_down_takes(tmp_path: Path) -> None:
    Authority().server().write(tmp_path, "server")
    web = {"tls_server_config": {"cert_file": "server.crt", "key_file": "server.key"}}
    (tmp_path / "web.yml").write_text(json.dumps(web))
    env = {"WEB_CONFIG_FILE": str(tmp_path / "web.yml"), "API_TOKEN": "a-token-of-some-length"}
    with RedisServer(tmp_path) as redis, Replica(tmp_path, "pod-0", {**redis.env, **env}) as one:
        wait_until(lambda: redis.cli("GET", "leader") == "pod-0", deadline=30)
        here = {**env, "SERVER_PORT": str(one.port)}
        assert promsnmp("leader", **here).returncode == 0
        stepped_down = promsnmp("leader", "--step-down", **here)
        assert (stepped_down.returncode, stepped_down.stdout) == (0, "pod-0 stepped down\n")
        refused = promsnmp("leader", "--step-down", **{**here, "API_TOKEN": "another-token-of-some-length"})
        assert refused.returncode == 1
        assert "credentials" in refused.stderr


# --- alone


def test_without_redis_one_replica_leads_and_there_is_nothing_to_give_up(tmp_path: Path) -> None:
    env = {"COLLECTION_INTERVAL": "0", "PROM_ENCRYPT_KEY": KEY, "API_TOKEN": "a-token"}
    with ServiceProcess(tmp_path, env=env) as alone:
        asked = promsnmp("leader", "--url", alone.url, API_TOKEN="a-token")
        assert asked.returncode == 0
        assert "backend: none" in asked.stdout
        refused = promsnmp("leader", "--step-down", "--url", alone.url, API_TOKEN="a-token")
        assert refused.returncode == 1
        assert "the only replica" in refused.stderr
        assert not cluster_key_file(tmp_path / "inventory.json").exists()
        stranger = SignedRequests(alone.client, ClusterKey(KEY))
        headers, _ = stranger.headers(ProvenPeer("pod-0", "x", alone.url, "x"), "POST", "/-/reload")
        for path in (CHALLENGE_PATH, STATUS_PATH, DETECTED_MODULES_PATH, READ_LEASE_PATH, HANDOVER_PATH):
            assert alone.client.post(path, headers=headers).status_code == 404
        assert alone.client.post("/-/reload", headers=headers).status_code == 401


def test_a_replica_without_its_redis_scrapes_and_reports_the_error(tmp_path: Path, agent: SimulatedAgent) -> None:
    env = {"REDIS_HOST": "127.0.0.1", "REDIS_PORT": "1", "SNMP_ALLOW_ADHOC_TARGETS": "true"}
    with ServiceProcess(tmp_path, env=env) as alone:
        assert alone.client.get("/snmp", params={"target": agent.target}).status_code == 200
        refused = alone.client.post(DEVICES, json={"sysName": "x", "agents": []}, timeout=30)
        assert refused.status_code == 503
        assert refused.headers["retry-after"] == "5"
        assert "no leader available" in refused.json()["error"]
        part = alone.client.get("/actuator/health/leaderElection").json()
        assert (part["status"], part["details"]["role"]) == ("UNKNOWN", "follower")
        assert part["details"]["backendState"] == "fails"
        assert "127.0.0.1" in part["details"]["error"]
        assert alone.client.get("/-/ready").status_code == 200


def test_a_replica_that_starts_without_redis_polls_the_devices_in_the_file(
    tmp_path: Path, agent: SimulatedAgent
) -> None:
    with ServiceProcess(tmp_path) as before:
        assert before.client.post(DEVICES, json=device(agent, "switch-1")).status_code == 201
    env = {"REDIS_HOST": "127.0.0.1", "REDIS_PORT": "1", "COLLECTION_INTERVAL": "5000"}
    with ServiceProcess(tmp_path, env=env) as alone:
        assert (health := alone.client.get("/actuator/health")).status_code == 200
        assert health.json()["components"]["replicas"]["status"] == "UNKNOWN"
        shown = f"{DEVICES}/switch-1"
        wait_until(lambda: alone.client.get(shown).json()["polling"]["state"] == "up", deadline=30, what="a poll")
        assert alone.client.get("/snmp", params={"target": "switch-1"}).status_code == 200


def test_health_goes_on_to_name_the_leader_known_last_when_redis_goes_away(tmp_path: Path) -> None:
    short = {"ELECTION_LEASE_DURATION": "3000", "ELECTION_RENEW_INTERVAL": "1000"}
    with RedisServer(tmp_path) as redis, Replica(tmp_path, "pod-0", {**redis.env, **short}) as one:
        wait_until(lambda: one.leads, deadline=30)
        redis.stop()
        wait_until(lambda: not one.leads, deadline=30)
        assert one.client.get("/actuator/health").status_code == 200
        part = one.client.get("/actuator/health/leaderElection").json()
        assert (part["status"], part["details"]["leader"]) == ("UNKNOWN", "pod-0")
        assert (part["details"]["role"], part["details"]["backendState"]) == ("follower", "fails")


def test_a_replica_that_starts_without_the_file_is_not_elected_while_another_one_has_the_inventory(
    tmp_path: Path,
) -> None:
    short = {"ELECTION_LEASE_DURATION": "3000", "ELECTION_RENEW_INTERVAL": "1000"}
    with RedisServer(tmp_path) as redis, Replica(tmp_path, "pod-0", {**redis.env, **short}) as first:
        wait_until(lambda: first.leads, deadline=30)
        assert first.client.post(DEVICES, json={"sysName": "kept", "agents": []}).status_code == 201
        (tmp_path / "inventory.json").unlink()
        with Replica(tmp_path, "pod-1", {**redis.env, **short}) as second:
            wait_until(lambda: second.knows(2), deadline=30)
            assert first.client.delete("/promsnmp/leader").status_code == 200
            wait_until(lambda: second.metric("promsnmp_devices") == 1, deadline=60, what="the inventory at both")
        assert first.metric("promsnmp_devices") == 1
