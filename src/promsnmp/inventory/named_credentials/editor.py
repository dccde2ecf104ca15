"""Changes credentials that agents use by name: all their agents change in the same write."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from promsnmp.errors import InventoryConflict, InventoryInvalid, UnknownDevice
from promsnmp.inventory.document.fields import Fields
from promsnmp.inventory.model import Agent, Device, Inventory, NamedCredentials, Seed
from promsnmp.inventory.named_credentials.document import (
    MAX_NAMED,
    MAX_WHO,
    by_name,
    named_document,
    read_name,
    read_named,
)
from promsnmp.inventory.store import InventoryStore
from promsnmp.snmp.credentials import Credentials

MOST_USERS = 5
"""Devices that are named where they forbid a removal."""
Precondition = Callable[[NamedCredentials | None], None]
"""A check of the credentials as they are now, None when they do not exist; raises DeviceChanged."""


def no_precondition(_: NamedCredentials | None) -> None:
    """Nothing that has to be true."""


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

    def find(self, name: str) -> NamedCredentials | None:
        """The credentials with this name; None without any."""
        return next((one for one in self.current if one.name == name), None)

    def used_by_seeds(self) -> dict[str, int]:
        """How many saved seeds have the same credentials as each of them; names without any are missing."""
        counts: dict[Credentials, int] = {}
        for seed in self._store.current.seeds:
            for credentials in dict.fromkeys(seed.credentials):
                counts[credentials] = counts.get(credentials, 0) + 1
        return {one.name: number for one in self.current if (number := counts.get(one.credentials))}

    def devices_of(self, name: str) -> Iterator[Device]:
        """The devices that use these credentials."""
        return (one for one in self._store.current.devices if _uses(one, name))

    def etag(self, named: NamedCredentials) -> str:
        """A strong validator, as that of a device (``Devices.etag``): keyed, so that nobody can guess secrets from
        it."""
        text = json.dumps(named_document(named, mask=False), separators=(",", ":")).encode()
        return f'"{hashlib.blake2b(text, digest_size=16, key=self._store.key, person=b"promsnmp-creds").hexdigest()}"'

    async def put(
        self,
        name: str,
        document: object,
        *,
        who: str,
        request_id: str = "",
        check: Precondition = no_precondition,
        with_seeds: bool = False,
    ) -> tuple[NamedCredentials, bool]:
        """Sets the credentials ``name``, and so those of all agents that use them; returns whether they are new.

        ``document`` has the keys of an agent's credentials; masked secrets stay. ``with_seeds``: saved seeds that have
        the credentials as they were get the new ones, too. Raises InventoryInvalid.
        """
        result: list[tuple[NamedCredentials, bool]] = []

        def change(old: Inventory) -> Inventory:
            check(next((one for one in old.named_credentials if one.name == name), None))
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
            before = known.get(name)
            result[:] = [(named, before is None)]
            if before == named.credentials:
                result[:] = [(next(one for one in old.named_credentials if one.name == name), False)]
                return old
            now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
            named = replace(named, changed_by=who[:MAX_WHO], changed_at=now)
            result[:] = [(named, before is None)]
            others = [one for one in old.named_credentials if one.name != name]
            all_named = tuple(sorted([*others, named], key=lambda one: one.name))
            devices = tuple(_with(device, named) for device in old.devices)
            seeds = old.seeds
            if with_seeds and before is not None:
                seeds = tuple(_seed_with(seed, before, named.credentials) for seed in seeds)
            return replace(old, devices=devices, named_credentials=all_named, seeds=seeds)

        await self._store.update(change, who=who, request_id=request_id)
        return result[0]

    async def remove(self, name: str, *, who: str, request_id: str = "", check: Precondition = no_precondition) -> None:
        """Removes credentials. Raises UnknownDevice for an unknown name, InventoryConflict while agents use them."""

        def change(old: Inventory) -> Inventory:
            left = tuple(one for one in old.named_credentials if one.name != name)
            if len(left) == len(old.named_credentials):
                raise UnknownDevice(f"there are no credentials {name[:64]!r}")
            check(next(one for one in old.named_credentials if one.name == name))
            if users := [one for one in old.devices if _uses(one, name)]:
                raise InventoryConflict([_in_use(name, users)])
            return replace(old, named_credentials=left)

        await self._store.update(change, who=who, request_id=request_id)


def _uses(device: Device, name: str) -> bool:
    return any(agent.credentials_name == name for agent in device.agents)


def _in_use(name: str, users: Sequence[Device]) -> str:
    names = ", ".join((one.sys_name or one.id)[:80] for one in users[:MOST_USERS])
    more = f" and {len(users) - MOST_USERS} more" if len(users) > MOST_USERS else ""
    devices = "1 device" if len(users) == 1 else f"{len(users)} devices"
    return f"credentials {name!r} are used by {devices}: {names}{more}; give them others first"


def _seed_with(seed: Seed, before: Credentials, after: Credentials) -> Seed:
    if before not in seed.credentials:
        return seed
    changed = dict.fromkeys(after if one == before else one for one in seed.credentials)
    return replace(seed, credentials=tuple(changed))


def _with(device: Device, named: NamedCredentials) -> Device:
    if not _uses(device, named.name):
        return device

    def changed(agent: Agent) -> Agent:
        return replace(agent, credentials=named.credentials) if agent.credentials_name == named.name else agent

    primary = changed(device.primary) if device.primary else None
    return replace(device, agents=tuple(map(changed, device.agents)), primary=primary)
