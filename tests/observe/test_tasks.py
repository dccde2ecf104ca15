"""Repeated tasks, and the lag of the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging

import pytest

from promsnmp.errors import NotLeader
from promsnmp.observe import tasks
from promsnmp.observe.tasks import LoopLag, SharedTask, end_within, forever, shielded


async def test_a_failure_is_logged_and_the_work_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    turns = asyncio.Queue[int]()

    async def step() -> None:
        turns.put_nowait(1)
        if turns.qsize() == 1:
            raise ValueError("the first turn fails")

    with caplog.at_level(logging.ERROR):
        task = asyncio.create_task(forever("the work", step, every=0.0))
        while turns.qsize() < 3:
            await asyncio.sleep(0)
        task.cancel()
    assert [record.getMessage() for record in caplog.records] == ["the work failed; trying again in 0 s"]


async def test_cancelling_ends_the_loop() -> None:
    task = asyncio.create_task(forever("the work", LoopLag().measure, every=0.0))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_blocked_loop_shows_as_lag(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter((100.0, 100.0, 103.5))  # made, started, woken: 2.5 s later than asked
    monkeypatch.setattr(tasks, "time", type("Clock", (), {"monotonic": staticmethod(lambda: next(times))}))
    monkeypatch.setattr(asyncio, "sleep", lambda _: _now())
    lag = LoopLag()
    await lag.measure()
    assert (lag.last, lag.seconds.count) == (2.5, 1)


async def _now() -> None:
    """A sleep that is over at once."""


@pytest.mark.parametrize(
    ("error", "messages"),
    [(NotLeader("refused"), []), (ValueError("a mistake"), ["unexpected error in work whose caller has gone"])],
)
async def test_work_goes_on_without_its_caller_and_only_mistakes_are_logged(
    error: Exception, messages: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    ready, ended = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        await ready.wait()
        ended.set()
        raise error

    caller = asyncio.create_task(shielded(asyncio.ensure_future(work())))
    await asyncio.sleep(0)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    ready.set()
    await ended.wait()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    gc.collect()
    assert [record.getMessage() for record in caplog.records] == messages


async def test_the_result_or_error_of_shielded_work_is_the_caller_s() -> None:
    assert await shielded(asyncio.ensure_future(asyncio.sleep(0, 5))) == 5
    failing: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    failing.set_exception(NotLeader("refused"))
    with pytest.raises(NotLeader):
        await shielded(failing)


async def test_parts_that_fail_or_do_not_end_hold_nobody_up(caplog: pytest.LogCaptureFixture) -> None:
    async def stubborn() -> None:
        for _ in range(3):  # swallows cancels
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.Event().wait()

    async def refused() -> None:
        raise NotLeader("refused")

    async def wrong() -> None:
        raise ValueError("a mistake")

    parts = [asyncio.ensure_future(part()) for part in (stubborn, refused, wrong)]
    await end_within(0.01, parts, "stop")
    assert sorted(record.getMessage() for record in caplog.records) == [
        "a background part did not stop within 0.01 s",
        "a background part did not stop: refused",
        "a background part failed to stop",
    ]
    for _ in range(3):
        parts[0].cancel()
        await asyncio.sleep(0)


async def test_nothing_to_end_takes_no_time() -> None:
    await end_within(60.0, [], "stop")


async def test_those_who_ask_at_the_same_time_share_the_work_even_when_one_of_them_is_cancelled() -> None:
    begun, finish, work = 0, asyncio.Event(), SharedTask[int]("the work")

    async def start() -> int:
        nonlocal begun
        begun += 1
        await finish.wait()
        return begun

    first, second = (asyncio.create_task(work.result(start)) for _ in range(2))
    await asyncio.sleep(0)
    waiting = asyncio.create_task(work.ended())
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    assert not waiting.done()
    finish.set()
    assert await second == 1
    await waiting
    assert await work.result(start) == 2, "work that has ended is begun anew"


async def test_shared_work_that_fails_is_begun_anew_for_the_next_who_asks() -> None:
    work = SharedTask[int]("the work")

    async def fail() -> int:
        raise NotLeader("not now")

    async def succeed() -> int:
        return 3

    with pytest.raises(NotLeader):
        await work.result(fail)
    await work.ended()
    assert await work.result(succeed) == 3
