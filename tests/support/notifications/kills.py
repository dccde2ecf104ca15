"""Kills a process that delivers alerts, again and again, and compares what it acknowledged with what arrived.

The long form is part of ``make soak`` (``SOAK_ARGS='--only traps'``). The process that is killed (``python -m
tests.support.notifications.kills FOLDER URL FIRST``) prints the number of each notification that it has accepted.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import sys
from dataclasses import replace
from pathlib import Path

from promsnmp.traps.outputs.alertmanager.output import PATH, AlertmanagerOutput
from promsnmp.traps.outputs.http_target import HttpTarget
from promsnmp.traps.outputs.outputs import Outputs
from promsnmp.traps.outputs.queue.disk import DiskQueue
from promsnmp.traps.outputs.worker import Worker
from tests.support.notifications import link, passed
from tests.support.notifications.receiver import OK, Answer, Receiver, Request

PROJECT = Path(__file__).resolve().parents[3]


def worker_of(folder: Path, url: str, *, pause: float = 0.05) -> Worker:
    """The output of one Alertmanager, with its queue and its state in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    target = HttpTarget(url, setting="TEST", path=PATH)
    output = AlertmanagerOutput(target, state_file=folder / "firing.json", repeat=3600)
    return Worker(output, DiskQueue(folder / "queue", max_octets=64 << 20), max_age=0, pause=pause)


async def _child(folder: Path, url: str, first: int) -> None:
    """Accepts notifications without an end; with ``first`` -1 none, and ends when the queue is empty."""
    worker = worker_of(folder, url)
    outputs = Outputs([worker])
    await outputs.start()
    if first < 0:
        while len(worker.queue):
            await asyncio.sleep(0.01)
        await outputs.stop()
        return
    base = passed(link())
    for number in itertools.count(first):
        await outputs.accept(replace(base, group=(("ifIndex", str(number)),)))
        os.write(1, f"{number}\n".encode())


async def kill_repeatedly(folder: Path, kills: int, seed: int = 1) -> tuple[set[int], set[int]]:
    """The numbers that were acknowledged, and those that arrived, after so many ``kill -9``."""
    chance = random.Random(seed)
    acknowledged: set[int] = set()

    def answer(_: Request) -> Answer:
        return OK if chance.random() < 0.5 else (503, {}, b"not now")

    async with Receiver(answer) as receiver:
        for _ in range(kills):
            child = await _start(folder, receiver.url, max(acknowledged, default=-1) + 1)
            assert child.stdout is not None
            acknowledged.add(int(await child.stdout.readline()))
            await asyncio.sleep(chance.uniform(0, 0.2))
            child.kill()
            lines = (await child.stdout.read()).decode().split("\n")[:-1]
            acknowledged.update(map(int, lines))
            await child.wait()
        receiver.answer = lambda _: OK
        child = await _start(folder, receiver.url, -1)
        assert await child.wait() == 0
        arrived = {int(alert["labels"]["ifIndex"]) for request in receiver.taken for alert in request.json}
    return acknowledged, arrived


async def _start(folder: Path, url: str, first: int) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.support.notifications.kills", str(folder), url, str(first),
        stdout=asyncio.subprocess.PIPE, cwd=PROJECT, env={**os.environ, "PYTHONPATH": "src:."},
    )  # fmt: skip


def check_kills(folder: Path, kills: int) -> int:
    """The number of notifications that were acknowledged, all of which have arrived. Raises AssertionError."""
    acknowledged, arrived = asyncio.run(kill_repeatedly(folder, kills))
    assert acknowledged <= arrived, f"lost: {sorted(acknowledged - arrived)[:10]}"
    return len(acknowledged)


if __name__ == "__main__":
    asyncio.run(_child(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
