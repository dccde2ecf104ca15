"""PromSNMP with a probe on its event loop: ``python -m bench.attacks.served FILE``, settings from the environment.

A timer fires every millisecond. What passes between two firings bounds every callback that ran in between, in three
measures. The time by the clock includes waiting for Python's lock and for the core. The CPU time of the process
includes its threads: on one core, nothing else could hold the loop for longer than that, so this is the figure on a
machine that does other things, too. The CPU time of the loop's own thread is that of the callbacks alone.

Twice a second the longest of each is appended to FILE (Unix time, then seconds). With ``BENCH_STACKS`` (seconds), what
all threads do is appended to that file plus ``.stacks`` whenever the timer is so late.
"""

from __future__ import annotations

import asyncio
import faulthandler
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

import uvloop

from promsnmp.app import build
from promsnmp.observe.logging import configure_logging
from promsnmp.settings import load_settings

TICK, REPORT = 0.001, 0.5
CLOCKS: tuple[Callable[[], float], ...] = (time.perf_counter, time.process_time, time.thread_time)
LATE = float(os.environ.get("BENCH_STACKS", 0))


class Probe:
    """Measures the loop that it is started on."""

    def __init__(self, file: Path) -> None:
        self._out = file.open("a", buffering=1)  # now: an attack may use up all file descriptors
        self._stacks = file.with_suffix(".stacks").open("a", buffering=1) if LATE else None
        self._loop = asyncio.get_running_loop()
        self._longest = [0.0, 0.0, 0.0]
        self._reported = time.perf_counter()
        self._before = [clock() for clock in CLOCKS]
        self._tick()

    def _tick(self) -> None:
        passed = [clock() - before for clock, before in zip(CLOCKS, self._before, strict=True)]
        self._longest = list(map(max, self._longest, passed))
        if self._stacks is not None:
            if passed[0] > LATE:
                self._stacks.write(f"=== {passed[0]:.3f} s by the clock, {passed[1]:.3f} s of CPU\n")
            faulthandler.dump_traceback_later(LATE, file=self._stacks)
        if time.perf_counter() - self._reported > REPORT:
            self._out.write(" ".join([f"{time.time():.1f}", *(f"{seconds:.4f}" for seconds in self._longest)]) + "\n")
            self._longest = [0.0, 0.0, 0.0]
            self._reported = time.perf_counter()
        self._before = [clock() for clock in CLOCKS]
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
