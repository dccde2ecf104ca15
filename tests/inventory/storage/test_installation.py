"""The id of an installation: made once beside the inventory file, and the same for all replicas that share it."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from promsnmp.inventory.storage import installation
from promsnmp.inventory.storage.installation import installation_file, read_installation


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "inventory.json"


def test_an_id_is_made_once_for_this_user_only(path: Path) -> None:
    made = read_installation(path)
    assert len(made) == 32
    assert read_installation(path) == made
    assert stat.S_IMODE(installation_file(path).stat().st_mode) == 0o600


def test_each_inventory_file_has_its_own_id(path: Path) -> None:
    assert read_installation(path) != read_installation(path.with_name("another.json"))


def test_replicas_that_start_at_once_have_one_id(path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: read_installation(path), range(8)))) == 1


@pytest.mark.parametrize("content", [b"", b"garbage", b"x" * 100_000, b"\xff" * 32])
def test_a_damaged_file_is_replaced(path: Path, content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation, "WRITING_TAKES", 0.02)
    path.parent.mkdir()
    installation_file(path).write_bytes(content)
    made = read_installation(path)
    assert len(made) == 32
    assert read_installation(path) == made
    assert [one.name for one in path.parent.iterdir()] == [".inventory.json.installation"]


def test_a_volume_that_cannot_be_written_has_no_id_and_stops_nothing(path: Path) -> None:
    path.parent.mkdir()
    path.parent.joinpath("file").write_text("")
    assert read_installation(path.parent / "file" / "inventory.json") == ""


def test_a_symbolic_link_leads_to_the_same_id(path: Path) -> None:
    path.parent.mkdir()
    link = path.parent.parent / "link.json"
    link.symlink_to(path)
    assert read_installation(link) == read_installation(path)
