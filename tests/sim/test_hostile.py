"""The hostile agent does what its behaviours say, and nothing else."""

from __future__ import annotations

import asyncio
import subprocess

import pytest

from promsnmp.snmp import ber, oid
from tests.support.agents.behaviours import (
    BEHAVIOURS,
    late,
    no_such_name_mid_walk,
    silent_after,
    too_big_above,
    truncated,
)
from tests.support.agents.hostile import HONEST, IF_ENTRY, Behaviour, HostileAgent, after
from tests.support.agents.threads import running
from tests.support.tools import require_tool

HONESTLY = Behaviour("honest", lambda request: [request.honest], is_harmless=True)


def bulk(name: str = IF_ENTRY, *, repetitions: int = 25, request_id: int = 77, pdu_type: int = ber.GET_BULK) -> bytes:
    pdu = ber.encode_pdu(pdu_type, request_id, 0, repetitions, ber.encode_varbind(oid.encode(name)))
    version = 1 if pdu_type == ber.GET_BULK else 0
    return ber.tlv(ber.SEQUENCE, ber.encode_integer(version) + ber.tlv(ber.OCTET_STRING, b"public") + pdu)


def honest_answer(request: bytes) -> bytes:
    return HostileAgent(HONESTLY).replies(request)[0].datagram


@pytest.mark.parametrize("behaviour", BEHAVIOURS, ids=str)
@pytest.mark.parametrize("pdu_type", [ber.GET_BULK, ber.GET_NEXT], ids=["bulk", "next"])
def test_every_behaviour_answers_a_whole_walk_of_requests(behaviour: Behaviour, pdu_type: int) -> None:
    agent = HostileAgent(behaviour)
    names = [IF_ENTRY, f"{IF_ENTRY}.1.25", f"{IF_ENTRY}.10.40", "1.3.6.1.9", "1.3.6.1.9.9"]
    for name in names:
        for reply in agent.replies(bulk(name, pdu_type=pdu_type)):
            assert len(reply.datagram) < 65_507
    assert len(agent.requests) == len(names)


def test_names_of_behaviours_are_unique() -> None:
    names = [behaviour.name for behaviour in BEHAVIOURS]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("behaviour", [one for one in BEHAVIOURS if one.is_harmless and one.mib is None], ids=str)
def test_harmless_behaviours_also_send_the_right_answer(behaviour: Behaviour) -> None:
    request = bulk(repetitions=3)
    sent = [reply.datagram for reply in HostileAgent(behaviour).replies(request) if not reply.another]
    assert any(datagram.endswith(honest_answer(request)[-30:]) for datagram in sent)


@pytest.mark.parametrize("behaviour", [one for one in BEHAVIOURS if not one.is_harmless and one.mib is None], ids=str)
def test_other_behaviours_do_not_send_the_right_answer_from_the_right_socket(behaviour: Behaviour) -> None:
    request = bulk()
    agent = HostileAgent(behaviour)
    replies = [reply for _ in range(4) for reply in agent.replies(request)]
    assert any(reply.another or reply.datagram != honest_answer(request) for reply in replies) or len(replies) < 4


async def test_the_wrong_source_is_another_socket() -> None:
    behaviour = next(one for one in BEHAVIOURS if one.name == "wrong_source")
    async with HostileAgent(behaviour) as agent:
        loop = asyncio.get_running_loop()
        received: asyncio.Future[tuple[bytes, tuple[str, int]]] = loop.create_future()

        class Client(asyncio.DatagramProtocol):
            def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
                received.set_result((data, addr))

        transport, _ = await loop.create_datagram_endpoint(Client, local_addr=("127.0.0.1", 0))
        transport.sendto(bulk(), (agent.address, agent.port))
        data, source = await asyncio.wait_for(received, 5)
        transport.close()
        assert data == honest_answer(bulk())
        assert source[1] != agent.port


def test_after_is_honest_first() -> None:
    agent = HostileAgent(after(2, truncated(3)))
    lengths = [len(agent.replies(bulk())[0].datagram) for _ in range(3)]
    assert lengths[0] == lengths[1] > 3
    assert lengths[2] == 3


def test_silent_after_some_requests_says_nothing_more() -> None:
    agent = HostileAgent(silent_after(1))
    assert [len(agent.replies(bulk())) for _ in range(3)] == [1, 0, 0]


def test_late_answers_are_delayed() -> None:
    assert HostileAgent(late(0.7)).replies(bulk())[0].delay == 0.7


def test_wrong_communities_get_no_answer() -> None:
    assert HostileAgent(HONESTLY, community="secret").replies(bulk()) == []


@pytest.mark.parametrize("version", ["-v1", "-v2c"])
def test_net_snmp_walks_the_honest_agent(version: str) -> None:
    agent = HostileAgent(HONESTLY)
    output = walk(agent, version, "-Cc")
    assert len(output.splitlines()) == 120


def test_net_snmp_ends_a_walk_at_no_such_name() -> None:
    assert len(walk(HostileAgent(no_such_name_mid_walk(2)), "-v1", "-Ci").splitlines()) <= 4


def test_too_big_ends_with_fewer_repetitions() -> None:
    agent = HostileAgent(too_big_above(10))
    assert status_of(agent.replies(bulk(repetitions=11))[0].datagram) == 1
    assert status_of(agent.replies(bulk(repetitions=10))[0].datagram) == 0


def test_the_honest_agent_has_what_tests_compare_with() -> None:
    assert HONEST.get(oid.encode(f"{IF_ENTRY}.10.7")) == ber.encode_integer(7000, ber.COUNTER32)


def status_of(datagram: bytes) -> int:
    start, end = ber.read(datagram, 0, len(datagram), ber.SEQUENCE)
    _, at = ber.read_integer(datagram, start, end)
    _, at = ber.read(datagram, at, end, ber.OCTET_STRING)
    return ber.read_pdu(datagram, at, end).status


def walk(agent: HostileAgent, *options: str) -> str:
    tool = require_tool("snmpwalk", package="snmp")
    with running(agent):
        command = [tool, *options, "-c", "public", "-On", "-t1", "-r0", agent.target, IF_ENTRY]
        return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False).stdout
