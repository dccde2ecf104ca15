"""A search that outlives its leader, with real replicas and a simulated network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from promsnmp.cluster.election.rules import lease_clock
from promsnmp.sim.field import Field, populate, spread_over
from promsnmp.sim.mib import Mib
from promsnmp.sim.parts.objects import octets, system, text
from promsnmp.snmp.credentials import Community
from tests.support.agents.threads import running
from tests.support.cluster.replica import Replica
from tests.support.failures.faults.outages import device_names_at
from tests.support.failures.fleet.harness import Fleet
from tests.support.failures.fleet.scenarios import Figures
from tests.support.failures.load.writers import inventory_in
from tests.support.tools import wait_until

DISCOVERY = "/promsnmp/discovery"
NETWORK, DEVICES = "127.86.0.0/22", 20


class _Network:
    """A field that starts like an agent."""

    def __init__(self, field: Field) -> None:
        self.field = field
        self.close = field.close

    async def start(self, address: str = "", port: int = 0) -> object:
        return await self.field.start(port)


@contextmanager
def simulated_network() -> Iterator[Field]:
    """DEVICES devices in NETWORK."""
    objects = system("found", "a switch", object_id_suffix="1", contact="", location="", services=2)
    mac = {"1.3.6.1.2.1.2.2.1.6.1": octets(bytes.fromhex("001b54000001")), "1.3.6.1.2.1.2.2.1.2.1": text("p1")}
    field = populate([Mib.of(objects | mac)], spread_over(NETWORK, DEVICES))
    with running(_Network(field)):
        yield field


def search_outlives_its_leader(fleet: Fleet, *, slack: float) -> Figures:
    """``kill -9`` of a leader that searches: its successor answers for the job at once, goes on where it was, and finds
    every device."""
    with simulated_network() as network:
        leader, other = fleet.leader(), fleet.followers()[0]
        job = _begin(other, network.port)
        wait_until(lambda: _done(fleet) > 0, deadline=60 + slack, what="progress of the search in the file")
        moment, done = lease_clock(), _done(fleet)
        fleet.kill(leader)
        period = fleet.lead_period_after(moment, within=fleet.timing.duration + fleet.timing.renew + slack)
        new = next(one for one in fleet.replicas if one.name == period.name)
        shown = _job(new, job)
        assert (shown["id"], shown["state"]) == (job, "running")
        assert shown["probed"] >= done
        assert "resumedAt" in shown
        wait_until(lambda: _job(other, job)["state"] != "running", deadline=60 + slack, what="the end of the search")
        assert _job(other, job)["state"] == "finished"
        found = {name for name in device_names_at(other) if name.startswith("found-")}
        assert len(found) == DEVICES
        missed = [one.sys_name for one in inventory_in(fleet.folder).devices if one.missed_since]
        assert not missed
    for name in sorted(found):
        other.client.delete(f"/promsnmp/devices/{name}").raise_for_status()
    fleet.start(leader.name)
    fleet.settle()
    return Figures(period.begin - moment, done=len(found))


def _begin(replica: Replica, port: int) -> str:
    request = {"potentialTargets": [NETWORK], "port": port, "readCommunity": Community().community}
    response = replica.client.post(DISCOVERY, json=request)
    assert response.status_code == 202, response.text
    return str(response.json()["jobId"])


def _job(replica: Replica, job: str) -> dict[str, Any]:
    response = replica.client.get(f"{DISCOVERY}/jobs/{job}")
    assert response.status_code == 200, response.text
    found = response.json()
    assert isinstance(found, dict)
    return found


def _done(fleet: Fleet) -> int:
    return sum(one.done for one in inventory_in(fleet.folder).searches.unfinished)
