"""Sessions with agents that are silent to large requests, cut request-ids or answer from elsewhere.

Also sessions whose deadline ends before all attempts are over.
"""

from __future__ import annotations

import asyncio

import pytest

from promsnmp.errors import SnmpTimeout
from promsnmp.snmp import ber, oid
from promsnmp.snmp.credentials import AuthProtocol, Community, SecurityLevel, User, Version
from promsnmp.snmp.operations.base import AgentLimits
from promsnmp.snmp.operations.browse import BrowseOperation
from promsnmp.snmp.operations.get import GetOperation
from promsnmp.snmp.operations.request_size import GET_NEXT
from promsnmp.snmp.operations.walk import Subtree, WalkOperation
from promsnmp.snmp.security import CommunityModel, SecurityModel
from promsnmp.snmp.session import Session
from promsnmp.snmp.silence import describe_age, is_cut, telling_id, usable_bits
from promsnmp.snmp.transport import SnmpEndpoint
from promsnmp.snmp.v3.engine import EngineState
from promsnmp.snmp.v3.usm import UsmModel
from tests.support.agents.behaviours import silent_after
from tests.support.agents.hostile import IF_ENTRY, SYS_DESCR, Behaviour, HostileAgent
from tests.support.agents.silent import (
    KEYS,
    Accepts,
    ElsewhereAgent,
    SilentAgent,
    five_objects,
    no_bulk,
    ten_repetitions,
)

USER = User("joe", SecurityLevel.AUTH_NO_PRIV, AuthProtocol.SHA256, "auth-secret")
ROOT = oid.encode(IF_ENTRY)
NAMES = [oid.encode(f"{IF_ENTRY}.10.{row}") for row in range(1, 31)]


def session_with(
    agent: SilentAgent | HostileAgent,
    limits: AgentLimits,
    *,
    user: User | None = None,
    retries: int = 1,
    timeout: float = 0.05,
    connected: bool = True,
) -> Session:
    security: SecurityModel = CommunityModel(Community())
    if user is not None:
        security = UsmModel(user, engine=EngineState(), keys=KEYS)
    endpoint = SnmpEndpoint(agent.address, agent.port)
    return Session(endpoint, security, timeout=timeout, retries=retries, limits=limits, connected=connected)


async def walk(session: Session, version: Version = Version.V2C) -> WalkOperation:
    walks = WalkOperation([Subtree(ROOT)], ber.Scanner([ROOT]), version=version, limits=session.limits)
    async with session:
        await session.run(walks)
    return walks


@pytest.mark.parametrize("retries", [0, 1, 3])
@pytest.mark.parametrize(("accepts", "size"), [(no_bulk, GET_NEXT), (ten_repetitions, 10)])
async def test_an_agent_that_drops_getbulk_is_walked(accepts: Accepts, size: int, retries: int) -> None:
    limits = AgentLimits()
    async with SilentAgent(accepts) as agent:
        if not retries:
            with pytest.raises(SnmpTimeout):
                await walk(session_with(agent, limits, retries=0))
        walks = await walk(session_with(agent, limits, retries=retries))
        assert (walks.failures, walks._scanner.varbind_count) == ({}, 120)
        assert limits.repetitions.size in (size, 3 if size == GET_NEXT else size)
        del agent.asked[:]
        await walk(session_with(agent, limits, retries=retries))
        silent = [one for one in agent.asked if not accepts(ber.Pdu(one[0], 0, 0, one[1], 0, 0), one[2])]
    assert len(silent) <= 1  # what works is remembered
    assert any("no answer to GETBULK" in line for line in limits.lines())


async def test_an_agent_that_drops_gets_of_many_objects_is_read() -> None:
    limits = AgentLimits()
    async with SilentAgent(five_objects) as agent:
        gets = GetOperation(NAMES, limits=limits)
        async with session_with(agent, limits) as session:
            await session.run(gets)
    assert (gets.failures, sorted(one.oid for one in gets.varbinds)) == ({}, sorted(NAMES))
    assert limits.objects.size <= 5


async def test_a_v3_agent_never_gets_a_longer_message_than_it_takes() -> None:
    limits = AgentLimits()
    async with SilentAgent(longest=484, user=USER) as agent:
        gets = GetOperation(NAMES, limits=limits)
        async with session_with(agent, limits, user=USER) as session:
            await session.run(gets)
        assert (agent.dropped, session.traffic.retried) == (0, 0)
    assert (gets.failures, len(gets.varbinds)) == ({}, 30)


