"""What the probe sends to one address, and what it concludes from the answers, without a network."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from promsnmp.discovery.scan.credential_probe import (
    SYS_NAME,
    SYS_OBJECT_ID,
    AgentAnswer,
    CandidateCredentials,
    Probe,
    ProbeStep,
)
from promsnmp.errors import AuthenticationError
from promsnmp.sim.agent import SimulatedAgent
from promsnmp.sim.mib import Mib
from promsnmp.snmp import ber
from promsnmp.snmp.credentials import Community, Credentials, SecurityLevel, User, Version
from tests.support.discovery.simulated_network import KEYS, MONITOR, PUBLIC
from tests.support.discovery.small_device import MIB


class Talk:
    """A probe and its agent; ``packets`` counts what it sent, ``errors`` has what it reported."""

    def __init__(self, agent: SimulatedAgent | None, *credentials: Credentials) -> None:
        self.errors: Counter[str] = Counter()
        self.packets = 0
        self.agent = agent
        candidates = [CandidateCredentials(one) for one in credentials]
        self.probe = Probe("192.0.2.1", 161, candidates, keys=KEYS, count=lambda kind: self.errors.update([kind]))

    def to_the_end(self) -> AgentAnswer | ProbeStep:
        for _ in range(100):
            self.packets += 1
            reply = self.agent.answer(self.probe.datagram()) if self.agent else None
            step = self.probe.on_datagram(reply) if reply is not None else self.probe.on_timeout()
            if isinstance(step, AgentAnswer) or step is ProbeStep.OVER:
                return step
        raise AssertionError("it never ends")


def found(talk: Talk) -> AgentAnswer:
    answer = talk.to_the_end()
    assert isinstance(answer, AgentAnswer)
    return answer


@pytest.mark.parametrize("version", [Version.V1, Version.V2C])
def test_one_packet_finds_a_community_and_the_system_group(version: Version) -> None:
    talk = Talk(SimulatedAgent(MIB), Community(version, "public"))
    answer = found(talk)
    assert (answer.address, answer.port, answer.credentials) == ("192.0.2.1", 161, Community(version, "public"))
    assert answer.varbinds[SYS_NAME].value == b"switch-1"
    assert (talk.packets, talk.probe.answered, dict(talk.errors)) == (1, True, {})


@pytest.mark.parametrize(("level", "packets"), [(1, 2), (2, 3), (3, 3)])
def test_a_user_is_found_after_engine_discovery(level: int, packets: int) -> None:
    user = replace(MONITOR, level=SecurityLevel(level))
    talk = Talk(SimulatedAgent(MIB, users=[user], engine_id=b"\x80\x00\x00\x01\x05abc"), user)
    answer = found(talk)
    assert answer.credentials == user
    assert answer.engine.engine_id == b"\x80\x00\x00\x01\x05abc"
    assert answer.varbinds[SYS_NAME].value == b"switch-1"
    assert talk.packets == packets


def test_credentials_are_tried_in_order_and_the_first_that_works_is_kept() -> None:
    agent = SimulatedAgent(MIB, community="right", users=[MONITOR])
    wrong, right = Community(Version.V2C, "wrong"), Community(Version.V2C, "right")
    assert found(Talk(agent, wrong, right, MONITOR)).credentials == right
    assert found(Talk(agent, MONITOR, right)).credentials == MONITOR
    assert found(Talk(agent, wrong, MONITOR, right)).credentials == MONITOR


@pytest.mark.parametrize(
    "wrong",
    [User("nobody"), replace(MONITOR, auth_passphrase="not the right one"), replace(MONITOR, name="stranger"),
     replace(MONITOR, priv_passphrase="not the right one")],
)  # fmt: skip
def test_a_user_that_the_agent_rejects_is_skipped(wrong: User) -> None:
    agent = SimulatedAgent(MIB, versions=[Version.V3], users=[MONITOR])
    assert found(Talk(agent, wrong, MONITOR)).credentials == MONITOR
    talk = Talk(agent, wrong)
    assert talk.to_the_end() is ProbeStep.OVER
    assert talk.probe.answered
    assert set(talk.errors) <= {"authentication"}


def test_silence_of_engine_discovery_is_silence_for_all_users() -> None:
    other = replace(MONITOR, name="other")
    assert Talk(None, MONITOR, other, PUBLIC).to_the_end() is ProbeStep.OVER
    agent = SimulatedAgent(MIB, versions=[Version.V2C])
    talk = Talk(agent, MONITOR, other, PUBLIC)
    assert found(talk).credentials == PUBLIC
    assert talk.packets == 2
    assert not talk.errors


def test_accepted_credentials_that_see_nothing_are_not_enough() -> None:
    talk = Talk(SimulatedAgent(Mib.of({"1.3.6.1.9.1.0": ber.encode_integer(1)})), PUBLIC)
    assert talk.to_the_end() is ProbeStep.OVER
    assert (talk.probe.answered, dict(talk.errors)) == (True, {"empty": 1})


def test_an_agent_of_v1_that_lacks_one_object_is_asked_for_the_others() -> None:
    some = Mib.of({name: value for name, value in MIB.objects.items() if name != SYS_OBJECT_ID})
    talk = Talk(SimulatedAgent(some), Community(Version.V1, "public"))
    assert found(talk).varbinds[SYS_NAME].value == b"switch-1"
    assert talk.packets == 2
    nothing = Talk(SimulatedAgent(Mib.of({"1.3.6.1.9.1.0": ber.encode_integer(1)})), Community(Version.V1, "public"))
    assert nothing.to_the_end() is ProbeStep.OVER
    assert (nothing.packets, dict(nothing.errors)) == (3, {"error_status": 1})


def test_an_agent_that_cannot_fit_its_answer_is_found_all_the_same() -> None:
    talk = Talk(SimulatedAgent(MIB, max_message=60), PUBLIC)
    assert found(talk).varbinds == {}


def test_an_answer_to_another_request_is_not_believed() -> None:
    talk = Talk(SimulatedAgent(MIB), PUBLIC)
    pdu = ber.encode_pdu(ber.RESPONSE, 4711, 0, 0, ber.encode_varbind(SYS_NAME, ber.tlv(ber.OCTET_STRING, b"evil")))
    message = ber.tlv(ber.SEQUENCE, ber.encode_integer(1) + ber.tlv(ber.OCTET_STRING, b"public") + pdu)
    assert talk.probe.on_datagram(message) is ProbeStep.WAIT
    assert talk.probe.on_datagram(message.replace(b"public", b"publiz")) is ProbeStep.WAIT
    assert talk.probe.on_datagram(talk.probe.datagram()) is ProbeStep.WAIT  # an echo of the request
    assert talk.probe.on_datagram(b"GET / HTTP/1.0\r\n\r\n") is ProbeStep.WAIT
    assert dict(talk.errors) == {"unexpected": 2, "unauthentic": 1, "malformed": 1}
    assert not talk.probe.answered


def test_an_agent_that_keeps_reporting_another_engine_is_abandoned() -> None:
    agent = SimulatedAgent(MIB, versions=[Version.V3], users=[MONITOR])
    talk = Talk(agent, MONITOR)
    assert agent.usm is not None
    for number in range(20):
        agent.usm.engine_id = b"\x80\x00\x00\x01\x05" + bytes([number])
        reply = agent.answer(talk.probe.datagram())
        assert reply is not None
        if talk.probe.on_datagram(reply) is ProbeStep.OVER:
            break
    assert dict(talk.errors) == {"authentication": 1}


def test_credentials_without_a_passphrase_that_they_need_are_refused_at_once() -> None:
    with pytest.raises(AuthenticationError, match="has no priv passphrase"):
        CandidateCredentials(replace(MONITOR, priv_passphrase=""))
