"""Puts migrated devices into a service or an inventory file: adds new ones, changes those with the same endpoint."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from http.client import UNPROCESSABLE_ENTITY
from pathlib import Path
from typing import Protocol

from promsnmp.cli.client import ServiceClient
from promsnmp.cli.commands.inventory.credentials import PATH as CREDENTIALS_PATH
from promsnmp.cli.commands.inventory.credentials import document_of as credentials_document
from promsnmp.cli.commands.inventory.edit_device import PATH
from promsnmp.cli.commands.inventory.seeds import PATH as SEEDS_PATH
from promsnmp.cli.commands.inventory.service_devices import list_devices
from promsnmp.cli.options.inventory_file import command_settings, local_user, open_inventory, run_to_the_end
from promsnmp.cli.options.modules import known_modules
from promsnmp.discovery.request import read_request
from promsnmp.discovery.seeds import SavedSeeds
from promsnmp.errors import InventoryInvalid, ServiceError, SnmpError
from promsnmp.inventory.devices import Complete, Devices
from promsnmp.inventory.model import DEFAULT_PORT, Device
from promsnmp.inventory.named_credentials.editor import NamedCredentialsEditor
from promsnmp.migration.migrated import Document, MigratedDevice, named_credentials_of
from promsnmp.polling.detection.first_contact import ask_device, named_by_itself
from promsnmp.polling.poll import SessionFactory

AT_ONCE = 16
"""Devices that are asked at the same time."""
UNCHECKED = "--no-check adds it all the same"
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

    def outcomes(self, devices: Sequence[MigratedDevice], *, check: bool = False) -> list[Outcome]:
        """Puts the devices; with ``check``, new ones that answer. Raises PromSnmpError when nothing can be written at
        all."""

    def save_seeds(self, seeds: Sequence[Document]) -> None:
        """Saves seeds; one that is there already stays as it is. Raises PromSnmpError."""


class ServiceDestination:
    """The inventory of a running service."""

    def __init__(self, service: ServiceClient) -> None:
        self._service = service

    def outcomes(self, devices: Sequence[MigratedDevice], *, check: bool = False) -> list[Outcome]:
        for name, credentials in named_credentials_of(devices).items():
            self._service.call("PUT", f"{CREDENTIALS_PATH}/{name}", document=credentials_document(credentials))
        known = {key: str(one["id"]) for one in list_devices(self._service) for key in _endpoints(one)}

        def put(device: MigratedDevice) -> Outcome:
            return self._put(device, known.get((device.endpoint.address, device.endpoint.port)), check=check)

        with ThreadPoolExecutor(AT_ONCE if check else 1) as pool:
            return list(pool.map(put, devices))

    def save_seeds(self, seeds: Sequence[Document]) -> None:
        for seed in seeds:
            self._service.call("POST", SEEDS_PATH, query={"scheduleNow": "false", "saveSeed": "true"}, document=seed)

    def _put(self, device: MigratedDevice, known: str | None, *, check: bool) -> Outcome:
        try:
            if known is None:
                query = {"check": "true"} if check else None
                self._service.call("POST", PATH, query=query, document=device.document())
                return Outcome(device, ADDED)
            before = self._service.call("GET", f"{PATH}/{known}").headers.get("etag")
            headers = {"Content-Type": "application/merge-patch+json"}
            after = self._service.call("PATCH", f"{PATH}/{known}", document=patch_of(device), headers=headers)
            return Outcome(device, SAME if after.headers.get("etag") == before else CHANGED)
        except ServiceError as error:
            if error.status is None or error.status in (401, 403, 503):
                raise
            if error.status == UNPROCESSABLE_ENTITY and check:  # our --no-check is no check=true
                text = str(error).partition("; without check=true")[0]
                return Outcome(device, FAILED, f"{text}; {UNCHECKED}")
            return Outcome(device, FAILED, "; ".join([str(error), *error.problems]))


class FileDestination:
    """The inventory file."""

    def __init__(self, file: Path | None) -> None:
        self._settings = command_settings(file)
        self._store = open_inventory(self._settings, create=True)

    def outcomes(self, devices: Sequence[MigratedDevice], *, check: bool = False) -> list[Outcome]:
        return run_to_the_end(self._outcomes(devices, check=check))

    def save_seeds(self, seeds: Sequence[Document]) -> None:
        if seeds:
            run_to_the_end(self._save_seeds(seeds))

    async def _save_seeds(self, seeds: Sequence[Document]) -> None:
        names = partial(known_modules, self._settings)
        saved = SavedSeeds(lambda: self._store.current, self._store.update, names)
        for document in seeds:
            seed = saved.deduplicate(read_request(document, self._store.current).seed)
            if problems := saved.problems_of(seed):
                raise InventoryInvalid(problems)
            await saved.save(seed, who=f"{local_user()} (migration)")

    async def _outcomes(self, devices: Sequence[MigratedDevice], *, check: bool) -> list[Outcome]:
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
        complete = self._asking(asyncio.Semaphore(AT_ONCE)) if check else None
        puts = (
            self._put(book, device, known.get((device.endpoint.address, device.endpoint.port)), complete)
            for device in devices
        )
        return await asyncio.gather(*puts)  # changes that come together are written together

    def _asking(self, free: asyncio.Semaphore) -> Complete:
        """Asks new devices, a few at a time."""
        ask = partial(ask_device, sessions=SessionFactory(source_address=self._settings.snmp_source_address))

        async def complete(device: Device) -> Device:
            async with free:
                return await named_by_itself(device, ask)

        return complete

    async def _put(
        self, book: Devices, device: MigratedDevice, known: str | None, complete: Complete | None
    ) -> Outcome:
        who = f"{local_user()} (migration)"
        try:
            if known is None:
                await book.add(device.document(), who=who, complete=complete)
                return Outcome(device, ADDED)
            before = book.find(known)
            after = await book.patch(known, patch_of(device), who=who)
            return Outcome(device, SAME if after == before else CHANGED)
        except InventoryInvalid as error:
            return Outcome(device, FAILED, "; ".join(error.lines))
        except SnmpError as error:
            return Outcome(device, FAILED, f"not added: {error}; {UNCHECKED}")


def patch_of(device: MigratedDevice) -> Document:
    """The merge patch that makes a device of the inventory what it was in snmp_exporter; other keys stay."""
    agent = device.agent()
    absent = dict.fromkeys(key for key in (*_COMMUNITY_KEYS, *_USER_KEYS, "credentialsName") if key not in agent)
    patch: Document = {"primaryAgent": {**absent, **agent}, **device.values()}
    return patch | ({"sysName": device.sys_name} if device.sys_name else {})


def _endpoints(document: Document) -> Iterable[tuple[str, int]]:
    agents = document.get("agents")
    for agent in agents if isinstance(agents, list) else ():
        endpoint = agent.get("endpoint") or {}
        yield str(endpoint.get("address")), int(endpoint.get("port") or DEFAULT_PORT)
