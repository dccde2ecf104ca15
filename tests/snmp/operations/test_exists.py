"""Testing which of many subtrees exist."""

from __future__ import annotations

import pytest

from promsnmp.sim.agent import SimulatedAgent
from promsnmp.sim.mib import Mib
from promsnmp.snmp import ber, oid
from promsnmp.snmp.credentials import Community, Version
from promsnmp.snmp.operations.base import AgentLimits
from promsnmp.snmp.operations.exists import ROOTS_PER_REQUEST, ExistsOperation
from promsnmp.snmp.security import CommunityModel
from promsnmp.snmp.session import Session
from promsnmp.snmp.transport import SnmpEndpoint

THERE = {
    "1.3.6.1.2.1.1.1.0": ber.tlv(ber.OCTET_STRING, b"x"),
    "1.3.6.1.2.1.2.2.1.1.1": ber.encode_integer(1),
    "1.3.6.1.2.1.47.1.1.1.1.2.1": ber.tlv(ber.OCTET_STRING, b"y" * 60),
}
WANTED = {"1.3.6.1.2.1.1": True, "1.3.6.1.2.1.1.1.0": False, "1.3.6.1.2.1.2.2": True, "1.3.6.1.2.1.3": False,
          "1.3.6.1.2.1.47.1": True, "1.3.6.1.4.1.9": False}  # fmt: skip


async def presence(agent: SimulatedAgent, roots: list[str], version: Version, limits: AgentLimits) -> dict[str, bool]:
    asked = ExistsOperation([oid.encode(one) for one in roots], limits=limits)
    endpoint, security = SnmpEndpoint("127.0.0.1", agent.port), CommunityModel(Community(version, "public"))
    async with Session(endpoint, security, timeout=2, retries=0) as session:
        await session.run(asked)
    return {oid.to_text(root): there for root, there in asked.present.items()}


@pytest.mark.parametrize("version", [Version.V1, Version.V2C])
async def test_each_subtree_is_reported_as_present_or_not(version: Version) -> None:
    async with SimulatedAgent(Mib.of(THERE)) as agent:
        assert await presence(agent, list(WANTED), version, AgentLimits()) == WANTED


async def test_one_packet_asks_for_many() -> None:
    async with SimulatedAgent(Mib.of(THERE)) as agent:
        await presence(agent, list(WANTED), Version.V2C, AgentLimits())
        assert agent.requests == 1


async def test_too_big_splits_the_request_and_is_remembered() -> None:
    limits = AgentLimits()
    roots = [f"1.3.6.1.2.1.47.1.1.1.1.1.{at}" for at in range(ROOTS_PER_REQUEST)]
    async with SimulatedAgent(Mib.of(THERE), max_message=600) as agent:
        found = await presence(agent, [*roots, "1.3.6.1.2.1.47"], Version.V2C, limits)
        assert found == {**dict.fromkeys(roots, False), "1.3.6.1.2.1.47": True}
        assert 2 < agent.requests < ROOTS_PER_REQUEST


async def test_roots_asked_for_twice_are_one() -> None:
    async with SimulatedAgent(Mib.of(THERE)) as agent:
        assert await presence(agent, ["1.3.6.1.2.1.1"] * 3, Version.V2C, AgentLimits()) == {"1.3.6.1.2.1.1": True}


def ask(asked: ExistsOperation) -> list[bytes]:
    """The OIDs of the next request."""
    pdu = asked.next_pdu(1)
    if pdu is None:
        return []
    read = ber.read_pdu(pdu, 0, len(pdu))
    return [one.oid for one in ber.varbinds(pdu, read.start, read.end)]


def tell(asked: ExistsOperation, oids: list[bytes], *, status: int = 0, index: int = 0) -> None:
    body = b"".join(ber.encode_varbind(one, ber.encode_integer(1)) for one in oids)
    pdu = ber.encode_pdu(ber.RESPONSE, 1, status, index, body)
    asked.handle_response(pdu, ber.read_pdu(pdu, 0, len(pdu)))


