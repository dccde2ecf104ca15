"""Background polls: every device once per interval, failing ones less often."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from itertools import pairwise

from promsnmp.inventory.model import PollOverrides
from promsnmp.observe.counts import PollCounts
from promsnmp.polling.pages.cache import PageCache
from promsnmp.polling.pages.page import Format, PollFailure, RenderedPage
from promsnmp.polling.pages.service import PageService
from promsnmp.polling.poller import Poller
from promsnmp.polling.target import Target
from promsnmp.sim.agent import SimulatedAgent
from tests.support.agents.polled_devices import collector, mib, target_of
from tests.support.tools import until


class Counting(PageService):
    """Counts polls by target, and records when they start."""

    def __init__(self) -> None:
        cache = PageCache(1000, 300.0, time.monotonic)
        super().__init__(collector(), cache, PollCounts(), poll_timeout=5.0)
        self.began: dict[str, list[float]] = {}

    async def poll(self, target: Target) -> object:  # type: ignore[override]
        self.began.setdefault(target.key, []).append(asyncio.get_running_loop().time())
        return await super().poll(target)


@asynccontextmanager
async def agents(count: int) -> AsyncIterator[list[SimulatedAgent]]:
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(SimulatedAgent(mib())) for _ in range(count)]


@asynccontextmanager
async def polling(
    targets: Iterable[Target], *, interval: float = 0.4, backoff_max: float | None = 100.0, concurrency: int = 50
) -> AsyncIterator[tuple[Poller, Counting]]:
    page_service = Counting()
    poller = Poller(page_service, PollCounts(), interval=interval, backoff_max=backoff_max, concurrency=concurrency)
    poller.set_targets(list(targets))
    poller.start()
    try:
        yield poller, page_service
    finally:
        await poller.stop()


async def test_every_device_is_polled_once_per_interval_spread_over_it() -> None:
    async with agents(20) as some:
        targets = [target_of(agent, managed=True) for agent in some]
        async with polling(targets) as (_, page_service):
            await until(lambda: len(page_service.began) == 20 and min(map(len, page_service.began.values())) >= 4)
            counts = list(map(len, page_service.began.values()))
            assert max(counts) - min(counts) <= 1
            gaps = [b - a for times in page_service.began.values() for a, b in pairwise(times)]
            assert min(gaps) > 0.2
            starts = sorted(times[0] for times in page_service.began.values())
            assert starts[-1] - starts[0] > 0.1


async def test_a_slow_device_does_not_delay_the_others() -> None:
    async with agents(5) as some:
        some[0].delay = 3.0
        targets = [replace(target_of(agent, managed=True), timeout=10.0) for agent in some]
        async with polling(targets, interval=0.2) as (_, page_service):
            others = [target.key for target in targets[1:]]
            await until(lambda: all(len(page_service.began.get(key, [])) >= 4 for key in others))
            assert len(page_service.began.get(targets[0].key, [])) == 1


async def test_a_failing_device_is_polled_less_often_until_it_answers() -> None:
    async with agents(1) as (agent,):
        agent.drop = 1.0
        target = replace(target_of(agent, managed=True), timeout=0.01, retries=0)
        async with polling([target], interval=0.1, backoff_max=0.8) as (_, page_service):
            await until(lambda: len(page_service.began.get(target.key, [])) >= 5)
            times = page_service.began[target.key]
            assert times[4] - times[3] > 2 * (times[1] - times[0])
            agent.drop = 0.0
            seen = len(times)
            await until(lambda: len(times) >= seen + 4)
            assert times[-1] - times[-2] < 0.4


async def test_no_more_devices_are_polled_at_once_than_allowed() -> None:
    async with agents(10) as some:
        for agent in some:
            agent.delay = 0.02
        targets = [replace(target_of(agent, managed=True), timeout=1.0) for agent in some]
        most = 0
        async with polling(targets, interval=0.1, concurrency=3) as (poller, page_service):
            while len(page_service.began) < 10:
                most = max(most, poller.active)
                await asyncio.sleep(0.001)
        assert 0 < most <= 3


async def test_a_device_that_is_added_is_polled_at_once() -> None:
    async with agents(2) as (first, second):
        old, new = target_of(first, managed=True), target_of(second, managed=True)
        async with polling([old], interval=1000.0) as (poller, page_service):
            poller.set_targets([old, new])
            await until(lambda: new.key in page_service.began)


async def test_devices_that_are_added_together_are_then_spread_over_the_interval() -> None:
    async with agents(12) as devices, polling([]) as (poller, page_service):
        poller.set_targets([target_of(one) for one in devices])
        await until(lambda: len(page_service.began) == 12 and min(map(len, page_service.began.values())) >= 3)
        third = [times[2] for times in page_service.began.values()]
        assert max(third) - min(third) > 0.1


async def test_a_device_whose_credentials_change_is_polled_at_once_with_the_new_ones() -> None:
    async with agents(1) as (agent,):
        wrong = replace(target_of(agent, managed=True, community="wrong"), key="k", timeout=0.01, retries=0)
        right = replace(target_of(agent, managed=True), key="k")
        async with polling([], interval=1000.0) as (poller, page_service):
            poller.set_targets([wrong])
            await until(lambda: isinstance(page_service._cache.get(("k", ("if_mib",))), PollFailure))
            poller.set_targets([right])
            await until(lambda: agent.requests > 0)


async def test_a_removed_device_is_not_polled_again_and_its_page_is_dropped() -> None:
    async with agents(2) as (first, second):
        one, other = target_of(first, managed=True), target_of(second, managed=True)
        async with polling([one, other], interval=0.1) as (poller, page_service):
            await until(lambda: len(page_service.began) == 2)
            poller.set_targets([other])
            await asyncio.sleep(0.05)
            asked = len(page_service.began[one.key])
            await until(lambda: len(page_service.began[other.key]) >= 5)
            assert len(page_service.began[one.key]) == asked
            assert page_service._cache.get((one.key, one.modules)) is None


async def test_an_unknown_module_of_one_device_does_not_stop_the_others() -> None:
    async with agents(2) as (first, second):
        broken, sound = target_of(first, "nope", managed=True), target_of(second, managed=True)
        async with polling([broken, sound], interval=0.1) as (_, page_service):
            await until(lambda: len(page_service.began.get(sound.key, [])) >= 3 and broken.key in page_service.began)


async def test_a_device_with_an_interval_of_its_own_is_polled_by_that() -> None:
    async with agents(12) as some:
        usual, *others = [target_of(agent, managed=True) for agent in some]
        often = [replace(target, overrides=PollOverrides(interval=200)) for target in others[:10]]
        seldom = replace(others[10], overrides=PollOverrides(interval=1_000_000))
        async with polling([usual, *often, seldom], interval=1.2) as (_, page_service):
            await until(lambda: len(page_service.began.get(usual.key, [])) >= 3)
            counts = [len(page_service.began[target.key]) for target in often]
            assert min(counts) >= 3 * 2
            assert len(page_service.began[seldom.key]) == 1  # its first page does not wait for its own interval
            starts = sorted(page_service.began[target.key][-1] for target in often)
            assert starts[-1] - starts[0] > 0.02


async def test_the_backoff_follows_the_interval_of_the_device() -> None:
    async with agents(2) as (first, second):
        targets = [replace(target_of(one, managed=True), timeout=0.01, retries=0) for one in (first, second)]
        first.drop = second.drop = 1.0
        often = replace(targets[0], overrides=PollOverrides(interval=50))
        async with polling([often, targets[1]], interval=1.0, backoff_max=None) as (_, page_service):
            await until(lambda: len(page_service.began.get(targets[1].key, [])) >= 2)
            times = page_service.began[often.key]
            assert len(times) >= 4
            assert max(b - a for a, b in pairwise(times)) < 1.0 + 0.5  # ten intervals, and some time to run


async def test_a_new_interval_counts_at_once() -> None:
    async with agents(1) as (agent,):
        target = target_of(agent, managed=True)
        async with polling([target], interval=1000.0) as (poller, page_service):
            poller.set_targets([replace(target, overrides=PollOverrides(interval=100))])
            await until(lambda: len(page_service.began.get(target.key, [])) >= 4)


async def test_a_page_that_was_handed_over_counts_for_the_interval_of_its_device() -> None:
    async with agents(2) as (first, second):
        usual = target_of(first, managed=True)
        seldom = replace(target_of(second, managed=True), overrides=PollOverrides(interval=1_000_000))
        page_service = Counting()
        poller = Poller(page_service, PollCounts(), interval=0.4, backoff_max=None, concurrency=50)
        for target in (usual, seldom):
            page = RenderedPage(time.monotonic() - 400.0, ("system",), {Format.TEXT: b""})
            page_service.store(target.key, target.modules, page)
        poller.set_targets([usual, seldom])
        poller.start()
        try:
            await until(lambda: len(page_service.began.get(usual.key, [])) >= 3)
            assert seldom.key not in page_service.began
            assert page_service.stored_page(seldom.key, seldom.modules) is not None  # older than the cache's max_age
        finally:
            await poller.stop()


async def test_somebody_may_have_devices_polled_at_once() -> None:
    async with agents(2) as (first, second):
        wanted, other = target_of(first, managed=True), target_of(second, managed=True)
        async with polling([wanted, other], interval=1000.0) as (poller, page_service):
            assert poller.poll_soon([wanted.key, "unknown"]) == 1
            await until(lambda: wanted.key in page_service.began)
            assert page_service.began.keys() == {wanted.key}
            await until(lambda: poller.active == 0)
            assert poller.poll_soon([wanted.key]) == 1
            await until(lambda: len(page_service.began[wanted.key]) == 2)


async def test_an_event_during_a_poll_causes_another_poll_after_it() -> None:
    """One that runs may have read the state before; ``polled`` reports each of them."""
    async with agents(1) as (agent,):
        agent.delay = 0.1
        target, ended = target_of(agent, managed=True), list[tuple[str, bool]]()
        async with polling([replace(target, timeout=10.0)], interval=1000.0) as (poller, page_service):
            page_service.polled.subscribe(lambda polled, _, has_page: ended.append((polled.key, has_page)))
            poller.poll_soon([target.key])
            await until(lambda: poller.active == 1)
            for _ in range(5):
                poller.poll_soon([target.key])
            poller.poll_soon([target.key], again=True)
            await until(lambda: len(ended) == 2 and poller.active == 0)
            assert len(page_service.began[target.key]) == 2
        assert ended == [(target.key, True)] * 2
