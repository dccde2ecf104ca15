"""Once the file has been replaced, no error makes a change a refused one: it is done, or its outcome is unknown."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import stat
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from promsnmp.errors import InventoryUnavailable, OutcomeUnknown
from promsnmp.inventory import file_sync
from promsnmp.inventory.document.write import to_document
from promsnmp.inventory.model import Device, Inventory
from promsnmp.inventory.storage import atomic_file
from promsnmp.inventory.storage.encryption import encrypt
from promsnmp.inventory.storage.lock import WriteTurn
from promsnmp.inventory.store import InventoryStore
from promsnmp.support.claim import Claim
from tests.support.inventory.samples import KEY

Patch = Callable[[pytest.MonkeyPatch], None]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "inventory.json"


def with_device(old: Inventory) -> Inventory:
    return replace(old, devices=(*old.devices, Device(f"00000000-0000-4000-8000-{len(old.devices):012}", "added")))


async def opened(path: Path) -> InventoryStore:
    """A store that has written its first version."""
    store = InventoryStore(path, KEY)
    await store.update(with_device)
    return store


def devices_in(path: Path) -> int:
    return len(InventoryStore(path, KEY).load().devices)


def failing(*_: object, **__: object) -> None:
    raise OSError(errno.EIO, "Input/output error")


def no_sync_of_folders(patch: pytest.MonkeyPatch) -> None:
    sync = os.fsync

    def fsync(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            failing()
        sync(descriptor)

    patch.setattr(os, "fsync", fsync)


def no_stamp_after_the_rename(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(atomic_file, "_standing", failing)


def another_program_replaces_the_file_afterwards(patch: pytest.MonkeyPatch) -> None:
    rename = os.rename

    def renamed(self: Path, target: Path) -> None:
        rename(self, target)
        target.write_bytes(b"another program's")

    patch.setattr(Path, "rename", renamed)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (no_sync_of_folders, "cannot be synced"),
        (no_stamp_after_the_rename, "Input/output error"),
        (another_program_replaces_the_file_afterwards, "another program has replaced"),
    ],
)
async def test_a_change_that_is_made_but_may_not_last_has_an_unknown_outcome(
    path: Path, monkeypatch: pytest.MonkeyPatch, fault: Patch, reason: str
) -> None:
    store = await opened(path)
    with monkeypatch.context() as patch:
        fault(patch)
        with pytest.raises(OutcomeUnknown, match=reason):
            await store.update(with_device)
        assert reason in str(store.write_error)
    assert len(store.current.devices) == 2


async def test_a_change_is_in_memory_and_in_the_file_after_a_failed_sync_of_the_folder(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await opened(path)
    with monkeypatch.context() as patch:
        no_sync_of_folders(patch)
        with pytest.raises(OutcomeUnknown):
            await store.update(with_device)
        assert devices_in(path) == len(store.current.devices) == 2
        with pytest.raises(OutcomeUnknown):
            await store.update(lambda old: old)  # nothing to write, but what is there may still not last
    assert await store.update(lambda old: old) is store.current
    await store.volume.run()
    assert store.write_error is None


def no_audit(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(file_sync, "audit_changes", failing)


def no_end_of_the_turn(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Path, "unlink", failing)


def no_look_at_the_turn(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(WriteTurn, "is_held", property(failing))
    patch.setattr(WriteTurn, "check", lambda _: None)


def no_derived_values(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(file_sync.FileSync, "_completed", failing)


def a_rename_whose_answer_gets_lost(patch: pytest.MonkeyPatch) -> None:
    rename = os.rename

    def renamed(self: Path, target: Path) -> None:
        rename(self, target)
        raise FileNotFoundError(errno.ENOENT, "No such file or directory")

    patch.setattr(Path, "rename", renamed)


@pytest.mark.parametrize("fault", [no_audit, no_end_of_the_turn, no_derived_values, a_rename_whose_answer_gets_lost])
async def test_a_change_is_done_whatever_fails_after_it_is_on_the_disk(
    path: Path, monkeypatch: pytest.MonkeyPatch, fault: Patch
) -> None:
    store = await opened(path)
    with monkeypatch.context() as patch:
        fault(patch)
        done = await store.update(with_device)
    assert (len(done.devices), devices_in(path)) == (2, 2)
    assert store.current is done


async def test_a_writer_that_cannot_see_whether_it_lost_its_turn_has_an_unknown_outcome(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await opened(path)
    with monkeypatch.context() as patch:
        no_look_at_the_turn(patch)
        with pytest.raises(OutcomeUnknown, match="cannot be read"):
            await store.update(with_device)
    assert devices_in(path) == 2


async def test_a_rename_that_may_have_happened_has_an_unknown_outcome_and_the_file_decides(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await opened(path)
    rename = os.rename

    def renamed(self: Path, target: Path) -> None:
        rename(self, target)
        patch.setattr(atomic_file, "_is_version", failing)
        failing()

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", renamed)
        with pytest.raises(OutcomeUnknown, match="may have been replaced"):
            await store.update(with_device)
    assert len(store.current.devices) == 2


async def test_a_rename_that_fails_is_a_refusal(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = await opened(path)
    before = path.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", failing)
        with pytest.raises(InventoryUnavailable, match="Input/output error"):
            await store.update(with_device)
    assert (path.read_bytes(), len(store.current.devices)) == (before, 1)
    assert list(path.parent.glob(".*.tmp")) == []


async def test_a_listener_that_fails_does_not_hide_the_answer(path: Path) -> None:
    store = await opened(path)
    store.subscribe(failing)
    store.derive(lambda now: len(now.inventory.devices), lambda _: None)
    assert len((await asyncio.wait_for(store.update(with_device), 30)).devices) == 2


async def test_a_service_that_stops_during_a_write_says_that_the_outcome_is_unknown(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await opened(path)
    begun, free = threading.Event(), threading.Event()

    def waiting(descriptor: int) -> None:
        begun.set()
        assert free.wait(30)

    monkeypatch.setattr(os, "fsync", waiting)
    caller = asyncio.create_task(store.update(with_device))
    assert await asyncio.to_thread(begun.wait, 30)
    late = asyncio.create_task(store.update(with_device))
    await asyncio.sleep(0)
    writer = next(task for task in asyncio.all_tasks() if task.get_name() == "writer of the inventory")
    writer.cancel()
    with pytest.raises(OutcomeUnknown, match="stopped during the write"):
        await caller
    with pytest.raises(InventoryUnavailable, match="not written"):
        await late
    free.set()


# --- the claim of a new leader


async def claim(store: InventoryStore) -> Claim:
    return await store.claim(Claim(1, "leader"), after=Claim(), check=lambda: None)


async def test_a_claim_that_may_not_last_makes_no_leader_until_it_is_durable(path: Path) -> None:
    store = await opened(path)
    with pytest.MonkeyPatch.context() as patch:
        no_sync_of_folders(patch)
        for _ in range(2):
            with pytest.raises(OutcomeUnknown, match="cannot be synced"):
                await claim(store)
    assert await claim(store) == Claim(1, "leader")
    assert store.write_error is None
    assert InventoryStore(path, KEY).load().claim == Claim(1, "leader")


async def test_a_claim_keeps_what_another_program_wrote_meanwhile(path: Path) -> None:
    store, other = await opened(path), InventoryStore(path, KEY)
    other.load()
    asked = 0

    def check() -> None:
        nonlocal asked
        asked += 1
        if asked == 2:  # right before the rename
            path.write_bytes(encrypt(json.dumps(to_document(with_device(other.current), mask=False)).encode(), KEY))

    assert await store.claim(Claim(1, "leader"), after=Claim(), check=check) == Claim(1, "leader")
    assert devices_in(path) == len(store.current.devices) == 2


async def test_a_claim_that_is_refused_writes_nothing(path: Path) -> None:
    store = await opened(path)
    await store.claim(Claim(4, "another leader"), after=Claim(), check=lambda: None)
    path.unlink()
    assert await store.claim(Claim(5, "leader"), after=Claim(3, "x"), check=lambda: None) == Claim(4, "another leader")
    assert not path.exists()
