"""Altered, truncated and random datagrams: none is accepted, and none harms the answer that follows."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promsnmp.snmp import ber
from promsnmp.snmp.ber import Pdu
from promsnmp.snmp.credentials import PrivProtocol, SecurityLevel
from promsnmp.snmp.security import Unauthentic
from promsnmp.snmp.v3 import message as usm_message
from promsnmp.snmp.v3.crypto import Authenticator, Encrypted, SecurityProtocols
from promsnmp.snmp.v3.message import Header
from tests.support.agents.usm_pair import (
    AUTH,
    ENGINE_ID,
    KEYS,
    NO_AUTH,
    PRIV,
    REFUSALS,
    USER,
    ready,
    request,
    respond,
    sent_header,
    value_of,
)

SHARED = ready()
"""One manager for all examples: their datagrams must not change it."""
SHARED_PDU = request(4711)
ANSWER = SHARED.send(SHARED.model.encode(SHARED_PDU))


@settings(max_examples=400)
@given(st.integers(0, len(ANSWER) - 1), st.integers(1, 255))
def test_an_answer_with_one_altered_octet_is_refused(at: int, mask: int) -> None:
    with pytest.raises(REFUSALS):
        SHARED.model.decode(ANSWER[:at] + bytes([ANSWER[at] ^ mask]) + ANSWER[at + 1 :])


def test_an_answer_cut_off_anywhere_is_refused() -> None:
    for size in range(len(ANSWER)):
        with pytest.raises(REFUSALS):
            SHARED.model.decode(ANSWER[:size])


@given(st.binary(max_size=300))
def test_random_datagrams_are_refused(datagram: bytes) -> None:
    with pytest.raises(REFUSALS):
        SHARED.model.decode(datagram)


@settings(max_examples=300)
@given(st.binary(max_size=200), st.sampled_from([NO_AUTH, AUTH, PRIV]))
def test_random_scoped_pdus_under_right_keys_are_refused(scoped: bytes, level: SecurityLevel) -> None:
    msg_id = usm_message.parse_message(ANSWER).header.msg_id
    header = Header(msg_id, level, False, ENGINE_ID, 5, 10_000, b"joe")
    security_protocols = SHARED.model._keyed_protocols()
    with pytest.raises(REFUSALS):
        SHARED.model.decode(usm_message.build_message(header, scoped, security_protocols, 1))


def test_altered_answers_do_not_spoil_the_right_one() -> None:
    made = ready()
    answer = made.exchange()
    for at in range(len(answer)):
        with pytest.raises(REFUSALS):
            made.model.decode(answer[:at] + bytes([answer[at] ^ 0x40]) + answer[at + 1 :])
    assert value_of(made.model, answer) == b"router"


@pytest.mark.parametrize("priv", PrivProtocol)
@pytest.mark.parametrize("size", [0, 1, 7, 8, 16])
def test_short_ciphertexts_are_refused(priv: PrivProtocol, size: int) -> None:
    made = ready(replace(USER, priv_protocol=priv))

    class Cut:
        """A privacy protocol that sends ``size`` zero octets."""

        def encrypt(self, plaintext: bytes, boots: int, time: int, salt: int) -> Encrypted:
            return Encrypted(bytes(size), bytes(8))

        def decrypt(self, ciphertext: bytes, boots: int, time: int, parameters: bytes) -> bytes:
            raise AssertionError("only the manager decrypts")

    sent = sent_header(made.model.encode(request(1)))._replace(boots=5, time=10_000)
    security_protocols = made.model._keyed_protocols()._replace(priv=Cut())
    with pytest.raises(REFUSALS):
        made.model.decode(usm_message.build_message(sent, b"", security_protocols, 1))


@pytest.mark.parametrize("size", [0, 11, 12, 13, 23, 25, 48])
def test_a_mac_of_another_size_is_refused(size: int) -> None:
    made = ready(replace(USER, level=AUTH))
    right = made.model._keyed_protocols().auth
    assert isinstance(right, Authenticator)
    auth: Authenticator = right

    class Long:
        """Signs with a MAC of ``size`` octets."""

        def __init__(self) -> None:
            self.size = size

        def sign(self, message: bytes, at: int) -> bytes:
            return message[:at] + auth.mac(message, at).ljust(size, b"\0")[:size] + message[at + size :]

    sent = sent_header(made.model.encode(request(1)))._replace(boots=5, time=10_000)
    scoped = usm_message.encode_scoped_pdu(ENGINE_ID, b"", respond(Pdu(ber.GET, 1, 0, 0, 0, 0), b""))
    with pytest.raises(Unauthentic):
        made.model.decode(usm_message.build_message(sent, scoped, SecurityProtocols(Long()), 1))  # type: ignore[arg-type]


def test_no_secret_shows_in_any_repr() -> None:
    made = ready()
    shown = f"{made.model!r} {made.engine!r} {made.model._keyed_protocols()!r} {vars(made.model)!r}"
    keys = KEYS.keys(USER, ENGINE_ID)
    for secret in ("auth-secret", "priv-secret", repr(keys.auth), repr(keys.priv), keys.auth.hex(), keys.priv.hex()):
        assert secret not in shown
