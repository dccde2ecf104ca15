"""Several writers of one file: only the leader's writes succeed, and each has a number."""

from __future__ import annotations

import asyncio
import os
import threading
import uuid
from dataclasses import replace
from pathlib import Path

import pytest

from promsnmp.errors import InventoryInvalid, InventoryUnavailable, NotLeader
from promsnmp.inventory.document.write import DocumentWriter, from_document, to_document
from promsnmp.inventory.model import Device, Inventory
from promsnmp.inventory.storage.encryption import encrypt
from promsnmp.inventory.store import InventoryStore
from promsnmp.inventory.writes.fencing import MAX_REQUEST_IDS, GetClaim
from promsnmp.support.claim import MAX_NUMBER, Claim
from tests.support.inventory.samples import KEY


class Terms:
    """A leadership set by hand: the leader's term, or none, and its process."""

    def __init__(self, term: int | None, instance: str = "one") -> None:
        self.term, self.instance = term, instance

    def __call__(self) -> Claim:
        if self.term is None:
            raise NotLeader("not the leader")
        return Claim(self.term, self.instance)

    def check(self) -> None:
        self()


async def claim(store: InventoryStore, term: int, instance: str = "one", *, after: Claim | None = None) -> Claim:
    """Claims a term after any earlier one."""
    return await store.claim(Claim(term, instance), after=after or Claim(term - 1), check=Terms(term, instance).check)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "inventory.json"


def named(name: str) -> Device:
    return Device(id=str(uuid.uuid5(uuid.NAMESPACE_DNS, name)), sys_name=name)


async def add(store: InventoryStore, name: str, *, request_id: str = "") -> Inventory:
    return await store.update(lambda old: replace(old, devices=(*old.devices, named(name))), request_id=request_id)


def names(store: InventoryStore) -> list[str]:
    return [device.sys_name for device in store.current.devices]


def on_disk(path: Path) -> InventoryStore:
    store = InventoryStore(path, KEY)
    store.load()
    return store


def guarded_store(path: Path, get_claim: GetClaim) -> InventoryStore:
    store = on_disk(path)
    store.guard_writes(get_claim)
    return store


# --- the claim


async def test_every_write_has_the_claim_of_the_leader(path: Path) -> None:
    terms = Terms(3)
    store = guarded_store(path, terms)
    assert (await add(store, "a")).claim == Claim(3, "one")
    terms.term = 5
    assert (await add(store, "b")).claim == Claim(5, "one")
    assert on_disk(path).current.claim == Claim(5, "one")


async def test_writes_are_guarded_from_the_moment_on_that_the_cluster_is_known(path: Path) -> None:
    terms = Terms(3)
    store = on_disk(path)
    store.guard_writes(terms)
    await add(store, "a")
    assert on_disk(path).current.fencing_token == 3
    terms.term = None
    with pytest.raises(NotLeader):
        await add(store, "b")
    assert names(on_disk(path)) == ["a"]


async def test_a_replica_that_is_not_the_leader_writes_nothing_and_has_no_write_error(path: Path) -> None:
    store = guarded_store(path, Terms(None))
    with pytest.raises(NotLeader):
        await add(store, "a")
    assert not path.exists()
    assert store.write_error is None


async def test_a_write_is_discarded_when_the_term_ends_before_the_rename(path: Path) -> None:
    class Ending(Terms):
        asked = 0

        def __call__(self) -> Claim:
            self.asked += 1
            if self.asked > 1:
                raise NotLeader("the lease ran out")
            return Claim(1, "one")

    await add(guarded_store(path, Terms(1)), "a")
    before = path.read_bytes()
    with pytest.raises(NotLeader, match="ran out"):
        await add(guarded_store(path, Ending(1)), "b")
    assert path.read_bytes() == before
    assert not list(path.parent.glob("*.tmp")) + list(path.parent.glob(".*.tmp"))


async def test_a_write_that_began_in_one_term_is_discarded_in_the_next(path: Path) -> None:
    terms = iter([Claim(1, "one"), Claim(2, "one")])
    store = guarded_store(path, lambda: next(terms))
    with pytest.raises(NotLeader, match="term 1 ended"):
        await add(store, "a")
    assert not path.exists()


async def test_a_leader_that_was_suspended_cannot_write_after_its_successor_claimed_the_term(path: Path) -> None:
    old, new = guarded_store(path, Terms(1)), guarded_store(path, Terms(2))
    await add(old, "a")
    assert await claim(new, 2) == Claim(2, "one")
    with pytest.raises(InventoryUnavailable, match="a leader of term 2"):
        await add(old, "late")
    assert names(on_disk(path)) == ["a"]


async def test_a_leader_cannot_write_in_a_term_that_another_process_claimed(path: Path) -> None:
    first, second = guarded_store(path, Terms(3, "one")), guarded_store(path, Terms(3, "two"))
    await claim(first, 3, "one")
    with pytest.raises(InventoryUnavailable, match="a leader of term 3"):
        await add(second, "late")
    await add(first, "a")
    assert names(on_disk(path)) == ["a"]


async def test_claiming_a_term_writes_once_and_changes_nothing_else(path: Path) -> None:
    store = guarded_store(path, Terms(4))
    await add(store, "a")
    await claim(store, 4)
    assert store.current.revision == 1
    successor = guarded_store(path, Terms(5))
    for _ in range(3):
        await claim(successor, 5)
    assert (successor.current.revision, successor.current.claim) == (2, Claim(5, "one"))
    assert names(successor) == ["a"]


