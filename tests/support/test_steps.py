"""Computations that run on the event loop while they are short, and in a thread otherwise."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from promsnmp.support.steps import INLINE_SECONDS, StepRunner, Steps, run_steps
from tests.support.service.loop_probe import loop_probe


def burn(seconds: float) -> None:
    """Uses CPU."""
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


def steps(count: int, seconds: float) -> Steps[set[int]]:
    """Each step uses ``seconds`` of CPU; returns the threads that it ran in."""
    threads = set()
    for _ in range(count):
        burn(seconds)
        threads.add(threading.get_ident())
        yield
    return threads


async def test_a_short_computation_stays_on_the_loop() -> None:
    assert await StepRunner().run(steps(5, 0.0001), is_small=True) == {threading.get_ident()}


async def test_the_rest_of_a_long_computation_runs_in_a_thread() -> None:
    with loop_probe() as probe:
        threads = await StepRunner().run(steps(40, 0.004), is_small=True)
        await asyncio.sleep(0)
    assert len(threads) == 2
    assert threading.get_ident() in threads
    assert probe.longest < INLINE_SECONDS + 0.05


async def test_a_large_computation_runs_in_a_thread_from_the_beginning() -> None:
    assert threading.get_ident() not in await StepRunner().run(steps(3, 0.0), is_small=False)


@pytest.mark.parametrize("is_small", [True, False])
async def test_what_a_computation_raises_is_raised(is_small: bool) -> None:
    def failing() -> Steps[None]:
        yield
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await StepRunner().run(failing(), is_small=is_small)


async def test_closing_ends_computations_at_their_next_step() -> None:
    runner = StepRunner()
    started = threading.Event()

    def endless() -> Steps[None]:
        while True:
            started.set()
            yield

    running = asyncio.create_task(runner.run(endless(), is_small=False))
    await asyncio.to_thread(started.wait, 10)
    runner.close()
    with pytest.raises((RuntimeError, asyncio.CancelledError)):
        await asyncio.wait_for(running, 10)


def test_a_computation_can_be_run_at_once() -> None:
    assert run_steps(steps(3, 0.0)) == {threading.get_ident()}