@pytest.mark.parametrize("retries", [0, 1, 3])
async def test_a_dead_device_costs_no_more_packets_than_its_retries(retries: int) -> None:
    limits = AgentLimits()
    async with HostileAgent(Behaviour("silent", lambda _: [])) as agent:
        for _ in range(2):
            with pytest.raises(SnmpTimeout, match="is the address right, and the community"):
                await walk(session_with(agent, limits, retries=retries))
        assert len(agent.requests) == 2 * (retries + 1)


async def test_an_agent_that_answers_everything_gets_the_same_requests_as_ever() -> None:
    limits = AgentLimits()
    async with SilentAgent() as agent:
        await walk(session_with(agent, limits))
        assert {one[:2] for one in agent.asked} == {(ber.GET_BULK, 25)}
        assert (agent.requests, list(limits.lines())) == (5, [])


async def test_a_lost_packet_limits_nothing_for_long() -> None:
    limits, lost = AgentLimits(), [2]

    def loses(pdu: ber.Pdu, _: int) -> bool:
        lost[0] -= 1
        return lost[0] != 0

    async with SilentAgent(loses) as agent:
        for _ in range(3):
            await walk(session_with(agent, limits))
    assert list(limits.lines()) == []


@pytest.mark.parametrize("user", [None, USER])
@pytest.mark.parametrize("bits", [24, 16, 8])
async def test_an_agent_that_cuts_request_ids_is_read(bits: int, user: User | None) -> None:
    limits = AgentLimits()
    async with SilentAgent(id_bits=bits, user=user) as agent:
        for number in range(3):
            session = session_with(agent, limits, user=user, timeout=1.0)
            walks = await walk(session, Version.V3 if user else Version.V2C)
            assert (walks.failures, session.traffic.retried) == ({}, 0)
            assert limits.request_id_bits == bits - 1
            assert session.traffic.discarded == ({} if number else {"request_id": 1})


def test_an_id_shows_to_how_many_octets_it_is_cut() -> None:
    for _ in range(2000):
        number = telling_id()
        for bits in (8, 16, 24):
            rest = number & (1 << bits) - 1
            signed = rest - (1 << bits) if rest >> (bits - 1) else rest
            assert usable_bits(number, rest) == usable_bits(number, signed) == bits - 1


async def test_without_retries_a_silent_agent_is_asked_for_the_least_until_it_answers() -> None:
    limits = AgentLimits()
    async with SilentAgent(lambda *_: False) as silent:
        for _ in range(5):
            with pytest.raises(SnmpTimeout):
                await walk(session_with(silent, limits, retries=0))
        assert [one[0] for one in silent.asked] == [ber.GET_BULK, *[ber.GET_NEXT] * 4]
    async with SilentAgent() as agent:
        assert (await walk(session_with(agent, limits, retries=0, timeout=1.0))).failures == {}
        assert [one[0] for one in agent.asked[:2]] == [ber.GET_NEXT, ber.GET_BULK]
        for _ in range(3):
            await walk(session_with(agent, limits, retries=0, timeout=1.0))
    assert list(limits.lines()) == []


def test_a_request_id_that_is_not_cut_is_another_one() -> None:
    assert usable_bits(0x12345678, 0x5678) == 15
    assert usable_bits(0x1234FFFE, -2) == 15
    assert usable_bits(0x12345678, 0x12345677) == 0
    assert usable_bits(0x12345678, 0x99345678) == 0


async def test_an_answer_with_another_request_id_is_named() -> None:
    behaviour = Behaviour("odd", lambda r: [r.response(r.echo, number=4711)])
    async with HostileAgent(behaviour) as agent:
        with pytest.raises(SnmpTimeout, match="an answer came with request-id 4711 instead of"):
            await walk(session_with(agent, AgentLimits()))


# ------------------------------------------------------------------------------------------------------- from elsewhere


@pytest.mark.parametrize("retries", [0, 1])
async def test_authenticated_answers_from_elsewhere_are_used_and_remembered(retries: int) -> None:
    limits = AgentLimits()
    async with ElsewhereAgent(user=USER) as agent:
        if not retries:
            with pytest.raises(SnmpTimeout):
                await walk(session_with(agent, limits, user=USER, retries=0), Version.V3)
        await walk(session_with(agent, limits, user=USER, retries=retries, timeout=0.2), Version.V3)
        assert limits.answers_from == agent.answers_from
        session = session_with(agent, limits, user=USER, retries=0, timeout=1.0)
        walks = await walk(session, Version.V3)
    assert (walks.failures, session.traffic.retried) == ({}, 0)