async def test_the_first_of_two_processes_claims_a_term_and_the_second_learns_of_it(path: Path) -> None:
    first, second = on_disk(path), on_disk(path)
    assert await claim(first, 7, "one", after=Claim(6, "before")) == Claim(7, "one")
    assert await claim(second, 7, "two", after=Claim(6, "before")) == Claim(7, "one")
    assert await claim(second, 8, "two", after=Claim(6, "before")) == Claim(7, "one")
    assert await claim(second, 8, "two", after=Claim(7, "one")) == Claim(8, "two")
    assert on_disk(path).current.claim == Claim(8, "two")


async def test_a_claim_whose_lease_has_ended_is_not_written(path: Path) -> None:
    store = on_disk(path)
    with pytest.raises(NotLeader):
        await store.claim(Claim(1, "one"), after=Claim(), check=Terms(None).check)
    assert not path.exists()


async def test_a_file_of_an_earlier_version_has_no_process_and_a_write_adds_it(path: Path) -> None:
    path.write_bytes(encrypt(b'{"devices": [], "revision": 3, "term": 5}', KEY))
    assert on_disk(path).current.claim == Claim(5, "")
    store = guarded_store(path, Terms(5, "one"))
    assert (await add(store, "a")).claim == Claim(5, "one")


def test_the_process_is_only_in_the_file_and_survives_a_round_trip() -> None:
    inventory = Inventory(fencing_token=2, leader_instance="one")
    assert from_document(to_document(inventory, mask=False)) == inventory
    assert DocumentWriter(mask=False).json(inventory).endswith(b',"term":2,"leaderInstance":"one"}')
    assert b"leaderInstance" not in DocumentWriter(mask=True).json(inventory)
    assert "leaderInstance" not in to_document(inventory, mask=True)


def test_a_term_out_of_range_is_refused() -> None:
    assert from_document({"devices": [], "term": MAX_NUMBER}).fencing_token == MAX_NUMBER
    with pytest.raises(InventoryInvalid, match="term"):
        from_document({"devices": [], "term": MAX_NUMBER + 1})


async def test_a_write_on_a_disk_that_hangs_past_the_end_of_the_term_is_discarded(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terms, free, hanging = Terms(1), threading.Event(), threading.Event()
    store = guarded_store(path, terms)
    await add(store, "a")
    sync = os.fsync

    def slow(descriptor: int) -> None:
        hanging.set()
        assert free.wait(20)
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", slow)
    writing = asyncio.create_task(add(store, "late"))
    assert await asyncio.to_thread(hanging.wait, 20)
    terms.term = None
    free.set()
    with pytest.raises(NotLeader):
        await writing
    assert names(on_disk(path)) == ["a"]


# --- numbers of writes


async def test_the_file_keeps_the_ids_of_the_last_forwarded_writes(path: Path) -> None:
    store = InventoryStore(path, KEY)
    await add(store, "a", request_id="one")
    await add(store, "b")
    await add(store, "c", request_id="two")
    assert on_disk(path).current.request_ids == ("one", "two")


async def test_old_request_ids_make_room_for_new_ones(path: Path) -> None:
    store = InventoryStore(path, KEY)
    ids = [f"request {number}" for number in range(MAX_REQUEST_IDS + 10)]
    await asyncio.gather(*(add(store, request_id, request_id=request_id) for request_id in ids))
    assert store.current.request_ids == tuple(ids[10:])


async def test_a_document_cannot_set_the_request_ids(path: Path) -> None:
    store = InventoryStore(path, KEY)
    await store.replace({"devices": [], "lastWrites": ["forged"]}, request_id="one")
    assert store.current.request_ids == ("one",)


def test_request_ids_are_only_in_the_file_and_survive_a_round_trip() -> None:
    inventory = Inventory(request_ids=("one", "two"), revision=2)
    assert from_document(to_document(inventory, mask=False)) == inventory
    assert DocumentWriter(mask=False).json(inventory).endswith(b',"lastWrites":["one","two"]}')
    assert b"lastWrites" not in DocumentWriter(mask=True).json(inventory)
    assert "lastWrites" not in to_document(inventory, mask=True)


# --- a file that is not what it should be


async def test_an_older_file_is_neither_read_nor_overwritten(path: Path) -> None:
    store = guarded_store(path, Terms(2))
    await add(store, "a")
    older = path.read_bytes()
    await add(store, "b")
    newer = path.read_bytes()
    path.write_bytes(older)
    assert not await store.reload_if_changed()
    assert names(store) == ["a", "b"]
    assert "revision 1 of term 2) than the inventory in use" in str(store.last_error)
    with pytest.raises(InventoryUnavailable, match="older"):
        await add(store, "c")
    assert path.read_bytes() == older
    path.write_bytes(newer)
    await store.reload_if_changed()
    assert store.last_error is None
    assert names(store) == ["a", "b"]


async def test_a_file_of_another_program_without_a_revision_is_read(path: Path) -> None:
    store = InventoryStore(path, KEY)
    await add(store, "a")
    path.write_bytes(encrypt(b'{"devices": []}', KEY))
    assert await store.reload_if_changed()
    assert names(store) == []


# --- a disk that takes no writes


async def test_a_failed_write_is_logged_and_remembered_until_one_would_succeed(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    store = InventoryStore(path, KEY)
    await add(store, "a")
    sync = os.fsync

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InventoryUnavailable, match="full"):
        await add(store, "b")
    await store.reload_if_changed()
    await store.volume.run()
    assert "full" in str(store.write_error)
    assert caplog.text.count("cannot write the inventory file") == 1
    monkeypatch.setattr(os, "fsync", sync)
    await store.volume.run()
    assert store.write_error is None
    assert sorted(one.name for one in path.parent.iterdir()) == [".inventory.json.lock", "inventory.json"]
