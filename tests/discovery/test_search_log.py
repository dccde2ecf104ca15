"""What the inventory keeps of searches, and the bounds of it."""

from __future__ import annotations

import json

from promsnmp.discovery.jobs import Job, JobState
from promsnmp.discovery.scan.addresses import Addresses
from promsnmp.discovery.search_log import MAX_ENDED, MAX_LISTED, DurableSearches, iso_time, unix_time, with_progress
from promsnmp.discovery.serialize import job_document
from promsnmp.discovery.service import plan_for_seed
from promsnmp.discovery.unsaved_inventory import UnsavedInventory
from promsnmp.inventory.document.values import new_id
from promsnmp.inventory.model import Inventory, Seed
from promsnmp.snmp.credentials import Community

NOW = 1_750_000_000.0


def job(*targets: str, created: float = NOW) -> Job:
    seed = Seed(new_id(), targets or ("10.0.0.0/24",), (Community(),))
    return Job(plan_for_seed(seed, Addresses(), who="somebody", remove_lost=False, saved=False), created)


class Kept:
    """An inventory in memory with kept searches; ``now`` is the clock."""

    def __init__(self) -> None:
        self.memory = UnsavedInventory()
        self.now = NOW
        self.searches = DurableSearches(lambda: self.memory.current, self.memory.update, lambda: self.now)

    async def end(self, one: Job) -> None:
        one.end(JobState.FINISHED, self.now)
        await self.searches.end(one, job_document(one, self.now))


async def test_a_search_is_kept_with_its_progress_until_its_result_replaces_it() -> None:
    kept, one = Kept(), job("10.0.0.0/24", "core1")
    await kept.searches.save(one)
    (search,) = kept.searches.unfinished
    assert (search.id, search.seed, search.who, search.done, search.size) == (
        one.id,
        one.plan.seed,
        "somebody",
        0,
        254,
    )
    kept.memory.current = with_progress(kept.memory.current, one, done=100, now=NOW + 30)
    (search,) = kept.searches.unfinished
    assert (search.done, search.saved_at) == (100, iso_time(NOW + 30))
    await kept.end(one)
    assert not list(kept.searches.unfinished)
    assert kept.searches.ended[one.id]["state"] == "finished"
    assert with_progress(kept.memory.current, one, done=200, now=NOW) is kept.memory.current


async def test_searches_go_on_in_the_order_in_which_they_were_accepted() -> None:
    kept, jobs = Kept(), [job(created=NOW + number) for number in range(3)]
    for one in reversed(jobs):
        await kept.searches.save(one)
    assert [search.id for search in kept.searches.unfinished] == [one.id for one in jobs]


async def test_a_search_that_made_no_progress_for_a_day_does_not_go_on() -> None:
    """An inventory that was restored from a backup starts nothing."""
    kept = Kept()
    await kept.searches.save(job())
    kept.now += 86_000
    assert len(list(kept.searches.unfinished)) == 1
    kept.now += 500
    assert not list(kept.searches.unfinished)
    kept.now = NOW - 90_000
    assert not list(kept.searches.unfinished)
    await kept.searches.save(job(created=kept.now))
    assert len(kept.memory.current.searches.unfinished) == 1  # its room is free for others


async def test_only_the_last_results_are_kept_and_their_lists_are_short() -> None:
    kept = Kept()
    jobs = [job(*(f"10.0.{net}.0/24" for net in range(MAX_LISTED + 5))) for _ in range(MAX_ENDED + 3)]
    for one in jobs:
        await kept.searches.save(one)
        await kept.end(one)
    assert list(kept.searches.ended) == [one.id for one in reversed(jobs[3:])]
    assert all(len(result["targets"]) == MAX_LISTED for result in kept.searches.ended.values())


async def test_the_room_that_unfinished_searches_take_is_bounded() -> None:
    kept = Kept()
    large = [job(*(f"host-{number}.example.net" for number in range(20_000))) for _ in range(4)]
    for one in large:
        await kept.searches.save(one)
    assert [search.id for search in kept.searches.unfinished] == [one.id for one in large[:2]]
    many = Kept()
    for _ in range(104):
        await many.searches.save(job())
    assert len(list(many.searches.unfinished)) == 104


async def test_a_run_ends_with_its_last_seed() -> None:
    kept = Kept()
    seeds = [Seed(new_id(), ("10.0.0.1",), (Community(),)) for _ in range(2)]
    await kept.searches.begin_run("0 0 2 * * *", NOW, seeds)
    kept.now += 60
    for seed in seeds:
        assert kept.searches.run is not None
        assert kept.searches.run.ended_at is None
        await kept.searches.end_seed(seed.id)
    assert kept.searches.run is not None
    assert (kept.searches.run.seeds_left, kept.searches.run.ended_at) == ((), iso_time(NOW + 60))
    before = kept.memory.current
    await kept.searches.end_seed("another")
    assert kept.memory.current is before


def test_times_are_those_of_the_clock_to_the_millisecond() -> None:
    assert unix_time(iso_time(NOW + 0.125)) == NOW + 0.125
    assert json.dumps(iso_time(NOW)) == '"2025-06-15T15:06:40.000Z"'
    assert Inventory().searches.run is None
