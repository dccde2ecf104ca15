"""The neighbours of a device by LLDP (IEEE 802.1AB) and CDP, from the samples of its page, and which devices they are.

A neighbour is a device of the inventory when its chassis has a MAC address of the device, when its management address
is an address of the device, or when it has its name, and only that device has it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from promsnmp.inventory.index import Index
from promsnmp.inventory.model import Device
from promsnmp.web.scrape_text import Sample
from promsnmp.web.topology.neighbour_tables import (
    CDP_INDEX,
    LLDP_INDEX,
    address_of,
    cdp_name,
    digits_of,
    table_rows,
)

MOST_ROWS = 500
PREFIXES = ("lldpRemChassisId", "lldpRemPortDesc{", "lldpRemSysDesc{", "lldpRemManAddrIfId{", "cdpCache")
_MAC_DIGITS = 12


@dataclass(slots=True)
class NeighbourRow:
    """A neighbour: our port, and what it says of itself."""

    protocol: str
    labels: dict[str, str] = field(default_factory=dict)
    device: Device | None = None
    """In the inventory."""

    @property
    def local_port(self) -> str:
        return self._first("lldpLocPortId", "lldpLocPortDesc", "ifName", "ifDescr", "lldpRemLocalPortNum", CDP_INDEX[0])

    @property
    def name(self) -> str:
        return self._first("lldpRemSysName", "cdpCacheDeviceId", "lldpRemChassisId")

    @property
    def system_name(self) -> str:
        """Its sysName, as far as it says it."""
        return cdp_name(self.name) if self.protocol == "CDP" else self.name

    @property
    def port(self) -> str:
        return self._first("lldpRemPortId", "cdpCacheDevicePort")

    @property
    def description(self) -> str:
        return self._first("lldpRemSysDesc", "cdpCachePlatform", "lldpRemPortDesc")

    @property
    def address(self) -> str:
        """Of its management; empty when it is not known, or not an address."""
        return address_of(self._first("lldpRemManAddr", "cdpCacheAddress"))

    @property
    def mac(self) -> str:
        """Of its chassis, as hexadecimal digits; empty when it has another identifier."""
        digits = digits_of(self.labels.get("lldpRemChassisId", ""))
        return digits if len(digits) == _MAC_DIGITS else ""

    def _first(self, *names: str) -> str:
        return next((text for name in names if (text := self.labels.get(name))), "")


def neighbour_rows(found: Iterable[Sample]) -> tuple[Sequence[NeighbourRow], int]:
    """The first MOST_ROWS neighbours, by our port, and how many there are."""
    by_protocol: dict[str, list[Sample]] = {"CDP": [], "LLDP": []}
    for sample in found:
        if sample.name.startswith(("lldpRem", "cdpCache")):
            by_protocol["CDP" if sample.name.startswith("cdp") else "LLDP"].append(sample)
    rows: list[NeighbourRow] = []
    for protocol, index in (("CDP", CDP_INDEX), ("LLDP", LLDP_INDEX)):
        known = table_rows(by_protocol[protocol], index)
        rows += [NeighbourRow(protocol, known[at]) for at in sorted(known, key=lambda at: [(len(x), x) for x in at])]
    return rows[:MOST_ROWS], len(rows)


def identify(rows: Iterable[NeighbourRow], index: Index, macs: Mapping[str, Device | None]) -> None:
    """Finds the neighbours in the inventory; ``macs``: see ``MacIndex``."""
    for row in rows:
        by_address = index.find(row.address) if row.address else None
        named = index.named(row.system_name) if row.system_name else ()
        candidates = macs.get(row.mac), by_address and by_address.device, named[0] if len(named) == 1 else None
        row.device = next((one for one in candidates if one is not None), None)


class MacIndex:
    """``devices_by_mac`` of the inventory, made again when its devices change."""

    def __init__(self) -> None:
        self._last: tuple[tuple[Device, ...], Mapping[str, Device | None]] = (), {}

    def of(self, devices: tuple[Device, ...]) -> Mapping[str, Device | None]:
        """The device with each MAC address; None for one that several have."""
        known, found = self._last
        if known is not devices:
            found = devices_by_mac(devices)
            self._last = devices, found
        return found


def devices_by_mac(devices: Iterable[Device]) -> Mapping[str, Device | None]:
    """The device with each MAC address; None for one that several have."""
    found: dict[str, Device | None] = {}
    for device in devices:
        for mac in device.identifiers.mac_addresses:
            digits = mac.replace(":", "").lower()
            found[digits] = None if digits in found else device
    return found
