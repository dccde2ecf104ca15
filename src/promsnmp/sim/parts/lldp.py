"""LLDP of a simulated device (LLDP-MIB, IEEE 802.1AB-2005 section 12.2): its own identity, its ports and neighbours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from promsnmp.sim.mib import Value
from promsnmp.sim.parts.objects import Objects, TableRows, integer, octets, scalars, table, text

LLDP = "1.0.8802.1.1.2.1"
MAC_ADDRESS = 4
"""LldpChassisIdSubtype."""
INTERFACE_NAME = 5
"""LldpPortIdSubtype."""
BRIDGE, ROUTER, STATION = bytes((0b00100000,)), bytes((0b00001000,)), bytes((0b00000001,))
"""LldpSystemCapabilitiesMap: bits 2, 4 and 7."""


@dataclass(frozen=True, slots=True)
class LldpNeighbour:
    """A neighbour at the port ``local_port`` (a number of lldpLocPortTable)."""

    local_port: int
    chassis: bytes
    name: str
    port: str
    descr: str = ""
    capabilities: bytes = BRIDGE


def lldp(
    name: str,
    descr: str,
    *,
    chassis: bytes,
    ports: Mapping[int, str],
    neighbours: Sequence[LldpNeighbour],
    capabilities: bytes = BRIDGE,
) -> Objects:
    """The local system data and the neighbours; ``ports`` are names of interfaces by number."""
    local: Objects = {
        "1": integer(MAC_ADDRESS),
        "2": octets(chassis),
        "3": text(name),
        "4": text(descr),
        "5": octets(capabilities),
        "6": octets(capabilities),
    }
    port_rows: TableRows = {
        (number,): {2: integer(INTERFACE_NAME), 3: text(port), 4: text(port)} for number, port in ports.items()
    }
    rows: TableRows = {(0, one.local_port, at): _row(one) for at, one in enumerate(neighbours, 1)}
    return {
        **scalars(f"{LLDP}.3", local),
        **table(f"{LLDP}.3.7.1", port_rows),
        **table(f"{LLDP}.4.1.1", rows),
    }


def _row(one: LldpNeighbour) -> dict[int, Value]:
    return {
        4: integer(MAC_ADDRESS),
        5: octets(one.chassis),
        6: integer(INTERFACE_NAME),
        7: text(one.port),
        8: text(one.port),
        9: text(one.name),
        10: text(one.descr),
        11: octets(one.capabilities),
        12: octets(one.capabilities),
    }
