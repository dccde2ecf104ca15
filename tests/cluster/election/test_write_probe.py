"""The probe of the volume: it tells whether this replica can write, also when the volume hangs."""

from __future__ import annotations

import asyncio
import threading

import pytest

from promsnmp.cluster.election.write_probe import WriteProbe
from promsnmp.errors import InventoryUnavailable
from tests.support.cluster.members import Clock


class Volume:
    def __init__(self) -> None:
        self.fails: Exception | None = None
        self.answers = threading.Event()
        self.answers.set()
        self.tries = 0

    def try_writing(self) -> None:
        self.tries += 1
        assert self.answers.wait(20)
        if self.fails is not None:
            raise self.fails


async def test_a_volume_that_cannot_be_written_is_a_problem_until_it_can() -> None:
    volume, clock = Volume(), Clock()
    probe = WriteProbe(volume.try_writing, interval=5.0, silence=10.0, clock=clock)
    problems = [probe.problem]
    for fails in (InventoryUnavailable("the file system is read-only"), None):
        volume.fails = fails
        await probe.refresh()
        problems.append(probe.problem)
    assert problems == ["", "the file system is read-only", ""]


async def test_a_volume_that_hangs_is_a_problem_after_a_while_and_occupies_one_thread() -> None:
    volume, clock = Volume(), Clock()
    probe = WriteProbe(volume.try_writing, interval=0.001, silence=10.0, clock=clock)
    volume.answers.clear()
    running = asyncio.ensure_future(probe.run())
    await asyncio.sleep(0)
    clock.now += 10.0
    assert not probe.problem
    clock.now += 0.1
    assert "does not answer" in probe.problem
    assert volume.tries <= 1
    volume.answers.set()
    async with asyncio.timeout(20):
        while probe.problem:
            await asyncio.sleep(0.005)
    running.cancel()


async def test_an_unexpected_error_is_logged_and_a_problem(caplog: pytest.LogCaptureFixture) -> None:
    volume = Volume()
    volume.fails = RuntimeError("a bug")
    probe = WriteProbe(volume.try_writing, interval=5.0, silence=10.0)
    await probe.refresh()
    assert "a bug" in probe.problem
    assert "unexpected error" in caplog.text
