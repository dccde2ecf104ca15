"""Freed memory returns to the system."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from promsnmp.support.memory import release_memory


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
