"""All outputs: what is accepted is queued for each of them, and delivered by one task for each."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence

from prometheus_client.metrics_core import Metric

from promsnmp.observe.tasks import forever
from promsnmp.traps.names.model import NamedNotification
from promsnmp.traps.outputs.event import Event, encode, event_of
from promsnmp.traps.outputs.metrics import output_families
from promsnmp.traps.outputs.queue.model import QueueError
from promsnmp.traps.outputs.takeover import LOOK_EVERY, QueueTakeover
from promsnmp.traps.outputs.worker import Worker

log = logging.getLogger(__name__)

DRAIN_SECONDS = 3.0
"""At the end of the process: how long outputs deliver what is queued, at most."""


class Outputs:
    """The outputs of the settings (``factory.py``)."""

    def __init__(self, workers: Sequence[Worker] = (), takeover: QueueTakeover | None = None) -> None:
        names = [one.output.name for one in workers]
        assert len(set(names)) == len(names), names
        self.workers = tuple(workers)
        self._takeover = takeover
        self._looks: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Opens the queues and starts to deliver. Raises QueueError when a queue cannot be opened."""
        for worker in self.workers:
            await worker.start()
        if self._takeover is not None:
            looks = forever("look at queues of other replicas", self._takeover.look, every=LOOK_EVERY)
            self._looks = asyncio.create_task(looks, name="takeover of trap queues")

    async def stop(self, drain: float = DRAIN_SECONDS) -> None:
        """Delivers for ``drain`` seconds at most, and stops. What is on disk is delivered after the next start."""
        if self._looks is not None:
            self._looks.cancel()
            await asyncio.wait([self._looks])
        await asyncio.gather(*(worker.stop(drain) for worker in self.workers))

    async def accept(self, named: NamedNotification) -> None:
        """Queues a notification for the outputs that get it, and returns when it is safe in all queues.

        Raises QueueError when it is not safe in one of them: an inform must then not be acknowledged. The other
        outputs get it all the same.
        """
        await self._put(event_of(named))

    async def _put(self, event: Event) -> None:
        kinds = event["outputs"]
        wanting = [
            worker
            for worker in self.workers
            if (not kinds or worker.output.kind in kinds) and worker.output.wants(event)
        ]
        if not wanting:
            return
        record = encode(event)
        if len(wanting) == 1:
            await wanting[0].queue.put(record)
            return
        results = await asyncio.gather(*(one.queue.put(record) for one in wanting), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def confirm(self, event: Event) -> None:
        """Queues what a poll found (``confirmation_of``) for the outputs that got the notification. Raises QueueError
        where a queue did not take it."""
        await self._put(event)

    @property
    def has_alerts(self) -> bool:
        """Whether an Alertmanager is among them."""
        return any(worker.output.kind == "alertmanager" for worker in self.workers)

    async def resolve(self, resolution: Event) -> None:
        """Ends alerts that this replica has raised, after another one got the notification that resolves them
        (``resolution_of``).

        Only Alertmanager's outputs get it. Raises QueueError.
        """
        record = encode(resolution)
        for worker in self.workers:
            if worker.output.kind == "alertmanager":
                await worker.queue.put(record)

    def families(self) -> Iterable[Metric]:
        """The metrics of the outputs."""
        return output_families(self.workers)

    def details(self) -> dict[str, dict[str, object]]:
        """Of each output: what waits for it, and why its last attempt failed, for the health of the service."""
        return {
            one.output.name: {"waiting": len(one.queue), **({"error": one.last_error} if one.last_error else {})}
            for one in self.workers
        }

    @property
    def failing(self) -> list[str]:
        """Names of the outputs whose last attempt failed."""
        return [one.output.name for one in self.workers if one.is_failing]


__all__ = ["Outputs", "QueueError"]
