"""Changes credentials that agents use by name: all their agents change in the same write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from promsnmp.errors import InventoryConflict, InventoryInvalid, UnknownDevice
from promsnmp.inventory.document.fields import Fields
from promsnmp.inventory.model import Agent, Device, Inventory, NamedCredentials
from promsnmp.inventory.named_credentials.document import MAX_NAMED, by_name, read_name, read_named
from promsnmp.inventory.store import InventoryStore


class NamedCredentialsEditor:
    """The named credentials of ``store``. ``who``, ``request_id`` and errors are those of ``InventoryStore.update``."""

    def __init__(self, store: InventoryStore) -> None:
        self._store = store

    @property
    def current(self) -> Sequence[NamedCredentials]:
        return self._store.current.named_credentials

    def used_by(self) -> dict[str, int]:
        """How many devices use each of them; names without any are missing."""
        counts: dict[str, int] = {}
        for device in self._store.current.devices:
            for name in {agent.credentials_name for agent in device.agents if agent.credentials_name}:
                counts[name] = counts.get(name, 0) + 1
        return counts

    async def put(
        self, name: str, document: object, *, who: str, request_id: str = ""
    ) -> tuple[NamedCredentials, bool]:
        """Sets the credentials ``name``, and so those of all agents that use them; returns whether they are new.

        ``document`` has the keys of an agent's credentials; masked secrets stay. Raises InventoryInvalid.
        """
        result: list[tuple[NamedCredentials, bool]] = []

        def change(old: Inventory) -> Inventory:
            known = by_name(old.named_credentials)
            problems: list[str] = []
            try:
                read_name(name)
            except ValueError as error:
                problems.append(f"the name {error}")
            named = read_named(Fields(document, "", problems), known, name=name)
            if name not in known and len(known) >= MAX_NAMED:
                problems.append(f"there are {MAX_NAMED} named credentials already; remove some first")
            if problems or named is None:
                raise InventoryInvalid(problems or ["the credentials have neither a community nor a user"])
            result[:] = [(named, name not in known)]
            if known.get(name) == named.credentials:
                return old
            others = [one for one in old.named_credentials if one.name != name]
            all_named = tuple(sorted([*others, named], key=lambda one: one.name))
            devices = tuple(_with(device, named) for device in old.devices)
            return replace(old, devices=devices, named_credentials=all_named)

        await self._store.update(change, who=who, request_id=request_id)
        return result[0]

    async def remove(self, name: str, *, who: str, request_id: str = "") -> None:
        """Removes credentials. Raises UnknownDevice for an unknown name, InventoryConflict while agents use them."""

        def change(old: Inventory) -> Inventory:
            left = tuple(one for one in old.named_credentials if one.name != name)
            if len(left) == len(old.named_credentials):
                raise UnknownDevice(f"there are no credentials {name[:64]!r}")
            users = [one for one in old.devices if any(agent.credentials_name == name for agent in one.agents)]
            if users:
                first = users[0].sys_name or users[0].id
                raise InventoryConflict(
                    [f"credentials {name!r} are used by {len(users)} devices, {first} for one; give them others first"]
                )
            return replace(old, named_credentials=left)

        await self._store.update(change, who=who, request_id=request_id)


def _with(device: Device, named: NamedCredentials) -> Device:
    if not any(agent.credentials_name == named.name for agent in device.agents):
        return device

    def changed(agent: Agent) -> Agent:
        return replace(agent, credentials=named.credentials) if agent.credentials_name == named.name else agent

    primary = changed(device.primary) if device.primary else None
    return replace(device, agents=tuple(map(changed, device.agents)), primary=primary)
