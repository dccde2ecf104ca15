"""Two real replicas: each shows the state of all devices, whoever polls them, and says so when it cannot."""

from __future__ import annotations

import signal
from pathlib import Path

from promsnmp.cluster.peers.client import POLL_STATUS_PATH
from promsnmp.sim.agent import SimulatedAgent
from promsnmp.sim.mib import Mib
from promsnmp.sim.parts.objects import system
from tests.support.agents.threads import running
from tests.support.cluster.redis_server import RedisServer
from tests.support.cluster.replica import Replica, running_replicas
from tests.support.tools import free_udp_port, wait_until
from tests.support.web.forms import Forms
from tests.support.web.html import Page
from tests.support.web.polled import BROWSER, document

QUICK = {"COLLECTION_INTERVAL": "1000", "CLUSTER_MEMBER_TIMEOUT": "600000", "SNMP_RETRIES": "0"}


def states(replica: Replica) -> dict[str, str]:
    """State by name of each device, as the list of a replica shows it."""
    rows = Page(replica.client.get("/devices", headers=BROWSER).text).rows[1:]
    return {row[1]: row[0].split()[0] for row in rows}


def is_whole(replica: Replica) -> bool:
    """Whether a replica shows each device as its name says."""
    return all(name.startswith(state) for name, state in states(replica).items())


def search_at(follower: Replica, agent: SimulatedAgent) -> None:
    """Starts a search on the page of a replica that does not lead, and follows it there to its end."""
    found = Forms(follower.client.get("/discovery", headers=BROWSER).text)
    form = next(form for form, action in zip(found.forms, found.actions, strict=True) if action.endswith("search"))
    form |= {"targets": agent.address, "port": str(agent.port), "auth": "public_v2", "action": "search"}
    answer = follower.client.post("/discovery/search", data=form, headers=BROWSER)
    assert answer.status_code == 303
    job = answer.headers["location"].partition("job=")[2]
    events = follower.client.get(f"/discovery/events?job={job}", headers=BROWSER, timeout=60).text
    assert "finished" in Page(events).text
    assert "finished" in Page(follower.client.get(f"/discovery?job={job}", headers=BROWSER).text).text


def test_every_replica_shows_the_whole_and_the_reason_when_another_is_silent(
    tmp_path: Path, redis_server: RedisServer
) -> None:
    group = system("an agent", "agent", object_id_suffix="1", contact="", location="", services=2)
    agents = [SimulatedAgent(Mib.of(group)) for _ in range(3)]
    with running(*agents), running_replicas(tmp_path, 2, {**redis_server.env, **QUICK}) as replicas:
        leader = next(one for one in replicas if one.leads)
        other = next(one for one in replicas if one is not leader)
        devices = [document(f"up-{number}", agent) for number, agent in enumerate(agents)]
        devices += [document(f"down-{number}", free_udp_port()) for number in range(3)]
        assert leader.client.post("/promsnmp/inventory", json={"devices": devices}).status_code == 200
        for replica in replicas:
            wait_until(lambda replica=replica: is_whole(replica), deadline=60, what="the state of all devices")  # type: ignore[misc]
        assert states(leader) == states(other)
        assert leader.client.post(POLL_STATUS_PATH, content=b"{}").status_code == 403
        whole_map = other.client.get("/map.json").json()
        assert {one["name"] for one in whole_map["nodes"]} >= {"up-0", "up-1", "up-2"}
        assert whole_map["unknownReplicas"] == []
        search_at(other, agents[0])

        shown = Page(leader.client.get("/", headers=BROWSER).text).text
        assert "3 up 3 down" in shown
        assert "2 of 2 replicas" in shown
        other.process.send_signal(signal.SIGSTOP)
        try:
            wait_until(lambda: "elsewhere" in states(leader).values(), deadline=60, what="silence")
            shown = Page(leader.client.get("/", headers=BROWSER).text).text
            assert f"{other.name} does not answer" in shown
        finally:
            other.process.send_signal(signal.SIGCONT)
        wait_until(lambda: is_whole(leader), deadline=60, what="an answer again")
