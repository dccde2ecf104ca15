"""v3 agents that break a rule but are authentic: their clock, their time reports, octets behind their messages."""

from __future__ import annotations

from dataclasses import replace

import pytest

from promsnmp.errors import AuthenticationError
from promsnmp.sim.agent import SimulatedAgent
from promsnmp.snmp import ber, oid
from promsnmp.snmp.credentials import SecurityLevel, User, Version
from promsnmp.snmp.operations.browse import BrowseOperation
from promsnmp.snmp.operations.walk import Subtree
from promsnmp.snmp.security import Resynchronise, Unauthentic
from promsnmp.snmp.session import Session
from promsnmp.snmp.transport import SnmpEndpoint
from promsnmp.snmp.v3 import message as usm_message
from promsnmp.snmp.v3.crypto import SecurityProtocols
from promsnmp.snmp.v3.engine import MAX_BOOTS, EngineState
from promsnmp.snmp.v3.message import Header
from promsnmp.snmp.v3.reports import Report
from promsnmp.snmp.v3.usm import UsmModel
from tests.support.agents.hostile import HONEST, IF_ENTRY
from tests.support.agents.silent import KEYS, SilentAgent
from tests.support.agents.usm_pair import (
    ENGINE_ID,
    NO_AUTH,
    USER,
    Pair,
    answer_with,
    pair,
    ready,
    report_pdu,
    request,
    value_of,
)


async def browse(agent: SimulatedAgent, engine: EngineState, *, user: User = USER) -> tuple[int, Session]:
    """How many objects are read, and the session."""
    taken: list[ber.VarBind] = []
    operation = BrowseOperation(Subtree(oid.encode(IF_ENTRY)), taken.extend, version=Version.V3)
    endpoint = SnmpEndpoint(agent.address, agent.port)
    model = UsmModel(user, engine=engine, keys=KEYS)
    async with Session(endpoint, model, timeout=1.0, retries=0) as session:
        await session.run(operation)
    return len(taken), session


# ------------------------------------------------------------------------------------------------ octets behind


@pytest.mark.parametrize("level", SecurityLevel)
@pytest.mark.parametrize("behind", [b"\0", b"\x05\0", bytes(40)])
async def test_octets_behind_the_message_are_ignored(level: SecurityLevel, behind: bytes) -> None:
    user = replace(USER, level=level)
    async with SilentAgent(behind=behind, user=user) as agent:
        count, session = await browse(agent, EngineState(), user=user)
    assert (count, session.traffic.discarded) == (120, {})


# ------------------------------------------------------------------------------------------------ cut msgIDs


@pytest.mark.parametrize("level", SecurityLevel)
@pytest.mark.parametrize("bits", [24, 16, 8])
async def test_an_agent_that_cuts_msg_ids_is_read_and_known_from_then_on(level: SecurityLevel, bits: int) -> None:
    user, engine = replace(USER, level=level), EngineState()
    async with SilentAgent(msg_id_bits=bits, user=user) as agent:
        count, _ = await browse(agent, engine, user=user)
        assert (count, engine.msg_id_bits) == (120, bits - 1)
        assert list(engine.lines()) == [f"msgIDs are cut: those sent have {bits - 1} bits now"]
        packets = agent.requests
        assert (await browse(agent, engine, user=user))[0] == 120
        assert agent.requests - packets == 5  # none of them again


def test_an_answer_with_a_cut_msg_id_counts_for_nothing_itself() -> None:
    made = ready()
    answer = answer_with(made, lambda header: header._replace(msg_id=header.msg_id & 0xFFFF))
    with pytest.raises(Resynchronise) as raised:
        made.model.decode(answer)
    assert not raised.value.authentic
    assert made.engine.msg_id_bits == 31
    assert value_of(made.model, answer_with(made, lambda header: header)) == b"router"
    assert made.engine.msg_id_bits == 15


def test_a_forged_answer_with_a_cut_msg_id_does_not_end_the_wait_for_the_true_one() -> None:
    made = ready()
    sent = made.model.encode(request(7))
    number = usm_message.parse_message(sent).header.msg_id
    forged = Header(number & 0xFF, NO_AUTH, False, b"evil", 1, 1, b"joe")
    scoped = usm_message.encode_scoped_pdu(b"evil", b"", report_pdu(Report.UNKNOWN_ENGINE))
    with pytest.raises(Resynchronise):
        made.model.decode(usm_message.build_message(forged, scoped, SecurityProtocols(), 0))
    assert value_of(made.model, made.send(sent)) == b"router"


# ------------------------------------------------------------------------------------------------ time reports


def unsigned_report(made: Pair, sent: bytes, *, boots: int, time: int, engine_id: bytes = ENGINE_ID) -> bytes:
    """A notInTimeWindow report without authentication, which anybody could have sent."""
    header = usm_message.parse_message(sent).header
    mine = Header(header.msg_id, NO_AUTH, False, engine_id, boots, time, header.user)
    scoped = usm_message.encode_scoped_pdu(engine_id, b"", report_pdu(Report.NOT_IN_TIME_WINDOW))
    return usm_message.build_message(mine, scoped, SecurityProtocols(), 0)


