from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from promsnmp.errors import InventoryKeyError
from promsnmp.inventory.storage.key import key_file, load_key
from tests.support.inventory.samples import ENVIRONMENT, KEY


def test_the_environment_s_key_comes_first(tmp_path: Path) -> None:
    path = tmp_path / "inv.json"
    key_file(path).write_text("f" * 32)
    key_file(path).chmod(0o600)
    key = load_key(path, KEY.decode())
    assert (key.data, key.path) == (KEY, None)
    assert "0123" not in repr(key)


def test_a_key_is_made_once_private_and_of_32_bytes(tmp_path: Path) -> None:
    path = tmp_path / "new" / "inv.json"
    made = load_key(path, None)
    assert made.path == tmp_path / "new" / "inv.json.key"
    assert made.path.read_bytes() == made.data
    assert len(made.data) == 32
    assert stat.S_IMODE(made.path.stat().st_mode) == 0o600
    assert load_key(path, None) == made
    assert sorted(file.name for file in path.parent.iterdir()) == [".inv.json.lock", "inv.json.key"]


def test_a_file_system_without_hard_links_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    made = load_key(tmp_path / "inv.json", None)
    assert load_key(tmp_path / "inv.json", None) == made


def test_processes_that_race_for_the_first_key_end_with_the_same(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from promsnmp.inventory.storage.key import load_key\n"
        "sys.stdin.read(1)\n"
        "print(load_key(Path(sys.argv[1]), None).data.decode())\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "inv.json")]
    racers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)
        for _ in range(4)
    ]
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("g")
        racer.stdin.close()
        racer.stdin = None
    keys = {racer.communicate(timeout=60)[0] for racer in racers}
    assert len(keys) == 1
    assert keys == {(tmp_path / "inv.json.key").read_text() + "\n"}


def test_no_new_key_is_made_for_a_file_without_its_key(tmp_path: Path) -> None:
    path = tmp_path / "inv.json"
    path.write_bytes(b"something")
    with pytest.raises(InventoryKeyError, match="is missing; set PROM_ENCRYPT_KEY"):
        load_key(path, None)
    assert not key_file(path).exists()


@pytest.mark.parametrize("content", ["", "short", "x" * 33])
def test_a_key_file_of_a_wrong_length_is_an_error_that_does_not_show_it(tmp_path: Path, content: str) -> None:
    path = tmp_path / "inv.json"
    key_file(path).write_text(content)
    key_file(path).chmod(0o600)
    with pytest.raises(InventoryKeyError, match=rf"the key in .*inv\.json\.key is {len(content)} bytes long"):
        load_key(path, None)


def test_a_newline_after_the_key_is_ignored(tmp_path: Path) -> None:
    key_file(tmp_path / "inv.json").write_bytes(KEY + b"\n")
    key_file(tmp_path / "inv.json").chmod(0o600)
    assert load_key(tmp_path / "inv.json", None).data == KEY


@pytest.mark.parametrize(("mode", "refused"), [(0o600, False), (0o640, False), (0o644, True), (0o602, True)])
def test_a_key_file_that_others_can_read_or_change_is_refused(tmp_path: Path, mode: int, refused: bool) -> None:
    place = key_file(tmp_path / "inv.json")
    place.write_bytes(KEY)
    place.chmod(mode)
    if refused:
        with pytest.raises(InventoryKeyError, match=rf"every user .* chmod 600 {place}"):
            load_key(tmp_path / "inv.json", None)
    else:
        assert load_key(tmp_path / "inv.json", None).data == KEY
