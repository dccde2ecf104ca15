"""A real replica, as a process of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from promsnmp.sim.agent import SimulatedAgent
from tests.support.service.service_process import ServiceProcess
from tests.support.tools import wait_until

KEY = "0123456789abcdef"
DEVICES = "/promsnmp/devices"


@contextmanager
def running_replicas(folder: Path, count: int, env: Mapping[str, str]) -> Iterator[list[Replica]]:
    """Replicas ``pod-0``, ``pod-1`` ... over one folder, started at once, that know each other and a leader."""
    with ExitStack() as stack:
        with ThreadPoolExecutor() as pool:
            started = list(pool.map(lambda number: Replica(folder, f"pod-{number}", env), range(count)))
        for replica in started:
            stack.callback(replica.stop)
        wait_until(lambda: all(replica.knows(count) for replica in started), deadline=60, what="replicas and a leader")
        yield started


class Replica(ServiceProcess):
    """``name`` is its POD_NAME; ``env`` has more settings, such as the address of Redis (``RedisServer.env``)."""

    def __init__(self, folder: Path, name: str, env: Mapping[str, str], *, prefix: Sequence[str] = ()) -> None:
        self.name = name
        self.env = dict(env)
        super().__init__(folder, env={"POD_NAME": name, "PROM_ENCRYPT_KEY": KEY, **env}, prefix=prefix)
        if token := env.get("API_TOKEN"):
            self.client.headers["authorization"] = f"Bearer {token}"

    def metric(self, name: str) -> float:
        text = self.client.get("/metrics").text
        return next(float(line.split()[-1]) for line in text.splitlines() if line.startswith(f"{name} "))

    @property
    def leadership(self) -> dict[str, object]:
        document = self.client.get("/promsnmp/leader").json()
        assert isinstance(document, dict)
        return document

    @property
    def leads(self) -> bool:
        return self.leadership["role"] == "leader"

    @property
    def members(self) -> Sequence[object]:
        """The replicas that it knows, itself included."""
        members = self.leadership["members"]
        assert isinstance(members, list)
        return members

    def knows(self, count: int) -> bool:
        """Whether it knows ``count`` replicas and the leader."""
        return len(self.members) == count and "leader" in self.leadership

    @property
    def has_all(self) -> bool:
        return self.knows(3)


def device(agent: SimulatedAgent, name: str) -> dict[str, object]:
    """A device with this agent, as the API accepts it."""
    endpoint = {"address": agent.address, "port": agent.port}
    return {
        "sysName": name,
        "agents": [{"type": "snmp-community", "endpoint": endpoint, "version": 1, "readCommunity": "public"}],
    }
