"""Pages of large devices: rendered without holding up the event loop, and no larger than allowed."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from promsnmp.errors import StrictFailure, TooMuchData
from promsnmp.modules.catalogue import CatalogueStore, builtin_catalogue
from promsnmp.polling.collector import Collector
from promsnmp.polling.options import CollectorOptions
from promsnmp.polling.pages.page import Format, RenderedPage
from promsnmp.polling.target import Target
from promsnmp.sim.agent import SimulatedAgent
from promsnmp.sim.mib import Mib
from promsnmp.snmp import ber, oid
from promsnmp.support.steps import StepRunner
from tests.support.agents.polled_devices import mib, target_of
from tests.support.agents.threads import running
from tests.support.service.loop_probe import loop_probe

PORTS = 4_000
MOST_SECONDS = 0.05
"""CPU of a callback; the page of this device takes several times as much."""
OPTIONS = CollectorOptions(label_refresh=10)
WITHOUT_HISTOGRAM = CollectorOptions(utilization=False)


def collector(options: CollectorOptions) -> Collector:
    return Collector(CatalogueStore(builtin_catalogue()), options)


async def collect(polls: Collector, target: Target) -> tuple[RenderedPage, Exception | None]:
    return await polls.collect(target, deadline=asyncio.get_running_loop().time() + 60)


def test_no_callback_takes_long_for_a_large_device_in_either_format() -> None:
    agent = SimulatedAgent(mib(PORTS))
    polls = collector(OPTIONS)

    async def poll_twice(target: Target) -> RenderedPage:
        await collect(polls, target)
        polls.states.of(target).requested_formats.update(Format)
        page, problem = await collect(polls, target)
        assert problem is None
        return page

    with running(agent), loop_probe() as probe:
        target = replace(target_of(agent, managed=True), timeout=10.0)
        page = asyncio.run(poll_twice(target))
    assert page.plain(Format.TEXT).count(b"\nifInOctets{") == PORTS
    assert page.plain(Format.OPENMETRICS).count(b"\nifInOctets{") == PORTS
    assert probe.longest < MOST_SECONDS, probe.what


@pytest.mark.parametrize("ports", [20, PORTS // 4], ids=["rendered at once", "rendered in steps"])
async def test_families_that_do_not_fit_are_left_out_of_every_format(ports: int) -> None:
    async with SimulatedAgent(mib(ports)) as agent:
        target = replace(target_of(agent), timeout=10.0)
        whole, _ = await collect(collector(WITHOUT_HISTOGRAM), target)
        most = len(whole.plain(Format.TEXT)) // 2
        polls = collector(replace(WITHOUT_HISTOGRAM, page_octets=most))
        polls.states.of(target).requested_formats.update(Format)
        page, problem = await collect(polls, target)
        assert isinstance(problem, TooMuchData)
        assert "COLLECTION_MAX_PAGE_BYTES" in problem.message
        assert set(page.compressed) == set(Format)
        for body_format, made in page.texts().items():
            text = page.plain(body_format).decode()
            assert made
            assert len(text) < most + 5_000
            assert '\npromsnmp_module_up{module="if_mib"} 0' in text
            assert 'promsnmp_page_dropped_values{reason="page_size"} ' in text
        assert polls.dropped["page_size"] >= ports


async def test_with_strict_pages_there_is_no_page_that_lacks_something() -> None:
    async with SimulatedAgent(mib(20)) as agent:
        polls = collector(replace(OPTIONS, page_octets=3_000, strict=True))
        with pytest.raises(StrictFailure, match="COLLECTION_MAX_PAGE_BYTES"):
            await collect(polls, target_of(agent))


async def test_a_small_page_needs_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(StepRunner, "_finish", lambda *_: pytest.fail("a thread was used"))
    async with SimulatedAgent(mib(48)) as agent:
        page, problem = await collect(collector(OPTIONS), target_of(agent))
        assert problem is None
        assert page.plain(Format.TEXT).count(b"\nifInOctets{") == 48


async def test_errors_are_compared_for_pages_only() -> None:
    errors = {oid.encode("1.3.6.1.2.1.2.2.1.14.1"): ber.encode_integer(7, ber.COUNTER32)}
    async with SimulatedAgent(Mib.of({**mib(1).objects, **errors})) as agent:
        target = target_of(agent, managed=True)
        for is_on in (True, False):
            polls = collector(CollectorOptions(error_rates=is_on))
            for _ in range(2):
                await collect(polls, target)
            assert (polls.states.of(target).errors.by_index() is not None) is is_on
