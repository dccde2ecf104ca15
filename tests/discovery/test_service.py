"""Saved seeds, and jobs that run in parallel, wait, are stopped, and end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from promsnmp.discovery.jobs import ENDED_STATES, Job, JobState
from promsnmp.discovery.scan.target_syntax import read_networks
from promsnmp.discovery.service import MAX_RUNNING_JOBS, MAX_WAITING_JOBS, Discovery
from promsnmp.discovery.unsaved_inventory import UnsavedInventory
from promsnmp.errors import DiscoveryBusy, InventoryUnavailable
from promsnmp.inventory.model import Inventory, Seed
from promsnmp.observe.counts import DiscoveryCounts
from promsnmp.sim.agent import SimulatedAgent
from tests.support.discovery.searches import SLOW_MACHINE, device_mib, search_context
from tests.support.discovery.simulated_network import PUBLIC

SILENT = "127.79.0.0/24"


class Recorded(UnsavedInventory):
    """Records who made the change."""

    def __init__(self, inventory: Inventory | None = None) -> None:
        super().__init__(inventory)
        self.by: list[str] = []

    async def update(
        self, change: Callable[[Inventory], Inventory], *, who: str = "", request_id: str = ""
    ) -> Inventory:
        self.by.append(who)
        return await super().update(change, who=who, request_id=request_id)


@pytest.fixture
async def agent() -> AsyncIterator[SimulatedAgent]:
    async with await SimulatedAgent(device_mib("sw1", macs=["001b54000001"])).start("127.79.0.1") as one:
        yield one


@pytest.fixture
def memory() -> Recorded:
    return Recorded()


@pytest.fixture
async def discovery(memory: Recorded) -> AsyncIterator[Discovery]:
    made = Discovery(search_context(memory, scan_limits=SLOW_MACHINE), DiscoveryCounts())
    yield made
    await asyncio.wait_for(made.close(), 30)


def seed(*targets: str, port: int = 9, **more: object) -> Seed:
    return Seed(f"6a3c1d5e-0000-4000-8000-{abs(hash(targets)) % 10**12:012}", targets, (PUBLIC,), port, **more)  # type: ignore[arg-type]


def begin(discovery: Discovery, one: Seed, **options: object) -> Job:
    plan = discovery.plan(one, who="a test", **options)  # type: ignore[arg-type]
    assert not plan.problems
    return discovery.start(plan)


async def over(job: Job) -> Job:
    await asyncio.wait_for(job.ended_event.wait(), 60)
    return job


async def test_a_job_runs_at_once_and_ends_finished(
    discovery: Discovery, memory: Recorded, agent: SimulatedAgent
) -> None:
    job = begin(discovery, seed("127.79.0.1", port=agent.port))
    assert job.state is JobState.RUNNING
    assert discovery.job(job.id) is job
    await over(job)
    assert (job.state, job.error, len(memory.current.devices)) == (JobState.FINISHED, "", 1)
    assert set(memory.by) == {"a test"}
    assert discovery.finished_at == job.ended > 0


async def test_a_small_job_does_not_wait_for_a_large_one_and_they_share_the_rate(
    discovery: Discovery, agent: SimulatedAgent
) -> None:
    large = begin(discovery, seed("127.80.0.0/14", port=agent.port))
    small = await over(begin(discovery, seed("127.79.0.1", port=agent.port)))
    assert (small.state, large.state) == (JobState.FINISHED, JobState.RUNNING)
    active, limit, left = discovery.figures()
    assert 0 < active <= limit
    assert left > 100_000
    discovery.stop_job(large)
    assert (await over(large)).state is JobState.CANCELLED


async def test_jobs_beyond_the_limit_wait_and_can_be_stopped(discovery: Discovery) -> None:
    jobs = [begin(discovery, seed("127.80.0.0/14", port=9)) for _ in range(MAX_RUNNING_JOBS + 2)]
    assert [job.state for job in jobs] == [JobState.RUNNING] * MAX_RUNNING_JOBS + [JobState.QUEUED] * 2
    discovery.stop_job(jobs[-1])
    assert jobs[-1].state is JobState.CANCELLED
    discovery.stop_job(jobs[0])
    await over(jobs[0])
    assert jobs[MAX_RUNNING_JOBS].state is JobState.RUNNING
    assert [job.id for job in discovery.jobs] == [job.id for job in reversed(jobs)]


async def test_jobs_beyond_the_queue_are_refused(discovery: Discovery) -> None:
    for _ in range(MAX_RUNNING_JOBS + MAX_WAITING_JOBS):
        begin(discovery, seed("127.80.0.0/14"))
    with pytest.raises(DiscoveryBusy):
        begin(discovery, seed("127.80.0.0/14"))


async def test_a_job_that_cannot_write_fails_and_says_why(agent: SimulatedAgent) -> None:
    class Full(UnsavedInventory):
        async def update(
            self, change: Callable[[Inventory], Inventory], *, who: str = "", request_id: str = ""
        ) -> Inventory:
            raise InventoryUnavailable("the disk is full")

    counts = DiscoveryCounts()
    discovery = Discovery(search_context(Full(), scan_limits=SLOW_MACHINE), counts)
    job = await over(begin(discovery, seed("127.79.0.1", port=agent.port)))
    assert (job.state, job.error, counts.outcomes["failed"]) == (JobState.FAILED, "the disk is full", 1)
    assert discovery.finished_at == 0.0


async def test_closing_stops_everything_and_keeps_what_was_found(memory: Recorded, agent: SimulatedAgent) -> None:
    discovery = Discovery(search_context(memory, scan_limits=SLOW_MACHINE), DiscoveryCounts())
    jobs = [begin(discovery, seed("127.79.0.0/16", port=agent.port)) for _ in range(MAX_RUNNING_JOBS + 1)]
    async with asyncio.timeout(60):
        while not any(job.progress.found for job in jobs):
            await asyncio.sleep(0.01)
        await discovery.close()
    assert all(job.state in ENDED_STATES for job in jobs)
    assert [device.sys_name for device in memory.current.devices] == ["sw1"]


def test_the_settings_are_the_defaults_of_a_seed() -> None:
    networks, _ = read_networks(["10.0.0.0/8"], "x")
    discovery = Discovery(search_context(UnsavedInventory()), DiscoveryCounts(), neighbours=networks, remove_lost=True)
    plan = discovery.plan(seed("192.0.2.1"), who="me")
    assert (plan.neighbours, plan.remove_lost, plan.seed_id) == (networks, True, "")
    plan = discovery.plan(seed("192.0.2.1", "x y", neighbours=()), who="me", saved=True)
    assert (plan.neighbours.size, plan.seed_id != "", len(plan.problems)) == (0, True, 1)
