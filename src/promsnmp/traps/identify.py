"""Finds the device of the inventory that sent a notification: by engine id, the address that it names, its source.

An authenticated engine id is proof. An address in the message (v1's agent-addr, ``snmpTrapAddress.0``) is only a claim,
which counts when the datagram comes from a proxy or NAT gateway of TRAP_PROXIES. A source address may be made up, too;
so a trap without authentication changes nothing except that its device is polled, at most every few seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address

from cachetools import LRUCache

from promsnmp.inventory.index import Index, Snapshot
from promsnmp.inventory.model import Device
from promsnmp.settings.reading.parsing import Network
from promsnmp.snmp.credentials import Credentials

MAX_ADDRESSES = 20_000
"""Addresses of which it is remembered whether they are of a proxy."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sent a notification. ``address`` is the one that the device is known by behind a proxy."""

    address: str
    device: Device | None


def engine_ids(devices: Iterable[Device]) -> dict[bytes, str]:
    """Ids of devices by the engine ids of their agents; an engine id that several devices have identifies none."""
    found: dict[bytes, str] = {}
    for device in devices:
        for agent in device.agents:
            if agent.engine_id and (octets := _octets(agent.engine_id)):
                found[octets] = device.id if found.get(octets, device.id) == device.id else ""
    return found


def _octets(text: str) -> bytes:
    try:
        return bytes.fromhex(text.lower().removeprefix("0x").replace(":", "").replace(" ", ""))
    except ValueError:
        return b""


class DeviceFinder:
    """Finds devices in the inventory in use. ``addresses``: ids of devices whose agents have host names, by address."""

    def __init__(
        self,
        snapshot: Callable[[], Snapshot],
        *,
        proxies: tuple[Network, ...] = (),
        addresses: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        self._snapshot = snapshot
        self._proxies = proxies
        self._addresses = addresses
        self._is_proxy: LRUCache[str, bool] = LRUCache(MAX_ADDRESSES)
        self.engines: Mapping[bytes, str] = {}
        """Ids of devices by engine id."""

    def is_known(self, address: str) -> bool:
        """Whether an address is that of a device or of a proxy."""
        return bool(self._index.at_address(address)) or address in self._addresses() or self.is_proxy(address)

    def is_proxy(self, address: str) -> bool:
        """Whether an address is in TRAP_PROXIES."""
        if not self._proxies:
            return False
        known = self._is_proxy.get(address)
        if known is None:
            parsed = ip_address(address)
            known = self._is_proxy[address] = any(parsed in one for one in self._proxies)
        return known

    def credentials(self, address: str) -> list[Credentials]:
        """Those of the agents at an address."""
        return [one.agent.credentials for one in self._index.at_address(address) if one.agent is not None]

    def by_engine(self, engine_id: bytes) -> Device | None:
        """The device with an engine id."""
        device_id = self.engines.get(engine_id, "")
        return self._index.device(device_id) if device_id else None

    def find(self, source: str, *, engine_id: bytes, claimed: str, is_authenticated: bool) -> Sender:
        """The sender of a message from ``source`` with this engine id (empty: none), that claims to be ``claimed``."""
        if engine_id and is_authenticated and (device := self.by_engine(engine_id)) is not None:
            return Sender(source, device)
        if claimed and self.is_proxy(source):
            return Sender(claimed, self._at(claimed))
        return Sender(source, self._at(source))

    @property
    def _index(self) -> Index:
        return self._snapshot().index

    def _at(self, address: str) -> Device | None:
        """The one device at an address; several behind one address give none."""
        found = {one.device.id: one.device for one in self._index.at_address(address)}
        if len(found) == 1:
            return next(iter(found.values()))
        named = "" if found else self._addresses().get(address, "")
        return self._index.device(named) if named else None
