"""A walk of a device for a person: within bounds, and with what came when the device stops to answer."""

from __future__ import annotations

import asyncio

import pytest

from promsnmp.errors import SnmpError
from promsnmp.polling.poll import SessionFactory
from promsnmp.polling.target import Target
from promsnmp.polling.walks import walker
from promsnmp.polling.walks.walker import MOST_ROWS, DeviceWalker, WalksBusy
from promsnmp.sim.agent import SimulatedAgent
from promsnmp.sim.mib import Mib
from promsnmp.sim.parts.objects import integer, text
from promsnmp.snmp import oid
from promsnmp.snmp.credentials import Community
from promsnmp.snmp.transport import SnmpEndpoint
from tests.support.tools import free_udp_port

ROOT = oid.encode("1.3.6.1.4.1.32473.1")


def target(port: int) -> Target:
    return Target("key", "name", SnmpEndpoint("127.0.0.1", port), Community(), (), timeout=0.2, retries=0)


async def test_a_small_subtree_comes_whole_and_a_large_one_up_to_the_bound() -> None:
    objects = {f"1.3.6.1.4.1.32473.1.{number}": integer(number) for number in range(1, MOST_ROWS + 500)}
    objects |= {f"1.3.6.1.4.1.32473.2.{number}": text("x" * 1_000) for number in range(1, 1500)}
    walks = DeviceWalker(SessionFactory())
    async with SimulatedAgent(Mib.of(objects)) as agent:
        await agent.start("127.0.0.1", 0)
        one = await walks.walk(target(agent.port), oid.encode("1.3.6.1.4.1.32473.1.7"))
        assert ([oid.to_text(found.oid) for found in one.varbinds], one.stopped) == (["1.3.6.1.4.1.32473.1.7"], "")
        many = await walks.walk(target(agent.port), ROOT)
        assert len(many.varbinds) == MOST_ROWS
        assert "objects" in many.stopped
        large = await walks.walk(target(agent.port), oid.encode("1.3.6.1.4.1.32473.2"))
        assert "octets" in large.stopped
        assert sum(len(found.value) for found in large.varbinds) <= walker.MOST_OCTETS


async def test_a_device_that_does_not_answer_is_an_error_and_walks_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    walks = DeviceWalker(SessionFactory())
    with pytest.raises(SnmpError):
        await walks.walk(target(free_udp_port()), ROOT)
    monkeypatch.setattr(walker, "MOST_WALKS", 1)
    results = await asyncio.gather(
        *(walks.walk(target(free_udp_port()), ROOT) for _ in range(2)), return_exceptions=True
    )
    assert sum(isinstance(one, WalksBusy) for one in results) == 1
