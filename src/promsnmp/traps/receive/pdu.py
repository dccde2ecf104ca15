"""Reads the PDUs of traps and informs, and translates those of SNMPv1 (RFC 1157, RFC 3416, RFC 3584 section 3.1).

Pure: octets to values. Varbinds are read by the decoder of the engine (``snmp/ber.py``), which checks every length.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address

from promsnmp.snmp import ber, oid
from promsnmp.snmp.ber import Malformed, VarBind

TRAP_V1, INFORM, TRAP = 0xA4, 0xA6, 0xA7
"""Tags of the PDUs: RFC 1157 section 4.1.6, RFC 3416 section 3."""
MAX_VARBINDS = 256
"""Varbinds of one notification."""

SYS_UP_TIME = oid.encode("1.3.6.1.2.1.1.3.0")
SNMP_TRAP_OID = oid.encode("1.3.6.1.6.3.1.1.4.1.0")
SNMP_TRAP_ENTERPRISE = oid.encode("1.3.6.1.6.3.1.1.4.3.0")
SNMP_TRAP_ADDRESS = oid.encode("1.3.6.1.6.3.18.1.3.0")
SNMP_TRAP_COMMUNITY = oid.encode("1.3.6.1.6.3.18.1.4.0")
"""Carries a secret, so that it is left out (RFC 3584 section 3.1 names it for proxies)."""
SNMP_TRAPS = oid.encode("1.3.6.1.6.3.1.1.5")
ENTERPRISE_SPECIFIC = 6
"""Of ``generic-trap``; the six below are the notifications ``SNMP_TRAPS.1`` to ``.6``."""


class UnsupportedPdu(Exception):
    """A PDU that is neither a trap nor an inform."""


class TooManyVarbinds(Exception):
    """A notification with more than MAX_VARBINDS varbinds."""


@dataclass(frozen=True, slots=True)
class TrapPdu:
    """A trap or inform; one of SNMPv1 is translated already."""

    oid: bytes
    """Value of ``snmpTrapOID.0``, content octets."""
    uptime: int | None
    varbinds: tuple[VarBind, ...]
    """Those behind the first two, without ``snmpTrapCommunity.0``."""
    request_id: int
    is_inform: bool
    content: bytes
    """The varbinds as they came: what identifies a copy, and what a response repeats."""
    claimed_address: str = ""
    """The address of the device, as the message says: ``snmpTrapAddress.0``, or else the v1 agent-addr."""


def read_pdu(data: bytes, pos: int, end: int) -> TrapPdu:
    """The PDU at ``data[pos:end]``, of v2c. Raises Malformed, UnsupportedPdu, TooManyVarbinds."""
    return trap_pdu(data, ber.read_pdu(data, pos, end))


def trap_pdu(data: bytes, pdu: ber.Pdu) -> TrapPdu:
    """The trap or inform ``pdu``, whose varbinds are in ``data``. Raises as ``read_pdu``."""
    if pdu.type not in (INFORM, TRAP):
        raise UnsupportedPdu
    varbinds = _varbinds(data, pdu.start, pdu.end)
    notification = next((one for one in varbinds[:2] if one.oid == SNMP_TRAP_OID), None)
    if notification is None or notification.tag != ber.OBJECT_IDENTIFIER:
        raise Malformed("snmpTrapOID.0 is not among the first two varbinds")
    if not notification.value or not ber.oid_is_valid(notification.value):
        raise Malformed("the value of snmpTrapOID.0 is not an OID")
    first, at = varbinds[0], varbinds.index(notification)
    rest = [one for one in varbinds[:at] if one.oid != SYS_UP_TIME] + varbinds[at + 1 :]
    return TrapPdu(
        notification.value,
        ber.integer_value(first.tag, first.value) if first.oid == SYS_UP_TIME else None,
        _without_community(rest),
        pdu.request_id,
        pdu.type == INFORM,
        data[pdu.start : pdu.end],
        _claimed_address(rest),
    )


def read_v1_pdu(data: bytes, pos: int, end: int) -> TrapPdu:
    """The Trap-PDU at ``data[pos:end]``, translated (RFC 3584 section 3.1). Raises as ``read_pdu``."""
    tag, at, stop = ber.read_any(data, pos, end)
    if tag != TRAP_V1:
        raise UnsupportedPdu
    if stop != end:
        raise Malformed("unexpected octets after the PDU")
    start, at = ber.read(data, at, stop, ber.OBJECT_IDENTIFIER)
    enterprise = data[start:at]
    if not enterprise or not ber.oid_is_valid(enterprise):
        raise Malformed("the enterprise is not an OID")
    address, at = _agent_address(data, at, stop)
    generic, at = ber.read_integer(data, at, stop)
    specific, at = ber.read_integer(data, at, stop)
    start, at = ber.read(data, at, stop, ber.TIME_TICKS)
    uptime = ber.integer_value(ber.TIME_TICKS, data[start:at])
    start, last = ber.read(data, at, stop, ber.SEQUENCE)
    varbinds = _varbinds(data, start, last)
    return TrapPdu(
        _translated_oid(enterprise, generic, specific),
        uptime,
        _with_v1_fields(_without_community(varbinds), address, enterprise),
        0,
        False,
        data[pos:stop],
        _claimed_address(varbinds) or (str(IPv4Address(address)) if any(address) else ""),
    )


def _translated_oid(enterprise: bytes, generic: int, specific: int) -> bytes:
    """The notification of a v1 trap (RFC 3584 section 3.1 items 2 and 3)."""
    if 0 <= generic < ENTERPRISE_SPECIFIC:
        return SNMP_TRAPS + bytes((generic + 1,))
    if generic != ENTERPRISE_SPECIFIC or not -0x80000000 <= specific <= 0xFFFFFFFF:
        raise Malformed(f"generic-trap is {generic}, specific-trap {specific}")
    made = enterprise + b"\x00" + oid.encode_subids((specific & 0xFFFFFFFF,))
    if not ber.oid_is_valid(made):
        raise Malformed("the enterprise is too long")
    return made


def _with_v1_fields(varbinds: tuple[VarBind, ...], address: bytes, enterprise: bytes) -> tuple[VarBind, ...]:
    """Appends what only the v1 header has, as a proxy does (RFC 3584 section 3.1 item 4), but not the community."""
    names = {one.oid for one in varbinds}
    more = []
    if SNMP_TRAP_ADDRESS not in names and any(address):
        more.append(VarBind(SNMP_TRAP_ADDRESS, ber.IP_ADDRESS, address))
    if SNMP_TRAP_ENTERPRISE not in names:
        more.append(VarBind(SNMP_TRAP_ENTERPRISE, ber.OBJECT_IDENTIFIER, enterprise))
    return (*varbinds, *more)


def _agent_address(data: bytes, pos: int, end: int) -> tuple[bytes, int]:
    """The agent-addr: 4 octets, or none at all (some agents with IPv6 only), as 0.0.0.0."""
    start, stop = ber.read(data, pos, end, ber.IP_ADDRESS)
    if stop - start not in (0, 4):
        raise Malformed(f"agent-addr has {stop - start} octets")
    return data[start:stop] or bytes(4), stop


def _varbinds(data: bytes, start: int, end: int) -> list[VarBind]:
    if ber.row_count(data[start:end]) > MAX_VARBINDS:
        raise TooManyVarbinds
    return ber.varbinds(data, start, end)


def _without_community(varbinds: list[VarBind]) -> tuple[VarBind, ...]:
    return tuple(one for one in varbinds if one.oid != SNMP_TRAP_COMMUNITY)


def _claimed_address(varbinds: list[VarBind]) -> str:
    """``snmpTrapAddress.0``, "" without one (RFC 3584 section 3.1)."""
    for one in varbinds:
        if one.oid == SNMP_TRAP_ADDRESS and one.tag == ber.IP_ADDRESS and len(one.value) == 4 and any(one.value):
            return str(IPv4Address(one.value))
    return ""


def response_pdu(pdu: TrapPdu, *, too_big: bool = False) -> bytes:
    """The Response to an inform: the same request-id and varbinds (RFC 3416 section 4.2.7), or tooBig and none."""
    status = 1 if too_big else 0
    return ber.encode_pdu(ber.RESPONSE, pdu.request_id, status, 0, b"" if too_big else pdu.content)
