"""A ``promsnmp serve`` that should not start."""

from __future__ import annotations

from pathlib import Path

from tests.support.service.preloaded import run
from tests.support.service.service_process import environment


def failing(folder: Path, *arguments: str, **env: str) -> tuple[int, str]:
    """Exit code and stderr of a ``serve`` that should not start."""
    done = run("serve", *arguments, env={**environment(folder), **env}, timeout=30)
    return done.returncode, done.stderr
