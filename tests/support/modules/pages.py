"""Polls a simulated device and returns its page."""

from __future__ import annotations

import asyncio

from promsnmp.polling.collector import Collector
from promsnmp.polling.pages.page import Format
from promsnmp.polling.target import adhoc_target
from promsnmp.sim.agent import SimulatedAgent
from promsnmp.sim.mib import Mib
from promsnmp.snmp.credentials import Community, Version
from promsnmp.snmp.transport import SnmpEndpoint


async def samples_of(mib: Mib, *modules: str, collector: Collector) -> list[str]:
    """The samples of a device, without those about the poll."""
    async with SimulatedAgent(mib) as agent:
        endpoint, login = SnmpEndpoint("127.0.0.1", agent.port), Community(Version.V2C, "public")
        target = adhoc_target(endpoint, login, "public", modules)
        page, problem = await collector.collect(target, deadline=asyncio.get_running_loop().time() + 30)
    assert problem is None
    own = ("#", "snmp_scrape_", "promsnmp_")
    return [line for line in page.plain(Format.TEXT).decode().split("\n") if line and not line.startswith(own)]
