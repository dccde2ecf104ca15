"""Writes the chart's README.md as helm-docs does, from README.md.gotmpl, Chart.yaml and the comments of values.yaml.

helm-docs (github.com/norwoodj/helm-docs) is a program of its own that no package manager of ours has. Its format is
kept: a comment that begins with ``# --`` describes the value below it, nested values are rows of their own, an empty
mapping or a list is one row. Part of its templates is known: those that README.md.gotmpl names.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

CHART = Path(__file__).resolve().parents[2] / "deploy" / "helm" / "promsnmp"
FILE = CHART / "README.md"
_DESCRIPTION = re.compile(r"^\s*# -- ?(.*)$")
_TEMPLATE = re.compile(r"\{\{ template \"(chart\.\w+)\" \. \}\}")


@dataclass(frozen=True, slots=True)
class Row:
    """A value: its path, its default, and what its comment says."""

    path: str
    default: Any
    description: str


def rows(text: str) -> list[Row]:
    """The values of a values.yaml, in the order of their paths."""
    comments = dict(_descriptions(text))
    return sorted(_rows(yaml.compose(text), "", comments), key=lambda row: row.path)


def _descriptions(text: str) -> Iterator[tuple[int, str]]:
    """The description of the value in each line that has one above it; lines count from 0."""
    words: list[str] = []
    for number, line in enumerate(text.splitlines()):
        if found := _DESCRIPTION.match(line):
            words = [found[1]]
        elif words and line.lstrip().startswith("#"):
            words.append(line.lstrip().removeprefix("#").strip())
        elif words:
            yield number, " ".join(words)
            words = []


def _rows(node: Any, path: str, comments: dict[int, str]) -> Iterator[Row]:
    for key, value in node.value:
        inner = f"{path}.{key.value}" if path else key.value
        said = comments.get(key.start_mark.line, "")
        if isinstance(value, yaml.MappingNode) and value.value:
            if said:
                yield Row(inner, None, said)
            yield from _rows(value, inner, comments)
        else:
            yield Row(inner, yaml.safe_load(yaml.serialize(value)), said)


def _kind(value: Any) -> str:
    kinds = {bool: "bool", int: "int", float: "float", str: "string", list: "list", dict: "object"}
    return kinds.get(type(value), "object")


def _table(text: str) -> str:
    lines = ["| Key | Type | Default | Description |", "|-----|------|---------|-------------|"]
    for row in rows(text):
        described = row.description.replace("|", "\\|")
        if row.default is None:
            lines.append(f"| {row.path} | object | | {described} |")
        else:
            default = json.dumps(row.default, ensure_ascii=False, separators=(",", ":")).replace("|", "\\|")
            lines.append(f"| {row.path} | {_kind(row.default)} | `{default}` | {described} |")
    return "\n".join(lines)


def _badge(name: str, value: str, color: str = "informational") -> str:
    shown = value.replace("-", "--").replace(" ", "%20")
    return f"![{name}: {value}](https://img.shields.io/badge/{name}-{shown}-{color}?style=flat-square)"


def readme(chart: Path = CHART) -> str:
    """The text of README.md."""
    facts = yaml.safe_load((chart / "Chart.yaml").read_text(encoding="utf-8"))
    badges = [("Version", facts["version"]), ("Type", facts["type"]), ("AppVersion", facts["appVersion"])]
    parts = {
        "chart.header": f"# {facts['name']}",
        "chart.badgesSection": " ".join(_badge(*badge) for badge in badges),
        "chart.description": facts["description"],
        "chart.homepageLine": f"**Homepage:** <{facts['home']}>",
        "chart.sourcesSection": "\n".join(["## Source Code", "", *(f"* <{url}>" for url in facts["sources"])]),
        "chart.requirementsSection": f"## Requirements\n\nKubernetes: `{facts['kubeVersion']}`",
        "chart.valuesSection": f"## Values\n\n{_table((chart / 'values.yaml').read_text(encoding='utf-8'))}",
    }
    template = (chart / "README.md.gotmpl").read_text(encoding="utf-8")
    return _TEMPLATE.sub(lambda found: parts[found[1]], template)


if __name__ == "__main__":
    FILE.write_text(readme(), encoding="utf-8")
    print(FILE)
