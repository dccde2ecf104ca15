"""Every program that tests, demo, benchmarks and scripts start, and its Debian package: reads ``list.txt``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).with_name("list.txt")
NOT_DEBIAN = "-"


@dataclass(frozen=True, slots=True)
class Program:
    """A line: ``package`` is Debian's, or "-"; ``note`` says how it comes where that is not the package."""

    name: str
    group: str
    package: str
    note: str = ""


def read(text: str | None = None) -> list[Program]:
    """The lines of the file, in its order. Raises ValueError for a line that is none."""
    found, group = [], ""
    for line in (FILE.read_text(encoding="utf-8") if text is None else text).splitlines():
        words = line.split(maxsplit=2)
        if not words or words[0].startswith("#"):
            continue
        if len(words) == 1 and words[0].startswith("["):
            group = words[0].strip("[]")
        elif len(words) > 1 and group:
            found.append(Program(words[0], group, words[1], *words[2:]))
        else:
            raise ValueError(f"{FILE.name}: not a program and its package: {line}")
    return found


def names(group: str) -> list[str]:
    """The programs of a group."""
    return [one.name for one in read() if one.group == group]


def packages(group: str) -> list[str]:
    """Debian's packages of a group, each once."""
    wanted = (one.package for one in read() if one.group == group and one.package != NOT_DEBIAN)
    return list(dict.fromkeys(wanted))
