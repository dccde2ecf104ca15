"""Replicas that are set up wrongly say so in log, health and metrics, and go on polling."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from promsnmp.inventory.store import InventoryStore
from promsnmp.sim.agent import SimulatedAgent
from promsnmp.sim.devices import switch
from tests.support.agents.threads import running
from tests.support.cluster.redis_server import RedisServer
from tests.support.cluster.replica import DEVICES, KEY, Replica, device
from tests.support.tools import wait_until

QUICK = {
    "ELECTION_LEASE_DURATION": "3000",
    "ELECTION_RENEW_INTERVAL": "1000",
    "CLUSTER_MEMBER_TIMEOUT": "2000",
    "COLLECTION_INTERVAL": "1000",
    "COLLECTION_MODULES": "system",
}
SHARED_KEY = {"CLUSTER_KEY": "a key of two installations, 32 or more"}
COUNT = 6
"""Devices of an installation: enough for each of its replicas to own one."""


@pytest.fixture
def agents() -> Iterator[list[SimulatedAgent]]:
    made = [SimulatedAgent(switch(ports=1).mib) for _ in range(COUNT)]
    with running(*made):
        yield made


def problems(replica: Replica, part: str = "replicas") -> str:
    """What a part of the health says is wrong; empty while it is UP."""
    component = replica.client.get(f"/actuator/health/{part}").json()
    details = component["details"]
    return "" if component["status"] == "UP" else str(details.get("problems", details.get("error")))


def wait_for(replica: Replica, condition: Callable[[Replica], bool]) -> None:
    wait_until(lambda: condition(replica), deadline=30, what=f"the condition at {replica.name}")


def add_devices(folder: Path, agents: list[SimulatedAgent]) -> None:
    """Writes the devices into the inventory file of ``folder``."""
    devices = [device(agent, f"device-{number}") for number, agent in enumerate(agents)]
    asyncio.run(InventoryStore(folder / "inventory.json", KEY.encode()).replace({"devices": devices}))


@contextmanager
def replicas(*places: tuple[Path, str], env: Mapping[str, str]) -> Iterator[list[Replica]]:
    """Replicas with folders and names, started at once."""
    with ExitStack() as stack, ThreadPoolExecutor() as pool:
        started = list(pool.map(lambda place: Replica(place[0], place[1], {**QUICK, **env}), places))
        for replica in started:
            stack.callback(replica.stop)
        yield started


def test_two_installations_on_one_redis_notice_each_other_and_poll_all_their_devices(
    tmp_path: Path, redis: RedisServer, agents: list[SimulatedAgent]
) -> None:
    """One of them has no leader: the keys in Redis have room for one. Both have one CLUSTER_KEY; with two, neither
    believes anything of the other."""
    folders = [tmp_path / "first", tmp_path / "second"]
    for folder in folders:
        folder.mkdir()
        add_devices(folder, agents)
    with replicas((folders[0], "pod-0"), (folders[1], "pod-1"), env={**redis.env, **SHARED_KEY}) as both:
        for replica in both:
            wait_for(replica, lambda at: "another installation" in problems(at))
            wait_for(replica, lambda at: at.metric("promsnmp_cluster_owned_devices") == COUNT)
            wait_for(replica, lambda at: polled(at) == COUNT)
        wait_until(lambda: any(replica.leads for replica in both), deadline=30)
        leader, other = sorted(both, key=lambda replica: not replica.leads)
        wait_until(
            lambda: f"{leader.name} of another installation" in problems(other, "leaderElection"),
            deadline=30,
            what="the other replica's leader",
        )
        refused = other.client.post(DEVICES, json={"sysName": "x", "agents": []}, timeout=30)
        assert refused.status_code == 503
        assert "REDIS_KEY_PREFIX" in refused.json()["error"]
        assert not other.leads
    for replica in both:
        assert "belongs to another installation" in replica.output()


def polled(replica: Replica) -> int:
    """How many devices can be scraped at a replica."""
    return sum(
        replica.client.get("/snmp", params={"target": f"device-{number}"}).status_code == 200 for number in range(COUNT)
    )


def test_replicas_that_cannot_reach_each_other_say_so_and_answer_scrapes_at_once(
    tmp_path: Path, redis: RedisServer, agents: list[SimulatedAgent]
) -> None:
    """As with a NetworkPolicy without egress to the port of the replicas: they know each other from Redis only."""
    add_devices(tmp_path, agents)
    places = [(tmp_path, "pod-0"), (tmp_path, "pod-1")]
    with replicas(*places, env={**redis.env, "POD_IP": "127.0.0.2"}) as both:  # nobody listens there
        for replica in both:
            wait_for(replica, lambda at: at.metric("promsnmp_cluster_unreachable_members") == 1)
            assert len(replica.leadership["members"]) == 1  # type: ignore[arg-type]  # the other has not proven itself
            assert "cannot be reached" in problems(replica)
            wait_for(replica, lambda at: polled(at) == COUNT)
            failed = failures(replica)
            assert polled(replica) == COUNT
            assert failures(replica) == failed
    for replica in both:
        assert "another replica lives, but cannot be reached" in replica.output()
        assert "Traceback" not in replica.output()


def failures(replica: Replica) -> float:
    """Forwarded scrapes that failed so far, and those without an answer in time."""
    return sum(
        replica.metric(f'promsnmp_cluster_forwards_total{{kind="scrape",outcome="{outcome}"}}')
        for outcome in ("failed", "late")
    )
