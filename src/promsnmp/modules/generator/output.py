"""Writes built modules as an snmp.yml that both PromSNMP and snmp_exporter load."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

import yaml

from promsnmp.errors import ModuleError
from promsnmp.modules.model import Index, Lookup, Metric, Module
from promsnmp.modules.snmp_yml.writer import filter_document, metric_document

HEADER = "# Made by promsnmp modules build. Changes made here are lost when it is run again.\n"
MAX_LINES = 500_000
"""Maximum lines of a file, about eight times those of snmp_exporter's own; each takes about 1 KiB of memory."""
_SETTINGS = ("max_repetitions", "retries", "timeout", "use_unconnected_udp_socket", "allow_nonincreasing_oids")
_Dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def to_yaml(modules: Iterable[Module], auths: Mapping[str, Mapping[str, str]] | None = None) -> str:
    """The text; ``auths`` are copied unchanged. Settings with their default value are omitted.

    Raises ModuleError when it would have more than ``MAX_LINES``: enumerations are repeated wherever they are labels.
    """
    modules = list(modules)
    _check_size(modules)
    document: dict[str, Any] = {}
    if auths:
        document["auths"] = {name: _auth(auth) for name, auth in auths.items()}
    document["modules"] = {module.name: _module(module) for module in modules}
    text = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
    return HEADER + str(text)


def _check_size(modules: Iterable[Module]) -> None:
    lines = 0
    for module in modules:
        for metric in module.metrics:
            lines += _lines_of(metric)
            if lines > MAX_LINES:
                where = f"up to {metric.name} ({metric.oid})"
                raise ModuleError(
                    f"module {module.name}: more than {MAX_LINES} lines of snmp.yml {where}: "
                    "name fewer objects, build fewer modules at once, or ignore what you do not need"
                )


def _lines_of(metric: Metric) -> int:
    """About how many lines a metric takes."""
    parts: list[Index | Lookup] = [*metric.indexes, *metric.lookups]
    return 4 + len(metric.enum_values) + sum(3 + len(one.enum_values) for one in parts)


def _auth(auth: Mapping[str, str]) -> dict[str, Any]:
    return {key: int(value) if key == "version" and value.isdigit() else value for key, value in auth.items()}


def _module(module: Module) -> dict[str, Any]:
    defaults = {one.name: one.default for one in fields(Module)}
    requested = {"walk": list(module.walk), "get": list(module.get)}
    made = {
        "metrics": [metric_document(metric) for metric in module.metrics],
        "filters": [filter_document(one) for one in module.filters],
    }
    settings = {key: getattr(module, key) for key in _SETTINGS if getattr(module, key) != defaults[key]}
    if "timeout" in settings:
        settings["timeout"] = f"{module.timeout:g}s"
    return {**_without_empty(requested), **_without_empty(made), **settings}


def _without_empty(mapping: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in mapping.items() if value}
