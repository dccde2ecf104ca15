"""The system group of a small device."""

from __future__ import annotations

from promsnmp.sim.mib import Mib
from promsnmp.snmp import ber

MIB = Mib.of(
    {
        "1.3.6.1.2.1.1.1.0": ber.tlv(ber.OCTET_STRING, b"a switch"),
        "1.3.6.1.2.1.1.2.0": ber.tlv(ber.OBJECT_IDENTIFIER, b"\x2b\x06\x01\x04\x01\x09"),
        "1.3.6.1.2.1.1.5.0": ber.tlv(ber.OCTET_STRING, b"switch-1"),
    }
)
