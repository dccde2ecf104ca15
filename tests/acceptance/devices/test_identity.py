"""An address that another device takes: the service says so everywhere, until a search has sorted it out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from promsnmp.sim.agent import SimulatedAgent
from promsnmp.sim.mib import Mib
from promsnmp.sim.parts.objects import integer, octets, system
from tests.support.agents.threads import running
from tests.support.service.service_process import ServiceProcess
from tests.support.tools import wait_until

DISCOVERY = "/promsnmp/discovery"
SERVICE = {"COLLECTION_INTERVAL": "500", "COLLECTION_MODULES": "system", "DISCOVERY_CRON": "-"}


def box(name: str, mac: str) -> Mib:
    objects = system(name, "a switch", object_id_suffix="1", contact="", location="", services=2)
    table = {"1.3.6.1.2.1.2.2.1.1.1": integer(1), "1.3.6.1.2.1.2.2.1.6.1": octets(bytes.fromhex(mac))}
    return Mib.of(objects | table)


def search(server: ServiceProcess, agent: SimulatedAgent) -> None:
    request = {"potentialTargets": [agent.address], "port": agent.port, "readCommunity": "public"}
    job = server.client.post(DISCOVERY, json=request).json()["location"]
    wait_until(lambda: server.client.get(job).json()["state"] == "finished", deadline=60, what="the end of the search")


def change_of(server: ServiceProcess, name: str) -> dict[str, Any]:
    found: dict[str, Any] = server.client.get(f"/promsnmp/devices/{name}").json().get("identityChange", {})
    return found


def test_another_device_at_an_address_is_shown_until_a_search_replaces_the_entry(tmp_path: Path) -> None:
    agent = SimulatedAgent(box("core-1", "001b54000001"), uptime=9000)
    with running(agent), ServiceProcess(tmp_path, env=SERVICE) as server:
        search(server, agent)
        wait_until(lambda: server.client.get("/snmp?target=core-1").status_code == 200, deadline=30, what="a page")
        assert change_of(server, "core-1") == {}
        assert "promsnmp_identity_changed" not in server.client.get("/snmp?target=core-1").text
        agent.mib = box("core-1", "001b54ff0001")
        agent.reboot()
        wait_until(lambda: change_of(server, "core-1") != {}, deadline=90, what="the other device")
        assert change_of(server, "core-1")["differences"] == ["MAC address 001b54000001, now 001b54ff0001"]
        assert "\npromsnmp_identity_changed 1\n" in server.client.get("/snmp?target=core-1").text
        assert "\npromsnmp_devices_identity_changed 1.0\n" in server.client.get("/metrics").text
        (group,) = server.client.get("/targets?identity=changed").json()
        assert group["labels"]["__meta_promsnmp_identity"] == "changed"
        assert server.client.get("/promsnmp/devices?query=identity=changed").json()["total"] == 1
        assert server.output().count("another device than the inventory knows") == 1
        search(server, agent)
        assert change_of(server, "core-1") == {}
        assert server.client.get("/targets?identity=changed").json() == []
        device = server.client.get("/promsnmp/devices/core-1").json()
        assert device["marks"]["macAddresses"] == ["001b54ff0001"]
