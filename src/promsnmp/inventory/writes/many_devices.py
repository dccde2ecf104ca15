"""Changes and removes many devices in one write: all of them, or none.

Devices that have been removed meanwhile are passed over. ``Devices`` (``inventory/devices.py``) changes one, with a
check of its version.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from promsnmp.errors import InventoryInvalid
from promsnmp.inventory.document.fields import Fields
from promsnmp.inventory.document.values import read_labels, read_modules
from promsnmp.inventory.model import Device, Inventory
from promsnmp.inventory.modules import KnownModules, unknown_modules
from promsnmp.inventory.store import InventoryStore
from promsnmp.snmp.credentials import Credentials

T = TypeVar("T")


class ManyDevices:
    """The devices of ``store``, many at once. ``who`` and ``request_id`` are those of ``InventoryStore.update``, and so
    are the errors. Each method returns how many devices it found."""

    def __init__(self, store: InventoryStore, known_modules: KnownModules | None = None) -> None:
        self._store = store
        self._known_modules = known_modules

    async def set_labels(
        self, ids: Collection[str], labels: Mapping[str, str | None], *, who: str, request_id: str = ""
    ) -> int:
        """Sets labels; None removes one. Raises InventoryInvalid for a wrong name."""
        _checked(read_labels, {"labels": dict.fromkeys(labels, "")})

        def change(device: Device) -> Device:
            merged = {**dict(device.labels), **labels}
            return replace(device, labels=tuple((name, value) for name, value in merged.items() if value is not None))

        return await self._change(ids, lambda _: change, who=who, request_id=request_id)

    async def set_modules(self, ids: Collection[str], modules: Sequence[str], *, who: str, request_id: str = "") -> int:
        """Sets the modules; none: those of the settings. Raises InventoryInvalid for an unknown name."""
        chosen = _checked(lambda fields: read_modules(fields, "modules"), {"modules": list(modules)})
        if self._known_modules is not None and (problems := unknown_modules(chosen, self._known_modules)):
            raise InventoryInvalid(problems)
        return await self._change(
            ids, lambda _: lambda device: replace(device, modules=chosen), who=who, request_id=request_id
        )

    async def copy_credentials(self, source: str, ids: Collection[str], *, who: str, request_id: str = "") -> int:
        """Gives the primary agents of devices the credentials that the primary agent of ``source`` (an id) has; devices
        without an agent stay as they are. Raises InventoryInvalid for a source without an agent."""

        def begin(old: Inventory) -> Callable[[Device], Device]:
            agent = next((device.primary for device in old.devices if device.id == source), None)
            if agent is None:
                raise InventoryInvalid(["the device whose credentials are to be copied has no agent"])
            return lambda device: _with_credentials(device, agent.credentials, agent.credentials_name)

        return await self._change(ids, begin, who=who, request_id=request_id)

    async def name_credentials(self, name: str, ids: Collection[str], *, who: str, request_id: str = "") -> int:
        """Gives the primary agents of devices the named credentials ``name``; devices without an agent stay as they
        are. Raises InventoryInvalid for an unknown name."""

        def begin(old: Inventory) -> Callable[[Device], Device]:
            named = next((one for one in old.named_credentials if one.name == name), None)
            if named is None:
                raise InventoryInvalid([f"there are no credentials {name[:64]!r}"])
            return lambda device: _with_credentials(device, named.credentials, named.name)

        return await self._change(ids, begin, who=who, request_id=request_id)

    async def remove(self, ids: Collection[str], *, who: str, request_id: str = "") -> int:
        """Removes devices."""
        return await self._change(ids, lambda _: lambda _: None, who=who, request_id=request_id)

    async def _change(
        self,
        ids: Collection[str],
        begin: Callable[[Inventory], Callable[[Device], Device | None]],
        *,
        who: str,
        request_id: str,
    ) -> int:
        """Changes devices by what ``begin`` returns for the present inventory."""
        wanted, found = frozenset(ids), [0]

        def apply(old: Inventory) -> Inventory:
            found[0], change = 0, begin(old)
            devices: list[Device] = []
            has_changed = False
            for device in old.devices:
                after: Device | None = device
                if device.id in wanted:
                    found[0] += 1
                    after = change(device)
                    has_changed = has_changed or after != device
                if after is not None:
                    devices.append(after)
            return replace(old, devices=tuple(devices)) if has_changed else old

        await self._store.update(apply, who=who, request_id=request_id)
        return found[0]


def _checked(read: Callable[[Fields], tuple[T, ...]], values: Mapping[str, object]) -> tuple[T, ...]:
    problems: list[str] = []
    found = read(Fields(values, "", problems))
    if problems:
        raise InventoryInvalid(problems)
    return found


def _with_credentials(device: Device, credentials: Credentials, name: str) -> Device:
    if device.primary is None:
        return device
    agent = replace(device.primary, credentials=credentials, credentials_name=name)
    agents = tuple(agent if one.id == agent.id else one for one in device.agents)
    return replace(device, agents=agents, primary=agent)
