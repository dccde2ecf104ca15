"""Which device a neighbour is: one rule, for the map and for the page of a device. Pure.

A neighbour is the device that has its chassis identifier or one of its MAC addresses, else the one with its management
address, else the one with its name, else the one with its name without the domain. What several devices have says
nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from promsnmp.inventory.model import Device
from promsnmp.web.topology.neighbour_tables import digits_of


@dataclass(frozen=True, slots=True)
class Identifiers:
    """What a device is known by: ``digits`` are chassis identifiers and MAC addresses, in hexadecimal digits."""

    id: str
    name: str
    addresses: frozenset[str] = frozenset()
    digits: frozenset[str] = frozenset()


def identifiers_of(device: Device) -> Identifiers:
    """What the inventory knows a device by."""
    known = device.identifiers
    return Identifiers(
        device.id,
        device.sys_name,
        frozenset(agent.endpoint.address for agent in device.agents),
        mac_digits((*known.mac_addresses, *known.local_mac_addresses)),
    )


def mac_digits(addresses: Iterable[str]) -> frozenset[str]:
    """MAC addresses of the inventory as hexadecimal digits."""
    return frozenset(filter(None, map(digits_of, addresses)))


class DeviceFinder:
    """Finds the ids of ``devices``."""

    def __init__(self, devices: Iterable[Identifiers]) -> None:
        known = list(devices)
        self.by_digits = _unique((digits, one.id) for one in known for digits in one.digits)
        self._by_address = _unique((address, one.id) for one in known for address in one.addresses)
        self._by_name = _unique((_name(one.name), one.id) for one in known)
        self._by_short_name = _unique((_short(one.name), one.id) for one in known)

    def find(self, *, chassis: str = "", address: str = "", name: str = "") -> str:
        """The id of the device with what a neighbour says of itself (``chassis`` in hexadecimal digits); empty when no
        device has it, or several have."""
        return (
            self.by_digits.get(chassis)
            or self._by_address.get(address)
            or self._by_name.get(_name(name))
            or self._by_short_name.get(_short(name))
            or ""
        )


def _name(name: str) -> str:
    return name.casefold().rstrip(".")


def _short(name: str) -> str:
    """The name without its domain; that of an address is empty."""
    first = name.casefold().partition(".")[0]
    return "" if first.isdigit() else first


def _unique(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """What only one device has; empty texts are nothing."""
    found: dict[str, str] = {}
    for text, key in pairs:
        if text:
            found[text] = key if found.get(text, key) == key else ""
    return {text: key for text, key in found.items() if key}