class UnsignedTime(SimulatedAgent):
    """Sends its reports about the time without authentication."""

    def answer(self, datagram: bytes) -> bytes | None:
        usm = self.usm
        assert usm is not None
        before = usm.reported[Report.NOT_IN_TIME_WINDOW]
        answer = super().answer(datagram)
        if usm.reported[Report.NOT_IN_TIME_WINDOW] == before:
            return answer
        made = Pair(None, usm, None, None)  # type: ignore[arg-type]  # the report needs none of them
        return unsigned_report(made, datagram, boots=usm.boots, time=usm.time, engine_id=usm.engine_id)


@pytest.mark.parametrize("level", [SecurityLevel.AUTH_NO_PRIV, SecurityLevel.AUTH_PRIV])
async def test_an_agent_that_does_not_sign_its_time_is_read_also_after_a_reboot(level: SecurityLevel) -> None:
    user, engine = replace(USER, level=level), EngineState()
    async with UnsignedTime(HONEST, users=[user], keys=KEYS) as agent:
        assert agent.usm is not None
        for boots, time in ((7, 50_000), (8, 0), (1, 0)):  # the last reboot loses the boots
            agent.usm.boots, agent.usm.time = boots, time
            count, session = await browse(agent, engine, user=user)
            assert (count, session.traffic.retried) == (120, 0)
            assert (engine.boots, engine.synchronised) == (boots, True)


def test_an_unsigned_time_changes_nothing_until_an_answer_confirms_it() -> None:
    made = ready()
    before = replace(made.engine)
    sent = made.model.encode(request(7))
    with pytest.raises(Resynchronise) as caught:
        made.model.decode(unsigned_report(made, sent, boots=99, time=1))
    assert not caught.value.authentic
    assert replace(made.engine, salt=before.salt) == before
    again = made.model.encode(request(7))
    assert usm_message.parse_message(again).header[4:6] == (99, 1)
    assert value_of(made.model, made.send(sent)) == b"router"  # the answer to the first one still counts
    assert made.engine.boots == before.boots


def test_a_guess_is_used_once() -> None:
    made = ready()
    sent = made.model.encode(request(7))
    with pytest.raises(Resynchronise):
        made.model.decode(unsigned_report(made, sent, boots=99, time=1))
    made.model.encode(request(7))
    assert usm_message.parse_message(made.model.encode(request(7))).header.boots == made.engine.boots


def test_an_agent_that_refuses_its_own_time_is_named_with_it() -> None:
    made = ready()
    sent = made.model.encode(request(7))
    with pytest.raises(Resynchronise):
        made.model.decode(unsigned_report(made, sent, boots=99, time=1))
    again = made.model.encode(request(7))
    with pytest.raises(Unauthentic, match="boots 99, time 1"):
        made.model.decode(unsigned_report(made, again, boots=99, time=1))


def test_an_unsigned_time_of_another_engine_is_refused() -> None:
    made = ready()
    sent = made.model.encode(request(7))
    with pytest.raises(Unauthentic):
        made.model.decode(unsigned_report(made, sent, boots=99, time=1, engine_id=b"another"))


# ------------------------------------------------------------------------------------------------ clocks


def test_a_clock_that_stands_still_costs_one_more_packet() -> None:
    made = pair()
    made.agent._refusal = lambda *_: None  # type: ignore[method-assign]  # it checks no time
    made.engine.set_engine_id(ENGINE_ID)
    made.engine.set_clock(5, 10_000, made.clock.now)
    made.clock.now += 1000
    made.agent.time = 10_000
    with pytest.raises(Resynchronise, match="boots 5, time 10000"):
        made.model.decode(made.exchange())
    assert value_of(made.model, made.exchange()) == b"router"


async def test_a_clock_that_jumps_at_every_answer_is_named() -> None:
    async with SimulatedAgent(HONEST, users=[USER], keys=KEYS) as agent:
        usm = agent.usm
        assert usm is not None
        refusal = usm._refusal
        usm._refusal = lambda *told: None if (why := refusal(*told)) is Report.NOT_IN_TIME_WINDOW else why  # type: ignore[method-assign]
        usm.boots, usm.time = 9, 1_000_000
        honest = agent.answer

        def back(datagram: bytes) -> bytes | None:
            usm.time -= 1000
            return honest(datagram)

        agent.answer = back  # type: ignore[method-assign]
        with pytest.raises(AuthenticationError, match=r"keeps changing.* boots 9, time 99\d+"):
            await browse(agent, EngineState())


def test_boots_at_their_maximum_are_refused() -> None:
    made = ready()
    with pytest.raises(Unauthentic, match="time window"):
        made.model.decode(answer_with(made, lambda header: header._replace(boots=MAX_BOOTS)))


# ------------------------------------------------------------------------------------------------ msgMaxSize


@pytest.mark.parametrize(("said", "used"), [(484, 484), (1500, 1500), (0, 484)])
def test_the_agents_largest_message_is_known(said: int, used: int) -> None:
    made = ready()
    value_of(made.model, answer_with(made, lambda header: header._replace(max_size=said)))
    assert made.model.max_message == used
