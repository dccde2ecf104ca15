"""Searches of all saved seeds: one after the other, never two at a time, and continued by the next leader."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta

import pytest

from promsnmp.discovery.jobs import JobState
from promsnmp.discovery.search_log import SCHEDULE_ACTOR
from promsnmp.discovery.seed_run import SeedRun
from promsnmp.discovery.service import Discovery
from promsnmp.discovery.unsaved_inventory import UnsavedInventory
from promsnmp.errors import InventoryUnavailable
from promsnmp.inventory.model import Inventory, Seed
from promsnmp.observe.counts import DiscoveryCounts
from promsnmp.sim.agent import SimulatedAgent
from tests.support.discovery.searches import SLOW_MACHINE, device_mib, search_context
from tests.support.discovery.simulated_network import PUBLIC

CRON = "0 0 2 * * *"
DUE = datetime.now(UTC).replace(microsecond=0)


class Shared(UnsavedInventory):
    """An inventory that several replicas change; notes who did."""

    def __init__(self) -> None:
        super().__init__()
        self.by: list[str] = []
        self.refuses = False

    async def update(
        self, change: Callable[[Inventory], Inventory], *, who: str = "", request_id: str = ""
    ) -> Inventory:
        if self.refuses:
            raise InventoryUnavailable("the disk is full")
        self.by.append(who)
        return await super().update(change, who=who, request_id=request_id)


class Replica:
    """A replica that leads, until it does not."""

    def __init__(self, memory: Shared, *, schedule: str = CRON, clock: datetime = DUE) -> None:
        self.leads = True
        context = search_context(memory, scan_limits=SLOW_MACHINE)
        self.discovery = Discovery(context, DiscoveryCounts(), leads=lambda: self.leads, durable_jobs=True)
        self.run = SeedRun(self.discovery, schedule=schedule, leads=lambda: self.leads, clock=lambda: clock)

    def lose(self) -> None:
        self.leads = False
        self.discovery.suspend()


@pytest.fixture
async def agent() -> AsyncIterator[SimulatedAgent]:
    async with await SimulatedAgent(device_mib("sw1", macs=["001b54000001"])).start("127.79.0.1") as one:
        yield one


@pytest.fixture
def memory() -> Shared:
    return Shared()


def seed(*targets: str, port: int = 9, **more: object) -> Seed:
    return Seed(f"6a3c1d5e-0000-4000-8000-{abs(hash(targets)) % 10**12:012}", targets, (PUBLIC,), port, **more)  # type: ignore[arg-type]


async def test_a_run_searches_each_seed_in_the_name_of_the_schedule(memory: Shared, agent: SimulatedAgent) -> None:
    good = seed("127.79.0.1", port=agent.port, labels=(("site", "a"),))
    bad = seed("10.0.0.0/8", "127.79.0.1", port=agent.port)
    memory.current = Inventory(seeds=(good, bad))
    replica = Replica(memory)
    jobs = await asyncio.wait_for(replica.run.begin(DUE), 60)
    assert [job.plan.seed_id for job in jobs] == [good.id, bad.id]
    assert [job.state for job in jobs] == [JobState.FINISHED] * 2
    assert set(memory.by) == {SCHEDULE_ACTOR}
    assert memory.current.devices[0].labels == (("site", "a"),)
    assert "a /12" in jobs[1].plan.problems[0]
    assert jobs[1].progress.found == 1  # the valid targets are searched all the same
    assert not replica.run.is_unfinished


async def test_runs_never_overlap(memory: Shared) -> None:
    memory.current = Inventory(seeds=(seed("127.80.0.0/14"),))
    replica = Replica(memory)
    first = asyncio.ensure_future(replica.run.begin(DUE))
    while not list(replica.discovery.jobs):
        await asyncio.sleep(0)
    assert await replica.run.begin(DUE) == []
    assert await replica.run.go_on() == []
    assert not replica.run.is_unfinished  # it is running
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    await replica.discovery.close()
    assert replica.run.is_unfinished
    memory.current = Inventory()
    assert await replica.run.begin(DUE) == []


async def test_the_next_leader_goes_on_with_the_search_and_the_seeds_that_are_left(
    memory: Shared, agent: SimulatedAgent
) -> None:
    small = [seed("127.79.0.1", port=agent.port), seed("127.79.9.1", port=agent.port)]
    large = seed("127.79.16.0/20", port=agent.port)
    memory.current = Inventory(seeds=(small[0], large, small[1]))
    first, second = Replica(memory), Replica(memory)
    running = asyncio.ensure_future(first.run.begin(DUE))
    async with asyncio.timeout(30):
        while not any(job.plan.seed_id == large.id and job.started for job in first.discovery.jobs):
            await asyncio.sleep(0.01)
    (job,) = [job for job in first.discovery.jobs if job.plan.seed_id == large.id]
    first.lose()
    assert [one.plan.seed_id for one in await asyncio.wait_for(running, 30)] == [small[0].id, large.id]
    assert second.run.is_unfinished
    second.discovery.resume()
    jobs = await asyncio.wait_for(second.run.go_on(), 60)
    assert [(one.id == job.id, one.plan.seed_id) for one in jobs] == [(True, large.id), (False, small[1].id)]
    assert [one.state for one in jobs] == [JobState.FINISHED] * 2
    assert not second.run.is_unfinished
    assert second.run.last is not None
    assert second.run.last > DUE


async def test_a_run_that_cannot_be_noted_does_not_begin(memory: Shared) -> None:
    memory.current, memory.refuses = Inventory(seeds=(seed("127.79.9.1"),)), True
    replica = Replica(memory)
    with pytest.raises(InventoryUnavailable):
        await replica.run.begin(DUE)
    assert not list(replica.discovery.jobs)
    assert replica.run.last is None


async def test_the_last_run_is_that_of_the_same_schedule(memory: Shared) -> None:
    await Replica(memory).run.begin(DUE)
    assert Replica(memory).run.last == DUE
    assert Replica(memory, schedule="0 0 3 * * *").run.last is None


async def test_the_rest_of_an_old_run_is_not_searched(memory: Shared) -> None:
    memory.current = Inventory(seeds=(seed("127.79.9.1"),))
    first = Replica(memory)
    await first.discovery.durable.begin_run(CRON, DUE.timestamp(), memory.current.seeds)
    assert first.run.is_unfinished
    assert not Replica(memory, clock=DUE + timedelta(days=2)).run.is_unfinished


async def test_a_seed_that_was_deleted_meanwhile_is_left_out(memory: Shared) -> None:
    memory.current = Inventory(seeds=(seed("127.79.9.1"),))
    replica = Replica(memory)
    await replica.discovery.durable.begin_run(CRON, DUE.timestamp(), memory.current.seeds)
    await replica.discovery.seeds.delete(who="an operator")
    assert await replica.run.go_on() == []
    assert not replica.run.is_unfinished
