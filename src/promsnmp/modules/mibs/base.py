"""The base of all MIBs: the top of the tree and the textual conventions that nearly all modules import.

So a vendor's MIB can be read without collecting a dozen standard files first. If a folder has the file itself
(SNMPv2-TC, INET-ADDRESS-MIB and so on), the file is used.

Sources: RFC 2578 section 2 and RFC 1213 (nodes); RFC 2579, 2856, 3411, 3413, 4001, 2863, 4133, 4188, 4363, 4502, 3593.
"""

from __future__ import annotations

from promsnmp.modules.mibs.definitions import Syntax, TypeDefinition
from promsnmp.snmp.credentials import LEVEL_NAMES

SMI_TYPES = {
    "INTEGER": "INTEGER",
    "Integer32": "INTEGER",
    "Unsigned32": "INTEGER",
    "UInteger32": "INTEGER",
    "Gauge": "INTEGER",
    "Gauge32": "INTEGER",
    "TimeTicks": "INTEGER",
    "Counter": "COUNTER",
    "Counter32": "COUNTER",
    "Counter64": "COUNTER",
    "OCTET STRING": "OCTETS",
    "OBJECT IDENTIFIER": "OID",
    "IpAddress": "ADDRESS",
    "NetworkAddress": "ADDRESS",
    "NsapAddress": "OCTETS",
    "Opaque": "OPAQUE",
    "BITS": "BITS",
}
"""Types of the SMI itself (RFC 2578 section 7.1, RFC 1155 section 3.2), as the kinds that make a difference here."""

OIDS: dict[str, tuple[int, ...]] = {
    "ccitt": (0,),
    "zeroDotZero": (0, 0),
    "iso": (1,),
    "org": (1, 3),
    "dod": (1, 3, 6),
    "internet": (1, 3, 6, 1),
    "directory": (1, 3, 6, 1, 1),
    "mgmt": (1, 3, 6, 1, 2),
    "mib-2": (1, 3, 6, 1, 2, 1),
    "system": (1, 3, 6, 1, 2, 1, 1),
    "interfaces": (1, 3, 6, 1, 2, 1, 2),
    "at": (1, 3, 6, 1, 2, 1, 3),
    "ip": (1, 3, 6, 1, 2, 1, 4),
    "icmp": (1, 3, 6, 1, 2, 1, 5),
    "tcp": (1, 3, 6, 1, 2, 1, 6),
    "udp": (1, 3, 6, 1, 2, 1, 7),
    "egp": (1, 3, 6, 1, 2, 1, 8),
    "transmission": (1, 3, 6, 1, 2, 1, 10),
    "snmp": (1, 3, 6, 1, 2, 1, 11),
    "experimental": (1, 3, 6, 1, 3),
    "private": (1, 3, 6, 1, 4),
    "enterprises": (1, 3, 6, 1, 4, 1),
    "security": (1, 3, 6, 1, 5),
    "snmpV2": (1, 3, 6, 1, 6),
    "snmpDomains": (1, 3, 6, 1, 6, 1),
    "snmpProxys": (1, 3, 6, 1, 6, 2),
    "snmpModules": (1, 3, 6, 1, 6, 3),
    "joint-iso-ccitt": (2,),
}

_TRUTH = ((1, "true"), (2, "false"))
_ROW_STATUS = (
    (1, "active"),
    (2, "notInService"),
    (3, "notReady"),
    (4, "createAndGo"),
    (5, "createAndWait"),
    (6, "destroy"),
)
_STORAGE = ((1, "other"), (2, "volatile"), (3, "nonVolatile"), (4, "permanent"), (5, "readOnly"))
_ADDRESS_TYPES = ((0, "unknown"), (1, "ipv4"), (2, "ipv6"), (3, "ipv4z"), (4, "ipv6z"), (16, "dns"))
_VERSIONS = ((0, "unknown"), (1, "ipv4"), (2, "ipv6"))
_SECURITY_LEVELS = tuple((int(level), name) for level, name in LEVEL_NAMES.items())
_ENTRY_STATUS = ((1, "valid"), (2, "createRequest"), (3, "underCreation"), (4, "invalid"))


