"""Queues in memory and on disk: order, bounds, what is left after a crash."""

from __future__ import annotations

import asyncio
import errno
import os
from collections import deque
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from promsnmp.traps.outputs.queue.disk import DiskQueue
from promsnmp.traps.outputs.queue.memory import MemoryQueue
from promsnmp.traps.outputs.queue.model import DAMAGED, FULL, MAX_RECORD, TOO_LARGE, UNWRITABLE, EventQueue, QueueError

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.integers(1, 3000)),
        st.tuples(st.just("take"), st.integers(1, 20)),
        st.tuples(st.just("open again"), st.just(0)),
    ),
    max_size=40,
)


async def take(queue: EventQueue, count: int) -> list[bytes]:
    batch = await queue.peek(count, 1 << 20)
    await queue.acknowledge(batch.end)
    return list(batch.records)


def disk(folder: Path, octets: int = 1 << 20) -> DiskQueue:
    return DiskQueue(folder, max_octets=octets, sync=False)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
async def test_a_queue_on_disk_is_a_queue(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]]
) -> None:
    folder = tmp_path_factory.mktemp("queue")
    queue, model, number = disk(folder), deque[bytes](), 0
    await queue.open()
    for step, size in steps:
        if step == "put":
            number += 1
            record = f"{number}:".encode().ljust(size, b"x")
            await queue.put(record)
            model.append(record)
        elif step == "take":
            expected = [model.popleft() for _ in range(min(size, len(model)))]
            assert await take(queue, size) == expected
        else:  # without close: as after kill -9
            queue = disk(folder)
            await queue.open()
        assert len(queue) == len(model)
        assert queue.filled.is_set() == bool(model)
    assert await take(queue, 1000) == list(model)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sizes=st.lists(st.integers(1, 9000), min_size=1, max_size=60), on_disk=st.booleans())
async def test_a_full_queue_drops_the_oldest(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], *, on_disk: bool
) -> None:
    most = 65_536
    queue: EventQueue = MemoryQueue(max_count=1000, max_octets=most)
    if on_disk:
        queue = disk(tmp_path_factory.mktemp("queue"), most)
    await queue.open()
    records = [f"{number}:".encode().ljust(size, b"x") for number, size in enumerate(sizes)]
    for record in records:
        await queue.put(record)
        assert queue.octets <= most + len(record) + 8
    kept = await take(queue, 1000)
    assert kept == records[len(records) - len(kept) :]
    assert queue.dropped[FULL] == len(records) - len(kept)


@pytest.mark.parametrize("cut", [1, 7, 9, 150])
async def test_a_torn_last_record_is_left_out_and_the_queue_goes_on(tmp_path: Path, cut: int) -> None:
    queue = disk(tmp_path)
    await queue.open()
    for number in range(3):
        await queue.put(f"{number}".encode() * 150)
    segment = next(tmp_path.glob("*.segment"))
    os.truncate(segment, segment.stat().st_size - cut)
    queue = disk(tmp_path)
    await queue.open()
    await queue.put(b"new")
    assert queue.dropped[DAMAGED] == 1
    assert await take(queue, 10) == [b"0" * 150, b"1" * 150, b"new"]


async def test_numbers_go_on_when_a_delivered_segment_is_gone(tmp_path: Path) -> None:
    queue = disk(tmp_path)
    await queue.open()
    await queue.put(b"a")
    assert await take(queue, 1) == [b"a"]
    next(tmp_path.glob("*.segment")).unlink()
    for expected in (b"b", b"c"):
        queue = disk(tmp_path)
        await queue.open()
        await queue.put(expected)
        assert await take(queue, 5) == [expected]


async def test_records_that_were_dropped_while_they_were_delivered_are_not_acknowledged_twice() -> None:
    queue = MemoryQueue(max_count=2, max_octets=1000)
    for record in (b"a", b"b"):
        await queue.put(record)
    batch = await queue.peek(1, 1000)
    for record in (b"c", b"d"):
        await queue.put(record)
    await queue.acknowledge(batch.end)
    assert await take(queue, 5) == [b"c", b"d"]


async def test_a_record_that_is_too_large_is_counted(tmp_path: Path) -> None:
    for queue in (disk(tmp_path), MemoryQueue(max_count=1, max_octets=1 << 30)):
        await queue.open()
        await queue.put(bytes(MAX_RECORD + 1))
        assert (len(queue), queue.dropped[TOO_LARGE]) == (0, 1)


async def test_a_full_disk_is_an_error_and_tears_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    queue = disk(tmp_path)
    await queue.open()
    await queue.put(b"good")
    write = os.write

    def half(descriptor: int, data: bytes) -> int:
        write(descriptor, bytes(data)[:5])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", half)
    with pytest.raises(QueueError):
        await queue.put(b"lost")
    monkeypatch.undo()
    await queue.put(b"again")
    assert queue.dropped[UNWRITABLE] == 1
    queue = disk(tmp_path)
    await queue.open()
    assert await take(queue, 5) == [b"good", b"again"]


async def test_records_that_wait_together_are_written_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    queue = DiskQueue(tmp_path, max_octets=1 << 20)
    await queue.open()
    synced: list[int] = []
    sync: Callable[[int], None] = os.fdatasync

    def counted(descriptor: int) -> None:
        synced.append(descriptor)
        sync(descriptor)

    monkeypatch.setattr(os, "fdatasync", counted)
    await asyncio.gather(*(queue.put(b"%d" % number) for number in range(100)))
    assert len(synced) <= 2
    assert await take(queue, 200) == [b"%d" % number for number in range(100)]
    await queue.close()


@pytest.mark.parametrize("is_gone", [True, False])
async def test_a_segment_that_is_damaged_while_it_is_used_does_not_stop_the_queue(
    tmp_path: Path, *, is_gone: bool
) -> None:
    queue = disk(tmp_path, 65_536)
    await queue.open()
    records = [f"{number}".encode().ljust(1000, b"x") for number in range(12)]
    for record in records:
        await queue.put(record)
    first = min(tmp_path.glob("*.segment"))
    if is_gone:
        first.unlink()
    else:
        first.write_bytes(first.read_bytes()[:2500] + b"?" + first.read_bytes()[2501:])
    kept = await take(queue, 100) + await take(queue, 100)
    assert kept == (records[:2] if not is_gone else []) + records[5:]
    assert queue.dropped[DAMAGED] == (5 if is_gone else 3)
    await queue.put(b"more")
    assert await take(queue, 100) == [b"more"]
