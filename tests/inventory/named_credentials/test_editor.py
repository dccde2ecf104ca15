"""Credentials by name: changed in one place, for all agents that use them."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from promsnmp.errors import InventoryConflict, InventoryInvalid, UnknownDevice
from promsnmp.inventory.devices import Devices
from promsnmp.inventory.document.write import DocumentWriter, from_document, to_document
from promsnmp.inventory.model import Device
from promsnmp.inventory.named_credentials.editor import NamedCredentialsEditor
from promsnmp.inventory.store import InventoryStore
from promsnmp.snmp.credentials import Community, User, Version
from tests.support.inventory.samples import KEY

CAMPUS = {"version": 1, "type": "snmp-community", "readCommunity": "s3cret-1"}
ROTATED = {**CAMPUS, "readCommunity": "s3cret-2"}


class Book:
    """An inventory file, with its devices and named credentials."""

    def __init__(self, path: Path) -> None:
        self.store = InventoryStore(path, KEY)
        self.store.load()
        self.named = NamedCredentialsEditor(self.store)
        self.devices = Devices(self.store)

    def set(self, name: str, document: object) -> bool:
        return asyncio.run(self.named.put(name, document, who="test"))[1]

    def add(self, address: str, **agent: Any) -> Device:
        document = {"agents": [{"endpoint": {"address": address}, **agent}]}
        return asyncio.run(self.devices.add(document, who="test"))

    def patch(self, address: str, patch: object) -> Device:
        return asyncio.run(self.devices.patch(address, patch, who="test"))

    def community(self, address: str) -> str:
        device = self.devices.find(address)
        assert device.primary is not None
        assert device.primary in device.agents
        assert isinstance(device.primary.credentials, Community)
        return device.primary.credentials.community


@pytest.fixture
def book(tmp_path: Path) -> Book:
    book = Book(tmp_path / "inventory.json")
    assert book.set("campus", CAMPUS)
    for address in ("192.0.2.1", "192.0.2.2"):
        book.add(address, credentialsName="campus")
    book.add("192.0.2.3", **CAMPUS)
    return book


def test_a_change_reaches_all_agents_in_one_write(book: Book) -> None:
    revision = book.store.current.revision
    assert not book.set("campus", ROTATED)
    assert book.store.current.revision == revision + 1
    assert [book.community(f"192.0.2.{n}") for n in (1, 2, 3)] == ["s3cret-2", "s3cret-2", "s3cret-1"]
    assert not book.set("campus", {**ROTATED, "readCommunity": "******"})  # masked: it stays
    assert book.store.current.revision == revision + 1
    assert book.named.used_by() == {"campus": 2}


def test_they_survive_the_file_and_reach_other_processes(book: Book, tmp_path: Path) -> None:
    other = Book(tmp_path / "inventory.json")
    book.set("campus", ROTATED)
    assert asyncio.run(other.store.reload_if_changed())
    assert other.community("192.0.2.1") == "s3cret-2"
    assert other.store.current.named_credentials == book.store.current.named_credentials
    assert Book(tmp_path / "inventory.json").store.current.devices == book.store.current.devices


def test_they_cannot_be_removed_while_they_are_used(book: Book) -> None:
    with pytest.raises(InventoryConflict):
        asyncio.run(book.named.remove("campus", who="test"))
    book.patch("192.0.2.1", {"primaryAgent": {"credentialsName": None}})
    book.patch("192.0.2.2", {"primaryAgent": {"credentialsName": None, "readCommunity": "own"}})
    assert [book.community(f"192.0.2.{n}") for n in (1, 2)] == ["s3cret-1", "own"]
    asyncio.run(book.named.remove("campus", who="test"))
    with pytest.raises(UnknownDevice):
        asyncio.run(book.named.remove("campus", who="test"))


def test_an_agent_may_not_contradict_the_credentials_that_it_names(book: Book) -> None:
    with pytest.raises(InventoryInvalid, match="credentialsName"):
        book.patch("192.0.2.1", {"primaryAgent": {"readCommunity": "own"}})
    with pytest.raises(InventoryInvalid, match="nosuch"):
        book.add("192.0.2.9", credentialsName="nosuch")
    book.patch("192.0.2.1", {"sysLocation": "rack 7"})  # other changes go on
    assert book.named.used_by() == {"campus": 2}


def test_who_changes_the_credentials_of_an_agent_takes_its_name_away(book: Book) -> None:
    """As discovery does, when others work."""
    device = book.devices.find("192.0.2.1")
    assert device.primary is not None
    agent = replace(device.primary, credentials=Community(Version.V2C, "found"))
    changed = replace(device, agents=(agent,), primary=agent)
    asyncio.run(
        book.store.update(
            lambda old: replace(old, devices=tuple(changed if one is device else one for one in old.devices))
        )
    )
    assert book.named.used_by() == {"campus": 1}
    book.set("campus", ROTATED)
    assert book.community("192.0.2.1") == "found"


def test_a_document_keeps_and_changes_them(book: Book) -> None:
    masked = to_document(book.store.current, mask=True)
    assert "s3cret" not in json.dumps(masked)
    asyncio.run(book.store.replace(masked, who="test"))
    assert (book.community("192.0.2.1"), book.named.used_by()) == ("s3cret-1", {"campus": 2})
    whole: Any = to_document(book.store.current, mask=False)
    assert json.loads(DocumentWriter(mask=False).json(book.store.current)) == whole
    whole["credentials"][0]["readCommunity"] = "s3cret-3"  # the copies in the agents are older
    assert [one.primary.credentials.community for one in from_document(whole).devices][:2] == ["s3cret-3"] * 2  # type: ignore[union-attr]  # they are communities
    del masked["credentials"]  # a document of an older PromSNMP
    asyncio.run(book.store.replace(masked, who="test"))
    assert book.named.used_by() == {"campus": 2}
    masked["credentials"] = []
    with pytest.raises(InventoryInvalid, match="campus"):
        asyncio.run(book.store.replace(masked, who="test"))


def test_a_file_that_an_older_version_wrote_keeps_the_copies(book: Book) -> None:
    """It keeps unknown keys of agents, but not those of the document."""
    whole: Any = to_document(book.store.current, mask=False)
    del whole["credentials"]
    read = from_document(whole)
    agent = read.devices[0].primary
    assert agent is not None
    assert (agent.credentials_name, agent.credentials) == ("", Community(Version.V2C, "s3cret-1"))


def test_a_user_may_have_a_name_too(book: Book) -> None:
    user = {"securityName": "m", "authProtocol": "SHA256", "authPassphrase": "s3cret-auth"}
    assert book.set("core", user)
    credentials = book.add("192.0.2.20", credentialsName="core").agents[0].credentials
    assert isinstance(credentials, User)
    assert credentials.auth_passphrase == "s3cret-auth"


@pytest.mark.parametrize(
    ("name", "document"),
    [
        ("a b", CAMPUS),
        ("", CAMPUS),
        ("x" * 65, CAMPUS),
        ("new", {}),
        ("new", []),
        ("new", {**CAMPUS, "readCommunity": "******"}),
    ],
)
def test_wrong_names_and_documents_change_nothing(book: Book, name: str, document: object) -> None:
    revision = book.store.current.revision
    with pytest.raises(InventoryInvalid):
        book.set(name, document)
    assert book.store.current.revision == revision
