"""Logouts in a folder: names that cannot leave it, bounds, a volume that cannot be written."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from promsnmp.http.security import logouts
from promsnmp.http.security.logouts import Logouts, digest, logout_folder


def kept(folder: Path) -> Logouts:
    return Logouts(folder, lambda: 1_000.0)


def test_no_id_leads_out_of_the_folder(tmp_path: Path) -> None:
    made = kept(tmp_path / "logouts")
    for session_id in ("../../etc/x", "/etc/passwd", "a" * 100_000, "\x00\udc80", ""):
        made.add(session_id, 2_000)
        assert (digest(session_id), 2_000) in made.load()
    assert [path.name for path in tmp_path.iterdir()] == ["logouts"]
    assert (tmp_path / "logouts").stat().st_mode & 0o077 == 0


def test_other_files_are_left_alone_and_there_are_not_too_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logouts, "MAX_FILES", 3)
    (tmp_path / "README").touch()
    (tmp_path / f"{'0' * 32}.999").touch()
    made = kept(tmp_path)
    for until in (1_005, 1_001, 1_004, 1_002, 1_003):
        made.add(str(until), until)
    assert [until for _, until in made.load()] == [1_003, 1_004, 1_005]
    assert (tmp_path / "README").exists()


def test_a_folder_that_cannot_be_used_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "file"
    file.touch()
    caplog.set_level(logging.WARNING)
    kept(file).add("x", 2_000)
    assert kept(file).load() == []
    assert "cannot be kept" in caplog.text
    assert Logouts(None).load() == []


def test_the_folder_is_beside_the_inventory_file(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "real.json")
    assert logout_folder(tmp_path / "link") == tmp_path.resolve() / ".real.json.logouts"
