"""Freed memory returns to the system."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from promsnmp.support.memory import cgroup_limit, machine_memory, release_memory, resident


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1])


def test_freed_memory_returns_to_the_system() -> None:
    blocks = [bytearray(100_000) for _ in range(500)]
    last = bytearray(100_000)
    blocks.clear()
    before = _resident()
    release_memory()
    assert before - _resident() > 5000  # pages: 20 of 50 MB, at least
    assert len(last) == 100_000


def test_release_memory_does_nothing_without_malloc_trim(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    release_memory()


@pytest.mark.parametrize(
    ("files", "own", "limit"),
    [
        ({"memory.max": "max"}, "0::/", None),
        ({"memory.max": "1048576"}, "0::/", 1048576),
        ({"a/b/memory.max": "2000000", "a/memory.max": "1000000"}, "0::/a/b", 1000000),
        ({"a/b/memory.max": "max", "a/memory.max": "max"}, "0::/a/b", None),
        ({"memory/memory.limit_in_bytes": "3000000"}, "4:memory:/", 3000000),
        ({"memory/docker/1/memory.limit_in_bytes": "3000000"}, "4:cpu,memory:/docker/1\n5:pids:/x", 3000000),
        ({"memory/memory.limit_in_bytes": "9223372036854771712"}, "4:memory:/", None),
        ({}, "", None),
    ],
)
def test_the_memory_limit_is_that_of_the_cgroup_or_of_one_above_it(
    tmp_path: Path, files: dict[str, str], own: str, limit: int | None
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"{text}\n")
    list_of_own = tmp_path / "cgroup"
    list_of_own.write_text(f"{own}\n" if own else "")
    assert cgroup_limit(tmp_path, list_of_own) == limit


def test_without_a_list_of_cgroups_there_is_no_limit(tmp_path: Path) -> None:
    assert cgroup_limit(tmp_path, tmp_path / "none") is None


def test_this_process_takes_memory() -> None:
    assert 1_000_000 < resident() < machine_memory()
