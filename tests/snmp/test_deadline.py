"""Sessions whose deadline ends before all attempts are over."""

from __future__ import annotations

import asyncio

import pytest

from promsnmp.errors import SnmpTimeout
from promsnmp.snmp import ber, oid
from promsnmp.snmp.credentials import Community, Version
from promsnmp.snmp.operations.base import AgentLimits
from promsnmp.snmp.operations.browse import BrowseOperation
from promsnmp.snmp.operations.get import GetOperation
from promsnmp.snmp.operations.walk import Subtree
from promsnmp.snmp.security import CommunityModel
from promsnmp.snmp.session import Session
from promsnmp.snmp.silence import is_cut
from promsnmp.snmp.transport import SnmpEndpoint
from tests.support.agents.hostile import SYS_DESCR, Behaviour, HostileAgent

SILENT = Behaviour("silent", lambda _: [])


def session_with(agent: HostileAgent, *, retries: int = 0, timeout: float = 0.1, deadline: float) -> Session:
    return Session(
        SnmpEndpoint(agent.address, agent.port),
        CommunityModel(Community()),
        timeout=timeout,
        retries=retries,
        deadline=deadline,
        limit="COLLECTION_TIMEOUT",
    )


def ask() -> GetOperation:
    return GetOperation([oid.encode(SYS_DESCR)], limits=AgentLimits())


async def test_a_deadline_before_the_timeout_ends_the_poll() -> None:
    async with HostileAgent(SILENT) as agent, asyncio.timeout(10):
        deadline = asyncio.get_running_loop().time() + 0.1
        async with session_with(agent, retries=5, timeout=60, deadline=deadline) as session:
            with pytest.raises(SnmpTimeout, match="time limit of the poll"):
                await session.run(ask())


async def test_a_deadline_ends_an_agent_that_never_stops_answering() -> None:
    names = iter(range(1, 10**9))
    endless = Behaviour(
        "endless", lambda request: [request.response(ber.encode_varbind(oid.encode((1, 3, 6, next(names)))))]
    )
    async with HostileAgent(endless) as agent, asyncio.timeout(10):
        deadline = asyncio.get_running_loop().time() + 0.2
        async with session_with(agent, timeout=60, deadline=deadline) as session:
            with pytest.raises(SnmpTimeout, match="time limit of the poll"):
                await session.run(BrowseOperation(Subtree(oid.encode("1.3.6")), lambda _: None, version=Version.V1))


async def test_a_deadline_in_the_past_is_a_timeout() -> None:
    async with HostileAgent(SILENT) as agent, session_with(agent, timeout=60, deadline=0.0) as session:
        with pytest.raises(SnmpTimeout, match="time limit of the poll"):
            await session.run(ask())


@pytest.mark.parametrize(("timeout", "retries"), [(60, 0), (0.02, 100)], ids=["in the last attempt", "attempts left"])
async def test_a_deadline_that_ends_attempts_blames_neither_address_nor_community(
    timeout: float,  # of a packet
    retries: int,
) -> None:
    deadline = asyncio.get_running_loop().time() + 0.1
    async with (
        HostileAgent(SILENT) as agent,
        session_with(agent, timeout=timeout, retries=retries, deadline=deadline) as session,
    ):
        with pytest.raises(SnmpTimeout) as caught:
            await session.run(ask())
    assert "(COLLECTION_TIMEOUT)" in caught.value.message
    assert "allow the poll more time" in caught.value.message
    assert "community" not in caught.value.message


async def test_attempts_that_all_came_before_the_deadline_are_silence_of_the_agent() -> None:
    deadline = asyncio.get_running_loop().time() + 60
    async with (
        HostileAgent(SILENT) as agent,
        session_with(agent, timeout=0.02, retries=1, deadline=deadline) as session,
    ):
        with pytest.raises(SnmpTimeout, match=r"no answer to 2 requests of 0\.02 s.*community"):
            await session.run(ask())


@pytest.mark.parametrize(("waited", "cut"), [(0.0, True), (4.4, True), (4.6, False), (5.0, False)])
def test_an_attempt_that_the_deadline_ends_just_before_its_timeout_is_whole(waited: float, cut: bool) -> None:
    assert is_cut(waited, 5.0) is cut
