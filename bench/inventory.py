"""An inventory of 20,000 devices with labels: start, changes, targets, memory, effect of changes on other requests."""

from __future__ import annotations

import http.client
import json
import os
import re
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Self

from bench.parts import cpu_seconds, folder, get, memory_mb, progress, promsnmp

DEVICES = int(os.environ.get("BENCH_DEVICES", "20000"))
CHANGES, WRITERS = 40, 200
POLLING_OFF, POLLING_ON = {"COLLECTION_INTERVAL": "0"}, {"COLLECTION_INTERVAL": "3600000"}


def device(number: int, **labels: str) -> dict[str, object]:
    """A device as discovery leaves it, with four labels; nothing listens at its address."""
    return {
        "sysName": f"switch-{number:05}.example.net",
        "sysDescr": "Cisco IOS Software, C2960 Software (C2960-LANBASEK9-M), Version 12.2(55)SE, RELEASE SOFTWARE",
        "sysContact": "noc@example.net",
        "sysLocation": f"Building {number % 40}, floor {number % 7}, rack {number % 99}",
        "sysObjectId": "1.3.6.1.4.1.9.1.1208",
        "vendor": "cisco",
        "model": "WS-C2960-48TT-L",
        "labels": {
            "region": ("eu", "us", "ap")[number % 3], "site": f"site-{number % 200}", "role": "access", "owner": "net",
            **labels,
        },
        "agents": [
            {
                "type": "snmp-community",
                "endpoint": {"address": f"127.{64 + number // 62500}.{number // 250 % 250}.{number % 250 + 1}"},
                "version": 1,
                "readCommunity": "public",
            }
        ],
    }  # fmt: skip


def main() -> None:
    """Fills the inventory once, and measures it after a start with polling off, and after one with polling on."""
    with folder() as where:
        progress(f"an inventory of {DEVICES} devices is imported")
        with promsnmp(where, POLLING_OFF) as (_, port):
            document = json.dumps({"devices": [device(number) for number in range(DEVICES)]}).encode()
            began = time.perf_counter()
            _ask(port, "POST", "/promsnmp/inventory", document)
            print(f"An inventory of {DEVICES} devices with labels\n  import over HTTP: {_since(began)}")
        print(f"  its file: {_size(where):.1f} MB; written and synced alone: {_disk(where)}")
        for title, settings in (("polling off", POLLING_OFF), ("polling on", POLLING_ON)):
            progress(f"start, changes and targets, {title}")
            began = time.perf_counter()
            with promsnmp(where, settings) as (pid, port):
                cpu, memory = cpu_seconds(pid), memory_mb(pid)
                print(f"  {title}\n    start until it listens: {_since(began)} ({cpu:.2f} s of CPU), {memory:.0f} MB")
                _targets(port)
                _changes(pid, port)
                _burst(port)
                _by_another(where, pid, port)
                print(f"    memory: {memory_mb(pid):.0f} MB now, {_peak_mb(pid):.0f} MB at most")
        print()


def _targets(port: int) -> None:
    for path in ("/targets", "/targets?label.region=eu", "/promsnmp/devices?query=rack+label.region%3Deu+-site-7"):
        for coding in ("gzip", "identity") if path.startswith("/targets") else ("identity",):
            took = [_timed(partial(get, port, path, {"Accept-Encoding": coding})) for _ in range(15)]
            print(f"    {path}, {coding}: first {took[0] * 1e3:.0f} ms, then {_spread(took[1:])}")


def _changes(pid: int, port: int) -> None:
    """Changes one device after the other, while another client sends small requests."""
    with _Bystander(port) as bystander:
        cpu = cpu_seconds(pid)
        took = [_timed(partial(_patch, port, n)) for n in range(CHANGES)]
        cpu = (cpu_seconds(pid) - cpu) / CHANGES
        first = _timed(lambda: get(port, "/targets", {"Accept-Encoding": "gzip"}))
    print(f"    a change, durable: {_spread(took)} ({cpu * 1e3:.0f} ms of CPU)")
    print(f"    /targets right after it: {first * 1e3:.0f} ms; other requests meanwhile: {bystander.spread()}")


def _burst(port: int) -> None:
    with _Bystander(port) as bystander, ThreadPoolExecutor(WRITERS) as threads:
        began = time.perf_counter()
        took = list(threads.map(lambda n: _timed(partial(_patch, port, 1000 + n)), range(WRITERS)))
        whole = time.perf_counter() - began
    print(f"    {WRITERS} writers at once: {whole:.2f} s in all, each {_spread(took)}")
    print(f"    other requests meanwhile: {bystander.spread()}")


def _by_another(where: Path, pid: int, port: int) -> None:
    """A command changes the file, and the server loads it automatically."""
    command = [
        sys.executable,
        "-m",
        "promsnmp",
        "devices",
        "add",
        "--no-check",
        f"192.0.2.{pid % 250}",
        "--name",
        f"new-{pid}",
    ]
    with _Bystander(port) as bystander:
        began, cpu = time.perf_counter(), cpu_seconds(pid)
        file = ["--file", str(where / "inventory.json")]
        subprocess.run([*command, *file], check=True, capture_output=True, stdin=subprocess.DEVNULL)
        written = time.perf_counter()
        while get(port, f"/promsnmp/devices?sysname=new-{pid}").find(b'"total": 1,') < 0:
            time.sleep(0.05)
        seen = time.perf_counter()
    print(f"    promsnmp devices add --file: {written - began:.2f} s; the server has it {seen - written:.2f} s later")
    print(
        f"    other requests meanwhile: {bystander.spread()}; {(cpu_seconds(pid) - cpu) * 1e3:.0f} ms of CPU with all"
    )


def _patch(port: int, number: int) -> None:
    body = json.dumps({"labels": {"changed": str(time.time())}}).encode()
    _ask(port, "PATCH", f"/promsnmp/devices/switch-{number:05}.example.net", body)


def _ask(port: int, method: str, path: str, body: bytes) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
    connection.request(method, path, body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    text = answer.read()
    if answer.status >= 300:
        raise RuntimeError(f"{method} {path} answered {answer.status}: {text[:300]!r}")


class _Bystander:
    """Sends small requests all the time; their latency shows how long the event loop was busy."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._took: list[float] = []
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        while not self._end.wait(0.005):
            began = time.perf_counter()
            connection.request("GET", "/-/healthy")
            connection.getresponse().read()
            self._took.append(time.perf_counter() - began)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def spread(self) -> str:
        return _spread(self._took)


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _spread(seconds: Sequence[float]) -> str:
    ordered = sorted(seconds)
    p95 = ordered[int(len(ordered) * 0.95)]
    return f"median {statistics.median(ordered) * 1e3:.0f} ms, p95 {p95 * 1e3:.0f} ms, max {ordered[-1] * 1e3:.0f} ms"


def _since(began: float) -> str:
    return f"{time.perf_counter() - began:.2f} s"


def _size(where: Path) -> float:
    return (where / "inventory.json").stat().st_size / 1e6


def _disk(where: Path) -> str:
    """How long the disk alone takes for a file of this size."""
    data, took = (where / "inventory.json").read_bytes(), []
    for number in range(5):
        began = time.perf_counter()
        with (where / f"plain-{number}").open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        took.append(time.perf_counter() - began)
    return _spread(took)


def _peak_mb(pid: int) -> float:
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0
