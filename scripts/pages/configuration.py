"""Writes the tables of settings in docs/reference/configuration.md from ``promsnmp.settings``.

    python -m scripts.pages.configuration

Only the text between the two marker lines changes. A test fails if the page and the code differ.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import get_args

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from promsnmp.settings.group import Group
from promsnmp.settings.reading.schema import unit_of
from promsnmp.settings.reading.units import milliseconds, octets
from promsnmp.settings.settings import GROUPS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "configuration.md"
BEGIN = "<!-- settings: written by scripts/pages/configuration.py -->"
END = "<!-- settings: end -->"


def default_of(field: FieldInfo) -> str:
    """The default as written in the environment; a word if it is empty or differs between machines."""
    if field.default_factory is not None:
        return "see text"
    if field.default is None or field.default == "":
        return "unset"
    text = str(field.default).lower() if isinstance(field.default, bool) else str(field.default)
    return f"`{text}`"


def values_of(field: FieldInfo) -> str:
    """The values that are allowed: a type with its bounds (milliseconds, bytes), or the choices."""
    kinds = [kind for kind in (get_args(field.annotation) or (field.annotation,)) if kind is not type(None)]
    if all(isinstance(kind, str) for kind in kinds):
        return ", ".join(f"`{kind}`" for kind in kinds)
    names = {bool: "`true`, `false`", int: "integer", float: "number", Path: "path", SecretStr: "secret text"}
    bounds = {type(rule).__name__: getattr(rule, type(rule).__name__.lower(), None) for rule in field.metadata}
    low, high = bounds.get("Ge"), bounds.get("Le")
    span = f" {low} to {high}" if high is not None else f" from {low}" if low is not None else ""
    unit = unit_of(field)
    name = {milliseconds: "duration", octets: "size"}[unit] if unit is not None else names.get(kinds[0], "text")
    return name + span


def table(group: type[Group]) -> str:
    """The settings of a group in the order of the code, one row each, below its heading."""
    rows = [
        f"## {group.TITLE}",
        "",
        f"Key in `promsnmp.yml`: `{group.KEY}`.",
        "",
        "| variable | default | values | meaning |",
        "|---|---|---|---|",
    ]
    for name, field in group.model_fields.items():
        meaning = (field.description or "").replace("|", "\\|")
        rows.append(f"| `{name.upper()}` | {default_of(field)} | {values_of(field)} | {meaning} |")
    return "\n".join(rows)


def rewritten(page: str) -> str:
    """``page`` with the current tables between its markers."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    tables = "\n\n".join(table(group) for group in GROUPS)
    return f"{before}{BEGIN}\n\n{tables}\n\n{END}{after}"


def main() -> int:
    PAGE.write_text(rewritten(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
