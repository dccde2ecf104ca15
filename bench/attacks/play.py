"""Plays the attacks, and prints for each: the memory at its peak and after it, how long the event loop was held at most
(``served.py`` explains the figures), and how long a small request had to wait meanwhile.

``BENCH_SOURCE`` names the ``src`` folder of another checkout to attack instead of this one, ``BENCH_ONLY`` a part of a
title, ``BENCH_SECONDS`` how long the slow attacks last, and ``BENCH_POLL_MILLIS`` how long a poll may take.
"""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import os
import random
import resource
import signal
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.attacks import clients
from bench.parts import ONE_CORE, OTHER_CORES, PROJECT, folder, memory_mb, process, progress

AGENT_PORT, PORT = 26161, 28080
SOURCE = os.environ.get("BENCH_SOURCE", str(PROJECT / "src"))
SECONDS = float(os.environ.get("BENCH_SECONDS", "90"))
"""How long the slow attacks last."""
PYTHON_PATH = {"PYTHONPATH": f"{SOURCE}:{PROJECT}"}
SETTINGS = {
    "SERVER_PORT": str(PORT),
    "SERVER_ADDRESS": "127.0.0.1",
    "COLLECTION_MODULES": "if_mib",
    "COLLECTION_INTERVAL": "30000",
    "SNMP_ALLOW_ADHOC_TARGETS": "true",
    "COLLECTION_TIMEOUT": os.environ.get("BENCH_POLL_MILLIS", "60000"),
    "LOG_LEVEL": "warning",
}
STOP_MB = float(os.environ.get("BENCH_STOP_MB", "9000"))
"""The service is ended when it takes so much memory."""


@dataclass(slots=True)
class Observation:
    """What was seen of the service meanwhile: memory (MB) and the longest wait of a small request (seconds)."""

    peak: float = 0.0
    wait: float = 0.0
    failures: int = 0


class Watcher:
    """Asks the service for its health ten times a second, and looks at its memory."""

    def __init__(self, pid: int) -> None:
        self.seen = Observation()
        self._pid = pid
        self._end = threading.Event()
        self._threads = [threading.Thread(target=self._ask), threading.Thread(target=self._look)]

    def __enter__(self) -> Observation:
        for thread in self._threads:
            thread.start()
        return self.seen

    def __exit__(self, *_: object) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join()

    def _ask(self) -> None:
        while not self._end.wait(0.1):
            began = time.monotonic()
            try:
                ask("/-/healthy")
            except OSError:
                self.seen.failures += 1
            self.seen.wait = max(self.seen.wait, time.monotonic() - began)

    def _look(self) -> None:
        while not self._end.wait(0.05):
            self.seen.peak = max(self.seen.peak, memory_mb(self._pid))
            if self.seen.peak > STOP_MB:
                os.kill(self._pid, signal.SIGKILL)
                return


def ask(path: str, headers: Mapping[str, str] | None = None, *, wait: float = 120.0) -> tuple[int, bytes]:
    """Status and body. Raises OSError."""
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=wait)
    try:
        connection.request("GET", path, headers=dict(headers or {}))
        answer = connection.getresponse()
        return answer.status, answer.read()
    except http.client.HTTPException as error:
        raise OSError(str(error)) from None
    finally:
        connection.close()


@contextlib.contextmanager
def service(where: Path, communities: list[str], extra: Mapping[str, str]) -> Iterator[tuple[int, Path]]:
    """The agents, and the service that polls a device of each community; its pid and the file of its probe."""
    lags = where / "lags"
    lags.write_text("")
    env = {**PYTHON_PATH, **SETTINGS, "PROM_INV_FILE": str(where / "inventory.json"), **extra}
    agent = [*OTHER_CORES, sys.executable, "-m", "bench.attacks.agent", str(AGENT_PORT)]
    served = [*ONE_CORE, sys.executable, "-m", "bench.attacks.served", str(lags)]
    with process(agent, where / "agent.log", PYTHON_PATH), process(served, where / "log", env) as pid:
        for _ in range(300):
            time.sleep(0.1)
            with contextlib.suppress(OSError):
                ask("/-/healthy", wait=5)
                break
        time.sleep(2.0)
        os.truncate(lags, 0)
        if communities:
            body = json.dumps({"devices": [_device(community) for community in communities]}).encode()
            url, headers = f"http://127.0.0.1:{PORT}/promsnmp/inventory", {"Content-Type": "application/json"}
            urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=60).read()
        yield pid, lags


def _device(community: str, address: str = "127.0.0.1") -> dict[str, object]:
    endpoint = {"address": address, "port": AGENT_PORT}
    agent = {"type": "snmp-community", "endpoint": endpoint, "version": 1, "readCommunity": community}
    return {"sysName": community, "agents": [agent]}


