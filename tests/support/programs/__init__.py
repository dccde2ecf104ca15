"""Programs that tests start: each must be in scripts/programs/list.txt, so that a new machine gets it."""

from __future__ import annotations

import functools
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from scripts.programs.listed import read

PROJECT = Path(__file__).resolve().parents[3]


class NotListed(AssertionError):
    """A program was started that is not in scripts/programs/list.txt."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is not in scripts/programs/list.txt: add it, with the Debian package that brings it")


@functools.cache
def listed() -> dict[str, str]:
    """The package of each program."""
    return {program.name: program.package for program in read()}


def watch() -> None:
    """From now on, starting a program that is not listed raises NotListed in this process."""
    sys.addaudithook(_check)


def _check(event: str, arguments: tuple[object, ...]) -> None:
    if event in ("subprocess.Popen", "os.exec", "os.posix_spawn"):
        _check_program(arguments[0], arguments[1])
    elif event == "os.system":
        raise NotListed(f"os.system({arguments[0]!r})")


def _check_program(executable: object, words: object) -> None:
    named = executable if executable is not None else words[0] if isinstance(words, Sequence) else words
    path = os.fsdecode(named) if isinstance(named, (str, bytes, os.PathLike)) else str(named)
    if Path(path).name not in listed() and not _is_ours(path):
        raise NotListed(path)


def _is_ours(path: str) -> bool:
    """Whether it is this Python, a program installed beside it, or a script of the tests in a temporary folder."""
    ours = (sys.prefix, tempfile.gettempdir(), str(PROJECT))
    return path == sys.executable or (Path(path).is_absolute() and path.startswith(ours))
