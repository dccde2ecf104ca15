"""Shared by the benchmarks: simulated devices, the service under test, CPU and memory measurements."""

from __future__ import annotations

import http.client
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from scripts.programs.exporter import Unavailable, find

PROJECT = Path(__file__).resolve().parents[1]
SHARED = PROJECT.parent / "shared"
SIMULATOR_PORT = 16100
ONE_CORE = ["taskset", "-c", str(max(os.sched_getaffinity(0)))]
"""Runs a program on one core; the simulated devices get the others."""
OTHER_CORES = ["taskset", "-c", ",".join(map(str, sorted(os.sched_getaffinity(0))[:-1] or [0]))]
_LISTENS = re.compile(r" listens on http://[^\s:]+:(\d+)")


class Skipped(Exception):
    """A benchmark cannot run here; the text says what is missing."""


def shared(*parts: str) -> Path:
    """A file of the shared folder beside the project. Raises Skipped where it is absent."""
    path = SHARED.joinpath(*parts)
    if not path.exists():
        raise Skipped(f"{path} is not there; without that folder, this benchmark has no devices to read")
    return path


def snmp_yml() -> Path:
    """The snmp.yml of the shared folder, else that of snmp_exporter's package. Raises Skipped without both."""
    path = SHARED / "snmp_exporter" / "snmp.yml"
    if path.exists():
        return path
    path = Path(exporter()).parents[2] / "etc" / "prometheus" / "snmp.yml"
    if not path.exists():
        raise Skipped(f"{path} is not there: it is in Debian's package of snmp_exporter; unset SNMP_EXPORTER")
    return path


def exporter() -> str:
    """snmp_exporter, which is fetched once where it is missing. Raises Skipped when that is not possible."""
    try:
        return find()
    except Unavailable as reason:
        raise Skipped(str(reason)) from None


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    return time.clock_gettime((~pid << 3) | 2)


def memory_mb(pid: int) -> float:
    """Resident memory of a process in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    return int(found[1]) / 1024 if found else 0.0


@contextmanager
def process(command: Sequence[str], log: Path, env: Mapping[str, str] | None = None) -> Iterator[int]:
    """A program in the background, by its pid; ended when done."""
    with log.open("wb") as out:
        running = subprocess.Popen(command, stdout=out, stderr=out, env={**os.environ, **(env or {})})
    try:
        yield running.pid
    finally:
        running.terminate()
        try:
            running.wait(10)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()


@contextmanager
def folder() -> Iterator[Path]:
    """A folder for one benchmark."""
    with tempfile.TemporaryDirectory(prefix="promsnmp-bench-") as name:
        yield Path(name)


@contextmanager
def devices(where: Path) -> Iterator[None]:
    """Simulated 48-port switches on every address of 127.0.0.0/8, port SIMULATOR_PORT."""
    source, program = SHARED / "bench" / "simagent.c", where / "simagent"
    command = [sys.executable, "-m", "bench.comparison.switches", str(SIMULATOR_PORT)]
    if source.exists() and shutil.which("gcc") is not None:
        subprocess.run(["gcc", "-O2", "-w", "-o", str(program), str(source)], check=True)
        command = [str(program), "-p", str(SIMULATOR_PORT)]
    with process([*OTHER_CORES, *command], where / "simagent.log") as pid:
        time.sleep(0.5 if command[0] == str(program) else 3)
        os.kill(pid, 0)
        yield


@contextmanager
def promsnmp(where: Path, env: Mapping[str, str]) -> Iterator[tuple[int, int]]:
    """PromSNMP on one core; its pid and port."""
    log = where / "promsnmp.log"
    settings = {
        "SERVER_PORT": "0",
        "SERVER_ADDRESS": "127.0.0.1",
        "PROM_INV_FILE": str(where / "inventory.json"),
        **env,
    }
    with process([*ONE_CORE, sys.executable, "-m", "promsnmp", "serve"], log, settings) as pid:
        for _ in range(200):
            found = _LISTENS.search(log.read_text())
            if found:
                yield pid, int(found[1])
                return
            time.sleep(0.1)
        raise Skipped(f"PromSNMP did not start: {log.read_text()[-500:]}")


def get(port: int, path: str, headers: Mapping[str, str] | None = None) -> bytes:
    """The body of one answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", path, headers=dict(headers or {}))
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"{path} answered {answer.status}: {body[:200]!r}")
    return body


def progress(text: str) -> None:
    """Prints a line of progress."""
    print(f"... {text}", file=sys.stderr, flush=True)
