"""PromSNMP with a probe on its event loop: ``python -m bench.attacks.served FILE``, settings from the environment.

A timer fires every millisecond; the time between two firings, less that millisecond, bounds every callback that ran in
between, and includes waiting for Python's lock while other threads hold it. Twice a second the longest is appended to
FILE: Unix time, seconds by the clock, and seconds of CPU of the whole process, threads included. On one core that
nothing else uses the two are the same; the second one is not lengthened by other programs.
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
        self._reported = time.perf_counter()
        self._clock, self._cpu = time.perf_counter(), time.process_time()
        self._tick()

    def _tick(self) -> None:
        self._longest = max(self._longest, time.perf_counter() - self._clock - TICK)
        self._longest_cpu = max(self._longest_cpu, time.process_time() - self._cpu)
        if time.perf_counter() - self._reported > REPORT:
            self._out.write(f"{time.time():.1f} {self._longest:.4f} {self._longest_cpu:.4f}\n")
            self._longest = self._longest_cpu = 0.0
            self._reported = time.perf_counter()
        self._clock, self._cpu = time.perf_counter(), time.process_time()
        self._loop.call_later(TICK, self._tick)


async def _serve(file: Path) -> int:
    settings = load_settings()
    configure_logging(level=settings.log_level, style=settings.log_format)
    app = build(settings)
    if slow := os.environ.get("BENCH_SLOW"):  # the log then names callbacks that take so many seconds
        asyncio.get_running_loop().slow_callback_duration = float(slow)
        asyncio.get_running_loop().set_debug(True)
    probe = Probe(file)
    status = await app.serve()
    del probe
    return status


if __name__ == "__main__":
    if most := os.environ.get("BENCH_NOFILE"):
        resource.setrlimit(resource.RLIMIT_NOFILE, (int(most), int(most)))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        sys.exit(runner.run(_serve(Path(sys.argv[1]))))
