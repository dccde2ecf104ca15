"""Deliveries: batches, repeated attempts, refused and old events, restarts and kill -9."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from promsnmp.traps.outputs.event import Event
from promsnmp.traps.outputs.http_target import HttpTarget
from promsnmp.traps.outputs.outputs import Outputs
from promsnmp.traps.outputs.queue.disk import DiskQueue
from promsnmp.traps.outputs.queue.memory import MemoryQueue
from promsnmp.traps.outputs.queue.model import EventQueue, QueueError
from promsnmp.traps.outputs.webhook import WebhookOutput
from promsnmp.traps.outputs.worker import DeliveryFailed, DeliveryRefused, Worker
from tests.support.notifications import COLD_START, RECEIVED_AT, link, notification, passed
from tests.support.notifications.kills import kill_repeatedly
from tests.support.notifications.receiver import OK, Receiver
from tests.support.tools import until


class Recorder:
    """An output in memory. ``failures`` are raised by the next deliveries."""

    batch = 8

    def __init__(self, name: str = "recorder", kind: str = "webhook") -> None:
        self.name, self.kind = name, kind
        self.batches: list[list[str]] = []
        self.failures: list[Exception] = []
        self.poison = ""
        """A text that is refused."""

    @property
    def texts(self) -> list[str]:
        return [text for batch in self.batches for text in batch]

    def wants(self, event: Event) -> bool:
        return str(event["text"]) != "unwanted"

    async def send(self, events: Sequence[Event]) -> int:
        if self.failures:
            raise self.failures.pop(0)
        texts = [str(event["text"]) for event in events]
        if self.poison in texts:
            raise DeliveryRefused("that one")
        self.batches.append(texts)
        return 0

    async def idle(self) -> float:
        return 3600.0

    async def close(self) -> None:
        """There is nothing to close."""


def worker_of(output: Recorder, queue: EventQueue | None = None, *, max_age: float = 0) -> Worker:
    if queue is None:  # an empty one is false
        queue = MemoryQueue(max_count=1000, max_octets=1 << 20)
    return Worker(output, queue, max_age=max_age, clock=lambda: RECEIVED_AT + 10, pause=0.01)


@asynccontextmanager
async def running(*workers: Worker) -> AsyncIterator[Outputs]:
    outputs = Outputs(workers)
    await outputs.start()
    try:
        yield outputs
    finally:
        await outputs.stop(0)


async def accept(outputs: Outputs, *texts: str, rules: str = "") -> None:
    for text in texts:
        await outputs.accept(passed(notification(COLD_START), rules or f"rules: [{{text: '{text}'}}]"))


async def test_a_failed_batch_is_sent_again_and_the_order_stays() -> None:
    recorder = Recorder()
    recorder.failures = [DeliveryFailed("down"), DeliveryFailed("down", pause=0.01)]
    worker = worker_of(recorder)
    async with running(worker) as outputs:
        await accept(outputs, *"abcdefghijkl")
        await until(lambda: len(recorder.texts) == 12)
        await until(lambda: worker.results["delivered"] == 12)
    assert recorder.texts == list("abcdefghijkl")
    assert worker.results == {"delivered": 12, "failed": 2}
    assert not worker.is_failing


async def test_one_event_that_is_refused_costs_no_other() -> None:
    recorder = Recorder()
    recorder.poison = "f"
    worker = worker_of(recorder)
    outputs = Outputs([worker])
    await accept(outputs, *"abcdefgh")
    async with running(worker):
        await until(lambda: not len(worker.queue))
    assert recorder.texts == list("abcdegh")
    assert worker.results == {"delivered": 7, "refused": 1}


async def test_records_that_no_output_can_read_are_refused_and_cost_no_other() -> None:
    recorder = Recorder()
    worker = worker_of(recorder)
    outputs = Outputs([worker])
    await accept(outputs, "a")
    await worker.queue.put(b'{"receivedAt": 1}')
    await worker.queue.put(b"[" * 60_000)
    await accept(outputs, "b")
    async with running(worker):
        await until(lambda: not len(worker.queue))
    assert recorder.texts == ["a", "b"]
    assert worker.results["delivered"] == 2
    assert worker.results["refused"] >= 2  # a batch that is read again counts its unreadable records again


async def test_events_that_are_too_old_are_dropped() -> None:
    recorder = Recorder()
    worker = worker_of(recorder, max_age=15)
    async with running(worker) as outputs:
        await outputs.accept(passed(link(received_at=RECEIVED_AT - 10)))
        await outputs.accept(passed(link()))
        await until(lambda: not len(worker.queue))
    assert worker.results == {"delivered": 1, "expired": 1}


async def test_rules_and_outputs_choose() -> None:
    loki, webhook = Recorder("a", "loki"), Recorder("b", "webhook")
    workers = worker_of(loki), worker_of(webhook)
    async with running(*workers) as outputs:
        await accept(outputs, "x", rules="rules: [{text: for loki, outputs: loki}]")
        await accept(outputs, "unwanted", "all")
        await until(lambda: len(loki.texts) == 2 and len(webhook.texts) == 1)
    assert (loki.texts, webhook.texts) == (["for loki", "all"], ["all"])


async def test_what_was_accepted_is_delivered_after_a_restart(tmp_path: Path) -> None:
    down = Recorder()
    down.failures = [DeliveryFailed("down")] * 1000
    async with running(worker_of(down, DiskQueue(tmp_path, max_octets=1 << 20))) as outputs:
        await accept(outputs, *"abc")
    up = Recorder()
    async with running(worker_of(up, DiskQueue(tmp_path, max_octets=1 << 20))):
        await until(lambda: len(up.texts) == 3)
    assert up.texts == list("abc")


async def test_an_output_whose_disk_is_gone_is_an_error_and_the_others_get_it(tmp_path: Path) -> None:
    class Broken(MemoryQueue):
        async def put(self, record: bytes) -> None:
            raise QueueError("no space left")

    good, bad = Recorder("good"), Recorder("bad")
    async with running(worker_of(bad, Broken(max_count=1, max_octets=1)), worker_of(good)) as outputs:
        with pytest.raises(QueueError):
            await accept(outputs, "a")
        await until(lambda: good.texts == ["a"])


async def test_a_fault_of_an_output_does_not_end_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("promsnmp.traps.outputs.worker.LONGEST_PAUSE", 0.01)
    recorder = Recorder()
    recorder.failures = [ZeroDivisionError()]
    async with running(worker_of(recorder)) as outputs:
        await accept(outputs, "a")
        await until(lambda: recorder.texts == ["a"])


async def test_stop_delivers_what_waits() -> None:
    recorder = Recorder()
    outputs = Outputs([worker_of(recorder)])
    await outputs.start()
    await accept(outputs, *"abc")
    await outputs.stop(30)
    assert recorder.texts == list("abc")


async def test_metrics_of_outputs() -> None:
    recorder = Recorder()
    worker = worker_of(recorder)
    async with running(worker) as outputs:
        await accept(outputs, "a")
        await until(lambda: not len(worker.queue))
        samples = {
            (one.name, *one.labels.values()): one.value for family in outputs.families() for one in family.samples
        }
    assert samples["promsnmp_trap_deliveries_total", "recorder", "delivered"] == 1
    assert samples["promsnmp_trap_queue_length", "recorder"] == 0
    assert samples["promsnmp_trap_queue_bytes", "recorder"] == 0


async def test_a_receiver_that_is_busy_says_when(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Receiver(lambda _: (429, {"retry-after": "7"}, b"")) as receiver:
        output = WebhookOutput(HttpTarget(receiver.url, setting="T"))
        with pytest.raises(DeliveryFailed) as raised:
            await output.send([])
        assert raised.value.pause == 7
        for status, error in (
            (503, DeliveryFailed),
            (401, DeliveryFailed),
            (302, DeliveryFailed),
            (400, DeliveryRefused),
        ):
            receiver.answer = lambda _, status=status: (status, {}, b"why")  # type: ignore[misc]
            with pytest.raises(error, match="redirects are not followed" if status == 302 else "why"):
                await output.send([])
        receiver.answer = lambda _: OK
        await output.send([])
        await output.close()


async def test_kill_9_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    async with asyncio.timeout(100):
        acknowledged, arrived = await kill_repeatedly(tmp_path, kills=3)
    assert len(acknowledged) > 3
    assert acknowledged - arrived == set()
