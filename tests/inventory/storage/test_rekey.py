from __future__ import annotations

import contextlib
import errno
import os
import stat
from pathlib import Path

import pytest

from promsnmp.errors import InventoryKeyError, InventoryUnavailable, OutcomeUnknown
from promsnmp.inventory.storage import rekey as module
from promsnmp.inventory.storage.atomic_file import write_bytes
from promsnmp.inventory.storage.encryption import encrypt
from promsnmp.inventory.storage.key import InventoryKey, key_file, load_key, next_key_file
from promsnmp.inventory.storage.rekey import rekey
from promsnmp.inventory.store import InventoryStore
from tests.support.inventory.samples import KEY

NEW = b"the new key's 24 bytes.."
PLAIN = b'{"devices":[{"sysName":"a"}]}'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "inv.json"
    path.write_bytes(encrypt(PLAIN, KEY))
    return path


def name_in(path: Path, key: InventoryKey) -> str:
    return InventoryStore(path, key).load().devices[0].sys_name


def test_a_key_of_the_environment_is_replaced_by_the_one_given(path: Path) -> None:
    assert rekey(path, InventoryKey(KEY), NEW) is None
    assert name_in(path, InventoryKey(NEW)) == "a"
    assert not key_file(path).exists()


def test_a_made_key_is_in_the_key_file(path: Path) -> None:
    assert rekey(path, InventoryKey(KEY)) == key_file(path)
    assert name_in(path, load_key(path, None)) == "a"
    assert not next_key_file(path).exists()


def test_a_wrong_old_key_changes_nothing(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(InventoryKeyError):
        rekey(path, InventoryKey(NEW), KEY)
    assert path.read_bytes() == before


@pytest.mark.parametrize("renames_before_the_crash", range(5))
@pytest.mark.parametrize("new", [None, NEW])
def test_a_crash_between_any_two_steps_leaves_a_file_that_opens_and_a_rekey_that_works_again(
    path: Path, monkeypatch: pytest.MonkeyPatch, renames_before_the_crash: int, new: bytes | None
) -> None:
    """Only renames change what others see, so stopping before each of them covers every moment."""
    write_bytes(key_file(path), KEY)
    left = renames_before_the_crash
    rename = os.rename

    class Crash(BaseException):
        pass

    def crashing(self: Path, target: Path) -> Path:
        nonlocal left
        left -= 1
        if left < 0:
            raise Crash
        rename(self, target)
        return target

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", crashing)
        try:
            rekey(path, load_key(path, None), new)
        except Crash:
            assert renames_before_the_crash < 3
    assert name_in(path, load_key(path, None)) == "a"
    with monkeypatch.context() as patch:
        left = renames_before_the_crash
        patch.setattr(Path, "rename", crashing)
        with contextlib.suppress(Crash):
            rekey(path, load_key(path, None), new)
    assert name_in(path, load_key(path, None)) == "a"
    rekey(path, load_key(path, None))
    assert name_in(path, InventoryKey(key_file(path).read_bytes())) == "a"
    assert sorted(file.name for file in path.parent.iterdir()) == [".inv.json.lock", "inv.json", "inv.json.key"]


def no_sync_of_folders(patch: pytest.MonkeyPatch, *, after: int) -> None:
    """Lets the first ``after`` syncs of a folder succeed, and no others."""
    sync, left = os.fsync, after

    def fsync(descriptor: int) -> None:
        nonlocal left
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            left -= 1
            if left < 0:
                raise OSError(errno.EIO, "Input/output error")
        sync(descriptor)

    patch.setattr(os, "fsync", fsync)


def test_a_new_key_that_may_not_last_is_not_used(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        no_sync_of_folders(patch, after=0)
        with pytest.raises(InventoryUnavailable, match="keeps its old key"):
            rekey(path, InventoryKey(KEY))
    assert name_in(path, InventoryKey(KEY)) == "a"


@pytest.mark.parametrize("synced", [1, 2])
def test_a_file_that_has_its_new_key_already_is_never_said_to_have_the_old_one(
    path: Path, monkeypatch: pytest.MonkeyPatch, synced: int
) -> None:
    write_bytes(key_file(path), KEY)
    with monkeypatch.context() as patch:
        no_sync_of_folders(patch, after=synced)
        with pytest.raises(OutcomeUnknown, match="encrypt it again"):
            rekey(path, load_key(path, None))
    assert name_in(path, load_key(path, None)) == "a"
    rekey(path, load_key(path, None))
    assert name_in(path, InventoryKey(key_file(path).read_bytes())) == "a"
    assert not next_key_file(path).exists()


def test_a_file_of_another_key_in_the_environment_may_have_either_after_a_failed_sync(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        no_sync_of_folders(patch, after=0)
        with pytest.raises(OutcomeUnknown, match="keep the old key and the new one"):
            rekey(path, InventoryKey(KEY), NEW)
    assert name_in(path, InventoryKey(NEW)) == "a"


def test_what_does_not_read_back_keeps_the_old_key(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "encrypt", lambda plain, key: encrypt(plain + b" ", key))
    with pytest.raises(InventoryUnavailable, match="does not read back"):
        rekey(path, InventoryKey(KEY), NEW)
    assert name_in(path, InventoryKey(KEY)) == "a"
