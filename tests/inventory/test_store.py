from __future__ import annotations

import asyncio
import json
import logging
import os
import random
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from promsnmp.errors import (
    InventoryConflict,
    InventoryDamaged,
    InventoryError,
    InventoryInvalid,
    InventoryKeyError,
    InventoryUnavailable,
)
from promsnmp.inventory.document.write import to_document
from promsnmp.inventory.index import Snapshot
from promsnmp.inventory.model import Device, Inventory
from promsnmp.inventory.storage.atomic_file import Written
from promsnmp.inventory.storage.encrypted_file import EncryptedFile, read_inventory
from promsnmp.inventory.storage.encryption import encrypt
from promsnmp.inventory.storage.key import InventoryKey, key_file
from promsnmp.inventory.storage.rekey import rekey
from promsnmp.inventory.store import InventoryStore
from promsnmp.support.claim import Claim
from tests.support.inventory.original import java_encrypt
from tests.support.inventory.samples import ENVIRONMENT, KEY, document

SEED_ID = document()["discoverySeeds"][0]["id"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "inventory.json"


def renamed(inventory: Inventory, name: str) -> Inventory:
    first, *others = inventory.devices
    return replace(inventory, devices=(replace(first, sys_name=name), *others))


def test_without_a_file_the_inventory_is_empty(path: Path) -> None:
    assert InventoryStore(path, KEY).load() == Inventory()


async def test_a_replaced_inventory_is_there_after_a_restart(path: Path) -> None:
    store = InventoryStore(path, KEY)
    written = await store.replace(document())
    assert written.revision == 1
    assert store.current is written
    assert InventoryStore(path, KEY).load() == written
    assert b"s3cret" not in path.read_bytes()


def test_a_file_of_the_original_is_read(path: Path) -> None:
    path.write_bytes(java_encrypt(json.dumps(document(), indent=2).encode(), KEY))
    assert [device.sys_name for device in InventoryStore(path, KEY).load().devices] == ["core1.example.net", "edge2"]


@pytest.mark.parametrize(
    ("content", "error", "text"),
    [(b"", InventoryDamaged, "empty"), (b"?!", InventoryDamaged, "not base64"), (b"{}", InventoryDamaged, "plain JSON"),
     (encrypt(b"{}", b"another key 0123"), InventoryKeyError, "cannot be decrypted"),
     (encrypt(b"s3cret", KEY), InventoryDamaged, "not valid JSON"),
     (encrypt(b'{"devices": 7}', KEY), InventoryInvalid, "devices: must be a list")],
    ids=["empty", "not base64", "plain", "another key", "not JSON", "invalid"],
)  # fmt: skip
async def test_an_unreadable_file_stops_the_start_and_is_never_overwritten(
    path: Path, content: bytes, error: type[InventoryError], text: str
) -> None:
    path.write_bytes(content)
    store = InventoryStore(path, KEY)
    with pytest.raises(error, match=text) as caught:
        store.load()
    assert "s3cret" not in str(caught.value)
    with pytest.raises(error, match=text):
        await store.replace(document())
    assert path.read_bytes() == content


async def test_a_bad_document_changes_nothing(path: Path) -> None:
    store = InventoryStore(path, KEY)
    before = await store.replace(document())
    with pytest.raises(InventoryInvalid):
        await store.replace({"devices": [{}]})
    assert store.current is before
    assert InventoryStore(path, KEY).load() == before


async def test_a_masked_document_posted_back_keeps_the_secrets(path: Path) -> None:
    store = InventoryStore(path, KEY)
    before = await store.replace(document())
    after = await store.replace(to_document(before, mask=True))
    assert (after.devices, after.seeds, after.revision) == (before.devices, before.seeds, 2)


async def test_a_failed_write_leaves_the_inventory_as_it_was(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = InventoryStore(path, KEY)
    before = await store.replace(document())
    heard: list[Inventory] = []
    store.subscribe(heard.append)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(InventoryUnavailable, match="disk is full"):
            await store.update(lambda old: renamed(old, "other"))
    assert (store.current, heard) == (before, [])
    assert InventoryStore(path, KEY).load() == before


async def test_changes_take_turns_and_none_is_lost(path: Path) -> None:
    store = InventoryStore(path, KEY)

    def add(number: int) -> None:
        device = Device(f"00000000-0000-4000-8000-0000000000{number:02}", f"d{number}")
        changes.append(store.update(lambda old: replace(old, devices=(*old.devices, device))))

    changes: list[object] = []
    for number in range(10):
        add(number)
    await asyncio.gather(*changes)  # type: ignore[call-overload]
    assert store.current.revision == 10
    assert {device.sys_name for device in store.current.devices} == {f"d{number}" for number in range(10)}


async def test_listeners_hear_each_change_once_even_when_one_of_them_fails(path: Path) -> None:
    store = InventoryStore(path, KEY)
    heard: list[int] = []

    def broken(_: Inventory) -> None:
        raise RuntimeError("listener")

    store.subscribe(broken)
    store.subscribe(lambda inventory: heard.append(inventory.revision))
    await store.replace(document())
    await store.update(lambda old: old)
    assert heard == [1]


async def test_a_change_that_gives_two_devices_one_endpoint_is_refused(path: Path) -> None:
    store = InventoryStore(path, KEY)
    before = await store.replace(document())
    core, edge = before.devices
    with pytest.raises(InventoryConflict) as caught:
        await store.update(lambda old: replace(old, devices=(core, replace(edge, agents=core.agents))))
    assert caught.value.problems == [
        f"edge2 ({edge.id}): agents[0].id: {core.agents[0].id} is also an agent of core1.example.net ({core.id})",
        f"edge2 ({edge.id}): agents[0].endpoint: 192.0.2.1:161 is also that of core1.example.net ({core.id})",
    ]
    assert store.current is before


async def test_changes_that_wait_are_written_together_and_answered_one_by_one(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = InventoryStore(path, KEY)
    await store.replace(document())
    written: list[int] = []
    write = EncryptedFile.write

    def counted(encrypted_file: EncryptedFile, inventory: Inventory, **options: Any) -> Written:
        written.append(inventory.revision)
        return write(encrypted_file, inventory, **options)

    monkeypatch.setattr(EncryptedFile, "write", counted)

    def refused(_: Inventory) -> Inventory:
        raise InventoryInvalid(["no"])

    changes = [store.update(lambda old, n=n: renamed(old, f"name-{n}")) for n in range(200)]  # type: ignore[misc]
    changes.insert(100, store.update(refused))
    results = await asyncio.gather(*changes, return_exceptions=True)
    assert isinstance(results.pop(100), InventoryInvalid)
    assert [found.revision for found in results if isinstance(found, Inventory)] == list(range(2, 202))
    assert len(written) < 10
    assert InventoryStore(path, KEY).load() == store.current == results[-1]


async def test_a_failed_write_fails_all_waiting_changes(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = InventoryStore(path, KEY)
    before = await store.replace(document())

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    changes = [store.update(lambda old, n=n: renamed(old, f"name-{n}")) for n in range(5)]  # type: ignore[misc]
    results = await asyncio.gather(*changes, return_exceptions=True)
    assert [type(found) for found in results] == [InventoryUnavailable] * 5
    assert store.current is before


async def test_derived_values_are_computed_in_a_thread_and_visible_with_the_inventory(path: Path) -> None:
    store = InventoryStore(path, KEY)
    seen: list[tuple[int, bool, int]] = []

    def make(now: Snapshot) -> tuple[int, bool]:
        return now.inventory.revision, threading.current_thread() is threading.main_thread()

    store.derive(make, lambda made: seen.append((*made, store.current.revision)))
    await store.replace(document())
    await store.update(lambda old: old)
    assert seen == [(0, True, 0), (1, False, 1)]


async def test_a_failing_derivation_does_not_stop_the_change(path: Path) -> None:
    store = InventoryStore(path, KEY)
    store.derive(lambda now: 1 // (1 - now.inventory.revision), lambda _: None)
    await store.replace(document())
    assert store.current.revision == 1


async def test_unchanged_devices_stay_the_same_objects_whatever_document_comes(path: Path) -> None:
    store = InventoryStore(path, KEY)
    before = await store.replace(document())
    changed = document()
    changed["devices"][1]["sysLocation"] = "elsewhere"
    after = await store.replace(changed)
    assert after.devices[0] is before.devices[0]
    assert after.devices[1] is not before.devices[1]


async def test_every_change_is_an_audit_line_that_names_it_and_no_secret(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="promsnmp.audit")
    store, other = InventoryStore(path, KEY), InventoryStore(path, KEY)
    await store.replace(document(), who="alice")
    changed = document()
    changed["devices"][0]["agents"][0] |= {"readCommunity": "s3cret-new", "timeout": 99}
    changed["devices"][0] |= {"sysContact": "s3cret"}
    del changed["devices"][1], changed["discoverySeeds"][0]
    await store.replace(changed, who="bob")
    with pytest.raises(InventoryInvalid):
        await store.replace({"devices": [{}]}, who="mallory")
    other.load()
    await other.update(lambda old: replace(old, devices=()), who="cli:root")
    await store.reload_if_changed()
    core, edge, seed = document()["devices"][0]["id"], document()["devices"][1]["id"], SEED_ID
    address, fields, none, file = (
        "192.0.2.1:161",
        "fields=sysContact,agents",
        "0 added, 0 changed",
        'who="another process"',
    )
    assert [record.getMessage() for record in caplog.records] == [
        f'what="device added" device=core1.example.net id={core} address={address} revision=1 who=alice',
        f'what="device added" device=edge2 id={edge} address=[2001:db8::2]:1161 revision=1 who=alice',
        f'what="seed added" seed="192.0.2.0/24 host.example.net" id={seed} revision=1 who=alice',
        f'what="device removed" device=edge2 id={edge} address=[2001:db8::2]:1161 revision=2 who=bob',
        f'what="device changed" device=core1.example.net id={core} address={address} revision=2 {fields} who=bob',
        f'what="seed removed" seed="192.0.2.0/24 host.example.net" id={seed} revision=2 who=bob',
        f'what="device removed" device=core1.example.net id={core} address={address} revision=3 who=cli:root',
        f'what="inventory file taken over" revision=3 devices="{none}, 1 removed" seeds="{none}, 0 removed" {file}',
    ]


async def test_a_cancelled_caller_does_not_undo_the_write(path: Path) -> None:
    store = InventoryStore(path, KEY)
    heard = asyncio.Event()
    store.subscribe(lambda _: heard.set())
    caller = asyncio.create_task(store.replace(document()))
    await asyncio.sleep(0)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    await asyncio.wait_for(heard.wait(), 30)
    assert store.current == InventoryStore(path, KEY).load()


async def test_a_file_that_another_process_wrote_is_taken_over(path: Path) -> None:
    store, other = InventoryStore(path, KEY), InventoryStore(path, KEY)
    await store.replace(document())
    assert not await store.reload_if_changed()
    other.load()
    await other.update(lambda old: renamed(old, "renamed"))
    heard: list[Inventory] = []
    store.subscribe(heard.append)
    assert await store.reload_if_changed()
    assert store.current == other.current == heard[0]
    assert store.find("renamed") is not None
    assert store.find("core1.example.net") is None


async def test_unchanged_devices_of_a_file_of_another_process_stay_the_same_objects(path: Path) -> None:
    store, other = InventoryStore(path, KEY), InventoryStore(path, KEY)
    before = await store.replace(document())
    store.prepare()
    for name in ("one", "two"):
        other.load()
        await other.update(lambda old, name=name: renamed(old, name))  # type: ignore[misc]
        assert await store.reload_if_changed()
        assert store.current == other.current
        assert store.current.devices[1] is before.devices[1]
        assert store.find(name) is not None
    await store.update(lambda old: renamed(old, "three"))
    other.load()
    assert other.current == store.current


async def test_a_writer_does_not_undo_what_another_process_wrote(path: Path) -> None:
    store, other = InventoryStore(path, KEY), InventoryStore(path, KEY)
    await store.replace(document())
    other.load()
    await other.update(
        lambda old: replace(old, devices=(*old.devices, Device("00000000-0000-4000-8000-000000000009", "x")))
    )
    await store.update(lambda old: renamed(old, "renamed"))
    assert [device.sys_name for device in store.current.devices] == ["renamed", "edge2", "x"]
    assert store.current.revision == 3


async def test_a_bad_file_keeps_the_inventory_and_says_why(path: Path) -> None:
    store = InventoryStore(path, KEY)
    before = await store.replace(document())
    good = path.read_bytes()
    path.write_bytes(b"garbage!")
    assert not await store.reload_if_changed()
    assert isinstance(store.last_error, InventoryDamaged)
    path.unlink()
    assert not await store.reload_if_changed()
    assert "is gone" in str(store.last_error)
    assert store.current is before
    path.write_bytes(good)
    await store.reload_if_changed()
    assert store.last_error is None
    assert store.current == before


async def test_a_leader_of_an_earlier_term_cannot_write(path: Path) -> None:
    claim = Claim(7, "one")
    store = InventoryStore(path, KEY)
    store.guard_writes(lambda: claim)
    await store.replace(document())
    assert InventoryStore(path, KEY).load().fencing_token == 7
    claim = Claim(6, "two")
    with pytest.raises(InventoryUnavailable, match="term 6 is over"):
        await store.update(lambda old: renamed(old, "x"))
    claim = Claim(7, "one")
    assert (await store.update(lambda old: renamed(old, "x"))).fencing_token == 7


async def test_a_running_store_follows_a_new_key_in_the_key_file(path: Path) -> None:
    key_file(path).write_bytes(KEY)
    key_file(path).chmod(0o600)
    key = InventoryKey(KEY, key_file(path))
    store = InventoryStore(path, key)
    await store.replace(document())
    rekey(path, key)
    await store.reload_if_changed()
    assert store.last_error is None
    await store.update(lambda old: renamed(old, "after"))
    assert InventoryStore(path, key_file(path).read_bytes()).load().devices[0].sys_name == "after"


WRITER = """
import asyncio, sys
from dataclasses import replace
from pathlib import Path
from typing import Any
from promsnmp.inventory.store import InventoryStore

async def main():
    store = InventoryStore(Path(sys.argv[1]), sys.argv[2].encode())
    store.load()
    print("ready", flush=True)
    for number in range(200):
        name = f"core-{store.current.revision + 1}"
        await store.update(lambda old: replace(old, devices=(replace(old.devices[0], sys_name=name), *old.devices[1:])))
        print(store.current.revision, flush=True)

asyncio.run(main())
"""


@pytest.mark.parametrize("attempt", range(6))
async def test_a_kill_during_writes_leaves_a_whole_version(path: Path, attempt: int) -> None:
    await InventoryStore(path, KEY).replace(document())
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), KEY.decode()], stdout=subprocess.PIPE, text=True, env=ENVIRONMENT
    )
    assert writer.stdout is not None
    assert writer.stdout.readline() == "ready\n"
    time.sleep(random.uniform(0.0, 0.25))
    writer.kill()
    confirmed = [int(line) for line in writer.stdout.read().split("\n")[:-1]]
    writer.wait()
    writer.stdout.close()
    store = InventoryStore(path, KEY)
    found = store.load()
    assert found.revision in {max(confirmed, default=1), max(confirmed, default=1) + 1}
    assert found.revision == 1 or found.devices[0].sys_name == f"core-{found.revision}"
    assert found.devices[1].sys_name == "edge2"
    await store.replace(document())
    assert list(path.parent.glob(".*.tmp")) == []


def test_an_unreadable_file_is_named_by_its_path() -> None:
    with pytest.raises(InventoryInvalid, match=r"^inv\.json: devices: is missing"):
        read_inventory(b"{}", "inv.json")


async def test_seeing_a_device_again_is_not_audited(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="promsnmp.audit")
    store = InventoryStore(path, KEY)
    await store.replace(document(), who="alice")
    caplog.clear()
    for changes in ({"last_seen": "2025-06-15T00:00:00Z"}, {"last_seen": None, "status": "lost"}):
        await store.update(lambda old, changes=changes: replace(old, devices=(replace(old.devices[0], **changes),)))  # type: ignore[misc]
    assert [record.getMessage().partition(" device=")[0] for record in caplog.records] == [
        'what="device removed"',
        'what="device changed"',
    ]
