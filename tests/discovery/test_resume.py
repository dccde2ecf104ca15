"""A search survives its leader: the next one goes on where it was, under the same id, and loses nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace

import pytest

from promsnmp.discovery.jobs import Job, JobState
from promsnmp.discovery.reconcile import batch_writer
from promsnmp.discovery.scan.rate import ScanLimits
from promsnmp.discovery.scan.target_syntax import read_networks, read_scope
from promsnmp.discovery.service import Discovery
from promsnmp.discovery.unsaved_inventory import UnsavedInventory
from promsnmp.errors import InventoryUnavailable, NotLeader
from promsnmp.inventory.document.values import new_id
from promsnmp.inventory.model import Inventory, Seed
from promsnmp.observe.counts import DiscoveryCounts
from promsnmp.sim.field import Field, populate, spread_over
from tests.support.discovery.searches import device_mib, search_context
from tests.support.discovery.simulated_network import PUBLIC
from tests.support.tools import until

NETWORK, DEVICES = "127.84.0.0/22", 40
ADDRESSES = 1022
PACE = ScanLimits(packets_per_second=1500, timeout=0.2, retries=1)
NOW = 1_750_000_000.0


class Replica:
    """A replica with a discovery of its own over the shared inventory; ``leads`` says whether it may write."""

    def __init__(self, memory: UnsavedInventory, *, neighbours: Sequence[str] = (), refuses: bool = False) -> None:
        self.leads = True
        self.refuses = refuses
        self._memory = memory
        context = replace(search_context(self, scan_limits=PACE), clock=lambda: NOW)
        networks, _ = read_networks(neighbours, "neighbours")
        self.discovery = Discovery(
            context, DiscoveryCounts(), neighbours=networks, leads=lambda: self.leads, durable_jobs=True
        )

    @property
    def current(self) -> Inventory:
        return self._memory.current

    async def update(self, change: Callable[[Inventory], Inventory], *, who: str, request_id: str = "") -> Inventory:
        if not self.leads:
            raise NotLeader("another replica leads")
        if self.refuses:
            raise InventoryUnavailable("the disk is full")
        return await self._memory.update(change, who=who, request_id=request_id)

    def kill(self) -> None:
        """Ends like a process that is killed: nothing more is written."""
        self.leads = False
        for task in self.discovery._running.values():
            task.cancel()

    def lose(self) -> None:
        """Ends its leadership."""
        self.leads = False
        self.discovery.suspend()


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Progress is written several times in a test."""
    monkeypatch.setattr(batch_writer, "BATCH_SECONDS", 0.05)
    monkeypatch.setattr(batch_writer, "PROGRESS_SECONDS", 0.1)


@pytest.fixture
async def field() -> AsyncIterator[Field]:
    async with await populate([device_mib("sw", macs=["001b54000001"])], spread_over(NETWORK, DEVICES)).start() as made:
        yield made


@pytest.fixture
def memory() -> UnsavedInventory:
    return UnsavedInventory()


def seed(field: Field, *targets: str) -> Seed:
    return Seed(new_id(), targets or (NETWORK,), (PUBLIC,), field.port)


async def begin(replica: Replica, one: Seed) -> Job:
    return await replica.discovery.start_durably(replica.discovery.plan(one, who="a test"))


async def over(replica: Replica, job_id: str) -> Job:
    job = replica.discovery.job(job_id)
    assert job is not None
    await asyncio.wait_for(job.ended_event.wait(), 60)
    return job


def kept_done(memory: UnsavedInventory) -> int:
    return sum(one.done for one in memory.current.searches.unfinished)


@pytest.mark.parametrize("ends", ["is killed", "loses its leadership"])
async def test_the_next_leader_goes_on_and_finds_the_rest(memory: UnsavedInventory, field: Field, ends: str) -> None:
    first, second = Replica(memory), Replica(memory)
    job = await begin(first, seed(field))
    await until(lambda: kept_done(memory) > 150)
    first.kill() if ends == "is killed" else first.lose()
    done, found = kept_done(memory), len(memory.current.devices)
    assert 0 < found < DEVICES
    second.discovery.resume()
    second.discovery.resume()
    document = second.discovery.document(job.id, NOW)
    assert document is not None
    assert (document["id"], document["state"], document["probed"]) == (job.id, "running", done)
    resumed = await over(second, job.id)
    assert resumed.state is JobState.FINISHED
    assert len(memory.current.devices) == DEVICES
    assert resumed.change_counts["added"] == DEVICES
    assert resumed.progress.probed - done < ADDRESSES - done + DEVICES + 1
    assert not any(device.missed_since for device in memory.current.devices)
    await asyncio.wait_for(second.discovery.close(), 30)
    assert memory.current.searches.unfinished == ()
    assert [one.id for one in memory.current.searches.ended] == [job.id]


