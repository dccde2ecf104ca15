"""A trap of a device renews its page at once: the real service, a simulated device, net-snmp's snmptrap."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from promsnmp.sim.agent import SimulatedAgent
from promsnmp.sim.mib import Mib
from promsnmp.snmp import ber
from tests.support.agents.documents import community_agent
from tests.support.agents.polled_devices import mib
from tests.support.agents.threads import running
from tests.support.service.service_process import ServiceProcess
from tests.support.tools import free_udp_port, wait_until
from tests.support.traps.sending import LINK_DOWN, LINK_UP, send

OPER_STATUS_2 = "1.3.6.1.2.1.2.2.1.8.2"


def device_mib(status: int) -> Mib:
    added = Mib.of({"1.3.6.1.2.1.2.2.1.8.1": ber.encode_integer(1), OPER_STATUS_2: ber.encode_integer(status)})
    return Mib.of({**mib().objects, **added.objects})


class Running(NamedTuple):
    service: ServiceProcess
    agent: SimulatedAgent
    trap_port: int

    def page(self) -> str:
        return self.service.client.get("/snmp", params={"target": "switch"}).text

    def metric(self, line: str) -> float:
        text = self.service.client.get("/metrics").text
        return next((float(one.rpartition(" ")[2]) for one in text.splitlines() if one.startswith(line)), 0.0)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A service that polls its only device once a minute, and receives traps."""
    agent, port = SimulatedAgent(device_mib(1)), free_udp_port()
    env = {"TRAP_PORT": str(port), "TRAP_ADDRESS": "127.0.0.1", "COLLECTION_INTERVAL": "60000"}
    env["TRAP_UNAUTHENTICATED_POLL_INTERVAL"] = "100"
    with running(agent), ServiceProcess(tmp_path_factory.mktemp("service"), env=env) as process:
        document = {"devices": [{"sysName": "switch", "agents": [community_agent(agent.port)]}]}
        assert process.client.post("/promsnmp/inventory", json=document).status_code == 200
        made = Running(process, agent, port)
        wait_until(lambda: "ifOperStatus" in made.page())
        yield made


def oper_status(page: str) -> str:
    line = next(one for one in page.splitlines() if one.startswith("ifOperStatus{") and 'ifIndex="2"' in one)
    return line.rpartition(" ")[2]


def test_the_page_follows_a_link_trap_within_three_seconds(service: Running, tmp_path: Path) -> None:
    assert oper_status(service.page()) == "1"
    service.agent.mib = device_mib(2)
    began = time.monotonic()
    link = (f"{OPER_STATUS_2.replace('.8.2', '.1.2')}", "i", "2")
    assert send(tmp_path, service.trap_port, "-v", "2c", "-c", "public", "--", "", LINK_DOWN, *link)
    wait_until(lambda: oper_status(service.page()) == "2", deadline=3.0, what="the page")
    print(f"the page followed after {time.monotonic() - began:.2f} s")
    assert 'snmp_trap_total{trap="linkDown"} 1' in service.page()
    assert 'snmp_trap_last_timestamp_seconds{trap="linkDown"}' in service.page()
    assert service.metric('promsnmp_traps_total{severity="warning",trap="linkDown"}') == 1
    assert service.metric("promsnmp_trap_page_delay_seconds_count") == 1
    wait_until(lambda: service.metric('promsnmp_trap_confirmations_total{result="confirmed"}') == 1)
    health = service.service.client.get("/actuator/health/traps").json()
    assert (health["status"], health["details"]["outputs"]) == ("UP", {"log": {"waiting": 0}})
    wait_until(lambda: "confirmed" in service.service.client.get("/traps", headers={"accept": "text/html"}).text)


def test_the_state_follows_within_two_seconds_where_a_poll_takes_longer(service: Running, tmp_path: Path) -> None:
    """The whole poll takes some five seconds; the row alone is asked for at once."""
    service.agent.mib = device_mib(1)
    link = (f"{OPER_STATUS_2.replace('.8.2', '.1.2')}", "i", "2")
    assert send(tmp_path, service.trap_port, "-v", "2c", "-c", "public", "--", "98", LINK_UP, *link)
    wait_until(lambda: oper_status(service.page()) == "1")
    updates = service.metric("promsnmp_trap_page_updates_total")
    service.agent.mib, service.agent.delay = device_mib(2), 0.3
    assert send(tmp_path, service.trap_port, "-v", "2c", "-c", "public", "--", "99", LINK_DOWN, *link)
    wait_until(lambda: oper_status(service.page()) == "2", what="the page")
    assert service.metric("promsnmp_trap_page_updates_total") == updates + 1
    assert 'snmp_trap_object_state{index="2",object="ifOperStatus"} 2' in service.page()
    polled = service.metric("promsnmp_trap_page_delay_seconds_count")
    service.agent.delay = 0.0
    wait_until(lambda: service.metric("promsnmp_trap_page_delay_seconds_count") > polled, what="the poll")
    assert oper_status(service.page()) == "2"
    service.agent.mib = device_mib(1)
    assert send(tmp_path, service.trap_port, "-v", "2c", "-c", "public", "--", "100", LINK_UP, *link)
    wait_until(lambda: oper_status(service.page()) == "1", what="the page of the next poll")
    wait_until(lambda: "snmp_trap_object_state" not in service.page(), what="the page of the next poll")
