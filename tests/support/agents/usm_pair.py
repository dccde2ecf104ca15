"""A manager and an agent that talk USM without a network, for the tests of both."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import NamedTuple

import pytest

from promsnmp.sim.usm_agent import UsmAgent
from promsnmp.snmp import ber, oid
from promsnmp.snmp.ber import Malformed, Pdu
from promsnmp.snmp.credentials import AuthProtocol, PrivProtocol, SecurityLevel, User
from promsnmp.snmp.security import Resynchronise, Unauthentic
from promsnmp.snmp.v3 import message as usm_message
from promsnmp.snmp.v3.keys import KeyCache
from promsnmp.snmp.v3.message import Header
from promsnmp.snmp.v3.reports import Report
from promsnmp.snmp.v3.usm import EngineState, UsmModel

ENGINE_ID = bytes.fromhex("80001f8880a1b2c3d4e5")
NO_AUTH, AUTH, PRIV = SecurityLevel.NO_AUTH_NO_PRIV, SecurityLevel.AUTH_NO_PRIV, SecurityLevel.AUTH_PRIV
USER = User("joe", PRIV, AuthProtocol.SHA256, "auth-secret", PrivProtocol.AES256, "priv-secret")
KEYS = KeyCache()
REFUSALS = (Malformed, Unauthentic)
SYS_NAME = oid.encode("1.3.6.1.2.1.1.5.0")
VALUE = b"\x04\x06router"


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Pair(NamedTuple):
    """A manager and its agent."""

    model: UsmModel
    agent: UsmAgent
    engine: EngineState
    clock: Clock

    def exchange(self) -> bytes:
        """The agent's datagram for a new request of the manager."""
        return self.send(self.model.encode(request(next(REQUEST_IDS))))

    def send(self, datagram: bytes) -> bytes:
        """The agent's answer to a datagram of the manager."""
        response = self.agent.handle(datagram, respond)
        assert response is not None
        return response

    def discover(self) -> int:
        """Runs engine discovery; returns the number of exchanges."""
        for count in itertools.count():
            if self.model.ready():
                return count
            with pytest.raises(Resynchronise):
                self.model.decode(self.send(self.model.discovery()))
        raise AssertionError("not reached")


REQUEST_IDS = itertools.count(1)


def request(request_id: int) -> bytes:
    return ber.encode_pdu(ber.GET, request_id, 0, 0, ber.encode_varbind(SYS_NAME))


def respond(pdu: Pdu, _: bytes) -> bytes:
    return ber.encode_pdu(ber.RESPONSE, pdu.request_id, 0, 0, ber.encode_varbind(SYS_NAME, VALUE))


def pair(user: User = USER, *, agent_user: User | None = None, contexts: set[str] | None = None) -> Pair:
    clock, engine = Clock(), EngineState()
    agent = UsmAgent(
        [agent_user or user], engine_id=ENGINE_ID, boots=5, time=10_000, contexts=contexts, keys=KEYS, clock=clock
    )
    return Pair(UsmModel(user, engine=engine, keys=KEYS, clock=clock), agent, engine, clock)


def ready(user: User = USER) -> Pair:
    discovered = pair(user)
    discovered.discover()
    return discovered


def value_of(model: UsmModel, datagram: bytes) -> bytes:
    buffer, pdu = model.decode(datagram)
    return ber.varbinds(buffer, pdu.start, pdu.end)[0].value


def sent_header(datagram: bytes) -> Header:
    return usm_message.parse_message(datagram).header


def answer_with(peers: Pair, change: Callable[[Header], Header], *, pdu: bytes | None = None) -> bytes:
    """The agent's answer to a new request, its header changed by ``change``, properly encrypted and signed."""
    sent = sent_header(peers.model.encode(request(7)))
    mine = sent._replace(reportable=False, boots=peers.agent.boots, time=peers.agent.time)
    return peers.agent.secure(change(mine), pdu or respond(Pdu(ber.GET, 7, 0, 0, 0, 0), b""))


def report_pdu(report: Report) -> bytes:
    value = ber.encode_integer(1, ber.COUNTER32)
    return ber.encode_pdu(ber.REPORT, 0, 0, 0, ber.encode_varbind(report.counter, value))
