"""Finds devices by id, name or address, and the conflicts between devices that share one.

Both need the same tables. An update copies the dictionaries and changes the entries of the changed devices: that takes
milliseconds for 20,000 devices, and an index that somebody holds never changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from promsnmp.inventory.address import split_target
from promsnmp.inventory.model import DEFAULT_PORT, Agent, AgentEndpoint, Device, Inventory

T = TypeVar("T")


class TargetMatch(NamedTuple):
    """The device of a target, and the agent that it names: the primary one when only the name was given."""

    device: Device
    agent: Agent | None
    """None only for a device without agents."""


def name_key(name: str) -> str:
    """Names compare as DNS names do: without case, and without the root's dot (RFC 4343)."""
    return name.lower().removesuffix(".")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An inventory and its index."""

    inventory: Inventory
    index: Index

    @classmethod
    def of(cls, inventory: Inventory) -> Snapshot:
        return cls(inventory, Index(inventory.devices))


class Index:
    """Dictionaries from ids, names, endpoints and addresses to devices; immutable."""

    __slots__ = ("_addresses", "_agents", "_devices", "_endpoints", "_names", "ambiguous_ids", "conflicts")

    def __init__(self, devices: Iterable[Device] = ()) -> None:
        self.conflicts: list[str] = []
        """Ids and endpoints that two devices share, one line each."""
        self._devices: dict[str, Device] = {}
        self._agents: dict[str, Device] = {}
        self._names: dict[str, tuple[Device, ...]] = {}
        self._endpoints: dict[tuple[str, int], TargetMatch] = {}
        self._addresses: dict[str, tuple[TargetMatch, ...]] = {}
        self.ambiguous_ids: frozenset[str] = frozenset()
        """Ids of devices whose sysName is also the name or address of another device."""
        for device in devices:
            self._enter(device)
        self._settle(self._names)

    def updated(self, removed_devices: Iterable[Device], added_devices: Iterable[Device]) -> Index:
        """The index without ``removed_devices`` and with ``added_devices``; a changed device is in both."""
        new = Index()
        new._devices, new._agents = self._devices.copy(), self._agents.copy()
        new._names, new._endpoints, new._addresses = self._names.copy(), self._endpoints.copy(), self._addresses.copy()
        changed: set[str] = set()
        removed = set()
        for device in removed_devices:
            new._remove(device)
            removed.add(device.id)
            changed |= _keys(device)
        new.ambiguous_ids = self.ambiguous_ids - removed
        for device in added_devices:
            new._enter(device)
            changed |= _keys(device)
        new._settle(changed)
        return new

    def find(self, target: str) -> TargetMatch | None:
        """By sysName, else by address and port, else by address alone: port 161 first, then the lowest one."""
        named = self._names.get(name_key(target.strip()), ())
        if len(named) == 1 and named[0].id not in self.ambiguous_ids:
            return TargetMatch(named[0], named[0].primary)
        try:
            address, port = split_target(target)
        except ValueError:
            return None
        if port is None:
            return next(iter(self._addresses.get(address, ())), None)
        return self._endpoints.get((address, port))

    def device(self, device_id: str) -> Device | None:
        """The device with this id."""
        return self._devices.get(device_id)

    def named(self, name: str) -> Sequence[Device]:
        """All devices with this sysName."""
        return self._names.get(name_key(name.strip()), ())

    def at_address(self, address: str) -> Sequence[TargetMatch]:
        """All agents at an address in its canonical spelling, that of port 161 first."""
        return self._addresses.get(address, ())

    def _enter(self, device: Device) -> None:
        if (other := self._devices.setdefault(device.id, device)) is not device:
            self._add_conflict(device, "id", f"{device.id} is also that of", other)
        if device.sys_name:
            name = name_key(device.sys_name)
            self._names[name] = (*self._names.get(name, ()), device)
        for number, agent in enumerate(device.agents):
            found, address, key = TargetMatch(device, agent), agent.endpoint.address, _key(agent.endpoint)
            if agent.id in self._agents:
                other = self._agents[agent.id]
                self._add_conflict(device, f"agents[{number}].id", f"{agent.id} is also an agent of", other)
            self._agents[agent.id] = device
            if (taken := self._endpoints.setdefault(key, found)) is not found:
                self._add_conflict(
                    device, f"agents[{number}].endpoint", f"{agent.endpoint} is also that of", taken.device
                )
            there = self._addresses.get(address)
            self._addresses[address] = tuple(sorted((*there, found), key=_by_port)) if there else (found,)

    def _add_conflict(self, device: Device, place: str, what: str, other: Device) -> None:
        self.conflicts.append(f"{display_name(device)}: {place}: {what} {display_name(other)}")

    def _remove(self, device: Device) -> None:
        self._devices.pop(device.id, None)
        others = tuple(one for one in self.named(device.sys_name) if one.id != device.id)
        _keep(self._names, name_key(device.sys_name), others)
        for agent in device.agents:
            self._agents.pop(agent.id, None)
            self._endpoints.pop(_key(agent.endpoint), None)
            address = agent.endpoint.address
            left = tuple(found for found in self._addresses.get(address, ()) if found.device.id != device.id)
            _keep(self._addresses, address, left)

    def _settle(self, names: Iterable[str]) -> None:
        """Brings ``ambiguous_ids`` up to date for devices with these ``names``."""
        asked: set[str] = set()
        lost: set[str] = set()
        for name in names:
            devices, owners = self._names.get(name, ()), self._addresses.get(name, ())
            asked.update(device.id for device in devices)
            if len(devices) > 1 or any(found.device is not device for device in devices for found in owners):
                lost.update(device.id for device in devices)
        self.ambiguous_ids = (self.ambiguous_ids - asked) | lost


def _key(endpoint: AgentEndpoint) -> tuple[str, int]:
    """The key of an endpoint: tuples hash much faster than dataclasses."""
    return endpoint.address, endpoint.port


def _keys(device: Device) -> set[str]:
    """Names whose meaning may change when this device comes or goes."""
    return {name_key(device.sys_name), *(name_key(agent.endpoint.address) for agent in device.agents)}


def display_name(device: Device) -> str:
    """A device's name and id, for people."""
    name = device.sys_name or (str(device.primary.endpoint) if device.primary else "")
    return f"{name} ({device.id})" if name else device.id


