"""PDUs of traps: what is read of them, and how those of SNMPv1 are translated (RFC 3584 section 3.1)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promsnmp.snmp import ber, oid
from promsnmp.snmp.ber import Malformed
from promsnmp.traps.receive.pdu import (
    INFORM,
    MAX_VARBINDS,
    SNMP_TRAP_COMMUNITY,
    SNMP_TRAP_OID,
    SYS_UP_TIME,
    TRAP,
    TooManyVarbinds,
    TrapPdu,
    UnsupportedPdu,
    read_pdu,
    read_v1_pdu,
    response_pdu,
)
from tests.support.traps.messages import COLD_START, notification_binds, v1_pdu


def read(pdu: bytes) -> TrapPdu:
    return read_pdu(pdu, 0, len(pdu))


def read_v1(pdu: bytes) -> TrapPdu:
    return read_v1_pdu(pdu, 0, len(pdu))


@pytest.mark.parametrize(
    ("generic", "specific", "expected"),
    [
        (0, 0, "1.3.6.1.6.3.1.1.5.1"),
        (3, 99, "1.3.6.1.6.3.1.1.5.4"),
        (5, 0, "1.3.6.1.6.3.1.1.5.6"),
        (6, 17, "1.3.6.1.4.1.8072.3.0.17"),
        (6, 0xFFFFFFFF, "1.3.6.1.4.1.8072.3.0.4294967295"),
    ],
)
def test_v1_traps_have_the_oid_of_a_notification(generic: int, specific: int, expected: str) -> None:
    assert oid.to_text(read_v1(v1_pdu(generic=generic, specific=specific)).oid) == expected


@pytest.mark.parametrize("generic", [-1, 7, 1000])
def test_a_generic_trap_that_does_not_exist_is_malformed(generic: int) -> None:
    with pytest.raises(Malformed):
        read_v1(v1_pdu(generic=generic))


def test_the_agent_address_is_a_claim() -> None:
    assert read_v1(v1_pdu(address=bytes((192, 0, 2, 7)))).claimed_address == "192.0.2.7"
    assert read_v1(v1_pdu(address=bytes(4))).claimed_address == ""
    assert read_v1(v1_pdu(address=b"")).claimed_address == ""


def test_the_community_of_a_proxied_trap_is_left_out() -> None:
    secret = ber.encode_varbind(SNMP_TRAP_COMMUNITY, ber.tlv(ber.OCTET_STRING, b"geheim"))
    for pdu in (
        read(ber.encode_pdu(TRAP, 1, 0, 0, notification_binds() + secret)),
        read_v1(v1_pdu(binds=secret)),
    ):
        assert SNMP_TRAP_COMMUNITY not in {one.oid for one in pdu.varbinds}


def test_a_sender_may_leave_out_the_uptime() -> None:
    binds = ber.encode_varbind(SNMP_TRAP_OID, ber.tlv(ber.OBJECT_IDENTIFIER, COLD_START))
    assert read(ber.encode_pdu(TRAP, 1, 0, 0, binds)).uptime is None


@pytest.mark.parametrize(
    "binds",
    [
        b"",
        ber.encode_varbind(SYS_UP_TIME, ber.encode_integer(1, ber.TIME_TICKS)),
        ber.encode_varbind(SNMP_TRAP_OID, ber.encode_integer(1)),
        ber.encode_varbind(SNMP_TRAP_OID, ber.tlv(ber.OBJECT_IDENTIFIER, b"")),
        ber.encode_varbind(SNMP_TRAP_OID, ber.tlv(ber.OBJECT_IDENTIFIER, b"\x2b\x80")),
    ],
)
def test_without_a_notification_it_is_malformed(binds: bytes) -> None:
    with pytest.raises(Malformed):
        read(ber.encode_pdu(TRAP, 1, 0, 0, binds))


def test_other_pdus_and_too_many_varbinds_are_refused() -> None:
    with pytest.raises(UnsupportedPdu):
        read(ber.encode_pdu(ber.GET, 1, 0, 0, notification_binds()))
    with pytest.raises(TooManyVarbinds):
        read(ber.encode_pdu(TRAP, 1, 0, 0, notification_binds() + ber.encode_varbind(SYS_UP_TIME) * MAX_VARBINDS))


def test_the_response_to_an_inform_repeats_its_varbinds() -> None:
    inform = ber.encode_pdu(INFORM, 77, 0, 0, notification_binds())
    answer = response_pdu(read(inform))
    pdu = ber.read_pdu(answer, 0, len(answer))
    assert (pdu.type, pdu.request_id, pdu.status) == (ber.RESPONSE, 77, 0)
    assert answer[pdu.start : pdu.end] == notification_binds()
    too_big = response_pdu(read(inform), too_big=True)
    pdu = ber.read_pdu(too_big, 0, len(too_big))
    assert (pdu.status, pdu.start) == (1, pdu.end)


@given(st.binary(max_size=120), st.integers(0, 0xFF), st.integers(0, 200))
def test_any_octets_raise_only_what_is_documented(noise: bytes, octet: int, at: int) -> None:
    valid = ber.encode_pdu(TRAP, 1, 0, 0, notification_binds())
    for good in (valid, v1_pdu()):
        changed = bytearray(good)
        changed[at % len(changed)] = octet
        for octets in (noise, bytes(changed), good[: at % len(good)], good + noise):
            for reader in (read, read_v1):
                try:
                    pdu = reader(octets)
                except (Malformed, UnsupportedPdu, TooManyVarbinds):
                    continue
                assert ber.oid_is_valid(pdu.oid)
                assert len(pdu.varbinds) <= MAX_VARBINDS + 2
