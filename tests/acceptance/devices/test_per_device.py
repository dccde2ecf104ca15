"""A device that is polled in its own way: set by a seed and over the API, seen on its page, in /targets, by explain."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from promsnmp.sim.agent import SimulatedAgent
from promsnmp.sim.mib import Mib
from promsnmp.sim.parts.objects import octets, system
from tests.support.agents.threads import running
from tests.support.service.preloaded import run
from tests.support.service.service_process import ServiceProcess, environment
from tests.support.tools import PROJECT, wait_until

SERVICE = {
    "COLLECTION_INTERVAL": "60000",
    "COLLECTION_MODULES": "system",
    "DISCOVERY_CRON": "-",
    "SCRAPE_TIMEOUT": "5000",
}
LOCATION = "机房 7"


def device() -> Mib:
    objects = system("ups-1", "a UPS", object_id_suffix="1", contact="", location="", services=2)
    return Mib.of(objects | {"1.3.6.1.2.1.1.6.0": octets(LOCATION.encode("gbk"))})


def collected_at(server: ServiceProcess) -> float:
    page = server.client.get("/snmp?target=ups-1").text
    found = re.search(r"^promsnmp_collected_timestamp_seconds (\S+)$", page, re.MULTILINE)
    return float(found[1]) if found else 0.0


def wait_for_polls(server: ServiceProcess, count: int) -> None:
    """Until ``count`` pages of different polls were seen."""
    times: set[float] = set()

    def are_seen() -> bool:
        times.add(collected_at(server))
        return len(times - {0.0}) >= count

    wait_until(are_seen, deadline=60, what="polls at the new interval")


def patch(server: ServiceProcess, **keys: object) -> dict[str, Any]:
    answer = server.client.patch("/promsnmp/devices/ups-1", json=keys)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def explained(server: ServiceProcess) -> dict[str, tuple[str, str]]:
    done = run("explain", "--json", "ups-1", env={**environment(server.folder), **SERVICE}, cwd=PROJECT)
    assert done.returncode == 0, done.stderr
    return {one["name"]: (one["value"], one["source"]) for one in json.loads(done.stdout)["polled_with"]}


def test_a_device_is_polled_as_its_seed_and_later_the_operator_say(tmp_path: Path) -> None:
    agent = SimulatedAgent(device())
    with running(agent), ServiceProcess(tmp_path, env=SERVICE) as server:
        values = {"interval": "5m", "maxRepetitions": 5, "maxVarbinds": 3, "textEncoding": "GBK", "unconnected": True}
        request = {"potentialTargets": [agent.address], "port": agent.port, "readCommunity": "public", **values}
        job = server.client.post("/promsnmp/discovery", json=request).json()["location"]
        wait_until(
            lambda: server.client.get(job).json()["state"] == "finished", deadline=60, what="the end of the search"
        )
        found = server.client.get("/promsnmp/devices/ups-1").json()
        assert found.items() >= {**values, "interval": 300_000, "textEncoding": "gbk", "sysLocation": LOCATION}.items()
        (group,) = server.client.get("/targets").json()
        assert group["labels"]["__scrape_interval__"] == "5m"
        assert group["labels"]["__scrape_timeout__"] == "5s"
        page = server.client.get("/snmp?target=ups-1").text
        assert f'sysLocation="{LOCATION}"' in page
        assert "\npromsnmp_poll_interval_seconds 300\n" in page
        values_used = explained(server)
        assert values_used["interval"] == ("5m", "the device in the inventory")
        assert values_used["maxVarbinds"] == ("3", "the device in the inventory")
        assert values_used["textEncoding"] == ("gbk", "the device in the inventory")

        assert patch(server, interval=1000, textEncoding=None)["interval"] == 1000
        wait_for_polls(server, 3)
        assert LOCATION not in server.client.get("/snmp?target=ups-1").text
        (group,) = server.client.get("/targets").json()
        assert (group["labels"]["__scrape_interval__"], group["labels"]["__scrape_timeout__"]) == ("1s", "1s")

        patch(server, **dict.fromkeys(values))
        assert not values.keys() & server.client.get("/promsnmp/devices/ups-1").json().keys()
        (group,) = server.client.get("/targets").json()
        assert "__scrape_interval__" not in group["labels"]
        refused = server.client.patch("/promsnmp/devices/ups-1", json={"textEncoding": "rot13", "interval": 5})
        assert refused.status_code == 400
        assert len(refused.json()["problems"]) == 2
