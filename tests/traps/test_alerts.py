"""From a trap to an alert: the real service, net-snmp's snmpinform, Debian's Alertmanager."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from promsnmp.sim.agent import SimulatedAgent
from tests.support.agents.documents import community_agent
from tests.support.agents.polled_devices import mib
from tests.support.agents.threads import running
from tests.support.service.service_process import ServiceProcess
from tests.support.tools import WEB, Process, free_tcp_port, free_udp_port, require_tool, wait_until
from tests.support.traps.sending import IF_INDEX_7, LINK_DOWN, LINK_UP, send


def test_an_inform_becomes_an_alert_and_ends_it(tmp_path: Path) -> None:
    port, trap_port = free_tcp_port(), free_udp_port()
    (tmp_path / "am.yml").write_text("route: {receiver: none}\nreceivers: [{name: none}]\n")
    program = require_tool("prometheus-alertmanager", package="prometheus-alertmanager")
    command: list[str | Path] = [
        program, f"--config.file={tmp_path}/am.yml", f"--storage.path={tmp_path}/data",
        f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=",
    ]  # fmt: skip
    alerts = f"http://127.0.0.1:{port}/api/v2/alerts"
    env = {
        "TRAP_PORT": str(trap_port), "TRAP_ADDRESS": "127.0.0.1", "TRAP_QUEUE_DIR": str(tmp_path / "queues"),
        "TRAP_ALERTMANAGER_URLS": f"http://user:pass@127.0.0.1:{port}",
    }  # fmt: skip
    agent = SimulatedAgent(mib())
    with Process(command, log=tmp_path / "am.log"), running(agent), ServiceProcess(tmp_path, env=env) as service:
        document = {"devices": [{"sysName": "switch", "agents": [community_agent(agent.port)]}]}
        assert service.client.post("/promsnmp/inventory", json=document).status_code == 200
        for trap, count in ((LINK_DOWN, 1), (LINK_UP, 0)):
            sent = ["-v", "2c", "-c", "public", "--", "", trap, *IF_INDEX_7]
            wait_until(partial(send, tmp_path, trap_port, *sent, inform=True), deadline=30, what="the inform")
            wait_until(partial(_are_firing, alerts, count), deadline=30, what="the alert")
            if count:
                (alert,) = WEB.get(alerts).json()
                assert (alert["labels"]["device"], alert["labels"]["ifIndex"]) == ("switch", "7")
        delivered = f'promsnmp_trap_deliveries_total{{output="alertmanager-127.0.0.1-{port}",result="delivered"}}'
        wait_until(partial(_are_counted, service, delivered), deadline=30, what="both deliveries to be counted")


def _are_firing(alerts: str, count: int) -> bool:
    return len(WEB.get(alerts).json()) == count


def _are_counted(service: ServiceProcess, delivered: str) -> bool:
    """Two deliveries; the third is what a poll found of linkDown."""
    text = service.client.get("/metrics").text
    return f"{delivered} 2" in text or f"{delivered} 3" in text
