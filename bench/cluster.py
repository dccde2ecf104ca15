"""Several replicas: how devices are distributed, the cost for each replica, and the cost of a forwarded scrape."""

from __future__ import annotations

import asyncio
import http.client
import json
import shutil
import socket
import statistics
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import pairwise

from bench.parts import Skipped, cpu_seconds, folder, get, process, progress, promsnmp
from promsnmp.sim.agent import Peer, SimulatedAgent
from promsnmp.sim.devices import switch

DEVICES, PORTS, INTERVAL, INTERVALS = 500, 24, 15, 4
SIZES = (1, 3, 10)
ROUNDS, SCRAPES = 7, 1000
BETWEEN = 0.002
"""Seconds between two scrapes whose latency is measured."""


class CountedAgent:
    """A simulated switch that records who polled it since ``polls`` was cleared. All packets from one port belong to
    one poll."""

    def __init__(self, number: int) -> None:
        self.name = f"switch-{number:04}"
        self.polls: list[tuple[float, str]] = []
        """When each poll began, and from which address."""
        self._last: Peer = ()
        self.agent = SimulatedAgent(switch(self.name, ports=PORTS).mib, on_datagram=self._hear)

    def _hear(self, peer: Peer) -> None:
        if peer != self._last:
            self._last = peer
            self.polls.append((time.monotonic(), peer[0]))

    def document(self) -> dict[str, object]:
        """For the inventory."""
        endpoint = {"address": self.agent.address, "port": self.agent.port}
        agent = {"type": "snmp-community", "endpoint": endpoint, "version": 1, "readCommunity": "public"}
        return {"sysName": self.name, "agents": [agent]}


