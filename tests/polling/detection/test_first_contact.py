"""A device that is about to be added is asked once, with its own credentials and text encoding."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from promsnmp.errors import SnmpTimeout
from promsnmp.inventory.model import Agent, AgentEndpoint, Device, PollOverrides
from promsnmp.polling.detection.first_contact import SystemNames, ask_device, named_by_itself
from promsnmp.polling.poll import SessionFactory
from promsnmp.sim.agent import SimulatedAgent
from promsnmp.sim.mib import Mib
from promsnmp.snmp import ber
from promsnmp.snmp.credentials import AuthProtocol, Community, Credentials, PrivProtocol, SecurityLevel, User

ID = "6a3c1d5e-0000-4000-8000-000000000001"
NAMES = {
    "1.3.6.1.2.1.1.1.0": ber.tlv(ber.OCTET_STRING, "Büro\x1b[2J".encode("latin-1")),
    "1.3.6.1.2.1.1.5.0": ber.tlv(ber.OCTET_STRING, b"core-1"),
}
USER = User("monitor", SecurityLevel.AUTH_PRIV, AuthProtocol.SHA, "auth pass 1", PrivProtocol.AES, "priv pass 1")


def device_of(agent: SimulatedAgent, credentials: Credentials) -> Device:
    one = Agent(ID, AgentEndpoint(agent.address, agent.port), credentials, timeout=200, retries=0)
    return Device(ID, agents=(one,), primary=one, overrides=PollOverrides(text_encoding="latin-1"))


@pytest.mark.parametrize("credentials", [Community(), USER], ids=["community", "user"])
async def test_names_are_read_and_safe_to_show(credentials: Credentials) -> None:
    async with SimulatedAgent(Mib.of(NAMES), users=[USER]) as agent:
        device = device_of(agent, credentials)
        assert await ask_device(device, SessionFactory()) == SystemNames("core-1", "Büro[2J")
        named = await named_by_itself(replace(device, sys_descr="mine"), lambda one: ask_device(one, SessionFactory()))
        assert (named.sys_name, named.sys_descr) == ("core-1", "mine")


async def test_a_device_that_does_not_answer_raises() -> None:
    async with SimulatedAgent(Mib.of(NAMES)) as agent:
        with pytest.raises(SnmpTimeout):
            await ask_device(device_of(agent, Community(community="other")), SessionFactory())


async def test_a_device_without_an_agent_is_not_asked() -> None:
    assert await asyncio.wait_for(ask_device(Device(ID), SessionFactory()), 1) == SystemNames()
