"""Which starts of its counters the page of a device gives, over a real socket."""

from __future__ import annotations

import asyncio
import time

import pytest

from promsnmp.modules.catalogue import CatalogueStore, builtin_catalogue
from promsnmp.polling.collector import Collector
from promsnmp.polling.options import CollectorOptions
from promsnmp.polling.pages.page import Format
from promsnmp.sim.agent import SimulatedAgent
from promsnmp.sim.mib import Mib, Value
from promsnmp.snmp import ber
from tests.support.agents.polled_devices import target_of
from tests.support.exposition.client_model import by_name, labels, start_of

UP_SECONDS = 600
GIGABIT = 125_000_000
"""Octets per second."""


def device(octets: int, *, discontinuity: int = 0) -> Mib:
    """Two interfaces of 1 Gbit/s (the second says 10 Mbit/s) that have received ``octets``; ``discontinuity`` is the
    ifCounterDiscontinuityTime of the second."""
    row = "1.3.6.1.2.1.31.1.1.1"
    objects: dict[str, Value] = {"1.3.6.1.2.1.1.3.0": ber.encode_integer(UP_SECONDS * 100, ber.TIME_TICKS)}
    for index, speed, since in ((1, 1000, 0), (2, 10, discontinuity)):
        objects |= {
            f"1.3.6.1.2.1.2.2.1.1.{index}": ber.encode_integer(index),
            f"{row}.6.{index}": ber.encode_integer(octets, ber.COUNTER64),
            f"{row}.15.{index}": ber.encode_integer(speed, ber.GAUGE32),
            f"{row}.19.{index}": ber.encode_integer(since, ber.TIME_TICKS),
        }
    return Mib.of(objects)


async def starts(mib: Mib) -> list[float | None]:
    """Of ifHCInOctets, by interface: seconds since then."""
    polls = Collector(CatalogueStore(builtin_catalogue()), CollectorOptions(start_times=True))
    async with SimulatedAgent(mib) as agent:
        page, problem = await polls.collect(target_of(agent), deadline=asyncio.get_running_loop().time() + 60)
    assert problem is None
    page.gzipped(Format.PROTOBUF)
    metrics = by_name(page.plain(Format.PROTOBUF))["ifHCInOctets"].metric
    found = {labels(one)["ifIndex"]: start_of(one) for one in metrics}
    return [None if found[index] is None else time.time() - (found[index] or 0.0) for index in ("1", "2")]


async def test_counters_began_with_the_device_or_at_their_discontinuity() -> None:
    began = await starts(device(UP_SECONDS * GIGABIT, discontinuity=UP_SECONDS * 100 // 2))
    assert began == [pytest.approx(UP_SECONDS, abs=60), pytest.approx(UP_SECONDS / 2, abs=60)]


async def test_a_discontinuity_that_is_yet_to_come_is_not_known() -> None:
    began = await starts(device(1, discontinuity=UP_SECONDS * 200))
    assert began == [pytest.approx(UP_SECONDS, abs=60), None]


async def test_counters_that_count_for_longer_than_the_device_is_up_have_no_start() -> None:
    assert await starts(device(2 * UP_SECONDS * GIGABIT)) == [None, None]
