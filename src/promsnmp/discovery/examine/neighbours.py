"""Reads the addresses of a device's neighbours from its LLDP and CDP tables.

They are only suggestions: the operator's networks decide which are asked (``target_syntax.read_networks``).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from promsnmp.inventory.address import normal_address
from promsnmp.snmp import ber, oid
from promsnmp.snmp.credentials import Version
from promsnmp.snmp.operations.base import AgentLimits
from promsnmp.snmp.operations.first_rows import FirstRowsOperation

LLDP_ADDRESSES = oid.encode("1.0.8802.1.1.2.1.4.2.1.3")
"""lldpRemManAddrIfSubtype: the address is in the index (LLDP-MIB, IEEE 802.1AB-2005 section 12.2)."""
CDP_ADDRESSES = oid.encode("1.3.6.1.4.1.9.9.23.1.2.1.1.4")
"""cdpCacheAddress (CISCO-CDP-MIB): octets of an IPv4 or IPv6 address."""
PACKETS = 12
_LLDP_SIZES = {1: 4, 2: 16}
"""Octets of an address by its subtype (IANA's address family numbers)."""


def neighbour_rows(version: Version, limits: AgentLimits | None = None) -> FirstRowsOperation:
    """The operation that reads both tables."""
    return FirstRowsOperation([LLDP_ADDRESSES, CDP_ADDRESSES], version=version, packets=PACKETS, limits=limits)


def neighbour_addresses(rows: FirstRowsOperation) -> list[str]:
    """The addresses of the neighbours, each once."""
    found = {*_lldp(rows), *_cdp(rows)}
    return sorted(address for address in found if _can_be_asked(address))


def _lldp(rows: FirstRowsOperation) -> Iterator[str]:
    """The index is lldpRemTimeMark, lldpRemLocalPortNum, lldpRemIndex, subtype, number of octets, octets."""
    for index in rows.rows[LLDP_ADDRESSES]:
        subids = oid.decode_subids(index)
        if len(subids) > 5 and _LLDP_SIZES.get(subids[3]) == subids[4] == len(subids) - 5 and max(subids[5:]) < 256:
            yield str(ipaddress.ip_address(bytes(subids[5:])))


def _cdp(rows: FirstRowsOperation) -> Iterator[str]:
    for varbind in rows.rows[CDP_ADDRESSES].values():
        if varbind.tag == ber.OCTET_STRING and len(varbind.value) in (4, 16):
            yield str(ipaddress.ip_address(varbind.value))


def _can_be_asked(address: str) -> bool:
    """Whether it is the address of one device, reachable from another link (RFC 4291 section 2.5.6)."""
    try:
        normal_address(address)
    except ValueError:
        return False
    return not ipaddress.ip_address(address).is_link_local
