"""Finding a device by what a scrape calls it, and what would make that ambiguous.

Both need the same tables, so they are built in one place: once per change of the inventory, never per scrape.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from promsnmp.inventory.address import split_target
from promsnmp.inventory.model import DEFAULT_PORT, Agent, Device


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
        self._names: dict[str, Device] = {}
        self._endpoints: dict[tuple[str, int], Found] = {}
        self._addresses: dict[str, Found] = {}
        for device in devices:
            if device.sys_name:
                self._names.setdefault(name_key(device.sys_name), device)
            for agent in device.agents:
                self._add(Found(device, agent), agent.endpoint.address, agent.endpoint.port)

    def _add(self, found: Found, address: str, port: int) -> None:
        self._endpoints.setdefault((address, port), found)
        if port == DEFAULT_PORT:
            self._addresses[address] = found
        else:
            self._addresses.setdefault(address, found)

    def find(self, target: str) -> Found | None:
        """By sysName, else by address and port, else by address alone: port 161 first, then the first one listed."""
        if device := self._names.get(name_key(target.strip())):
            return Found(device, device.primary)
        try:
            address, port = split_target(target)
        except ValueError:
            return None
        if port is None:
            return self._addresses.get(address)
        return self._endpoints.get((address, port))


def collisions(devices: Sequence[Device]) -> list[str]:
    """What two devices or agents must not share: ids, names, endpoints; one line per thing found twice."""
    if _all_different(devices):
        return []
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


def _all_different(devices: Sequence[Device]) -> bool:
    """The usual answer, found several times faster than the places of what is wrong."""
    agents = [agent for device in devices for agent in device.agents]
    names = [name_key(device.sys_name) for device in devices if device.sys_name]
    addresses = {agent.endpoint.address for agent in agents}
    return (
        len({device.id for device in devices}) == len(devices)
        and len(set(names)) == len(names)
        and len({agent.id for agent in agents}) == len(agents)
        and len({(agent.endpoint.address, agent.endpoint.port) for agent in agents}) == len(agents)
        and addresses.isdisjoint(names)
    )


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
