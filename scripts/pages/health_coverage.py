"""Writes docs/reference/health-coverage.md: which kinds of readings the built-in definitions have, file by file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from promsnmp.modules.health.families import KINDS
from promsnmp.modules.health.model import Definition
from promsnmp.modules.snmp_yml.reader import read_text

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "src" / "promsnmp" / "modules" / "builtin" / "health"
PAGE = ROOT / "docs" / "reference" / "health-coverage.md"
HEAD = """\
# Health: what is covered

Written by `make docs` from the built-in [health definitions](../health.md). A definition suits a device by its
sysObjectID, or because the tables that it reads answer, so devices of other vendors with the same MIB are covered, too.
`promsnmp explain --health DEVICE` shows what suits a certain device.

| file | what | definitions | kinds of readings |
|---|---|---|---|
"""


def page() -> str:
    """The text of the page."""
    return HEAD + "".join(f"{row}\n" for row in _rows())


def _rows() -> Iterator[str]:
    for file in sorted(FOLDER.glob("*.yml")):
        text = file.read_text(encoding="utf-8")
        definitions = read_text(text, source=file.name).health
        names = ", ".join(f"`{name}`" for name in definitions)
        yield f"| `{file.name}` | {_title(text)} | {names} | {', '.join(_kinds(definitions.values()))} |"


def _title(text: str) -> str:
    """The first sentence of the comment at the head of a file."""
    lines = [line.removeprefix("#").strip() for line in text.splitlines() if line.startswith("#")]
    return lines[0].split(". ")[0].rstrip(".").replace("|", "/") if lines else ""


def _kinds(definitions: Iterable[Definition]) -> Iterator[str]:
    found = {
        reading.kind.key for definition in definitions for table in definition.tables for reading in table.readings
    }
    yield from (kind.replace("_", " ") for kind in KINDS if kind in found)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE.relative_to(ROOT))
