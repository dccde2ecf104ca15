"""Runs computations that are mostly short and sometimes long: on the event loop while they are short, else in a thread.

A computation is a generator that yields between its steps. Most polls need a millisecond of it, and handing that to a
thread would cost a tenth as much again; a poll of 20,000 interfaces needs seconds, in which nothing else would run.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

Steps = Generator[None, None, T]
"""A computation that yields between its steps, and returns its result."""

INLINE_SECONDS = 0.01
"""How much CPU a computation may take on the event loop before the rest of it goes to a thread."""
STEPS_PER_LOOK = 4
"""Steps before the first look at the clock, which is a system call, and between two."""
THREADS = 2
"""Computations in threads at a time: more would not be faster, and each holds the data of a large device."""


def run_steps(steps: Steps[T]) -> T:
    """Runs a computation to its end, here."""
    try:
        while True:
            next(steps)
    except StopIteration as end:
        result: T = end.value
        return result


class StepRunner:
    """Runs computations for an event loop."""

    def __init__(self) -> None:
        self._threads: ThreadPoolExecutor | None = None
        self._closing = threading.Event()

    async def run(self, steps: Steps[T], *, is_small: bool) -> T:
        """The result of a computation; what it raises is raised here.

        It starts on the event loop if it ``is_small``: none of its steps takes long. Cancelling the caller does not
        stop it; ``close`` does.
        """
        if is_small:
            limit = 0.0
            try:
                while not limit or time.thread_time() < limit:
                    for _ in range(STEPS_PER_LOOK):
                        next(steps)
                    limit = limit or time.thread_time() + INLINE_SECONDS
            except StopIteration as end:
                result: T = end.value
                return result
        if self._threads is None:
            self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="render")
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._finish, steps)

    def close(self) -> None:
        """Ends the computations in threads at their next step."""
        self._closing.set()
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)
            self._threads = None

    def _finish(self, steps: Steps[T]) -> T:
        try:
            while not self._closing.is_set():
                next(steps)
        except StopIteration as end:
            result: T = end.value
            return result
        steps.close()
        raise RuntimeError("the process is ending")