async def test_an_ended_search_is_still_shown_by_the_next_leader(memory: UnsavedInventory, field: Field) -> None:
    first, second = Replica(memory), Replica(memory)
    job = await begin(first, seed(field, "127.84.0.1"))
    await over(first, job.id)
    await until(lambda: not memory.current.searches.unfinished)
    shown = second.discovery.document(job.id, NOW)
    assert shown is not None
    assert (shown["state"], shown["found"], shown["devices"], shown["devicesOmitted"]) == ("finished", 1, [], True)
    assert [one["id"] for one in second.discovery.documents(NOW)] == [job.id]
    assert second.discovery.document("unknown", NOW) is None


async def test_a_search_that_a_user_stopped_does_not_go_on(memory: UnsavedInventory, field: Field) -> None:
    first, second = Replica(memory), Replica(memory)
    job = await begin(first, seed(field))
    await until(lambda: kept_done(memory) > 100)
    first.discovery.stop_job(job)
    await over(first, job.id)
    await until(lambda: not memory.current.searches.unfinished)
    second.discovery.resume()
    assert not list(second.discovery.jobs)


async def test_a_replica_that_leads_again_goes_on_itself(memory: UnsavedInventory, field: Field) -> None:
    only = Replica(memory)
    job = await begin(only, seed(field))
    await until(lambda: kept_done(memory) > 150)
    only.lose()
    only.discovery.resume()
    assert only.discovery.document(job.id, NOW) is not None  # it is about to end
    only.leads = True
    only.discovery.resume()
    await until(lambda: only.discovery.job(job.id) is not job and only.discovery.job(job.id) is not None)
    assert (await over(only, job.id)).state is JobState.FINISHED
    assert len(memory.current.devices) == DEVICES


async def test_waiting_searches_go_on_too_and_closing_loses_none(memory: UnsavedInventory, field: Field) -> None:
    first = Replica(memory)
    jobs = [await begin(first, seed(field)) for _ in range(6)]
    await asyncio.wait_for(first.discovery.close(), 30)
    first.discovery.resume()
    assert not list(first.discovery.jobs)
    second = Replica(memory)
    second.discovery.resume()
    assert {job.id for job in second.discovery.jobs} == {job.id for job in jobs}
    await asyncio.wait_for(second.discovery.close(), 30)


async def test_a_search_that_cannot_be_kept_is_refused(memory: UnsavedInventory, field: Field) -> None:
    replica = Replica(memory, refuses=True)
    with pytest.raises(InventoryUnavailable):
        await begin(replica, seed(field))
    await until(lambda: not replica.discovery._running)
    assert [job.state for job in replica.discovery.jobs] == [JobState.CANCELLED]
    await replica.discovery.close()


async def test_a_result_that_could_not_be_written_is_written_later(memory: UnsavedInventory, field: Field) -> None:
    replica = Replica(memory)
    job = await begin(replica, seed(field, "127.84.0.2"))  # nothing answers there, so only the result is written
    replica.refuses = True
    await over(replica, job.id)
    replica.refuses = False
    await until(lambda: not memory.current.searches.unfinished)
    await replica.discovery.close()


async def test_a_device_with_several_addresses_keeps_all_of_them(memory: UnsavedInventory) -> None:
    """One of them answered to the first leader, the other to the second."""
    scope, _ = read_scope([NETWORK])
    addresses = list(scope.addresses.spread())
    router = populate([device_mib("router", macs=["001b54000001"])], ["127.84.0.1"]).agents[0]
    async with await Field({addresses[20]: router, addresses[-20]: router}).start() as both:
        first, second = Replica(memory), Replica(memory)
        job = await begin(first, seed(both))
        await until(lambda: kept_done(memory) > 100)
        first.kill()
        assert len(memory.current.devices[0].agents) == 1
        second.discovery.resume()
        await over(second, job.id)
    (device,) = memory.current.devices
    assert {agent.endpoint.address for agent in device.agents} == {addresses[20], addresses[-20]}
