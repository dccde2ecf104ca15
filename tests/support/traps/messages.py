"""Messages with traps, made here: for what net-snmp's programs would not send."""

from __future__ import annotations

from promsnmp.snmp import ber, oid
from promsnmp.snmp.credentials import SecurityLevel, User
from promsnmp.snmp.v3 import message as usm_message
from promsnmp.snmp.v3.crypto import SecurityProtocols, security_protocols
from promsnmp.snmp.v3.keys import KeyCache
from promsnmp.snmp.v3.message import Header
from promsnmp.traps.receive.pdu import SNMP_TRAP_OID, SYS_UP_TIME, TRAP, TRAP_V1

COLD_START = oid.encode("1.3.6.1.6.3.1.1.5.1")
LINK_DOWN, LINK_UP = oid.encode("1.3.6.1.6.3.1.1.5.3"), oid.encode("1.3.6.1.6.3.1.1.5.4")
ENGINE_ID = bytes.fromhex("80007ed90501020304")
KEYS = KeyCache()


def notification_binds(notification: bytes = COLD_START, uptime: int = 4711, more: bytes = b"") -> bytes:
    """The varbinds of a trap or inform."""
    first = ber.encode_varbind(SYS_UP_TIME, ber.encode_integer(uptime, ber.TIME_TICKS))
    return first + ber.encode_varbind(SNMP_TRAP_OID, ber.tlv(ber.OBJECT_IDENTIFIER, notification)) + more


def v1_pdu(
    *,
    generic: int = 6,
    specific: int = 1,
    address: bytes = bytes((192, 0, 2, 7)),
    enterprise: str = "1.3.6.1.4.1.8072.3",
    binds: bytes = b"",
) -> bytes:
    """A Trap-PDU of SNMPv1 (RFC 1157 section 4.1.6)."""
    parts = (
        ber.tlv(ber.OBJECT_IDENTIFIER, oid.encode(enterprise)),
        ber.tlv(ber.IP_ADDRESS, address),
        ber.encode_integer(generic),
        ber.encode_integer(specific),
        ber.encode_integer(4711, ber.TIME_TICKS),
        ber.tlv(ber.SEQUENCE, binds),
    )
    return ber.tlv(TRAP_V1, b"".join(parts))


def community_message(pdu: bytes, *, version: int = 1, community: bytes = b"public") -> bytes:
    """A message of v1 (0) or v2c (1)."""
    return ber.tlv(ber.SEQUENCE, ber.encode_integer(version) + ber.tlv(ber.OCTET_STRING, community) + pdu)


def trap(request_id: int = 1, *, community: bytes = b"public", kind: int = TRAP, **binds: object) -> bytes:
    """A v2c message with a trap (or inform)."""
    pdu = ber.encode_pdu(kind, request_id, 0, 0, notification_binds(**binds))  # type: ignore[arg-type]
    return community_message(pdu, community=community)


def v3_message(
    user: User,
    *,
    engine_id: bytes = ENGINE_ID,
    boots: int = 1,
    time: int = 100,
    request_id: int = 1,
    kind: int = TRAP,
    reportable: bool = False,
    level: SecurityLevel | None = None,
    scoped: bytes = b"",
) -> bytes:
    """A v3 message with a trap or inform, or with other octets as its scoped PDU."""
    level = user.level if level is None else level
    header = Header(request_id + 1000, level, reportable, engine_id, boots, time, user.name.encode())
    protocols = SecurityProtocols()
    if level is not SecurityLevel.NO_AUTH_NO_PRIV:
        protocols = security_protocols(user, KEYS.keys(user, engine_id))
    pdu = ber.encode_pdu(kind, request_id, 0, 0, notification_binds())
    scoped = scoped or usm_message.encode_scoped_pdu(engine_id, b"", pdu)
    return usm_message.build_message(header, scoped, protocols, 7)
