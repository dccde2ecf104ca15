"""Finding a device by what a scrape calls it, and what would make that ambiguous.

Both need the same tables, so they are built in one place: once per change of the inventory, never per scrape.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from promsnmp.inventory.address import split_target
from promsnmp.inventory.model import DEFAULT_PORT, Agent, Device, Endpoint


class Found(NamedTuple):
    """A target's device, and which of its agents was meant: the primary one when the name alone was given."""

    device: Device
    agent: Agent | None
    """None only for a device without agents."""


def name_key(name: str) -> str:
    """Names compare as DNS names do: without case, and without the root's dot (RFC 4343)."""
    return name.lower().removesuffix(".")


class Index:
    """Dictionaries from names, endpoints and addresses to devices."""

    __slots__ = ("_addresses", "_endpoints", "_names")

    def __init__(self, devices: Iterable[Device]) -> None:
        self._names: dict[str, Found] = {}
        self._endpoints: dict[Endpoint, Found] = {}
        self._addresses: dict[str, Found] = {}
        for device in devices:
            if device.sys_name:
                self._names.setdefault(name_key(device.sys_name), Found(device, device.primary))
            for agent in device.agents:
                found = Found(device, agent)
                self._endpoints.setdefault(agent.endpoint, found)
                if agent.endpoint.port == DEFAULT_PORT:
                    self._addresses[agent.endpoint.address] = found
                else:
                    self._addresses.setdefault(agent.endpoint.address, found)

    def find(self, target: str) -> Found | None:
        """By sysName, else by address and port, else by address alone: port 161 first, then the first one listed."""
        if found := self._names.get(name_key(target.strip())):
            return found
        try:
            address, port = split_target(target)
        except ValueError:
            return None
        if port is None:
            return self._addresses.get(address)
        return self._endpoints.get(Endpoint(address, port))


def collisions(devices: Sequence[Device]) -> list[str]:
    """What two devices or agents must not share: ids, names, endpoints; one line per thing found twice."""
    seen: dict[tuple[str, str], str] = {}
    problems: list[str] = []
    owners: dict[str, int] = {}
    for number, device in enumerate(devices):
        place = f"devices[{number}]"
        _claim(seen, problems, "id", device.id, f"{place}.id", device.id)
        if device.sys_name:
            _claim(seen, problems, "name", name_key(device.sys_name), f"{place}.sysName", repr(device.sys_name))
        for order, agent in enumerate(device.agents):
            owners.setdefault(agent.endpoint.address, number)
            where = f"{place}.agents[{order}]"
            _claim(seen, problems, "agent", agent.id, f"{where}.id", agent.id)
            endpoint = str(agent.endpoint)
            _claim(seen, problems, "endpoint", endpoint, f"{where}.endpoint", endpoint)
    return problems + _names_of_others(devices, owners)


def _claim(
    seen: dict[tuple[str, str], str], problems: list[str], kind: str, value: str, place: str, shown: str
) -> None:
    first = seen.setdefault((kind, value), place)
    if first is not place:
        problems.append(f"{place}: {shown} is also {first}; it must be there once only")


def _names_of_others(devices: Sequence[Device], owners: dict[str, int]) -> list[str]:
    """A device named like another one's address would take its scrapes."""
    problems = []
    for number, device in enumerate(devices):
        owner = owners.get(name_key(device.sys_name), number) if device.sys_name else number
        if owner != number:
            problems.append(f"devices[{number}].sysName: {device.sys_name!r} is the address of devices[{owner}]")
    return problems
