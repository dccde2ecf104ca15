"""Which values identify a device: neither factory defaults and fillers, nor what several devices share."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable

from promsnmp.inventory.index import name_key

MAX_IDENTIFIERS = 8
"""MAC addresses, and serial numbers, that are kept per device."""

_SHARED_MACS = (
    "00005e",  # IANA's: VRRP, RFC 5798 section 7.3; CARP; documentation, RFC 7042
    "00000c07ac", "00000c9f", "000573a0",  # HSRP 1, HSRP 2, HSRP for IPv6
    "0007b400",  # GLBP
    "00090f09", "001b1700", "0010dbff",  # clusters of FortiGate, PAN-OS, Junos
    "002304eebe", "443839ff", "001c73000099",  # pairs of switches: vPC, Cumulus MLAG, Arista VARP
    "005056c0000", "204153594eff", "505054503030",  # the same on all: VMware's host adapters, Windows's RAS and PPTP
    "eeeeeeeeeeee", "feffffffffff", "0a002700000", "02004c4f4f50",  # on all hosts with Calico, Xen, VirtualBox, Windows
    "0000000000", "020000000000", "001122334455", "000102030405", "001234567",  # never set
)  # fmt: skip
"""Prefixes of MAC addresses that several devices have."""
CONTAINER_MACS = "0242"
"""Prefix of the MAC addresses that Docker gives to bridges and containers: the same ones on every host."""
_DEFAULT_NAMES = frozenset({
    "switch", "router", "mikrotik", "localhost", "localhost.localdomain", "ubnt", "unifi", "debian", "ubuntu",
    "raspberrypi", "openwrt", "(none)", "none", "unknown", "default", "system", "sysname", "name", "hostname",
    "device", "host", "server", "printer", "ap", "accesspoint", "firewall", "gateway", "modem", "ups", "nas",
    "snmp", "agent", "test", "linux", "windows", "cisco", "juniper", "arista", "huawei", "hp", "aruba", "zyxel",
    "netgear", "d-link", "tp-link", "edgeswitch", "edgerouter", "pfsense", "opnsense", "freenas", "truenas", "esxi",
    "vmware"
})  # fmt: skip
_NO_SERIALS = re.compile(
    r"(?i)n[/.]?a\.?|[(<]?(none|null|unknown|undefined|unspecified|invalid|empty|oem|o\.e\.m\.)[)>]?|default( string)?|"
    r"not .*|no (serial|asset).*|to be filled.*|(system|chassis|base ?board) serial.*|serial ?(number|no\.?)?|"
    r"0?1234(5(6(7(89.*|8)?)?)?)?|[0.x-]+|(?P<one>.)(?P=one)*"
)
_IPV4, _MAC, _TEXT = 1, 3, 4
"""Formats of an engine id, its fifth octet (RFC 3411 section 5, SnmpEngineID)."""


def is_distinctive(name: str) -> bool:
    """Whether a name identifies a device: neither empty nor a factory default."""
    return bool(name) and name_key(name) not in _DEFAULT_NAMES


def is_distinctive_engine(engine_id: str) -> bool:
    """Whether an engine id (hexadecimal) may identify an agent: it is not made of an address or a text that many have.

    Its octets follow RFC 3411 section 5 (SnmpEngineID): the format is in the fifth where the first bit is set.
    """
    octets = bytes.fromhex(engine_id)
    kind, rest = (octets[4], octets[5:]) if len(octets) > 5 and octets[0] & 0x80 else (0, octets[4:])
    if len(set(rest)) < 2:
        return False
    if kind == _IPV4:
        return rest[0] not in (0, 127)
    if kind == _MAC:
        return not rest.hex().startswith(_SHARED_MACS)
    return kind != _TEXT or is_distinctive(rest.decode(errors="replace"))


def distinctive_macs(addresses: Iterable[bytes]) -> frozenset[str]:
    """The MAC addresses that identify one device, as hexadecimal text; at most MAX_IDENTIFIERS.

    Leaves out addresses that several devices have, and those assigned by software (the U/L bit, IEEE 802): containers
    and bridges use the same ones everywhere. The choice does not depend on how many there are, so that a device with a
    new module still shares some with its earlier sighting.
    """
    own = {one for one in _own_macs(addresses) if not one[0] & 2}
    return frozenset(one.hex() for one in sorted(own, key=lambda one: (zlib.crc32(one), one))[:MAX_IDENTIFIERS])


def local_macs(addresses: Iterable[bytes]) -> frozenset[str]:
    """The MAC addresses of a device that software assigned, as hexadecimal text; the first MAX_IDENTIFIERS.

    In the order of interfaces: those of virtual machines come first, those of their containers, which change, last.
    """
    own = dict.fromkeys(one for one in _own_macs(addresses) if one[0] & 2)
    return frozenset(one.hex() for one in list(own)[:MAX_IDENTIFIERS])


def _own_macs(addresses: Iterable[bytes]) -> Iterable[bytes]:
    return (one for one in addresses if len(one) == 6 and not one[0] & 1 and not one.hex().startswith(_SHARED_MACS))


def distinctive_serials(numbers: Iterable[str]) -> frozenset[str]:
    """The real serial numbers, without fillers such as ``N/A`` or ``0000``."""
    own = {number.strip() for number in numbers}
    return frozenset(sorted(one for one in own if len(one) > 3 and not _NO_SERIALS.fullmatch(one))[:MAX_IDENTIFIERS])


def distinctive_engines(engine_ids: Iterable[str]) -> frozenset[str]:
    """The engine ids that may identify an agent."""
    return frozenset(filter(is_distinctive_engine, engine_ids))
