"""The neighbours of a device by LLDP (IEEE 802.1AB) and CDP, from the samples of its page, and which devices they are.

``topology/device_finder.py`` says which device of the inventory a neighbour is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from promsnmp.inventory.index import Index
from promsnmp.inventory.model import Device
from promsnmp.web.scrape_text import Sample
from promsnmp.web.topology.device_finder import DeviceFinder, identifiers_of
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
    def chassis(self) -> str:
        """Its chassis identifier, as hexadecimal digits."""
        return digits_of(self.labels.get("lldpRemChassisId", ""))

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


def identify(rows: Iterable[NeighbourRow], finder: DeviceFinder, index: Index) -> None:
    """Finds the neighbours in the inventory, as the map does."""
    for row in rows:
        found = finder.find(chassis=row.chassis, address=row.address, name=row.system_name)
        row.device = index.device(found) if found else None


class InventoryFinder:
    """A ``DeviceFinder`` of the inventory, made again when its devices change."""

    def __init__(self) -> None:
        self._last: tuple[tuple[Device, ...], DeviceFinder] = (), DeviceFinder(())

    def of(self, devices: tuple[Device, ...]) -> DeviceFinder:
        """The finder of these devices."""
        known, finder = self._last
        if known is not devices:
            finder = DeviceFinder(map(identifiers_of, devices))
            self._last = devices, finder
        return finder