A, B = oid.encode("1.3.6.1.2.1.1"), oid.encode("1.3.6.1.2.1.2")


def test_an_error_that_points_at_a_root_leaves_only_that_root_unknown() -> None:
    asked = ExistsOperation([A, B], limits=AgentLimits())
    assert ask(asked) == [A, B]
    tell(asked, [A, B], status=5, index=1)
    assert ask(asked) == [B]
    tell(asked, [B + b"\x01"])
    assert ask(asked) == []
    assert asked.present == {B: True}


def test_an_error_without_an_index_is_narrowed_down_to_one_root() -> None:
    asked = ExistsOperation([A, B], limits=AgentLimits())
    ask(asked)
    tell(asked, [], status=5)
    assert ask(asked) == [A]
    tell(asked, [], status=5)
    assert ask(asked) == [B]
    tell(asked, [B])
    assert asked.present == {B: True}


def test_an_answer_of_another_length_is_asked_again() -> None:
    asked = ExistsOperation([A, B], limits=AgentLimits())
    ask(asked)
    tell(asked, [B + b"\x01"])
    assert ask(asked) == [A]
    tell(asked, [A + b"\x01"])
    assert ask(asked) == [B]
    tell(asked, [A + b"\x01", B + b"\x01"])
    assert ask(asked) == []
    assert asked.present == {A: True}


def test_an_index_beyond_the_request_is_ignored() -> None:
    asked = ExistsOperation([A], limits=AgentLimits())
    ask(asked)
    tell(asked, [], status=2, index=7)
    assert ask(asked) == []
    assert asked.present == {A: False}


C, D = oid.encode("1.3.6.1.4.1.9"), oid.encode("1.3.6.1.4.1.14988")


def test_roots_are_asked_in_the_order_of_the_mib_not_of_their_octets() -> None:
    first, second = oid.encode("1.3.16383"), oid.encode("1.3.16384")
    assert first > second
    asked = ExistsOperation([second, first], limits=AgentLimits())
    assert ask(asked) == [first, second]


def test_after_the_end_of_the_mib_only_the_last_root_is_asked() -> None:
    asked = ExistsOperation([A, B, C, D], limits=AgentLimits())
    assert ask(asked) == [A, B, C, D]
    tell(asked, [], status=2, index=2)
    assert ask(asked) == [A]
    tell(asked, [A + b"\x01"])
    assert ask(asked) == [D]
    tell(asked, [], status=2, index=1)
    assert ask(asked) == []
    assert asked.present == {A: True, B: False, C: False, D: False}


@pytest.mark.parametrize("status", [0, 5])
def test_an_agent_with_objects_after_its_end_is_asked_for_each_root(status: int) -> None:
    asked = ExistsOperation([A, B, C, D], limits=AgentLimits())
    ask(asked)
    tell(asked, [], status=2, index=1)
    assert ask(asked) == [D]
    tell(asked, [D + b"\x01"], status=status, index=int(status > 0))
    assert ask(asked) == [A, B, C]
    tell(asked, [], status=2, index=1)
    for root in (A, B, C):
        assert ask(asked) == [root]
        tell(asked, [root + b"\x01"] if root == C else [], status=0 if root == C else 2, index=int(root != C))
    assert ask(asked) == []
    assert asked.present == {A: False, B: False, C: True} | ({} if status else {D: True})


async def test_a_v1_agent_costs_hardly_more_than_others() -> None:
    roots = [f"1.3.6.1.2.1.{number}" for number in range(1, 60)]
    async with SimulatedAgent(Mib.of(THERE)) as agent:
        found = await presence(agent, roots, Version.V1, AgentLimits())
        assert {root for root, there in found.items() if there} == {f"1.3.6.1.2.1.{number}" for number in (1, 2, 47)}
        assert len(found) == len(roots)
        assert agent.requests <= 7
