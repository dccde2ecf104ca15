"""Seeds that are kept and jobs that run side by side, wait, are stopped, and end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from promsnmp.discovery.jobs import ENDED, Job, State
from promsnmp.discovery.scan.target_syntax import read_networks
from promsnmp.discovery.service import MOST_WAITING, SCHEDULE, SIDE_BY_SIDE, Discovery
from promsnmp.discovery.unsaved_inventory import Memory
from promsnmp.errors import DiscoveryBusy, InventoryUnavailable
from promsnmp.inventory.model import Inventory, Seed
from promsnmp.observe.counts import DiscoveryCounts
from promsnmp.sim.agent import SimulatedAgent
from tests.support.discovery.links import PUBLIC
from tests.support.discovery.setups import SLOW_MACHINE, device_mib, setup_of

SILENT = "127.79.0.0/24"


class Recorded(Memory):
    """Remembers in whose name it was changed."""

    def __init__(self, inventory: Inventory | None = None) -> None:
        super().__init__(inventory)
        self.by: list[str] = []

    async def update(self, change: Callable[[Inventory], Inventory], who: str) -> Inventory:
        self.by.append(who)
        return await super().update(change, who)


@pytest.fixture
async def agent() -> AsyncIterator[SimulatedAgent]:
    async with await SimulatedAgent(device_mib("sw1", macs=["001b54000001"])).start("127.79.0.1") as one:
        yield one


@pytest.fixture
def memory() -> Recorded:
    return Recorded()


@pytest.fixture
async def discovery(memory: Recorded) -> AsyncIterator[Discovery]:
    made = Discovery(setup_of(memory, pace=SLOW_MACHINE), DiscoveryCounts())
    yield made
    await asyncio.wait_for(made.close(), 30)


def seed(*targets: str, port: int = 9, **more: object) -> Seed:
    return Seed(f"6a3c1d5e-0000-4000-8000-{abs(hash(targets)) % 10**12:012}", targets, (PUBLIC,), port, **more)  # type: ignore[arg-type]


def begin(discovery: Discovery, one: Seed, **options: object) -> Job:
    plan = discovery.plan(one, who="a test", **options)  # type: ignore[arg-type]
    assert not plan.problems
    return discovery.start(plan)


async def over(job: Job) -> Job:
    await asyncio.wait_for(job.over.wait(), 60)
    return job


async def test_a_job_runs_at_once_and_ends_finished(
    discovery: Discovery, memory: Recorded, agent: SimulatedAgent
) -> None:
    job = begin(discovery, seed("127.79.0.1", port=agent.port))
    assert job.state is State.RUNNING
    assert discovery.job(job.id) is job
    await over(job)
    assert (job.state, job.error, len(memory.current.devices)) == (State.FINISHED, "", 1)
    assert set(memory.by) == {"a test"}
    assert discovery.finished_at == job.ended > 0


async def test_a_small_job_does_not_wait_for_a_large_one_and_they_share_the_pace(
    discovery: Discovery, agent: SimulatedAgent
) -> None:
    large = begin(discovery, seed("127.80.0.0/14", port=agent.port))
    small = await over(begin(discovery, seed("127.79.0.1", port=agent.port)))
    assert (small.state, large.state) == (State.FINISHED, State.RUNNING)
    active, limit, left = discovery.figures()
    assert 0 < active <= limit
    assert left > 100_000
    discovery.stop_job(large)
    assert (await over(large)).state is State.CANCELLED


async def test_jobs_beyond_a_number_wait_and_those_that_wait_can_be_stopped(discovery: Discovery) -> None:
    jobs = [begin(discovery, seed("127.80.0.0/14", port=9)) for _ in range(SIDE_BY_SIDE + 2)]
    assert [job.state for job in jobs] == [State.RUNNING] * SIDE_BY_SIDE + [State.QUEUED] * 2
    discovery.stop_job(jobs[-1])
    assert jobs[-1].state is State.CANCELLED
    discovery.stop_job(jobs[0])
    await over(jobs[0])
    assert jobs[SIDE_BY_SIDE].state is State.RUNNING
    assert [job.id for job in discovery.jobs] == [job.id for job in reversed(jobs)]


async def test_more_jobs_than_can_wait_are_refused(discovery: Discovery) -> None:
    for _ in range(SIDE_BY_SIDE + MOST_WAITING):
        begin(discovery, seed("127.80.0.0/14"))
    with pytest.raises(DiscoveryBusy):
        begin(discovery, seed("127.80.0.0/14"))


async def test_a_job_that_cannot_write_fails_and_says_why(agent: SimulatedAgent) -> None:
    class Full(Memory):
        async def update(self, change: Callable[[Inventory], Inventory], who: str) -> Inventory:
            raise InventoryUnavailable("the disk is full")

    counts = DiscoveryCounts()
    discovery = Discovery(setup_of(Full(), pace=SLOW_MACHINE), counts)
    job = await over(begin(discovery, seed("127.79.0.1", port=agent.port)))
    assert (job.state, job.error, counts.outcomes["failed"]) == (State.FAILED, "the disk is full", 1)
    assert discovery.finished_at == 0.0


# ------------------------------------------------------------------------------------------------------------ seeds


async def test_a_run_of_all_seeds_searches_each_in_the_name_of_the_schedule(
    memory: Recorded, discovery: Discovery, agent: SimulatedAgent
) -> None:
    good = seed("127.79.0.1", port=agent.port, labels=(("site", "a"),))
    bad = seed("10.0.0.0/8", "127.79.0.1", port=agent.port)
    memory.current = Inventory(seeds=(good, bad))
    jobs = await asyncio.wait_for(discovery.run_seeds(), 60)
    assert [job.plan.seed_id for job in jobs] == [good.id, bad.id]
    assert [job.state for job in jobs] == [State.FINISHED] * 2
    assert set(memory.by) == {SCHEDULE}
    assert memory.current.devices[0].labels == (("site", "a"),)
    assert "a /12" in jobs[1].plan.problems[0]
    assert jobs[1].progress.found == 1  # the targets that are right are searched all the same


async def test_runs_of_all_seeds_never_overlap(discovery: Discovery, memory: Recorded) -> None:
    memory.current = Inventory(seeds=(seed("127.80.0.0/14"),))
    first = asyncio.ensure_future(discovery.run_seeds())
    await asyncio.sleep(0)
    assert await discovery.run_seeds() == []
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    (job,) = discovery.jobs
    assert (await over(job)).state is State.CANCELLED
    memory.current = Inventory()
    assert await discovery.run_seeds() == []


async def test_a_run_ends_when_another_replica_leads(memory: Recorded) -> None:
    leads = iter([True, False])
    discovery = Discovery(setup_of(memory, pace=SLOW_MACHINE), DiscoveryCounts(), leads=lambda: next(leads))
    memory.current = Inventory(seeds=(seed("127.79.9.1"), seed("127.79.9.2")))
    assert len(await asyncio.wait_for(discovery.run_seeds(), 60)) == 1
    await discovery.close()


async def test_closing_stops_everything_and_keeps_what_was_found(memory: Recorded, agent: SimulatedAgent) -> None:
    discovery = Discovery(setup_of(memory, pace=SLOW_MACHINE), DiscoveryCounts())
    jobs = [begin(discovery, seed("127.79.0.0/16", port=agent.port)) for _ in range(SIDE_BY_SIDE + 1)]
    async with asyncio.timeout(60):
        while not any(job.progress.found for job in jobs):
            await asyncio.sleep(0.01)
        await discovery.close()
    assert all(job.state in ENDED for job in jobs)
    assert [device.sys_name for device in memory.current.devices] == ["sw1"]


def test_what_a_seed_does_not_say_is_as_the_settings_say() -> None:
    networks, _ = read_networks(["10.0.0.0/8"], "x")
    discovery = Discovery(setup_of(Memory()), DiscoveryCounts(), neighbours=networks, remove_lost=True)
    plan = discovery.plan(seed("192.0.2.1"), who="me")
    assert (plan.neighbours, plan.remove_lost, plan.seed_id) == (networks, True, "")
    plan = discovery.plan(seed("192.0.2.1", "x y", neighbours=()), who="me", saved=True)
    assert (plan.neighbours.size, plan.seed_id != "", len(plan.problems)) == (0, True, 1)
