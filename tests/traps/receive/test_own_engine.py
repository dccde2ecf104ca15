"""PromSNMP's own engine: the same over restarts and on all replicas; its clock never goes back without a boot."""

from __future__ import annotations

from pathlib import Path

from promsnmp.traps.receive.own_engine import OwnEngine


class Wall:
    """Unix time that a test sets."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


def loaded(file: Path, wall: Wall, engine_id: bytes = b"") -> OwnEngine:
    engine = OwnEngine(file, engine_id=engine_id, wall=wall)
    engine.load()
    return engine


def test_restarts_and_replicas_have_one_engine_whose_time_goes_on(tmp_path: Path) -> None:
    wall = Wall()
    first = loaded(tmp_path / "engine", wall)
    wall.now += 1000
    second = loaded(tmp_path / "engine", wall)
    assert (second.engine_id, second.boots, second.time) == (first.engine_id, 1, 1000)
    assert first.time == second.time
    assert (tmp_path / "engine").stat().st_mode & 0o077 == 0


def test_a_clock_that_goes_back_counts_as_a_boot_on_all_replicas(tmp_path: Path) -> None:
    wall = Wall()
    first = loaded(tmp_path / "engine", wall)
    wall.now += 1000
    first.refresh()
    assert first.time == 1000
    wall.now -= 500
    assert first.time == 1000  # within the process it stands still
    second = loaded(tmp_path / "engine", wall)
    first.refresh()
    assert (first.boots, first.time) == (second.boots, second.time) == (2, 0)


def test_a_configured_id_replaces_the_one_in_the_file(tmp_path: Path) -> None:
    wall = Wall()
    loaded(tmp_path / "engine", wall)
    assert loaded(tmp_path / "engine", wall, bytes.fromhex("8000000001")).engine_id.hex() == "8000000001"
    assert loaded(tmp_path / "engine", wall).engine_id.hex() == "8000000001"


def test_a_damaged_file_is_replaced_and_one_that_cannot_be_written_does_no_harm(tmp_path: Path) -> None:
    wall, file = Wall(), tmp_path / "engine"
    file.write_text('{"engineId": 7}')
    engine = loaded(file, wall)
    assert loaded(file, wall).engine_id == engine.engine_id
    (tmp_path / "folder").write_text("a file")
    assert loaded(tmp_path / "folder" / "engine", wall).boots == 1
