"""Explains devices of the inventory for a running service: few at a time, outside its event loop, and within bounds.

An explanation computes for seconds where a device returns much. So it polls and computes in a thread with an event loop
of its own, and shares nothing with the polls of the service but the catalogue.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from promsnmp.errors import MemoryShort, PromSnmpError, UnknownDevice
from promsnmp.inventory.model import Device
from promsnmp.inventory.modules import requested_modules
from promsnmp.modules.catalogue import Catalogue
from promsnmp.observe.tasks import shielded
from promsnmp.polling.detection.identity_watch import CheckIdentity
from promsnmp.polling.explain.explain import explain
from promsnmp.polling.explain.health import HealthExplanation, explain_health
from promsnmp.polling.explain.model import Explanation
from promsnmp.polling.explain.recorder import PollRecording
from promsnmp.polling.options import CollectorOptions
from promsnmp.polling.target import Target, device_target

MOST_RUNNING = 2
"""Explanations that are made at a time; further ones are refused."""
MOST_VARBINDS = 200_000
"""Varbinds that are read for an explanation, which keeps all of them."""
LIFETIME = 10.0
"""Seconds for which an explanation is shown again, so that reloading a page does not poll each time."""
MOST_KEPT = 4
_Answer = Explanation | HealthExplanation


class ExplanationBusy(PromSnmpError):
    """Too many explanations are being made; retry in a few seconds."""


@dataclass(frozen=True, slots=True)
class _Question:
    device: Device
    is_health: bool


class Explainer:
    """Makes explanations. ``modules`` are those of devices that do not name their own, ``timeout`` (seconds) bounds a
    poll, ``interval`` is COLLECTION_INTERVAL (milliseconds); ``is_memory_short`` says when to refuse."""

    def __init__(
        self,
        catalogue: Callable[[], Catalogue],
        options: CollectorOptions,
        *,
        modules: tuple[str, ...],
        timeout: float,
        interval: int,
        check_identity: CheckIdentity | None = None,
        is_memory_short: Callable[[], bool] = lambda: False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._catalogue = catalogue
        limits = replace(options.limits, varbinds=min(options.limits.varbinds, MOST_VARBINDS))
        self._options = replace(options, utilization=False, limits=limits, history_octets=0)
        self._modules = modules
        self._timeout = timeout
        self._interval = interval
        self._check_identity = check_identity
        self._is_memory_short = is_memory_short
        self._clock = clock
        self._running: dict[_Question, asyncio.Task[_Answer]] = {}
        self._kept: dict[_Question, tuple[float, _Answer]] = {}

    async def modules_of(self, device: Device) -> Explanation:
        """Explains a poll of a device for its modules. Raises SnmpError when nothing could be read, ModuleError for an
        unknown module, ExplanationBusy, and UnknownDevice for one without an agent."""
        found = await self._answer(_Question(device, is_health=False))
        assert isinstance(found, Explanation)
        return found

    async def health_of(self, device: Device) -> HealthExplanation:
        """Explains a poll of a device for its health; raises what ``modules_of`` does."""
        found = await self._answer(_Question(device, is_health=True))
        assert isinstance(found, HealthExplanation)
        return found

    async def _answer(self, question: _Question) -> _Answer:
        now = self._clock()
        self._kept = {one: kept for one, kept in self._kept.items() if kept[0] > now}
        if (kept := self._kept.get(question)) is not None:
            return kept[1]
        task = self._running.get(question)
        if task is None:
            task = self._start(question)
        return await shielded(task)

    def _start(self, question: _Question) -> asyncio.Task[_Answer]:
        device = question.device
        if device.primary is None:
            raise UnknownDevice(f"{device.sys_name or device.id} has no agent that could be polled")
        if len(self._running) >= MOST_RUNNING:
            raise ExplanationBusy(f"{MOST_RUNNING} devices are being explained; retry in a few seconds")
        if self._is_memory_short():
            raise MemoryShort("not explained now: the process is close to its memory limit (MEMORY_LIMIT); retry later")
        target = device_target(device, device.primary, requested_modules(device, self._modules))
        work = self._health if question.is_health else self._explain
        task = asyncio.create_task(asyncio.to_thread(_run, work, target), name="explanation of a device")
        self._running[question] = task
        task.add_done_callback(partial(self._on_end, question))
        return task

    def _on_end(self, question: _Question, task: asyncio.Task[_Answer]) -> None:
        self._running.pop(question, None)
        if not task.cancelled() and task.exception() is None:
            while len(self._kept) >= MOST_KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[question] = self._clock() + LIFETIME, task.result()

    async def _explain(self, target: Target) -> Explanation:
        whose = (
            "the device's modules in the inventory" if target.device and target.device.modules else "COLLECTION_MODULES"
        )
        return await explain(
            target,
            self._catalogue(),
            deadline=asyncio.get_running_loop().time() + self._timeout,
            recording=PollRecording(),
            chosen_by=f"set by {whose}",
            check_identity=self._check_identity,
            options=self._options,
            interval=self._interval,
        )

    async def _health(self, target: Target) -> HealthExplanation:
        return await explain_health(
            target,
            self._catalogue(),
            deadline=asyncio.get_running_loop().time() + self._timeout,
            recording=PollRecording(),
            options=self._options,
        )


def _run(work: Callable[[Target], Coroutine[Any, Any, _Answer]], target: Target) -> _Answer:
    """Runs ``work`` in an event loop of its own, in this thread."""
    return asyncio.run(work(target))
