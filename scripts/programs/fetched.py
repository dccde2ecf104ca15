"""Programs that no package manager installs, in the user's cache: fetched once, however many processes want them."""

from __future__ import annotations

import fcntl
import os
import re
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

SECONDS = 300
"""For one command of those that fetch something."""


class Unavailable(Exception):
    """There is no such program here, and why."""


def cache() -> Path:
    """Where they are kept."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "promsnmp"


def folder(name: str, fetch: Callable[[Path, Path], None]) -> Path:
    """The folder ``name`` of the cache. ``fetch`` fills it when it is not there, with a scratch folder at hand.

    Processes wait for the one that fetches. Raises Unavailable.
    """
    kept = cache() / name
    if kept.is_dir():
        return kept
    try:
        cache().mkdir(parents=True, exist_ok=True)
        with (cache() / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not kept.is_dir():
                with tempfile.TemporaryDirectory(dir=cache()) as scratch:
                    filled = Path(scratch) / "filled"
                    filled.mkdir()
                    fetch(filled, Path(scratch))
                    filled.rename(kept)
    except OSError as error:
        raise Unavailable(f"{name} cannot be kept in {cache()}: {error}") from None
    return kept


def run(command: Sequence[str], scratch: Path, *, what: str) -> None:
    """One command of fetching ``what``. Raises Unavailable with the end of what it says."""
    try:
        done = subprocess.run(command, cwd=scratch, capture_output=True, text=True, check=False, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        raise Unavailable(f"{what} cannot be fetched: {command[0]} took longer than {SECONDS} s") from None
    if done.returncode:
        raise Unavailable(f"{what} cannot be fetched: {done.stderr.strip()[-300:]}")


def version(program: str) -> tuple[int, ...]:
    """The first two numbers of what a program says with ``--version``; (0, 0) when it does not tell."""
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False, timeout=60)
    told = re.search(r"version (\d+)\.(\d+)", said.stdout + said.stderr)
    return tuple(map(int, told.groups())) if told else (0, 0)
