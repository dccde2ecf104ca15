"""Scrapes are answered from memory, or by a shared poll."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import pytest

from promsnmp.errors import SnmpError, SnmpTimeout
from promsnmp.inventory.model import PollOverrides
from promsnmp.modules.catalogue import CatalogueStore, builtin_catalogue
from promsnmp.observe.counts import PollCounts
from promsnmp.polling.collector import Collector
from promsnmp.polling.options import CollectorOptions
from promsnmp.polling.pages.cache import PageCache
from promsnmp.polling.pages.page import Format, PollFailure, RenderedPage
from promsnmp.polling.pages.service import PageService
from promsnmp.polling.target import adhoc_target
from promsnmp.sim.agent import SimulatedAgent
from promsnmp.snmp.credentials import Community
from promsnmp.snmp.transport import SnmpEndpoint
from tests.support.agents.polled_devices import collector, mib, target_of


def page_service(
    *, max_age: float = 300.0, freshness: float | None = None, poll_timeout: float = 5.0, concurrency: int = 100
) -> PageService:
    cache, counts = PageCache(100, max_age, time.monotonic), PollCounts()
    return PageService(
        collector(), cache, counts, poll_timeout=poll_timeout, freshness=freshness, max_scrape_polls=concurrency
    )


async def test_simultaneous_scrapes_of_a_device_share_one_poll() -> None:
    one = page_service(max_age=0.0)
    async with SimulatedAgent(mib()) as agent:
        target = target_of(agent)
        await one.page(target, Format.TEXT, timeout=5)
        alone = agent.requests
        pages = await asyncio.gather(*(one.page(target, Format.TEXT, timeout=5) for _ in range(20)))
        assert agent.requests == 2 * alone
    assert len(set(map(id, pages))) == 1


async def test_without_a_cache_every_scrape_polls() -> None:
    one = page_service(max_age=0.0)
    async with SimulatedAgent(mib()) as agent:
        target = target_of(agent)
        first = await one.page(target, Format.TEXT, timeout=5)
        assert await one.page(target, Format.TEXT, timeout=5) is not first


async def test_a_page_in_memory_answers_without_asking_the_device() -> None:
    one = page_service()
    async with SimulatedAgent(mib()) as agent:
        target = target_of(agent)
        first = await one.page(target, Format.TEXT, timeout=5)
        asked = agent.requests
        assert await one.page(target, Format.TEXT, timeout=5) is first
        assert agent.requests == asked


async def test_adhoc_targets_are_polled_again_when_their_page_is_not_fresh() -> None:
    one = page_service(freshness=0.0)
    async with SimulatedAgent(mib()) as agent:
        adhoc, managed = target_of(agent), replace(target_of(agent), key="managed", managed=True)
        assert await one.page(adhoc, Format.TEXT, timeout=5) is not await one.page(adhoc, Format.TEXT, timeout=5)
        assert await one.page(managed, Format.TEXT, timeout=5) is await one.page(managed, Format.TEXT, timeout=5)


async def test_no_page_of_an_ad_hoc_target_survives_a_reload() -> None:
    catalogue_store = CatalogueStore(builtin_catalogue())
    one = PageService(
        Collector(catalogue_store, CollectorOptions()),
        PageCache(100, 300.0, time.monotonic),
        PollCounts(),
        poll_timeout=5.0,
    )
    async with SimulatedAgent(mib()) as agent:
        adhoc, managed = target_of(agent), replace(target_of(agent), key="managed", managed=True)
        before = [await one.page(target, Format.TEXT, timeout=5) for target in (adhoc, managed)]
        catalogue_store.replace(catalogue_store.current)
        after = [await one.page(target, Format.TEXT, timeout=5) for target in (adhoc, managed)]
    assert after[0] is not before[0]
    assert after[1] is before[1]


async def test_a_scrape_that_times_out_gives_a_reason_while_the_poll_continues() -> None:
    one = page_service()
    async with SimulatedAgent(mib()) as agent:
        agent.delay = 0.15
        target = replace(target_of(agent), timeout=2.0)
        with pytest.raises(SnmpTimeout, match=r"within the 0\.05 s.*scrape_timeout.*SCRAPE_TIMEOUT"):
            await one.page(target, Format.TEXT, timeout=0.05)
        agent.delay = 0.0
        assert one.active == 1
        page = await one.page(target, Format.TEXT, timeout=5)
        assert b"ifInOctets" in page.plain(Format.TEXT)
    assert one.active == 0


async def test_a_scrape_that_waits_for_other_polls_does_not_blame_the_device() -> None:
    one = page_service(concurrency=1)
    async with SimulatedAgent(mib()) as agent:
        agent.delay = 0.15
        slow, other = (replace(target_of(agent), key=key, timeout=2.0) for key in ("slow", "other"))
        first = asyncio.create_task(one.page(slow, Format.TEXT, timeout=5))
        await asyncio.sleep(0)
        with pytest.raises(SnmpTimeout, match="SCRAPE_CONCURRENCY"):
            await one.page(other, Format.TEXT, timeout=0.02)
        await first


async def test_a_silent_ad_hoc_target_may_have_another_community() -> None:
    async with SimulatedAgent(mib(), community="s3cret") as agent:
        endpoint = SnmpEndpoint(agent.address, agent.port)
        target = adhoc_target(endpoint, Community(community="wr0ng"), "public_v2", ("if_mib",))
        with pytest.raises(SnmpTimeout, match="the community of auth 'public_v2'") as failed:
            await page_service().page(target, Format.TEXT, timeout=0.05)
        assert "wr0ng" not in str(failed.value)


async def test_a_failure_of_a_managed_device_is_served_without_another_poll() -> None:
    one = page_service()
    async with SimulatedAgent(mib()) as agent:
        target = replace(target_of(agent, community="wrong", managed=True), timeout=0.05, retries=0)
        with pytest.raises(SnmpTimeout):
            await one.page(target, Format.TEXT, timeout=5)
        ignored = agent.ignored
        with pytest.raises(SnmpTimeout):
            await one.page(target, Format.TEXT, timeout=5)
        assert agent.ignored == ignored


async def test_a_failure_of_an_ad_hoc_target_is_not_cached() -> None:
    one = page_service()
    async with SimulatedAgent(mib()) as agent:
        target = replace(target_of(agent, community="wrong"), timeout=0.05, retries=0)
        for _ in range(2):
            with pytest.raises(SnmpError):
                await one.page(target, Format.TEXT, timeout=5)
        assert agent.ignored == 2


async def test_a_failed_poll_replaces_the_previous_page() -> None:
    one = page_service()
    async with SimulatedAgent(mib()) as agent:
        target = replace(target_of(agent, managed=True), timeout=0.05, retries=0)
        await one.page(target, Format.TEXT, timeout=5)
        agent.drop = 1.0
        assert isinstance(await one.poll(target), PollFailure)
        with pytest.raises(SnmpTimeout):
            await one.page(target, Format.TEXT, timeout=5)


async def test_the_poll_itself_is_bounded() -> None:
    one = page_service(poll_timeout=0.2)
    async with SimulatedAgent(mib(ports=200)) as agent:
        agent.delay = 0.05
        target = replace(target_of(agent), timeout=1.0)
        page = await one.page(target, Format.TEXT, timeout=5)
    assert b'promsnmp_module_up{module="if_mib"} 0' in page.plain(Format.TEXT)


async def test_a_poll_renders_only_the_formats_that_were_requested_lately() -> None:
    one = page_service(max_age=0.0)
    async with SimulatedAgent(mib()) as agent:
        target = target_of(agent)
        first = await one.page(target, Format.OPENMETRICS, timeout=5)
        assert first.has(Format.OPENMETRICS)
        assert not first.has(Format.TEXT)
        assert b"\nifInOctets{" in first.plain(Format.TEXT)
        assert first.has(Format.TEXT)
        again = await one.poll(target)
        assert isinstance(again, RenderedPage)
        assert again.has(Format.OPENMETRICS)
        assert not again.has(Format.TEXT)
        later = await one.page(target, Format.TEXT, timeout=5)
        assert later.has(Format.TEXT)
        assert not later.has(Format.OPENMETRICS)


async def test_a_page_in_another_format_is_converted_and_the_next_poll_renders_it() -> None:
    one = page_service()
    async with SimulatedAgent(mib()) as agent:
        target = target_of(agent)
        text = await one.page(target, Format.TEXT, timeout=5)
        same = await one.page(target, Format.OPENMETRICS, timeout=5)
        assert same is text
        assert same.plain(Format.OPENMETRICS).endswith(b"# EOF\n")
        again = await one.poll(target)
        assert isinstance(again, RenderedPage)
        assert again.has(Format.OPENMETRICS)


async def test_after_five_failed_polls_in_a_row_no_device_counts_as_reachable() -> None:
    one = page_service()
    async with SimulatedAgent(mib()) as agent:
        there = target_of(agent)
        gone = replace(there, key="gone", endpoint=replace(there.endpoint, port=1))
        for outcomes in ("down down down down", "up down down down down", "down"):
            assert not one.reaches_no_device
            for outcome in outcomes.split():
                await one.poll(there if outcome == "up" else gone)
        assert one.reaches_no_device
        await one.poll(there)
        assert not one.reaches_no_device


async def test_the_page_of_a_device_that_is_polled_seldom_lives_until_the_next_poll() -> None:
    now = 0.0
    cache = PageCache(100, 300.0, lambda: now)
    one = PageService(collector(), cache, PollCounts(), poll_timeout=60.0, freshness=1.0)
    async with SimulatedAgent(mib()) as agent:
        usual = target_of(agent, managed=True)
        seldom = replace(usual, key="seldom", overrides=PollOverrides(interval=600_000))
        for target in (usual, seldom):
            await one.page(target, Format.TEXT, timeout=5)
        asked, taken_at = agent.requests, time.monotonic()
        now = taken_at + 1200
        assert one.cached_page(seldom, Format.TEXT) is not None
        await one.page(seldom, Format.TEXT, timeout=5)
        assert agent.requests == asked
        assert one.cached_page(usual, Format.TEXT) is None
        now = taken_at + 1300
        assert one.cached_page(seldom, Format.TEXT) is None


async def test_after_a_sleep_aged_pages_and_those_of_ad_hoc_targets_are_polled_again() -> None:
    one = page_service(freshness=100.0)
    async with SimulatedAgent(mib()) as agent:
        adhoc = target_of(agent)
        aged, other = (replace(target_of(agent, managed=True), key=name) for name in ("aged/1", "other/1"))
        for target in (adhoc, aged, other):
            await one.page(target, Format.TEXT, timeout=5)
        assert all(one.cached_page(target, Format.TEXT) for target in (adhoc, aged, other))
        agent.delay = 0.1
        running = asyncio.create_task(one.poll(adhoc))
        while not one.active:
            await asyncio.sleep(0)
        one.on_awake([aged])
        assert [one.cached_page(target, Format.TEXT) is None for target in (adhoc, aged, other)] == [True, True, False]
        page = await one.page(adhoc, Format.TEXT, timeout=5)
        assert page is not await running


async def test_the_status_of_a_device_has_duration_samples_and_health_until_it_goes_down() -> None:
    one = page_service()
    async with SimulatedAgent(mib()) as agent:
        target = replace(target_of(agent, managed=True), health=True)
        assert one.poll_status(target).state == "unknown"
        page = await one.page(target, Format.TEXT, timeout=5)
        status = one.poll_status(target)
        lines = page.plain(Format.TEXT).decode().splitlines()
        assert status.state == "up"
        assert status.samples == len([line for line in lines if not line.startswith("#")])
        assert 0 < status.seconds < 5
        assert time.time() - 60 < status.at <= time.time()
    assert isinstance(await one.poll(target), PollFailure)
    status = one.poll_status(target)
    assert (status.state, status.samples) == ("down", 0)
    assert status.problem


@pytest.mark.parametrize("page_format", Format)
async def test_a_page_can_be_read_whatever_it_was_rendered_in(page_format: Format) -> None:
    one = page_service()
    async with SimulatedAgent(mib()) as agent:
        target = target_of(agent, managed=True)
        await one.page(target, page_format, timeout=5)
        page = one.stored_page(target.key, target.modules)
        assert page is not None
        read = b"".join(page.any_parts())
        assert b'\nifInOctets{ifDescr="port 1",ifIndex="1"' in read.replace(b'ifAlias="",', b"")
        assert read.endswith(b"\n")
        text = Format.TEXT if page_format is Format.PROTOBUF else page_format  # protobuf is made from it
        assert set(page.compressed) == {text, page_format}
