"""Modules as the text of an snmp.yml, which both PromSNMP and snmp_exporter load."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

import yaml

from promsnmp.modules.model import Filter, Index, Lookup, Metric, Module, RegexExtract

HEADER = "# Made by promsnmp modules build. Changes made here are lost when it is run again.\n"
_SETTINGS = ("max_repetitions", "retries", "timeout", "use_unconnected_udp_socket", "allow_nonincreasing_oids")
_Dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def to_yaml(modules: Iterable[Module], auths: Mapping[str, Mapping[str, str]] | None = None) -> str:
    """The text; ``auths`` are copied as they are. Settings that are the default are left out."""
    document: dict[str, Any] = {}
    if auths:
        document["auths"] = {name: _auth(auth) for name, auth in auths.items()}
    document["modules"] = {module.name: _module(module) for module in modules}
    text = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
    return HEADER + str(text)


def _auth(auth: Mapping[str, str]) -> dict[str, Any]:
    return {key: int(value) if key == "version" and value.isdigit() else value for key, value in auth.items()}


def _module(module: Module) -> dict[str, Any]:
    defaults = {one.name: one.default for one in fields(Module)}
    asked = {"walk": list(module.walk), "get": list(module.get)}
    made = {
        "metrics": [_metric(metric) for metric in module.metrics],
        "filters": [_filter(one) for one in module.filters],
    }
    settings = {key: getattr(module, key) for key in _SETTINGS if getattr(module, key) != defaults[key]}
    if "timeout" in settings:
        settings["timeout"] = f"{module.timeout:g}s"
    return {**_without_empty(asked), **_without_empty(made), **settings}


def _metric(metric: Metric) -> dict[str, Any]:
    return _without_empty({
        "name": metric.name,
        "oid": metric.oid,
        "type": str(metric.type),
        "help": metric.help,
        "indexes": [_index(one) for one in metric.indexes],
        "lookups": [_lookup(one) for one in metric.lookups],
        "regex_extracts": {one.suffix: _extract(one) for one in metric.regex_extracts},
        "datetime_pattern": metric.datetime_pattern,
        "offset": metric.offset,
        "scale": metric.scale,
        "enum_values": dict(metric.enum_values),
    })  # fmt: skip


def _index(index: Index) -> dict[str, Any]:
    return _without_empty({
        "labelname": index.labelname,
        "type": str(index.type),
        "fixed_size": index.fixed_size,
        "implied": index.implied,
        "enum_values": dict(index.enum_values),
    })  # fmt: skip


def _lookup(lookup: Lookup) -> dict[str, Any]:
    if not lookup.labels:
        return {"labels": [], "labelname": lookup.labelname}
    return {
        "labels": list(lookup.labels),
        "labelname": lookup.labelname,
        "oid": lookup.oid,
        "type": str(lookup.type),
    }


def _extract(extract: RegexExtract) -> list[dict[str, str]]:
    return [{"regex": regex, "value": value} for regex, value in extract.patterns]


def _filter(found: Filter) -> dict[str, Any]:
    return {"oid": found.oid, "targets": list(found.targets), "values": list(found.values)}


def _without_empty(found: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in found.items() if value}
