"""PromSNMP with a probe on its event loop: ``python -m bench.attacks.served FILE``, settings from the environment.

A timer fires every millisecond. What passes between two firings bounds every callback that ran in between, in three
measures. The time by the clock includes waiting for Python's lock and for the core. The CPU time of the process
includes its threads: on one core, nothing else could hold the loop for longer than that, so this is the figure on a
machine that does other things, too. The CPU time of the loop's own thread is that of the callbacks alone.

Twice a second the longest of each is appended to FILE (Unix time, then seconds). With ``BENCH_STACKS`` (seconds), what
all threads do is appended to that file plus ``.stacks`` whenever the timer is so late.

With ``BENCH_CALLBACKS`` asyncio's own loop runs instead of uvloop, whose callbacks cannot be measured one by one. The
callbacks that took the most CPU time of the loop's thread are written to FILE plus ``.callbacks``, longest first:
milliseconds of CPU, of these in garbage collections, milliseconds by the clock, and what it was.
"""

from __future__ import annotations

import asyncio
import faulthandler
import gc
import heapq
import itertools
import os
import resource
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import uvloop

from promsnmp.app import build
from promsnmp.observe.logging import configure_logging
from promsnmp.settings import load_settings

TICK, REPORT = 0.001, 0.5
SETTLED = 2.0
"""Seconds after which what the start took is forgotten."""
CLOCKS: tuple[Callable[[], float], ...] = (time.perf_counter, time.process_time, time.thread_time)
LATE = float(os.environ.get("BENCH_STACKS", 0))


class CallbackProbe:
    """Measures each callback of asyncio's own loop, and keeps the longest ones."""

    MOST = 12

    def __init__(self, file: Path) -> None:
        self._file = file.with_suffix(".callbacks")
        self._longest: list[tuple[float, int, float, float, str]] = []
        self._collecting = self._collected = 0.0
        self._numbers = itertools.count()
        self._run = asyncio.Handle._run  # noqa: SLF001  # asyncio offers nothing else
        probe = self

        def measured(handle: asyncio.Handle) -> None:
            clock, cpu, collected = time.perf_counter(), time.thread_time(), probe._collected
            probe._run(handle)
            cpu, clock = time.thread_time() - cpu, time.perf_counter() - clock
            probe._note(cpu, probe._collected - collected, clock, handle)

        asyncio.Handle._run = measured  # type: ignore[method-assign]  # noqa: SLF001
        gc.callbacks.append(self._on_collection)

    def _on_collection(self, phase: str, info: dict[str, int]) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        if phase == "start":
            self._collecting = time.thread_time()
        else:
            self._collected += time.thread_time() - self._collecting

    def _note(self, cpu: float, collected: float, clock: float, handle: asyncio.Handle) -> None:
        if len(self._longest) < self.MOST or cpu > self._longest[0][0]:
            heapq.heappush(self._longest, (cpu, next(self._numbers), collected, clock, _described(handle)))
            if len(self._longest) > self.MOST:
                heapq.heappop(self._longest)
            self._write()

    def forget(self) -> None:
        """Forgets what the start of the service took."""
        self._longest.clear()

    def _write(self) -> None:
        rows = sorted(self._longest, reverse=True)
        lines = (f"{cpu * 1e3:.1f} {gone * 1e3:.1f} {clock * 1e3:.1f} {what}\n" for cpu, _, gone, clock, what in rows)
        self._file.write_text("".join(lines))


def _described(handle: asyncio.Handle) -> str:
    """The function, or where the coroutine of a task waits now."""
    callback = handle._callback  # type: ignore[attr-defined]  # noqa: SLF001
    owner = getattr(callback, "__self__", None)
    if not isinstance(owner, asyncio.Task):
        return repr(callback)[:300]
    where = [f"{frame.f_code.co_qualname}:{frame.f_lineno}" for frame in owner.get_stack()]
    return f"task {owner.get_name()}: {owner.get_coro()!r} at {' < '.join(where)}"[:300]


CALLBACKS: CallbackProbe | None = None


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
    if CALLBACKS is not None:
        asyncio.get_running_loop().call_later(SETTLED, CALLBACKS.forget)
    probe = Probe(file)
    status = await app.serve()
    del probe
    return status


if __name__ == "__main__":
    if most := os.environ.get("BENCH_NOFILE"):
        resource.setrlimit(resource.RLIMIT_NOFILE, (int(most), int(most)))
    if os.environ.get("BENCH_CALLBACKS"):
        CALLBACKS = CallbackProbe(Path(sys.argv[1]))
    make_loop = uvloop.new_event_loop if CALLBACKS is None else asyncio.new_event_loop
    with asyncio.Runner(loop_factory=make_loop) as runner:
        sys.exit(runner.run(_serve(Path(sys.argv[1]))))
