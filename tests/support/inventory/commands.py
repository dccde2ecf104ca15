"""Commands that change an inventory: that of a file, or that of a service."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest

from promsnmp.cli.main import run
from tests.support.inventory.samples import KEY

Command = Callable[..., SimpleNamespace]
"""Runs the command with arguments; the result has ``code``, ``out`` and ``err``."""


def command_on(
    name: str,
    file: Path,
    url: str,
    *,
    secrets: Sequence[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Command:
    """``promsnmp NAME`` on the inventory in ``file``, or of the service at ``url``; no output has ``secrets``."""
    monkeypatch.setenv("PROM_INV_FILE", str(file))
    monkeypatch.setenv("PROM_ENCRYPT_KEY", KEY.decode())
    if url:
        monkeypatch.setenv("PROMSNMP_URL", url)

    def call(*arguments: str) -> SimpleNamespace:
        code = run([name, *arguments])
        captured = capsys.readouterr()
        assert not any(secret in captured.out + captured.err for secret in secrets)
        return SimpleNamespace(code=code, out=captured.out, err=captured.err)

    return call
