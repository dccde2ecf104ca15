"""A service that polls three devices: one with health, one that says hostile things, one that does not answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from promsnmp.sim import devices as simulated
from promsnmp.sim.agent import SimulatedAgent
from promsnmp.sim.mib import Mib
from promsnmp.sim.parts.objects import integer, octets, system
from promsnmp.snmp.credentials import Version
from tests.support.agents.threads import running
from tests.support.service.service_process import ServiceProcess
from tests.support.tools import free_udp_port, wait_until
from tests.support.web.html import Page

BROWSER = {"accept": "text/html"}
SETTINGS = {"COLLECTION_INTERVAL": "1000", "DISCOVERY_CRON": "-"}
PORTS = 24
"""Of the switch: enough for the field that finds interfaces; axe-core takes 40 ms for each."""
MARKUP = '<img src=x onerror="alert(1)">'
HOSTILE = (MARKUP.encode(), b"\x00\x1b[2J\xff\xfe", "\u202egnp.exe".encode(), b"<i>" + b"A" * 1_000)


def hostile() -> Mib:
    """An agent whose texts are markup, control characters, right to left, and very long."""
    objects = system("hostile", MARKUP, object_id_suffix="1", contact=MARKUP, location=MARKUP, services=2)
    for number, text in enumerate(HOSTILE, 1):
        objects[f"1.3.6.1.2.1.2.2.1.1.{number}"] = integer(number)
        objects[f"1.3.6.1.2.1.2.2.1.2.{number}"] = octets(text)
        objects[f"1.3.6.1.2.1.2.2.1.8.{number}"] = integer(1)
        objects[f"1.3.6.1.2.1.31.1.1.1.1.{number}"] = octets(text)
        objects[f"1.3.6.1.2.1.31.1.1.1.18.{number}"] = octets(text)
    return Mib.of(objects)


def document(name: str, agent: SimulatedAgent | int) -> dict[str, object]:
    port = agent if isinstance(agent, int) else agent.port
    entry = {
        "type": "snmp-community", "version": 1, "readCommunity": "public", "timeout": 5000, "retries": 1,
        "endpoint": {"address": "127.0.0.1", "port": port},
    }  # fmt: skip
    return {"sysName": name, "agents": [entry], "primaryAgent": entry}


@contextmanager
def polled_devices(folder: Path) -> Iterator[ServiceProcess]:
    """The service, when it has polled all of them."""
    switch = SimulatedAgent(simulated.switch(ports=PORTS).mib, versions=(Version.V2C,), uptime=100_000)
    other = SimulatedAgent(hostile())
    with running(switch, other), ServiceProcess(folder, env=SETTINGS) as service:
        devices = [document("switch", switch), document(MARKUP, other), document("dead", free_udp_port())]
        assert service.client.post("/promsnmp/inventory", json={"devices": devices}).status_code == 200
        wait_until(lambda: states(service) == ["down", "up", "up"], deadline=90, what="polls of all devices")
        yield service


def states(service: ServiceProcess) -> list[str]:
    """The states of all devices, sorted, as the list of devices shows them."""
    rows = Page(service.client.get("/devices?sort=name", headers=BROWSER).text).rows[1:]
    return sorted(row[0].split()[0] for row in rows)