def _by_port(found: TargetMatch) -> tuple[bool, int]:
    assert found.agent is not None
    port = found.agent.endpoint.port
    return port != DEFAULT_PORT, port


def _keep(table: dict[str, tuple[T, ...]], key: str, values: tuple[T, ...]) -> None:
    if values:
        table[key] = values
    else:
        table.pop(key, None)


def collisions(devices: Sequence[Device]) -> list[str]:
    """Ids and endpoints that occur twice in a document, one line each."""
    if _all_different(devices):
        return []
    seen: dict[tuple[str, str], str] = {}
    problems: list[str] = []
    for number, device in enumerate(devices):
        place = f"devices[{number}]"
        _claim(seen, problems, "id", device.id, f"{place}.id")
        for order, agent in enumerate(device.agents):
            where = f"{place}.agents[{order}]"
            _claim(seen, problems, "agent", agent.id, f"{where}.id")
            _claim(seen, problems, "endpoint", str(agent.endpoint), f"{where}.endpoint")
    return problems


def _all_different(devices: Sequence[Device]) -> bool:
    """Whether there are no collisions: the usual case, several times faster to check than where they are."""
    agents = [agent for device in devices for agent in device.agents]
    return (
        len({device.id for device in devices}) == len(devices)
        and len({agent.id for agent in agents}) == len(agents)
        and len({(agent.endpoint.address, agent.endpoint.port) for agent in agents}) == len(agents)
    )


def _claim(seen: dict[tuple[str, str], str], problems: list[str], kind: str, value: str, place: str) -> None:
    first = seen.setdefault((kind, value), place)
    if first is not place:
        problems.append(f"{place}: {value} is also {first}; it must be unique")
