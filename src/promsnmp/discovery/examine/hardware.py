"""Reads what identifies the hardware of a device: serial numbers and MAC addresses, in a few packets."""

from __future__ import annotations

from dataclasses import dataclass

from promsnmp.discovery.examine.values import text_of
from promsnmp.discovery.reconcile.distinctive import distinctive_macs, distinctive_serials, local_macs
from promsnmp.snmp import ber, oid
from promsnmp.snmp.credentials import Version
from promsnmp.snmp.operations.first_rows import FirstRowsOperation
from promsnmp.snmp.session import Session

PHYSICAL_ADDRESS = oid.encode("1.3.6.1.2.1.2.2.1.6")  # ifPhysAddress, RFC 2863
PHYSICAL_CLASS = oid.encode("1.3.6.1.2.1.47.1.1.1.1.5")  # entPhysicalClass and entPhysicalSerialNum, RFC 6933
SERIAL_NUMBER = oid.encode("1.3.6.1.2.1.47.1.1.1.1.11")
CHASSIS = frozenset({b"\x03", b"\x0b"})
"""chassis(3), stack(11)."""
PACKETS = 4
"""For each of the two tables; 48 interfaces take two packets."""


@dataclass(frozen=True, slots=True)
class Hardware:
    """The identifiers of hardware that tell devices apart; see ``reconcile/identity.py``."""

    serial_numbers: frozenset[str]
    mac_addresses: frozenset[str]
    local_mac_addresses: frozenset[str]


async def read_hardware(session: Session, version: Version) -> Hardware:
    """The hardware of the device in an open session. Raises SnmpError."""
    interfaces = FirstRowsOperation([PHYSICAL_ADDRESS], version=version, packets=PACKETS, limits=session.limits)
    await session.run(interfaces)
    macs = [one.value for one in interfaces.rows[PHYSICAL_ADDRESS].values() if one.tag == ber.OCTET_STRING]
    entities = FirstRowsOperation(
        [PHYSICAL_CLASS, SERIAL_NUMBER], version=version, packets=PACKETS, limits=session.limits
    )
    await session.run(entities)
    classes, serials = entities.rows[PHYSICAL_CLASS], entities.rows[SERIAL_NUMBER]
    numbers = [text_of(serials[index]) for index, one in classes.items() if one.value in CHASSIS and index in serials]
    return Hardware(distinctive_serials(number or "" for number in numbers), distinctive_macs(macs), local_macs(macs))
