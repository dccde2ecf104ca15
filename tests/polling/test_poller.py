"""Every device once per interval, in the background."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from itertools import pairwise

from promsnmp.observe.counts import PollCounts
from promsnmp.polling.cache import PageCache
from promsnmp.polling.page import Failure
from promsnmp.polling.pages import Scraper
from promsnmp.polling.poller import Poller
from promsnmp.polling.target import Source
from promsnmp.sim.agent import SimulatedAgent
from tests.support.agents.polled_devices import collector, mib, source_of


class Counting(Scraper):
    """Counts polls by source, and says when they began."""

    def __init__(self) -> None:
        cache = PageCache(1000, 300.0, time.monotonic)
        super().__init__(collector(), cache, PollCounts(), poll_timeout=5.0)
        self.began: dict[str, list[float]] = {}

    async def poll(self, source: Source) -> object:  # type: ignore[override]
        self.began.setdefault(source.key, []).append(asyncio.get_running_loop().time())
        return await super().poll(source)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)


@asynccontextmanager
async def agents(count: int) -> AsyncIterator[list[SimulatedAgent]]:
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(SimulatedAgent(mib())) for _ in range(count)]


@asynccontextmanager
async def polling(
    sources: Iterable[Source], *, interval: float = 0.4, backoff_max: float = 100.0, concurrency: int = 50
) -> AsyncIterator[tuple[Poller, Counting]]:
    scraper = Counting()
    poller = Poller(scraper, PollCounts(), interval=interval, backoff_max=backoff_max, concurrency=concurrency)
    poller.set_sources(list(sources))
    poller.start()
    try:
        yield poller, scraper
    finally:
        await poller.stop()


async def test_every_device_is_polled_once_per_interval_spread_over_it() -> None:
    async with agents(20) as some:
        sources = [source_of(agent, managed=True) for agent in some]
        async with polling(sources) as (_, scraper):
            await until(lambda: len(scraper.began) == 20 and min(map(len, scraper.began.values())) >= 4)
            counts = list(map(len, scraper.began.values()))
            assert max(counts) - min(counts) <= 1
            gaps = [b - a for times in scraper.began.values() for a, b in pairwise(times)]
            assert min(gaps) > 0.2
            starts = sorted(times[0] for times in scraper.began.values())
            assert starts[-1] - starts[0] > 0.1


async def test_a_slow_device_does_not_delay_the_others() -> None:
    async with agents(5) as some:
        some[0].delay = 3.0
        sources = [replace(source_of(agent, managed=True), timeout=10.0) for agent in some]
        async with polling(sources, interval=0.2) as (_, scraper):
            others = [source.key for source in sources[1:]]
            await until(lambda: all(len(scraper.began.get(key, [])) >= 4 for key in others))
            assert len(scraper.began.get(sources[0].key, [])) == 1


async def test_a_device_that_fails_is_asked_ever_more_seldom_and_comes_back_at_once() -> None:
    async with agents(1) as (agent,):
        agent.drop = 1.0
        source = replace(source_of(agent, managed=True), timeout=0.01, retries=0)
        async with polling([source], interval=0.1, backoff_max=0.8) as (_, scraper):
            await until(lambda: len(scraper.began.get(source.key, [])) >= 5)
            times = scraper.began[source.key]
            assert times[4] - times[3] > 2 * (times[1] - times[0])
            agent.drop = 0.0
            seen = len(times)
            await until(lambda: len(times) >= seen + 4)
            assert times[-1] - times[-2] < 0.4


async def test_no_more_devices_are_polled_at_once_than_allowed() -> None:
    async with agents(10) as some:
        for agent in some:
            agent.delay = 0.02
        sources = [replace(source_of(agent, managed=True), timeout=1.0) for agent in some]
        most = 0
        async with polling(sources, interval=0.1, concurrency=3) as (poller, scraper):
            while len(scraper.began) < 10:
                most = max(most, poller.active)
                await asyncio.sleep(0.001)
        assert 0 < most <= 3


async def test_a_device_that_is_added_is_polled_at_once() -> None:
    async with agents(2) as (first, second):
        old, new = source_of(first, managed=True), source_of(second, managed=True)
        async with polling([old], interval=1000.0) as (poller, scraper):
            poller.set_sources([old, new])
            await until(lambda: new.key in scraper.began)


async def test_devices_that_are_added_together_are_spread_over_the_interval_from_then_on() -> None:
    async with agents(12) as devices, polling([]) as (poller, scraper):
        poller.set_sources([source_of(one) for one in devices])
        await until(lambda: len(scraper.began) == 12 and min(map(len, scraper.began.values())) >= 3)
        third = [times[2] for times in scraper.began.values()]
        assert max(third) - min(third) > 0.1


async def test_a_device_whose_credentials_change_is_polled_at_once_with_the_new_ones() -> None:
    async with agents(1) as (agent,):
        wrong = replace(source_of(agent, managed=True, community="wrong"), key="k", timeout=0.01, retries=0)
        right = replace(source_of(agent, managed=True), key="k")
        async with polling([], interval=1000.0) as (poller, scraper):
            poller.set_sources([wrong])
            await until(lambda: isinstance(scraper._cache.get(("k", ("if_mib",))), Failure))
            poller.set_sources([right])
            await until(lambda: agent.requests > 0)


async def test_a_device_that_is_removed_is_not_polled_again_and_its_page_is_gone() -> None:
    async with agents(2) as (first, second):
        one, other = source_of(first, managed=True), source_of(second, managed=True)
        async with polling([one, other], interval=0.1) as (poller, scraper):
            await until(lambda: len(scraper.began) == 2)
            poller.set_sources([other])
            await asyncio.sleep(0.05)
            asked = len(scraper.began[one.key])
            await until(lambda: len(scraper.began[other.key]) >= 5)
            assert len(scraper.began[one.key]) == asked
            assert scraper._cache.get((one.key, one.modules)) is None


async def test_an_unknown_module_of_one_device_does_not_stop_the_others() -> None:
    async with agents(2) as (first, second):
        broken, sound = source_of(first, "nope", managed=True), source_of(second, managed=True)
        async with polling([broken, sound], interval=0.1) as (_, scraper):
            await until(lambda: len(scraper.began.get(sound.key, [])) >= 3 and broken.key in scraper.began)
