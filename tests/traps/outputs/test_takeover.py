"""Queues of replicas that are gone: moved when nobody has needed them for a while, never while a process has them."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

from promsnmp.traps.outputs.alertmanager.active_alerts import ActiveAlert
from promsnmp.traps.outputs.alertmanager.output import AlertmanagerOutput
from promsnmp.traps.outputs.event import Event
from promsnmp.traps.outputs.factory import claim_folder
from promsnmp.traps.outputs.http_target import HttpTarget
from promsnmp.traps.outputs.queue.disk import DiskQueue
from promsnmp.traps.outputs.takeover import TAKE_AFTER, QueueTakeover, try_lock
from promsnmp.traps.outputs.worker import Worker

MOST = 1 << 20


class Silent:
    """An output that is never asked."""

    name, kind, batch = "webhook", "webhook", 10

    def wants(self, event: Event) -> bool:
        return True

    async def send(self, events: Sequence[Event]) -> int:
        return 0

    async def idle(self) -> float:
        return 60.0

    async def close(self) -> None: ...


async def left_behind(base: Path, number: int, *records: bytes, name: str = "webhook") -> Path:
    """The folder of a process that has ended with these records queued; the first of them was delivered."""
    folder = base / f"queue-{number}"
    queue = DiskQueue(folder / name, max_octets=MOST)
    await queue.open()
    for record in records:
        await queue.put(record)
    await queue.acknowledge(1)
    await queue.close()
    return folder


async def worker_of(own: Path, max_octets: int = MOST) -> Worker:
    made = Worker(Silent(), DiskQueue(own / "webhook", max_octets=max_octets), max_age=0)
    await made.queue.open()
    return made


async def records_of(worker: Worker) -> list[bytes]:
    return list((await worker.queue.peek(1000, MOST)).records)


async def test_what_a_gone_replica_has_left_is_moved_after_a_while_and_once(tmp_path: Path) -> None:
    own, now = claim_folder(tmp_path), [0.0]
    folder = await left_behind(tmp_path, 3, b"delivered", b"one", b"two")
    worker = await worker_of(own)
    takeover = QueueTakeover(tmp_path, own, [worker], max_octets=MOST, clock=lambda: now[0])
    await takeover.look()
    now[0] = TAKE_AFTER - 1
    await takeover.look()
    assert await records_of(worker) == []
    now[0] = TAKE_AFTER
    await takeover.look()
    await takeover.look()
    assert (await records_of(worker), takeover.taken) == ([b"one", b"two"], 2)
    assert sorted(one.name for one in folder.rglob("*") if one.is_file()) == ["lock"]
    again = DiskQueue(folder / "webhook", max_octets=MOST)  # a replica that comes back finds nothing
    await again.open()
    assert len(again) == 0


async def test_the_folder_of_a_process_that_runs_is_left_alone_and_its_restart_counts_anew(tmp_path: Path) -> None:
    own, now = claim_folder(tmp_path), [0.0]
    folder = await left_behind(tmp_path, 1, b"delivered", b"one")
    worker = await worker_of(own)
    takeover = QueueTakeover(tmp_path, own, [worker], max_octets=MOST, clock=lambda: now[0])
    await takeover.look()
    lock = try_lock(folder)
    assert (lock >= 0, try_lock(folder)) == (True, -1)
    now[0] = TAKE_AFTER + 1
    await takeover.look()
    assert await records_of(worker) == []
    os.close(lock)
    await takeover.look()
    assert await records_of(worker) == []
    now[0] += TAKE_AFTER
    await takeover.look()
    assert await records_of(worker) == [b"one"]


async def test_nothing_is_dropped_for_it_from_a_queue_that_is_half_full(tmp_path: Path) -> None:
    own = claim_folder(tmp_path)
    await left_behind(tmp_path, 1, b"delivered", *(b"%d" % number + b"x" * 5000 for number in range(30)))
    worker = await worker_of(own, 65_536)
    await worker.queue.put(b"x" * 40_000)
    takeover = QueueTakeover(tmp_path, own, [worker], max_octets=65_536, after=0.0)
    await takeover.look()
    assert takeover.taken == 0
    await worker.queue.acknowledge(1)
    assert not any(worker.queue.dropped.values())


async def test_firing_alerts_are_repeated_by_the_replica_that_took_over(tmp_path: Path) -> None:
    own = claim_folder(tmp_path)
    output = AlertmanagerOutput(HttpTarget("http://am:9093", setting="T"), name="am", state_file=own / "firing.json")
    output.active.put("mine", ActiveAlert({"a": "1"}, {}, 1.0, 9e9))
    folder = tmp_path / "queue-1" / "am"
    folder.mkdir(parents=True)
    other = {"labels": {"a": "2"}, "annotations": {}, "starts_at": 1.0, "ends_at": 9e9}
    (folder / "firing.json").write_text(json.dumps({"mine": other, "theirs": other}))
    worker = Worker(output, DiskQueue(own / "am", max_octets=MOST), max_age=0)
    await worker.queue.open()
    await QueueTakeover(tmp_path, own, [worker], max_octets=MOST, after=0.0).look()
    kept = json.loads((own / "firing.json").read_text())
    assert {key: one["labels"]["a"] for key, one in kept.items()} == {"mine": "1", "theirs": "2"}
    assert not (folder / "firing.json").exists()
