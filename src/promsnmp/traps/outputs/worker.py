"""Delivers what is in a queue to one output: in batches, in order, again after failures, with growing pauses."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Protocol

from promsnmp.errors import PromSnmpError
from promsnmp.traps.outputs.event import Event, decode
from promsnmp.traps.outputs.queue.model import EventQueue, QueueError

log = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds before the second attempt, and at most; the pause doubles with each failure."""
MAX_BATCH_OCTETS = 1 << 20
DELIVERED, FAILED, REFUSED, EXPIRED = "delivered", "failed", "refused", "expired"
"""Results, besides the reasons for which queues drop records. ``failed`` counts attempts, the others events."""


class DeliveryFailed(PromSnmpError):
    """A receiver did not take a batch; it is sent again, after ``pause`` seconds if the receiver says so."""

    def __init__(self, message: str, *, pause: float = 0.0, summary: str = "") -> None:
        """``summary`` is the message without what the receiver says, for pages that anybody may read."""
        super().__init__(message)
        self.summary = summary or message
        self.pause = pause


class DeliveryRefused(PromSnmpError):
    """A receiver will never take this batch: something in it is not valid to it, or too large."""


class Output(Protocol):
    """Where events go."""

    name: str
    """Unique among the outputs; a label of metrics and a name of a folder."""
    kind: str
    """One of OUTPUT_KINDS of the rules."""
    batch: int
    """Events of one delivery, at most."""

    def wants(self, event: Event) -> bool:
        """Whether it gets an event that the rules do not withhold from it."""

    async def send(self, events: Sequence[Event]) -> int:
        """Delivers; returns how many of them the receiver refused. Raises DeliveryFailed or DeliveryRefused."""

    async def idle(self) -> float:
        """Repeats what has to be repeated, and returns seconds to the next time. Raises DeliveryFailed."""

    async def close(self) -> None: ...


class Worker:
    """The queue of one output, and the task that empties it. ``max_age``: seconds after which an event is dropped."""

    def __init__(
        self,
        output: Output,
        queue: EventQueue,
        *,
        max_age: float,
        clock: Callable[[], float] = time.time,
        pause: float = FIRST_PAUSE,
    ) -> None:
        self.output, self.queue = output, queue
        self._max_age, self._clock, self._first_pause = max_age, clock, pause
        self._pause = 0.0
        self._limit = output.batch
        self._results: Counter[str] = Counter()
        self._is_failing = False
        self.last_error = ""
        """Why the last attempt failed; empty when it did not. Without what the receiver says."""
        self._task: asyncio.Task[None] | None = None

    @property
    def results(self) -> Counter[str]:
        """Events by result, and failed attempts."""
        return self._results + self.queue.dropped

    @property
    def is_failing(self) -> bool:
        """Whether the last attempt failed."""
        return self._is_failing

    async def start(self) -> None:
        """Opens the queue and starts to deliver. Raises QueueError."""
        await self.queue.open()
        self._task = asyncio.create_task(self._run(), name=f"trap-output-{self.output.name}")

    async def stop(self, drain: float) -> None:
        """Stops, after ``drain`` seconds at most in which it delivers what it can."""
        if self._task is not None:
            end = time.monotonic() + drain
            while len(self.queue) and not self._is_failing and not self._task.done() and time.monotonic() < end:
                await asyncio.wait([self._task], timeout=0.02)
            self._task.cancel()
            await asyncio.wait([self._task])
        await self.output.close()
        await self.queue.close()

    async def _run(self) -> None:
        while True:
            try:
                await self._step()
            except (DeliveryFailed, QueueError) as error:
                await self._wait_after(error)
            except Exception:  # a fault of one output must not end it
                log.exception("unexpected error in the trap output %s", self.output.name)
                await asyncio.sleep(LONGEST_PAUSE)

    async def _step(self) -> None:
        """One batch, or a pause until there is something to do."""
        batch = await self.queue.peek(self._limit, MAX_BATCH_OCTETS)
        if not batch.records:
            seconds = await self.output.idle()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self.queue.filled.wait()
            return
        events, skipped = self._events(batch.records)
        if events:
            try:
                refused = await self.output.send(events)
            except DeliveryRefused as error:
                if len(batch.records) > 1:  # one of them is the cause: send fewer, to find it
                    self._limit = len(batch.records) // 2
                    return
                log.warning("%s refused a notification, which is lost: %s", self.output.name, error)
                refused = len(events)
            except (AttributeError, LookupError, TypeError, ValueError) as error:
                # a record of another version or by another hand; without this, it would be tried for ever
                if len(batch.records) > 1:
                    self._limit = len(batch.records) // 2
                    return
                kind = type(error).__name__
                log.warning("%s cannot read a notification in its queue, which is lost: %s", self.output.name, kind)
                refused = len(events)
            self._results[REFUSED] += refused
            self._results[DELIVERED] += len(events) - refused
            self._succeeded()
        self._results += skipped  # only now: a batch that fails is read again
        await self.queue.acknowledge(batch.end)
        await self.output.idle()

    def _events(self, records: Sequence[bytes]) -> tuple[list[Event], Counter[str]]:
        """The events of records that are readable and not too old, and how many the others are, by result."""
        found, skipped = list[Event](), Counter[str]()
        for record in records:
            try:
                event = decode(record)
            except ValueError:
                skipped[REFUSED] += 1
                continue
            if self._max_age and self._clock() - event["receivedAt"] > self._max_age:
                skipped[EXPIRED] += 1
                continue
            found.append(event)
        return found, skipped

    def _succeeded(self) -> None:
        self._limit = min(self._limit * 2, self.output.batch)
        self._pause = 0.0
        self.last_error = ""
        if self._is_failing:
            self._is_failing = False
            log.warning("trap output %s works again", self.output.name)

    async def _wait_after(self, error: DeliveryFailed | QueueError) -> None:
        self._results[FAILED] += 1
        self.last_error = error.summary if isinstance(error, DeliveryFailed) else str(error)
        if not self._is_failing:
            self._is_failing = True
            log.warning("trap output %s failed, and is tried again: %s", self.output.name, error)
        self._pause = min(self._pause * 2 or self._first_pause, LONGEST_PAUSE)
        pause = error.pause if isinstance(error, DeliveryFailed) and error.pause else self._pause
        await asyncio.sleep(min(pause, LONGEST_PAUSE) * random.uniform(0.75, 1.0))
