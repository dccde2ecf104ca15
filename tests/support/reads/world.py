"""Simulated time for replicas that run the real code: each has an event loop and a clock of its own.

Loops run only when the world runs them. So a replica can sleep as a stopped process does: its timers are late, and
messages wait for it. One seed decides everything that happens.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import math
import random
import time
from asyncio import events
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest


class _NoSelector:
    def select(self, timeout: float | None) -> list[object]:
        return []


class SimulatedLoop(asyncio.BaseEventLoop):
    """An event loop without I/O, by the clock of its replica; the world runs it step by step."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__()
        self._selector = _NoSelector()
        self._clock = clock
        self.errors: list[str] = []
        """What tasks and callbacks raised unexpectedly."""
        self.set_exception_handler(lambda _, context: self.errors.append(str(context)))

    def time(self) -> float:
        return self._clock()

    @property
    def next_at(self) -> float:
        """When it has something to do, by its clock."""
        if self._ready:  # type: ignore[attr-defined]  # typeshed has only what is public
            return -math.inf
        timers = self._scheduled  # type: ignore[attr-defined]  # a heap
        while timers and timers[0].cancelled():  # as the loop itself does
            self._timer_cancelled_count -= 1  # type: ignore[attr-defined]
            heapq.heappop(timers)._scheduled = False
        return float(timers[0].when()) if timers else math.inf

    def run_due(self) -> None:
        """Runs everything that is due."""
        events._set_running_loop(self)
        try:
            while self.next_at <= self.time():
                self._run_once()  # type: ignore[attr-defined]
        finally:
            events._set_running_loop(None)

    def _process_events(self, event_list: object) -> None:
        pass

    def _write_to_self(self) -> None:
        pass


class SimulatedProcess:
    """A process: its loop, its clock (of another speed than those of others), and whether it sleeps or is dead."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.is_dead = False
        self.asleep_until = 0.0
        self._rate = 1 + world.chance.uniform(-0.005, 0.005)
        self._offset = world.chance.uniform(0, 1e5)
        self.loop = SimulatedLoop(self.clock)

    def clock(self) -> float:
        return self.world.now * self._rate + self._offset

    @property
    def runs_at(self) -> float:
        """When it runs next, by the time of the world."""
        if self.is_dead:
            return math.inf
        due = (self.loop.next_at - self._offset) / self._rate
        return max(due, self.asleep_until, self.world.now)

    def run(self) -> None:
        self.world.current = self
        self.loop.run_due()
        self.world.current = None

    def call(self, what: Callable[[], object]) -> None:
        """Calls ``what`` on the loop, as soon as the process runs."""
        if not self.is_dead:
            self.loop.call_soon(what)

    def spawn(self, what: Callable[[], object]) -> None:
        """Runs a coroutine on the loop."""
        self.call(lambda: self.loop.create_task(what()))  # type: ignore[arg-type]


class World:
    """The time of all, the network between them, and what happens later."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.now = 0.0
        self.current: SimulatedProcess | None = None
        self.processes: list[SimulatedProcess] = []
        self.slowest = 0.01
        """Seconds that a message takes, at most."""
        self.lost = 0.0
        """Share of messages that are lost."""
        self.cut: set[frozenset[object]] = set()
        """Pairs that cannot reach each other."""
        self.reset: set[frozenset[object]] = set()
        """Pairs whose connections are reset at once."""
        self._coming: list[tuple[float, int, Callable[[], object]]] = []
        self._numbers = itertools.count()

    def at(self, moment: float, what: Callable[[], object]) -> None:
        heapq.heappush(self._coming, (max(moment, self.now), next(self._numbers), what))

    def send(self, sender: object, receiver: object, what: Callable[[], object]) -> None:
        """Calls ``what`` after the time that a message takes, unless it is lost."""
        if frozenset((sender, receiver)) in self.cut or self.chance.random() < self.lost:
            return
        self.at(self.now + self.chance.random() * self.slowest, what)

    def run(self, until: float) -> None:
        """Runs everything until a time."""
        while True:
            process = min(self.processes, key=lambda one: one.runs_at, default=None)
            process_at = math.inf if process is None else process.runs_at
            coming_at = self._coming[0][0] if self._coming else math.inf
            if min(process_at, coming_at) > until:
                self.now = until
                return
            if coming_at <= process_at:
                self.now, _, what = heapq.heappop(self._coming)
                what()
            else:
                assert process is not None
                self.now = max(self.now, process_at) + 1e-6
                process.run()

    def close(self) -> None:
        """Ends all processes."""
        for process in self.processes:
            self.current = process
            while tasks := asyncio.all_tasks(process.loop):  # one that ends may begin others
                for task in tasks:
                    task.cancel()
                process.loop.run_due()
            process.loop.close()
        self.current = None

    @contextmanager
    def in_charge_of_time(self) -> Iterator[None]:
        """``time.monotonic`` is the clock of the process that runs."""
        real = time.monotonic
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(time, "monotonic", lambda: real() if self.current is None else self.current.clock())
            try:
                yield
            finally:
                self.close()
