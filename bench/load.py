"""Reading snmp_exporter's own ``snmp.yml`` (2 MB): time, and memory of the process that serves with it."""

from __future__ import annotations

import http.client
import statistics
import subprocess
import sys
import time
from pathlib import Path

from bench.parts import folder, memory_mb, progress, promsnmp, snmp_yml

ROUNDS, RELOADS = 7, 5
ALONE = """
import resource, sys, time
from promsnmp.modules.catalogue import load_catalogue
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize() / 2**20
before = resident()
wall, cpu = time.perf_counter(), time.process_time()
found = load_catalogue(sys.argv[1:])
print(time.perf_counter() - wall, time.process_time() - cpu, before, resident())
print([int(line.split()[1]) / 1024 for line in open("/proc/self/status") if line.startswith("VmHWM:")][0])
"""
"""Reads files as the service does; prints seconds, seconds of CPU, MB before and after, and at most."""


def main() -> None:
    """Prints figures of the reading alone, of ``modules check``, and of the service."""
    file = str(snmp_yml())
    progress("reading snmp.yml alone")
    runs = [_alone(file) for _ in range(ROUNDS)]
    wall, cpu, before, after, most = (statistics.median(run[at] for run in runs) for at in range(5))
    print(f"snmp.yml alone: {wall:.2f} s, {cpu:.2f} s of CPU")
    print(f"  {before:.0f} MB before, {after:.0f} MB after, {most:.0f} MB at most")
    checking = _peak([sys.executable, "-m", "promsnmp", "modules", "check", file])
    print(f"promsnmp modules check: {checking:.0f} MB at most")
    progress("serving with it")
    with folder() as where:
        bare = _served(where, {})
        loaded = _served(where, {"SNMP_CONFIG_FILES": file})
    for title, figures in (("without", bare), ("with", loaded)):
        later = ", ".join(f"{one:.0f}" for one in figures[1:])
        print(f"promsnmp serve {title} snmp.yml: {figures[0]:.0f} MB; after each reload {later} MB")
    print()


def _alone(file: str) -> list[float]:
    ran = subprocess.run([sys.executable, "-c", ALONE, file], check=True, capture_output=True, text=True)
    return [float(word) for word in ran.stdout.split()]


def _peak(command: list[str]) -> float:
    """The most memory that a program takes, in MB."""
    code = "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, capture_output=True); "
    code += "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)"
    return float(subprocess.run([sys.executable, "-c", code, *command], check=True, capture_output=True).stdout)


def _served(where: Path, env: dict[str, str]) -> list[float]:
    """Memory of the service once it listens, and after each of several reloads."""
    with promsnmp(where, env) as (pid, port):
        figures = [memory_mb(pid)]
        for _ in range(RELOADS):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            connection.request("POST", "/-/reload")
            assert connection.getresponse().status == 200
            time.sleep(0.5)
            figures.append(memory_mb(pid))
        return figures
