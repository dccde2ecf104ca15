"""The JSON schema of ``promsnmp.yml`` for editors, made from the settings (JSON Schema draft 2020-12)."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import BeforeValidator
from pydantic.fields import FieldInfo

from promsnmp.settings.device_sources.definitions import KINDS, SourceDefinition
from promsnmp.settings.group import Group, is_secret
from promsnmp.settings.reading.units import milliseconds, octets
from promsnmp.settings.settings import GROUPS

URL = "https://pbrane.github.io/promsnmp/schema/promsnmp.schema.json"
WIDTH = 110
"""Characters of a line of a comment."""
_UNITS = {milliseconds: r"^\s*([0-9.]+\s*(ms|s|m|h|d)\s*)+$", octets: r"^\s*[0-9.]+\s*([kMGT]B|[KMGT]iB?|B)\s*$"}


def schema() -> dict[str, Any]:
    """The schema of a whole file."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": URL,
        "title": "promsnmp.yml",
        "description": "Configuration of PromSNMP; environment variables of the same names override it.",
        "type": ["object", "null"],
        "additionalProperties": False,
        "properties": {group.KEY: _group(group) for group in GROUPS},
        "$defs": _definitions(),
    }


def _group(group: type[Group]) -> dict[str, Any]:
    settings = {
        "title": group.TITLE,
        "type": ["object", "null"],
        "additionalProperties": False,
        "properties": {name: _property(field) for name, field in group.model_fields.items()},
    }
    if not group.LIST:
        return settings
    entries = {"type": "array", "items": {"anyOf": [{"$ref": f"#/$defs/{kind.__name__}"} for kind in KINDS]}}
    return {"title": group.TITLE, "anyOf": [entries, settings]}


def _definitions() -> dict[str, Any]:
    """The schemas of the kinds of sources; durations and sizes may have a unit."""
    return {kind.__name__: _with_units(kind.model_json_schema(), kind) for kind in KINDS}


def _with_units(schema: dict[str, Any], kind: type[SourceDefinition]) -> dict[str, Any]:
    for name, field in kind.model_fields.items():
        shown = schema["properties"][name]
        if (unit := unit_of(field)) is not None:
            numbers = {key: shown.pop(key) for key in ("type", "minimum", "maximum", "anyOf") if key in shown}
            texts: dict[str, Any] = {"type": "string", "pattern": _UNITS[unit]}
            shown["anyOf"] = [*numbers.pop("anyOf", []), *([numbers] if numbers else []), texts]
        shown.pop("title", None)
    return schema


def _property(field: FieldInfo) -> dict[str, Any]:
    shown: dict[str, Any] = {"description": field.description}
    default = field.default
    if field.default_factory is None and not is_secret(field) and default not in (None, ""):
        shown["default"] = str(default) if isinstance(default, Path) else default
    return shown | {"anyOf": [*_types(field), {"type": "null"}]}


def _types(field: FieldInfo) -> list[dict[str, Any]]:
    kinds = [kind for kind in (get_args(field.annotation) or (field.annotation,)) if kind is not type(None)]
    if all(isinstance(kind, str) for kind in kinds):
        return [{"enum": list(kinds)}]
    if (unit := unit_of(field)) is not None:
        return [_number("integer", field), {"type": "string", "pattern": _UNITS[unit]}]
    kind = kinds[0]
    if kind is bool:
        return [{"type": "boolean"}]
    if kind in (int, float):
        return [_number("integer" if kind is int else "number", field)]
    if kind is str:
        return [{"type": ["string", "number", "boolean"]}, {"type": "array", "items": {"type": ["string", "number"]}}]
    return [{"type": ["string", "number"] if is_secret(field) else "string"}]


def unit_of(field: FieldInfo) -> Any:
    """The function that reads the units of a setting; None for one without units."""
    inside = [extra for kind in get_args(field.annotation) for extra in getattr(kind, "__metadata__", ())]
    for extra in (*field.metadata, *inside):
        if isinstance(extra, BeforeValidator) and extra.func in _UNITS:
            return extra.func
    return None


def _number(kind: str, field: FieldInfo) -> dict[str, Any]:
    rules = {type(rule).__name__: rule for rule in field.metadata}
    bounds = {"minimum": getattr(rules.get("Ge"), "ge", None), "maximum": getattr(rules.get("Le"), "le", None)}
    return {"type": kind, **{name: value for name, value in bounds.items() if value is not None}}


def commented_file(groups: Iterable[type[Group]], chosen: Mapping[str, Mapping[str, str]]) -> str:
    """A ``promsnmp.yml`` in which every setting is a comment with its default, except for those ``chosen``."""
    lines = [
        f"# yaml-language-server: $schema={URL}",
        "# The configuration of PromSNMP. Each setting is shown with its default; remove the '#' to change it.",
        "# Environment variables of the same names override it. Times: 500ms, 30s, 5m; sizes: 64MiB.",
        "# 'promsnmp config check' checks this file, 'promsnmp config show' says where each value comes from.",
    ]
    for group in groups:
        values = chosen.get(group.KEY, {})
        lines += ["", f"# {group.TITLE}", f"{'' if values else '#'}{group.KEY}:"]
        for name, field in group.model_fields.items():
            lines += [f"  # {line}" for line in textwrap.wrap(field.description or "", WIDTH)]
            lines.append(f"  {name}: {values[name]}" if name in values else f"  #{name}: {_example(field)}".rstrip())
    return "\n".join(lines) + "\n"


def _example(field: FieldInfo) -> str:
    """The default of a setting as it is written in the file; nothing when it has none, or depends on the machine."""
    default = field.default
    if field.default_factory is not None or default in (None, ""):
        return ""
    if isinstance(default, bool):
        return str(default).lower()
    return str(default) if isinstance(default, int | float) else json.dumps(str(default))
