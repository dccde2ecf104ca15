"""Runs an operation against an agent without sockets."""

from __future__ import annotations

from promsnmp.snmp import ber
from promsnmp.snmp.credentials import Version
from promsnmp.snmp.operations.first_rows import FirstRowsOperation


def exchange(operation: FirstRowsOperation, answer: object, *, version: Version = Version.V2C) -> int:
    """Runs the operation to its end; returns the number of packets."""
    for packets in range(200):
        pdu = operation.next_pdu(packets)
        if pdu is None:
            return packets
        message = ber.tlv(ber.SEQUENCE, ber.encode_integer(version) + ber.tlv(ber.OCTET_STRING, b"public") + pdu)
        reply = answer(message)  # type: ignore[operator]  # any agent
        if reply is None:
            return packets
        start, end = ber.read(reply, 0, len(reply), ber.SEQUENCE)
        _, at = ber.read_integer(reply, start, end)
        _, at = ber.read(reply, at, end, ber.OCTET_STRING)
        operation.handle_response(reply, ber.read_pdu(reply, at, end))
    raise AssertionError("the operation does not end")
