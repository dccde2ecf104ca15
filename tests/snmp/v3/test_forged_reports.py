"""Forged reports: whoever is on the path can answer first, but neither end a poll nor change the known engine."""

from __future__ import annotations

import socket
import time
from dataclasses import replace

import pytest

from promsnmp.errors import AuthenticationError, SnmpError
from promsnmp.sim.agent import Peer, SimulatedAgent
from promsnmp.snmp import oid
from promsnmp.snmp.credentials import User
from promsnmp.snmp.operations.base import AgentLimits
from promsnmp.snmp.operations.get import GetOperation
from promsnmp.snmp.security import Resynchronise, Unauthentic
from promsnmp.snmp.session import Session
from promsnmp.snmp.transport import SnmpEndpoint
from promsnmp.snmp.v3 import message as usm_message
from promsnmp.snmp.v3.crypto import SecurityProtocols
from promsnmp.snmp.v3.engine import EngineState
from promsnmp.snmp.v3.keys import KeyCache
from promsnmp.snmp.v3.message import Header
from promsnmp.snmp.v3.reports import UNPROTECTED, Report
from promsnmp.snmp.v3.usm import UsmModel
from tests.support.agents.hostile import HONEST, SYS_DESCR
from tests.support.agents.usm_pair import AUTH, ENGINE_ID, NO_AUTH, USER, Pair, ready, report_pdu, request, value_of

FORGED = b"a forged engine"
REPORTS = sorted(UNPROTECTED, key=str)
USERS = [User("joe"), replace(USER, level=AUTH), USER]


def forged(sent: bytes, report: Report, engine_id: bytes = FORGED) -> bytes:
    """A report that anybody can make who has seen a message."""
    header = usm_message.parse_message(sent).header
    mine = Header(header.msg_id, NO_AUTH, False, engine_id, 99, 99, header.user)
    scoped = usm_message.encode_scoped_pdu(engine_id, b"", report_pdu(report))
    return usm_message.build_message(mine, scoped, SecurityProtocols(), 0)


def proven(user: User) -> Pair:
    """A manager whose engine has answered."""
    made = ready(user)
    assert value_of(made.model, made.exchange()) == b"router"
    return made


@pytest.mark.parametrize("user", USERS, ids=lambda user: user.level.name)
@pytest.mark.parametrize("report", REPORTS, ids=str)
def test_a_forged_report_changes_nothing_and_the_answer_still_counts(user: User, report: Report) -> None:
    made = proven(user)
    before = replace(made.engine)
    sent = made.model.encode(request(77))
    with pytest.raises((Unauthentic, Resynchronise)):
        made.model.decode(forged(sent, report))
    assert (made.engine.engine_id, made.engine.boots, made.engine.time) == (ENGINE_ID, before.boots, before.time)
    assert value_of(made.model, made.send(sent)) == b"router"


@pytest.mark.parametrize("user", USERS, ids=lambda user: user.level.name)
def test_an_engine_that_a_report_names_is_asked_to_prove_itself_once(user: User) -> None:
    made = proven(user)
    sent = made.model.encode(request(77))
    with pytest.raises(Resynchronise):
        made.model.decode(forged(sent, Report.UNKNOWN_ENGINE))
    probe = made.model.encode(request(77)) if made.model.ready() else made.model.discovery()
    assert usm_message.parse_message(probe).header.engine_id == FORGED
    assert made.model.ready()
    assert usm_message.parse_message(made.model.encode(request(77))).header.engine_id == ENGINE_ID
    assert value_of(made.model, made.send(sent)) == b"router"
    assert made.engine.engine_id == ENGINE_ID


@pytest.mark.parametrize("user", USERS, ids=lambda user: user.level.name)
def test_a_replaced_device_proves_itself_and_is_followed(user: User) -> None:
    made = proven(user)
    made.agent.engine_id, made.agent.boots, made.agent.time = b"the new device", 1, 20
    with pytest.raises(Resynchronise):
        made.model.decode(made.exchange())
    assert made.engine.engine_id == ENGINE_ID
    if user.level != NO_AUTH:
        with pytest.raises(Resynchronise):
            made.model.decode(made.send(made.model.discovery()))
    assert value_of(made.model, made.exchange()) == b"router"
    assert made.engine.engine_id == b"the new device"


def test_at_discovery_the_right_answer_counts_after_a_forged_one() -> None:
    made = ready()
    made.engine.set_engine_id(b"")
    sent = made.model.discovery()
    with pytest.raises(Resynchronise):
        made.model.decode(forged(sent, Report.UNKNOWN_ENGINE))
    with pytest.raises(Resynchronise):
        made.model.decode(made.send(sent))
    assert made.engine.engine_id == ENGINE_ID
    made.discover()
    assert value_of(made.model, made.exchange()) == b"router"


# ------------------------------------------------------------------------------------------------------ over a network


class WatchedAgent(SimulatedAgent):
    """An agent on whose network somebody answers every message first, with ``report``."""

    report: Report | None = None
    requests_seen = 0
    is_silent = False

    def answer(self, datagram: bytes) -> bytes | None:
        self._seen = datagram
        self.requests_seen += 1
        return b"" if self.is_silent else super().answer(datagram)

    def _send(self, opened: socket.socket, answer: bytes, peer: Peer) -> None:
        if self.report is not None:
            for number in range(3):
                super()._send(opened, forged(self._seen, self.report, b"forged %d" % number), peer)
        if answer:
            super()._send(opened, answer, peer)


async def describe(agent: SimulatedAgent, engine: EngineState, user: User = USER, timeout: float = 5.0) -> bytes:
    """The value of sysDescr."""
    endpoint, name = SnmpEndpoint(agent.address, agent.port), oid.encode(SYS_DESCR)
    gets = GetOperation([name], limits=AgentLimits())
    model = UsmModel(user, engine=engine, keys=KeyCache())
    async with Session(endpoint, model, timeout=timeout, retries=1) as session:
        await session.run(gets)
    return gets.varbinds[0].value


@pytest.mark.parametrize("report", REPORTS, ids=str)
async def test_a_poll_survives_somebody_who_answers_first(report: Report) -> None:
    async with WatchedAgent(HONEST, users=[USER]) as agent:
        engine = EngineState()
        assert await describe(agent, engine) == b"honest"
        known = engine.engine_id
        agent.report = report
        assert await describe(agent, engine) == b"honest"
        assert engine.engine_id == known


@pytest.mark.parametrize("report", REPORTS, ids=str)
async def test_so_does_the_first_poll(report: Report) -> None:
    async with WatchedAgent(HONEST, users=[USER]) as agent:
        agent.report = report
        assert await describe(agent, EngineState()) == b"honest"


async def test_wrong_credentials_are_reported_after_a_short_wait_and_one_request() -> None:
    async with WatchedAgent(HONEST, users=[USER]) as agent:
        began = time.monotonic()
        with pytest.raises(AuthenticationError, match="does not know user 'eve'"):
            await describe(agent, EngineState(), replace(USER, name="eve"), timeout=30.0)
        assert time.monotonic() - began < 20
        assert agent.requests_seen == 2  # discovery, and the refused request


async def test_refusals_of_credentials_that_have_worked_end_only_after_all_retries() -> None:
    async with WatchedAgent(HONEST, users=[USER]) as agent:
        engine = EngineState()
        await describe(agent, engine)
        agent.report, agent.is_silent, before = Report.UNKNOWN_USER, True, agent.requests_seen

        with pytest.raises(SnmpError, match="does not know user"):
            await describe(agent, engine, timeout=0.2)
        assert agent.requests_seen - before == 2
        assert engine.is_proven
