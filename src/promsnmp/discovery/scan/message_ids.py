"""Reads the id of a message, by which an answer is assigned to its request when it comes from another address."""

from __future__ import annotations

from promsnmp.snmp import ber
from promsnmp.snmp.credentials import Version

MessageId = tuple[bool, int]
"""Whether it is a msgID (v3, RFC 3412 section 6.1) and not a request-id (v1, v2c), and the number."""


def message_id(datagram: bytes) -> MessageId | None:
    """The id of a request or an answer; None when it is no SNMP message."""
    try:
        at, end = ber.read(datagram, 0, len(datagram), ber.SEQUENCE)
        version, at = ber.read_integer(datagram, at, end)
        if version == Version.V3:
            at, end = ber.read(datagram, at, end, ber.SEQUENCE)
            return True, ber.read_integer(datagram, at, end)[0]
        _, at = ber.read(datagram, at, end, ber.OCTET_STRING)
        return False, ber.read_pdu(datagram, at, end).request_id
    except ber.Malformed:
        return None
