"""Helpers to define a device: encoded values, the system group (SNMPv2-MIB) and tables."""

from __future__ import annotations

import ipaddress

from promsnmp.sim.mib import Value
from promsnmp.sim.moving import ticks
from promsnmp.snmp import ber
from promsnmp.snmp import oid as oids

Objects = dict[str, Value]
"""Objects by dotted OID, in any order."""

TableRows = dict[tuple[int, ...], dict[int, Value]]
"""Rows of a table: index -> column -> value."""

EXAMPLE_ENTERPRISE = "1.3.6.1.4.1.32473"
"""The enterprise number that is reserved for examples (RFC 5612)."""


def text(value: str) -> bytes:
    """An OCTET STRING of UTF-8 text."""
    return ber.tlv(ber.OCTET_STRING, value.encode())


def octets(value: bytes) -> bytes:
    """An OCTET STRING."""
    return ber.tlv(ber.OCTET_STRING, value)


def integer(value: int) -> bytes:
    """An INTEGER: numbers that may be negative, enumerations, TruthValue (1 true, 2 false)."""
    return ber.encode_integer(value)


def unsigned(value: int) -> bytes:
    """A Gauge32."""
    return ber.encode_integer(value, ber.GAUGE32)


def time_ticks(value: int) -> bytes:
    """A TimeTicks in hundredths of a second."""
    return ber.encode_integer(value, ber.TIME_TICKS)


def object_id(value: str) -> bytes:
    """An OBJECT IDENTIFIER from dotted text."""
    return ber.tlv(ber.OBJECT_IDENTIFIER, oids.encode(value))


def ip_address(value: str) -> bytes:
    """An IpAddress."""
    return ber.tlv(ber.IP_ADDRESS, ipaddress.IPv4Address(value).packed)


def system(name: str, descr: str, *, object_id_suffix: str, contact: str, location: str, services: int) -> Objects:
    """The system group (RFC 3418 section 2) with a sysUpTime that ticks and two rows of sysORTable."""
    resources = {1: ("1.3.6.1.6.3.1", "SNMPv2-MIB"), 2: ("1.3.6.1.2.1.31", "IF-MIB")}
    rows: TableRows = {
        (row,): {2: object_id(of), 3: text(what), 4: time_ticks(2)} for row, (of, what) in resources.items()
    }
    return {
        "1.3.6.1.2.1.1.1.0": text(descr),
        "1.3.6.1.2.1.1.2.0": object_id(f"{EXAMPLE_ENTERPRISE}.{object_id_suffix}"),
        "1.3.6.1.2.1.1.3.0": ticks,
        "1.3.6.1.2.1.1.4.0": text(contact),
        "1.3.6.1.2.1.1.5.0": text(name),
        "1.3.6.1.2.1.1.6.0": text(location),
        "1.3.6.1.2.1.1.7.0": integer(services),
        "1.3.6.1.2.1.1.8.0": time_ticks(2),
        **table("1.3.6.1.2.1.1.9.1", rows),
    }


def table(entry: str, rows: TableRows) -> Objects:
    """Objects of a table: ``entry`` is the OID of its entry, ``rows`` index -> column -> value."""
    return {
        f"{entry}.{column}.{'.'.join(map(str, index))}": value
        for index, columns in rows.items()
        for column, value in columns.items()
    }


def scalars(group: str, values: Objects) -> Objects:
    """Objects of ``group`` by the rest of their OID, to which ``.0`` is added."""
    return {f"{group}.{rest}.0": value for rest, value in values.items()}