def play(title: str, attack: Callable[[], str], *, communities: list[str] | None = None, **extra: str) -> None:
    """Plays one attack against a service of its own, and prints what it did."""
    progress(title)
    with folder() as where, service(where, communities or [], extra) as (pid, lags):
        before = memory_mb(pid)
        with Watcher(pid) as seen:
            result = attack()
            time.sleep(1.0)
        time.sleep(12.0)
        after = memory_mb(pid)
        rows = [list(map(float, line.split())) for line in lags.read_text().splitlines()]
        longest = [max((row[at] for row in rows), default=0) for at in (1, 2, 3)]
        print(
            f"{title}: {result}\n    memory {before:.0f} MB before, {seen.peak:.0f} MB at most, {after:.0f} MB after; "
            f"the loop was held for {longest[0] * 1000:.0f} ms at most by the clock, {longest[1] * 1000:.0f} ms of CPU "
            f"({longest[2] * 1000:.0f} ms in callbacks); "
            f"a small request waited {seen.wait:.2f} s at most, {seen.failures} failed",
            flush=True,
        )
        if (callbacks := lags.with_suffix(".callbacks")).exists():
            for line in callbacks.read_text().splitlines():
                print(f"    callback: {line[:400]}")
        for line in (where / "log").read_text().splitlines():
            if "created the key" not in line and "promsnmp.audit" not in line:
                print(f"    log: {line[:200]}")


OPENMETRICS, GZIP = {"Accept": "application/openmetrics-text"}, {"Accept-Encoding": "gzip"}


def poll(device: str, seconds: float = SECONDS) -> str:
    """Scrapes again and again, in both formats, with and without compression; the last sizes."""
    end, path, sizes = time.monotonic() + seconds, f"/snmp?target={device}", ""
    while time.monotonic() < end:
        try:
            answers = [ask(path, headers) for headers in (GZIP, OPENMETRICS | GZIP, {}, OPENMETRICS)]
        except OSError as error:
            return f"the service has ended ({error})"
        if {status for status, _ in answers} == {200}:
            sizes = ", ".join(f"{len(body) / 1e6:.1f}" for _, body in answers)
        time.sleep(5.0)
    return f"page of {sizes} MB (text and OpenMetrics compressed, then plain)" if sizes else "no page yet"


def random_modules() -> Iterator[str]:
    """Ever new permutations of the built-in modules."""
    names = [
        "if_mib",
        "system",
        "ip_mib",
        "bridge",
        "entity",
        "lldp",
        "ospf",
        "bgp4",
        "tcp_udp",
        "poe",
        "ups",
        "printer",
    ]
    while True:
        chosen = random.sample(names, len(names))
        yield f"/snmp?target=127.0.0.1:{AGENT_PORT}&auth=public_v2&module={','.join(chosen)}"


def slow_clients(count: int, begin: bytes) -> str:
    """Connections that wait, and meanwhile a poll and a write."""
    with clients.idle_connections(PORT, count, 20, begin) as opened:
        time.sleep(5.0)
        outcomes = []
        for path, name in (("/snmp?target=large&module=system", "poll"), ("/-/healthy", "health")):
            try:
                outcomes.append(f"{name} {ask(path, wait=20)[0]}")
            except OSError as error:
                outcomes.append(f"{name} failed: {error}")
        outcomes.append(f"write {_write()}")
        return f"{len(opened)} connections; {', '.join(outcomes)}"


def _write() -> str:
    body = json.dumps(_device("added", "127.0.0.9")).encode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{PORT}/promsnmp/devices", body, {"Content-Type": "application/json"}
    )
    try:
        return str(urllib.request.urlopen(request, timeout=20).status)
    except OSError as error:
        return f"failed: {error}"


def main() -> None:
    """Plays all attacks, or those whose title contains ``BENCH_ONLY``."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(resource.getrlimit(resource.RLIMIT_NOFILE)[1], 16384),) * 2)
    only = os.environ.get("BENCH_ONLY", "")
    for title, run in ALL.items():
        if only in title:
            run(title)


ALL: dict[str, Callable[[str], None]] = {
    "honest device, 20,000 interfaces": lambda title: play(title, lambda: poll("large"), communities=["large"]),
    "a table without end": lambda title: play(title, lambda: poll("endless"), communities=["endless"]),
    "values of 2,000 octets": lambda title: play(title, lambda: poll("wide"), communities=["wide"]),
    "names that change at every poll": lambda title: play(
        title, lambda: poll("clones"), communities=["clones"], COLLECTION_INTERVAL="5000"
    ),
    "one header of 100 MB": lambda title: play(title, lambda: clients.long_header(PORT)),
    "200,000 lines of Accept": lambda title: play(title, lambda: clients.many_headers(PORT)),
    "distinct queries of 60 kB on /snmp": lambda title: play(
        title, lambda: clients.distinct_queries(PORT, "/snmp?target=192.0.2.1&module=&x={}", 30)
    ),
    "distinct queries of 60 kB on /targets": lambda title: play(
        title, lambda: clients.distinct_queries(PORT, "/targets?label.x={}", 30)
    ),
    "short distinct queries on /targets": lambda title: play(
        title,
        lambda: clients.short_queries(PORT, (f"/targets?query=x{n}+" + "y+" * 90 for n in itertools.count()), 30),
    ),
    "random module=": lambda title: play(title, lambda: clients.short_queries(PORT, random_modules(), 30)),
    "5,000 idle connections at nofile 1024": lambda title: _limited(title, b""),
    "5,000 half-open requests at nofile 1024": lambda title: _limited(title, b"GET / HTTP/1.1\r\nHost: "),
}


def _limited(title: str, begin: bytes) -> None:
    play(title, lambda: slow_clients(5000, begin), communities=["large"], BENCH_NOFILE="1024")
