"""The types of snmp.yml: how a value becomes a sample, and how an index becomes a label.

A new metric type also needs its conversion in ``exposition/rows.py`` (or, when it is a number, an entry of
``NUMBER_TYPES`` in ``exposition/plan.py``; text is made in ``exposition/values.py``), a new index type one in
``exposition/indexes.py``; for ``promsnmp modules build`` both are chosen in ``generator/types.py``.
"""

from __future__ import annotations

from enum import StrEnum


class MetricType(StrEnum):
    """How a varbind's value becomes a sample (snmp.yml ``type`` of a metric)."""

    GAUGE = "gauge"
    COUNTER = "counter"
    OCTET_STRING = "OctetString"
    DISPLAY_STRING = "DisplayString"
    PHYS_ADDRESS_48 = "PhysAddress48"
    FLOAT = "Float"
    DOUBLE = "Double"
    INET_ADDRESS = "InetAddress"
    INET_ADDRESS_MISSING_SIZE = "InetAddressMissingSize"
    INET_ADDRESS_IPV4 = "InetAddressIPv4"
    INET_ADDRESS_IPV6 = "InetAddressIPv6"
    LLDP_PORT_ID = "LldpPortId"
    DATE_AND_TIME = "DateAndTime"
    PARSE_DATE_AND_TIME = "ParseDateAndTime"
    NTP_TIME_STAMP = "NTPTimeStamp"
    ENUM_AS_INFO = "EnumAsInfo"
    ENUM_AS_STATE_SET = "EnumAsStateSet"
    BITS = "Bits"


class IndexType(StrEnum):
    """How sub-identifiers of an index become a label (snmp.yml ``type`` of an index)."""

    INTEGER32 = "Integer32"
    INTEGER = "Integer"
    GAUGE = "gauge"
    COUNTER = "counter"
    PHYS_ADDRESS_48 = "PhysAddress48"
    OCTET_STRING = "OctetString"
    DISPLAY_STRING = "DisplayString"
    INET_ADDRESS_IPV4 = "InetAddressIPv4"
    INET_ADDRESS_IPV6 = "InetAddressIPv6"
    INET_ADDRESS = "InetAddress"
    INET_ADDRESS_MISSING_SIZE = "InetAddressMissingSize"
    LLDP_PORT_ID = "LldpPortId"
    ENUM_AS_INFO = "EnumAsInfo"
    OBJECT_IDENTIFIER = "ObjectIdentifier"
    """Dotted sub-identifiers (RFC 2578 section 7.7); ours, snmp_exporter has no such type."""
