"""Puts migrated devices into a service or an inventory file: adds new ones, changes those with the same endpoint."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from promsnmp.cli.client import ServiceClient
from promsnmp.cli.commands.inventory.credentials import PATH as CREDENTIALS_PATH
from promsnmp.cli.commands.inventory.credentials import document_of as credentials_document
from promsnmp.cli.commands.inventory.devices import list_devices
from promsnmp.cli.commands.inventory.edit_device import PATH
from promsnmp.cli.options.inventory_file import command_settings, local_user, open_inventory, run_to_the_end
from promsnmp.cli.options.modules import known_modules
from promsnmp.errors import InventoryInvalid, ServiceError
from promsnmp.inventory.devices import Devices
from promsnmp.inventory.model import DEFAULT_PORT
from promsnmp.inventory.named_credentials.editor import NamedCredentialsEditor
from promsnmp.migration.devices import Document, MigratedDevice, named_credentials_of

ADDED, CHANGED, SAME, FAILED = "added", "changed", "unchanged", "failed"
_COMMUNITY_KEYS = ("readCommunity",)
_USER_KEYS = (
    "securityName", "securityLevel", "authProtocol", "authPassphrase", "privProtocol", "privPassphrase",
    "contextName", "contextEngineId",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one device."""

    device: MigratedDevice
    status: str
    """One of the words above."""
    reason: str = ""


class Destination(Protocol):
    """An inventory that devices are put into."""

    def outcomes(self, devices: Sequence[MigratedDevice]) -> list[Outcome]:
        """Puts the devices. Raises PromSnmpError when nothing can be written at all."""


class ServiceDestination:
    """The inventory of a running service."""

    def __init__(self, service: ServiceClient) -> None:
        self._service = service

    def outcomes(self, devices: Sequence[MigratedDevice]) -> list[Outcome]:
        for name, credentials in named_credentials_of(devices).items():
            self._service.call("PUT", f"{CREDENTIALS_PATH}/{name}", document=credentials_document(credentials))
        known = {key: str(one["id"]) for one in list_devices(self._service) for key in _endpoints(one)}
        return [self._put(device, known.get((device.endpoint.address, device.endpoint.port))) for device in devices]

    def _put(self, device: MigratedDevice, known: str | None) -> Outcome:
        try:
            if known is None:
                self._service.call("POST", PATH, document=device.document())
                return Outcome(device, ADDED)
            before = self._service.call("GET", f"{PATH}/{known}").headers.get("etag")
            headers = {"Content-Type": "application/merge-patch+json"}
            after = self._service.call("PATCH", f"{PATH}/{known}", document=patch_of(device), headers=headers)
            return Outcome(device, SAME if after.headers.get("etag") == before else CHANGED)
        except ServiceError as error:
            if error.status is None or error.status in (401, 403, 503):
                raise
            return Outcome(device, FAILED, "; ".join([str(error), *error.problems]))


class FileDestination:
    """The inventory file."""

    def __init__(self, file: Path | None) -> None:
        self._settings = command_settings(file)
        self._store = open_inventory(self._settings, create=True)

    def outcomes(self, devices: Sequence[MigratedDevice]) -> list[Outcome]:
        return run_to_the_end(self._outcomes(devices))

    async def _outcomes(self, devices: Sequence[MigratedDevice]) -> list[Outcome]:
        known = {
            (agent.endpoint.address, agent.endpoint.port): device.id
            for device in self._store.current.devices
            for agent in device.agents
        }
        for name, credentials in named_credentials_of(devices).items():
            editor = NamedCredentialsEditor(self._store)
            await editor.put(name, credentials_document(credentials), who=local_user())
        names = known_modules(self._settings)
        book = Devices(self._store, lambda: names)
        puts = (
            self._put(book, device, known.get((device.endpoint.address, device.endpoint.port))) for device in devices
        )
        return await asyncio.gather(*puts)  # changes that come together are written together

    async def _put(self, book: Devices, device: MigratedDevice, known: str | None) -> Outcome:
        who = f"{local_user()} (migration)"
        try:
            if known is None:
                await book.add(device.document(), who=who)
                return Outcome(device, ADDED)
            before = book.find(known)
            after = await book.patch(known, patch_of(device), who=who)
            return Outcome(device, SAME if after == before else CHANGED)
        except InventoryInvalid as error:
            return Outcome(device, FAILED, "; ".join(error.lines))


def patch_of(device: MigratedDevice) -> Document:
    """The merge patch that makes a device of the inventory what it was in snmp_exporter; other keys stay."""
    agent = device.agent()
    others = _COMMUNITY_KEYS if agent["type"] == "snmp-user" else _USER_KEYS
    absent = dict.fromkeys(key for key in (*others, *_USER_KEYS, "credentialsName") if key not in agent)
    patch: Document = {
        "primaryAgent": {**absent, **agent},
        "modules": list(device.modules),
        "labels": device.labels,
        "interval": device.interval,
    }
    return patch | ({"sysName": device.sys_name} if device.sys_name else {})


def _endpoints(document: Document) -> Iterable[tuple[str, int]]:
    agents = document.get("agents")
    for agent in agents if isinstance(agents, list) else ():
        endpoint = agent.get("endpoint") or {}
        yield str(endpoint.get("address")), int(endpoint.get("port") or DEFAULT_PORT)