@pytest.mark.parametrize("user", [None, User("joe")])
async def test_other_answers_from_elsewhere_count_only_where_allowed(user: User | None) -> None:
    version = Version.V3 if user else Version.V2C
    async with ElsewhereAgent(user=user) as agent:
        with pytest.raises(SnmpTimeout, match=f"an answer came from {agent.answers_from} instead"):
            await walk(session_with(agent, AgentLimits(), user=user), version)
        walks = await walk(session_with(agent, AgentLimits(), user=user, connected=False, timeout=1.0), version)
    assert (walks.failures, walks._scanner.varbind_count) == ({}, 120)


# ---------------------------------------------------------------------------------------------------------------- hints


async def test_an_agent_that_has_answered_is_not_said_to_have_another_community() -> None:
    limits, sleeping = AgentLimits(), [False]
    async with SilentAgent(lambda *_: not sleeping[0]) as agent:
        await walk(session_with(agent, limits))
        sleeping[0] = True
        with pytest.raises(SnmpTimeout, match=r"no answer to 2 requests of 0.05 s: GETBULK of 25 .*answered 0 s ago"):
            await walk(session_with(agent, limits))


async def test_a_timeout_names_what_was_tried() -> None:
    async with SilentAgent(lambda pdu, _: pdu.type == ber.GET) as agent:
        limits = AgentLimits()
        async with session_with(agent, limits) as session:
            await session.run(GetOperation([oid.encode(SYS_DESCR)], limits=limits))
            walks = WalkOperation([Subtree(ROOT)], ber.Scanner([ROOT]), version=Version.V2C, limits=limits)
            with pytest.raises(SnmpTimeout) as caught:
                await session.run(walks)
    tried = "GETBULK of 25 repetitions, then GETBULK of 10 repetitions, then GETNEXT of 1 object"
    assert caught.value.message == f"no answer to 3 requests of 0.05 s: {tried}"


def test_what_is_known_of_an_agent_belongs_to_its_address_and_credentials() -> None:
    limits = AgentLimits()
    limits.use_for("here")
    limits.answered_at, limits.request_id_bits = 7.0, 15
    limits.use_for("here")
    assert (limits.answered_at, limits.request_id_bits) == (7.0, 15)
    limits.use_for("there")
    assert (limits.answered_at, limits.request_id_bits) == (0.0, 31)


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0 s"), (119, "119 s"), (600, "10 min"), (86_400, "24 h")])
def test_an_age_has_a_fitting_unit(seconds: float, text: str) -> None:
    assert describe_age(seconds) == text


async def test_a_timeout_names_only_requests_that_were_sent() -> None:
    limits = AgentLimits()
    async with HostileAgent(silent_after(0)) as agent:
        for tried in ("GETBULK of 25 repetitions", "GETNEXT of 1 object"):
            with pytest.raises(SnmpTimeout, match=rf"1 request of [\d.]+ s: {tried} \("):
                await walk(session_with(agent, limits, retries=0))


SILENT = Behaviour("silent", lambda _: [])


def session_until(agent: HostileAgent, *, retries: int = 0, timeout: float = 0.1, deadline: float) -> Session:
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
        async with session_until(agent, retries=5, timeout=60, deadline=deadline) as session:
            with pytest.raises(SnmpTimeout, match="time limit of the poll"):
                await session.run(ask())


async def test_a_deadline_ends_an_agent_that_never_stops_answering() -> None:
    names = iter(range(1, 10**9))
    endless = Behaviour(
        "endless", lambda request: [request.response(ber.encode_varbind(oid.encode((1, 3, 6, next(names)))))]
    )
    async with HostileAgent(endless) as agent, asyncio.timeout(10):
        deadline = asyncio.get_running_loop().time() + 0.2
        async with session_until(agent, timeout=60, deadline=deadline) as session:
            with pytest.raises(SnmpTimeout, match="time limit of the poll"):
                await session.run(BrowseOperation(Subtree(oid.encode("1.3.6")), lambda _: None, version=Version.V1))


async def test_a_deadline_in_the_past_is_a_timeout() -> None:
    async with HostileAgent(SILENT) as agent, session_until(agent, timeout=60, deadline=0.0) as session:
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
        session_until(agent, timeout=timeout, retries=retries, deadline=deadline) as session,
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
        session_until(agent, timeout=0.02, retries=1, deadline=deadline) as session,
    ):
        with pytest.raises(SnmpTimeout, match=r"no answer to 2 requests of 0\.02 s.*community"):
            await session.run(ask())


@pytest.mark.parametrize(("waited", "cut"), [(0.0, True), (4.4, True), (4.6, False), (5.0, False)])
def test_an_attempt_that_the_deadline_ends_just_before_its_timeout_is_whole(waited: float, cut: bool) -> None:
    assert is_cut(waited, 5.0) is cut
