"""The layout of SNMPv3 messages: built messages parse back, and invalid ones are refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promsnmp.snmp import ber
from promsnmp.snmp.ber import Malformed
from promsnmp.snmp.credentials import SecurityLevel
from promsnmp.snmp.v3 import message as usm_message
from promsnmp.snmp.v3.crypto import SecurityProtocols
from promsnmp.snmp.v3.message import Header

HEADER = Header(1234, SecurityLevel.NO_AUTH_NO_PRIV, True, b"engine", 5, 600, b"joe")
PDU = ber.encode_pdu(ber.GET, 7, 0, 0, b"")
NOTHING = b"\x05\x00"
INT = ber.encode_integer


def octets(content: bytes) -> bytes:
    return ber.tlv(ber.OCTET_STRING, content)


def sequence(*parts: bytes) -> bytes:
    return ber.tlv(ber.SEQUENCE, b"".join(parts))


GLOBAL = (INT(1234), INT(65507), octets(b"\x04"), INT(3))
SECURITY = (octets(b"engine"), INT(5), INT(600), octets(b"joe"), octets(b""), octets(b""))
SCOPED = (octets(b"engine"), octets(b""), PDU)


def message(
    *,
    version: bytes = INT(3),
    head: tuple[bytes, ...] = GLOBAL,
    security: tuple[bytes, ...] = SECURITY,
    gap: bytes = b"",
    scoped: tuple[bytes, ...] = SCOPED,
    behind: bytes = b"",
) -> bytes:
    return sequence(version, sequence(*head), octets(sequence(*security) + gap), sequence(*scoped) + behind)


def read(data: bytes) -> tuple[Header, bytes, bytes, int]:
    parsed = usm_message.parse_message(data)
    scoped = usm_message.decode_scoped_pdu(data, parsed, SecurityProtocols())
    return parsed.header, scoped.engine_id, scoped.name, scoped.pdu.request_id


def with_part(parts: tuple[bytes, ...], at: int, part: bytes) -> tuple[bytes, ...]:
    return (*parts[:at], part, *parts[at + 1 :])


def test_a_message_is_laid_out_as_rfc_3412_section_6_says() -> None:
    built = usm_message.build_message(
        HEADER, usm_message.encode_scoped_pdu(b"engine", b"", PDU), SecurityProtocols(), 0
    )
    assert built == message()
    assert read(built) == (HEADER, b"engine", b"", 7)


@given(
    st.integers(0, 2**31 - 1),
    st.booleans(),
    st.binary(max_size=32),
    st.integers(0, 2**31 - 1),
    st.integers(0, 2**31 - 1),
    st.binary(max_size=32),
    st.binary(max_size=255),
)
def test_a_built_message_parses_back(
    msg_id: int, reportable: bool, engine_id: bytes, boots: int, time: int, user: bytes, context: bytes
) -> None:
    header = Header(msg_id, SecurityLevel.NO_AUTH_NO_PRIV, reportable, engine_id, boots, time, user)
    built = usm_message.build_message(
        header, usm_message.encode_scoped_pdu(engine_id, context, PDU), SecurityProtocols(), 0
    )
    assert read(built) == (header, engine_id, context, 7)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(message(version=INT(1)), id="version 2c"),
        pytest.param(message(version=INT(4)), id="a version yet to come"),
        pytest.param(message(head=(*GLOBAL, NOTHING)), id="octets behind msgSecurityModel"),
        pytest.param(message(head=GLOBAL[:3]), id="no msgSecurityModel"),
        pytest.param(message(head=with_part(GLOBAL, 0, INT(-(2**23) - 1))), id="a negative msgID"),
        pytest.param(message(head=with_part(GLOBAL, 0, INT(2**31))), id="a msgID of 32 bits"),
        pytest.param(message(head=with_part(GLOBAL, 1, INT(-1))), id="a negative msgMaxSize"),
        pytest.param(message(head=with_part(GLOBAL, 2, octets(b""))), id="no flags"),
        pytest.param(message(head=with_part(GLOBAL, 2, octets(b"\0\0"))), id="two octets of flags"),
        pytest.param(message(head=with_part(GLOBAL, 2, octets(b"\x02"))), id="privacy without authentication"),
        pytest.param(message(head=with_part(GLOBAL, 2, octets(b"\x03"))), id="privacy over a plain scoped PDU"),
        pytest.param(message(head=with_part(GLOBAL, 3, INT(1))), id="another security model"),
        pytest.param(message(gap=NOTHING), id="octets behind the security parameters"),
        pytest.param(message(security=(*SECURITY, NOTHING)), id="a seventh security parameter"),
        pytest.param(message(security=SECURITY[:5]), id="five security parameters"),
        pytest.param(message(security=with_part(SECURITY, 0, octets(bytes(33)))), id="an engine id of 33 octets"),
        pytest.param(message(security=with_part(SECURITY, 1, INT(-1))), id="negative boots"),
        pytest.param(message(security=with_part(SECURITY, 2, INT(2**31))), id="a time of 32 bits"),
        pytest.param(message(security=with_part(SECURITY, 2, octets(b"1"))), id="a time that is text"),
        pytest.param(message(behind=NOTHING), id="octets behind msgData"),
        pytest.param(message(scoped=(*SCOPED, NOTHING)), id="octets behind the PDU"),
        pytest.param(message(scoped=SCOPED[:2]), id="no PDU"),
        pytest.param(message(scoped=with_part(SCOPED, 2, NOTHING)), id="something else than a PDU"),
        pytest.param(message(scoped=with_part(SCOPED, 0, octets(bytes(256)))), id="a context engine of 256 octets"),
    ],
)
def test_a_message_that_breaks_the_layout_is_malformed(data: bytes) -> None:
    with pytest.raises(Malformed):
        read(data)


def test_a_message_cut_off_anywhere_is_malformed() -> None:
    whole = message()
    for size in range(len(whole)):
        with pytest.raises(Malformed):
            read(whole[:size])


@given(st.binary(max_size=200))
def test_random_octets_are_malformed(data: bytes) -> None:
    with pytest.raises(Malformed):
        read(data)
