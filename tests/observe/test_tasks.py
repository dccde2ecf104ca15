"""Repeated tasks, and the lag of the event loop."""

from __future__ import annotations

import asyncio
import logging

import pytest

from promsnmp.observe import tasks
from promsnmp.observe.tasks import LoopLag, forever


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
