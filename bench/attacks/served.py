"""PromSNMP with a probe on its event loop: ``python -m bench.attacks.served FILE``, settings from the environment.

A timer fires every millisecond; the time between two firings, less that millisecond, bounds every callback that ran in
between. Twice a second the longest of them is appended to FILE: Unix time, seconds by the clock, and seconds of CPU of
the loop's thread, which other programs on the machine do not lengthen.
"""

from __future__ import annotations

import asyncio
import os
import resource
import sys
import time
from pathlib import Path

import uvloop

from promsnmp.app import build
from promsnmp.observe.logging import configure_logging
from promsnmp.settings import load_settings

TICK, REPORT = 0.001, 0.5


class Probe:
    """Measures the loop that it is started on."""

    def __init__(self, file: Path) -> None:
        self._out = file.open("a", buffering=1)  # once: an attack may use up all file descriptors
        self._loop = asyncio.get_running_loop()
        self._longest = self._longest_cpu = 0.0
        self._reported = self._at = time.perf_counter()
        self._cpu = time.thread_time()
        self._tick()

    def _tick(self) -> None:
        now, cpu = time.perf_counter(), time.thread_time()
        self._longest = max(self._longest, now - self._at - TICK)
        self._longest_cpu = max(self._longest_cpu, cpu - self._cpu)
        if now - self._reported > REPORT:
            self._out.write(f"{time.time():.1f} {self._longest:.4f} {self._longest_cpu:.4f}\n")
            self._longest = self._longest_cpu = 0.0
            self._reported = now = time.perf_counter()
            cpu = time.thread_time()
        self._at, self._cpu = now, cpu
        self._loop.call_later(TICK, self._tick)


async def _serve(file: Path) -> int:
    settings = load_settings()
    configure_logging(level=settings.log_level, style=settings.log_format)
    app = build(settings)
    probe = Probe(file)
    status = await app.serve()
    del probe
    return status


if __name__ == "__main__":
    if most := os.environ.get("BENCH_NOFILE"):
        resource.setrlimit(resource.RLIMIT_NOFILE, (int(most), int(most)))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        sys.exit(runner.run(_serve(Path(sys.argv[1]))))
