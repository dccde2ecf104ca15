"""Explanations for a running service: shared, few at a time, outside the event loop."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import pytest

from promsnmp.errors import MemoryShort, SnmpError, UnknownDevice
from promsnmp.inventory.model import Agent, AgentEndpoint, Device
from promsnmp.modules.catalogue import builtin_catalogue
from promsnmp.polling.explain.service import LIFETIME, MOST_RUNNING, MOST_VARBINDS, Explainer, ExplanationBusy
from promsnmp.polling.options import CollectorOptions
from promsnmp.sim.agent import SimulatedAgent
from promsnmp.sim.devices import DEMO
from promsnmp.snmp.credentials import Community
from tests.support.tools import free_udp_port

CATALOGUE = builtin_catalogue()
MIB = DEMO[0]().mib


def device_at(port: int, device_id: str = "a") -> Device:
    agent = Agent("agent", AgentEndpoint("127.0.0.1", port), Community(), timeout=2000, retries=0)
    return Device(device_id, "switch", agents=(agent,), primary=agent)


def explainer(now: list[float] | None = None, *, is_memory_short: bool = False) -> Explainer:
    return Explainer(
        lambda: CATALOGUE,
        CollectorOptions(),
        modules=("system", "if_mib"),
        timeout=5.0,
        interval=30_000,
        is_memory_short=lambda: is_memory_short,
        clock=(lambda: time.monotonic()) if now is None else (lambda: now[0]),
    )


async def test_a_device_is_explained_for_its_modules_and_for_its_health_once_for_all_who_ask() -> None:
    now = [0.0]
    async with SimulatedAgent(MIB) as agent:
        one, device = explainer(now), device_at(agent.port)
        first, second = await asyncio.gather(one.modules_of(device), one.modules_of(device))
        assert first is second
        assert first.modules == ("system", "if_mib")
        assert set(first.module_reasons.values()) == {"set by COLLECTION_MODULES"}
        assert any(metric.name == "ifHCInOctets" and metric.samples for metric in first.metrics)
        assert await one.modules_of(device) is first
        health = await one.health_of(device)
        assert health.definitions
        now[0] += LIFETIME + 1
        assert await one.modules_of(replace(device)) is not first


async def test_the_event_loop_goes_on_meanwhile() -> None:
    async with SimulatedAgent(MIB) as agent:
        task = asyncio.create_task(explainer().modules_of(device_at(agent.port)))
        longest, before = 0.0, time.monotonic()
        while not task.done():
            await asyncio.sleep(0.001)
            now = time.monotonic()
            longest, before = max(longest, now - before), now
        assert (await task).metrics
        assert longest < 0.5


async def test_what_cannot_be_read_is_asked_again_the_next_time() -> None:
    one, port = explainer(), free_udp_port()
    with pytest.raises(SnmpError):
        await one.modules_of(device_at(port))
    async with SimulatedAgent(MIB) as agent:
        assert (await one.modules_of(device_at(agent.port))).metrics


async def test_too_many_at_a_time_are_refused_and_so_are_all_while_memory_is_short() -> None:
    one = explainer()
    running = [asyncio.create_task(one.modules_of(device_at(free_udp_port(), f"{n}"))) for n in range(MOST_RUNNING)]
    await asyncio.sleep(0)
    with pytest.raises(ExplanationBusy):
        await one.modules_of(device_at(9, "another"))
    await asyncio.gather(*running, return_exceptions=True)
    with pytest.raises(MemoryShort):
        await explainer(is_memory_short=True).modules_of(device_at(9))
    with pytest.raises(UnknownDevice):
        await one.modules_of(Device("without an agent"))


async def test_a_poll_for_an_explanation_reads_less_than_one_of_the_service() -> None:
    assert explainer()._options.limits.varbinds <= MOST_VARBINDS