@contextmanager
def counted_agents() -> Iterator[list[CountedAgent]]:
    """DEVICES switches, answering in a thread."""
    devices = [CountedAgent(number) for number in range(DEVICES)]
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def begin() -> None:
        for one in devices:
            await one.agent.start("127.0.0.1", 0)

    async def end() -> None:
        for one in devices:
            one.agent.close()

    try:
        asyncio.run_coroutine_threadsafe(begin(), loop).result()
        yield devices
    finally:
        asyncio.run_coroutine_threadsafe(end(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@dataclass
class Replicas:
    """Processes by the address from which each polls: pid and port."""

    found: dict[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def pids(self) -> list[int]:
        return [pid for pid, _ in self.found.values()]

    @property
    def ports(self) -> list[int]:
        return [port for _, port in self.found.values()]


@contextmanager
def replicas(count: int, devices: Sequence[CountedAgent], *, interval: float) -> Iterator[Replicas]:
    """Starts ``count`` replicas that know each other and have polled every device, on one core, with a Redis."""
    program = shutil.which("redis-server")
    if program is None:
        raise Skipped("redis-server is missing (on Debian: apt-get install redis-server)")
    with ExitStack() as stack:
        where, made = stack.enter_context(folder()), Replicas()
        with socket.create_server(("127.0.0.1", 0)) as probe:
            redis = str(probe.getsockname()[1])
        command = [program, "--port", redis, "--bind", "127.0.0.1", "--save", "", "--dir", str(where)]
        stack.enter_context(process(command, where / "redis.log"))
        for number in range(count):
            address = f"127.0.1.{number + 1}"
            own = {"POD_NAME": f"pod-{number}", "SNMP_SOURCE_ADDRESS": address, "REDIS_HOST": "127.0.0.1"}
            own |= {"REDIS_PORT": redis, "COLLECTION_INTERVAL": f"{interval * 1000:.0f}"}
            own |= {"PROM_ENCRYPT_KEY": "0123456789abcdef", "PROM_INV_FILE": str(where / "inventory.json")}
            log = where / address
            log.mkdir()
            made.found[address] = stack.enter_context(promsnmp(log, own))
        _wait(lambda: all(_members(port) == count for port in made.ports), "all replicas know all")
        _tell(made.ports[0], devices)
        _wait(lambda: all(one.polls for one in devices), "a poll of each device")
        yield made


def main() -> None:
    """Prints who polled what, CPU for each size, and the latency of scrapes."""
    with counted_agents() as devices:
        print(f"{DEVICES} switches of {PORTS} ports every {INTERVAL} s, {INTERVALS} intervals")
        for count in SIZES:
            progress(f"{count} replicas, {INTERVALS} intervals")
            _clear(devices)
            with replicas(count, devices, interval=INTERVAL) as made:
                _shared(made, devices)
        progress("latency of scrapes that are passed on")
        _clear(devices)
        with replicas(3, devices, interval=120) as made:
            _latency(made, devices)
        print()


def _shared(made: Replicas, devices: Sequence[CountedAgent]) -> None:
    time.sleep(2 * INTERVAL)  # detection stores its results in the inventory meanwhile
    _clear(devices)
    began, cpu = time.monotonic(), [cpu_seconds(pid) for pid in made.pids]
    time.sleep(INTERVAL * INTERVALS)
    seconds = time.monotonic() - began
    shares = [(cpu_seconds(pid) - before) / seconds for pid, before in zip(made.pids, cpu, strict=True)]
    polls = [list(one.polls) for one in devices]
    rate = statistics.mean((len(one) - 1) * INTERVAL / (one[-1][0] - one[0][0]) for one in polls)
    latest = max(after - before for one in polls for (before, _), (after, _) in pairwise(one)) / INTERVAL
    pollers = [{address for _, address in one} for one in polls]
    owned = sorted(sum(address in one for one in pollers) for address in made.found)
    print(f"  {len(shares)} replicas, with {owned[0]} to {owned[-1]} devices each:")
    print(f"    {rate:.3f} polls a device and interval (at most {latest:.2f} intervals between two), ", end="")
    print(f"{sum(len(one) > 1 for one in pollers)} devices polled by two")
    print(f"    CPU of a replica {statistics.mean(shares):.2%} (max {max(shares):.2%}), of all {sum(shares):.2%}")


def _latency(made: Replicas, devices: Sequence[CountedAgent]) -> None:
    """Scrapes of one device at its owner and at another replica, in turn."""
    target, owner = devices[0], made.found[devices[0].polls[-1][1]][1]
    other = next(port for port in made.ports if port != owner)
    connections = [http.client.HTTPConnection("127.0.0.1", port, timeout=30) for port in (owner, other)]
    for connection in connections:
        _times(connection, target.name, 100)
    rounds = [[_times(one, target.name, SCRAPES) for one in connections] for _ in range(ROUNDS)]
    print(f"Scrapes of one device, keep-alive, {ROUNDS} rounds of {SCRAPES}, medians of the rounds")
    here = {name: statistics.median(_quantile(one[0], share) for one in rounds) for name, share in _SHARES.items()}
    there = {name: statistics.median(_quantile(one[1], share) for one in rounds) for name, share in _SHARES.items()}
    for name in _SHARES:
        on_top = there[name] - here[name]
        print(f"  {name}: {here[name]:.2f} ms at the owner, {there[name]:.2f} ms elsewhere: {on_top:.2f} ms on top")


_SHARES = {"p50": 0.5, "p99": 0.99}


def _times(connection: http.client.HTTPConnection, target: str, count: int) -> list[float]:
    """Milliseconds of each scrape, ascending."""
    found = []
    for _ in range(count):
        began = time.perf_counter()
        connection.request("GET", f"/snmp?target={target}", headers={"Accept-Encoding": "gzip"})
        answer = connection.getresponse()
        answer.read()
        found.append((time.perf_counter() - began) * 1000)
        if answer.status != 200:
            raise RuntimeError(f"a scrape answered {answer.status}")
        time.sleep(BETWEEN)
    return sorted(found)


def _quantile(ascending: Sequence[float], share: float) -> float:
    return ascending[min(int(len(ascending) * share), len(ascending) - 1)]


def _members(port: int) -> int:
    found = json.loads(get(port, "/promsnmp/leader"))
    return len(found["members"]) if "leader" in found else 0


def _tell(port: int, devices: Sequence[CountedAgent]) -> None:
    body = json.dumps({"devices": [one.document() for one in devices]}).encode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/promsnmp/inventory", body, {"Content-Type": "application/json"}
    )
    urllib.request.urlopen(request).read()


def _wait(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + 120
    while not condition():
        if time.monotonic() > end:
            raise Skipped(f"{what}: not within two minutes")
        time.sleep(0.2)


def _clear(devices: Sequence[CountedAgent]) -> None:
    for one in devices:
        one.polls.clear()
