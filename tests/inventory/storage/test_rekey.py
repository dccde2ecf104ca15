from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest

from promsnmp.errors import InventoryKeyError
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