def _type(
    name: str, syntax: str, hint: str = "", size: int = 0, enums: tuple[tuple[int, str], ...] = ()
) -> TypeDefinition:
    return TypeDefinition(name, 0, Syntax(syntax, size, enums), hint)


_OCTETS, _NUMBER, _OID = "OCTET STRING", "Integer32", "OBJECT IDENTIFIER"

TYPES = {
    one.name: one
    for one in (
        _type("DisplayString", _OCTETS, "255a"),
        _type("PhysAddress", _OCTETS, "1x:"),
        _type("MacAddress", _OCTETS, "1x:", 6),
        _type("TruthValue", _NUMBER, enums=_TRUTH),
        _type("TestAndIncr", _NUMBER),
        _type("AutonomousType", _OID),
        _type("InstancePointer", _OID),
        _type("VariablePointer", _OID),
        _type("RowPointer", _OID),
        _type("RowStatus", _NUMBER, enums=_ROW_STATUS),
        _type("TimeStamp", "TimeTicks"),
        _type("TimeInterval", _NUMBER),
        _type("DateAndTime", _OCTETS, "2d-1d-1d,1d:1d:1d.1d,1a1d:1d"),
        _type("StorageType", _NUMBER, enums=_STORAGE),
        _type("TDomain", _OID),
        _type("TAddress", _OCTETS),
        _type("CounterBasedGauge64", "Counter64"),
        _type("ZeroBasedCounter64", "Counter64"),
        _type("ZeroBasedCounter32", "Gauge32"),
        _type("LastCreateTime", "TimeTicks"),
        _type("TimeFilter", "TimeTicks"),
        _type("SnmpEngineID", _OCTETS),
        _type("SnmpSecurityModel", _NUMBER),
        _type("SnmpMessageProcessingModel", _NUMBER),
        _type("SnmpSecurityLevel", _NUMBER, enums=_SECURITY_LEVELS),
        _type("SnmpAdminString", _OCTETS, "255t"),
        _type("SnmpTagValue", _OCTETS, "255t"),
        _type("SnmpTagList", _OCTETS, "255t"),
        _type("InetVersion", _NUMBER, enums=_VERSIONS),
        _type("InetAddressType", _NUMBER, enums=_ADDRESS_TYPES),
        _type("InetAddress", _OCTETS),
        _type("InetAddressIPv4", _OCTETS, "1d.1d.1d.1d", 4),
        _type("InetAddressIPv6", _OCTETS, "2x:2x:2x:2x:2x:2x:2x:2x", 16),
        _type("InetAddressIPv4z", _OCTETS, "1d.1d.1d.1d%4d", 8),
        _type("InetAddressIPv6z", _OCTETS, "2x:2x:2x:2x:2x:2x:2x:2x%4d", 20),
        _type("InetAddressDNS", _OCTETS, "255a"),
        _type("InetAddressPrefixLength", "Unsigned32"),
        _type("InetPortNumber", "Unsigned32"),
        _type("InetAutonomousSystemNumber", "Unsigned32"),
        _type("InetZoneIndex", "Unsigned32"),
        _type("InterfaceIndex", _NUMBER),
        _type("InterfaceIndexOrZero", _NUMBER),
        _type("OwnerString", _OCTETS, "255a"),
        _type("EntryStatus", _NUMBER, enums=_ENTRY_STATUS),
        _type("PhysicalIndex", _NUMBER),
        _type("PhysicalIndexOrZero", _NUMBER),
        _type("BridgeId", _OCTETS, size=8),
        _type("Timeout", _NUMBER),
        _type("PortList", _OCTETS),
        _type("VlanIndex", "Unsigned32"),
        _type("VlanId", _NUMBER),
        _type("VlanIdOrAny", _NUMBER),
        _type("VlanIdOrNone", _NUMBER),
        _type("PerfCurrentCount", "Gauge32"),
        _type("PerfIntervalCount", "Gauge32"),
        _type("PerfTotalCount", "Gauge32"),
    )
}
