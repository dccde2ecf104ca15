"""Measures how long the callbacks of an event loop take, in CPU of the loop's thread.

CPU and not time by the clock: how busy the machine is must not decide a test.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from unittest import mock


@dataclass(slots=True)
class LoopProbe:
    """The longest callback so far: seconds of CPU, and what it was."""

    longest: float = 0.0
    what: str = ""


@contextmanager
def loop_probe() -> Iterator[LoopProbe]:
    """Measures every callback of asyncio's own loops meanwhile."""
    probe = LoopProbe()
    run = asyncio.Handle._run

    def measured(handle: asyncio.Handle) -> None:
        before = time.thread_time()
        run(handle)
        taken = time.thread_time() - before
        if taken > probe.longest:
            probe.longest, probe.what = taken, repr(handle)

    with mock.patch.object(asyncio.Handle, "_run", measured):
        yield probe
