"""Modules and auths back into the form of snmp.yml, for people to read: secrets are hidden."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import yaml

from promsnmp.modules.model import Filter, Index, Lookup, Metric, Module, RegexExtract
from promsnmp.snmp.credentials import LEVEL_NAMES, Community, Credentials, SecurityLevel

HIDDEN = "<secret>"
"""Replaces a secret, as in snmp_exporter's ``/config``."""
_Dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_T = TypeVar("_T")


def to_yaml(modules: Mapping[str, Module], auths: Mapping[str, Credentials]) -> str:
    """A document that the reader can read again, except for the secrets."""
    lines = "".join(_section("auths", auths, _auth)) + "".join(_section("modules", modules, _module))
    return lines or "{}\n"


def _section(title: str, parts: Mapping[str, _T], document: Callable[[_T], dict[str, Any]]) -> Iterator[str]:
    """A key of the root, part by part: all modules at once would take ten times the memory of their text."""
    if parts:
        yield f"{title}:\n"
    for name, one in parts.items():
        part = {title: {name: document(one)}}
        text = str(yaml.dump(part, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120))
        yield text.removeprefix(f"{title}:\n")


def _auth(credentials: Credentials) -> dict[str, Any]:
    if isinstance(credentials, Community):
        return {"version": int(credentials.version) + 1, "community": HIDDEN}
    out: dict[str, Any] = {"version": 3, "username": credentials.name, "security_level": LEVEL_NAMES[credentials.level]}
    if credentials.level >= SecurityLevel.AUTH_NO_PRIV:
        out |= {"auth_protocol": str(credentials.auth_protocol), "password": HIDDEN}
    if credentials.level is SecurityLevel.AUTH_PRIV:
        out |= {"priv_protocol": str(credentials.priv_protocol), "priv_password": HIDDEN}
    return _filled(out, context_name=credentials.context_name)


def _filled(out: dict[str, Any], **more: Any) -> dict[str, Any]:
    """``out`` with the non-empty values of ``more``."""
    return {**out, **{name: value for name, value in more.items() if value}}


def _duration(seconds: float) -> str:
    return f"{seconds:g}s" if seconds >= 1 else f"{seconds * 1000:g}ms"


def _module(module: Module) -> dict[str, Any]:
    return _filled(
        {},
        walk=list(module.walk),
        get=list(module.get),
        metrics=[metric_document(one) for one in module.metrics],
        max_repetitions=module.max_repetitions,
        retries=module.retries,
        timeout=_duration(module.timeout),
        use_unconnected_udp_socket=module.use_unconnected_udp_socket,
        allow_nonincreasing_oids=module.allow_nonincreasing_oids,
        filters=[filter_document(one) for one in module.filters],
    ) | {"retries": module.retries}


def metric_document(metric: Metric) -> dict[str, Any]:
    """A metric as in the file; empty fields are omitted."""
    return _filled(
        {"name": metric.name, "oid": metric.oid, "type": str(metric.type)},
        help=metric.help,
        indexes=[_index(one) for one in metric.indexes],
        lookups=[_lookup(one) for one in metric.lookups],
        regex_extracts=_extracts(metric.regex_extracts),
        datetime_pattern=metric.datetime_pattern,
        offset=metric.offset,
        scale=metric.scale,
        enum_values=dict(metric.enum_values),
        display_hint=metric.display_hint,
    )


def _index(index: Index) -> dict[str, Any]:
    return _filled(
        {"labelname": index.labelname, "type": str(index.type)},
        fixed_size=index.fixed_size,
        implied=index.implied,
        enum_values=dict(index.enum_values),
    )


def _lookup(lookup: Lookup) -> dict[str, Any]:
    labels = {"labels": list(lookup.labels), "labelname": lookup.labelname}
    if not lookup.oid:
        return labels
    return _filled(
        {**labels, "oid": lookup.oid, "type": str(lookup.type)},
        enum_values=dict(lookup.enum_values),
        display_hint=lookup.display_hint,
    )


def _extracts(extracts: tuple[RegexExtract, ...]) -> dict[str, Any]:
    return {one.suffix: [{"regex": regex, "value": template} for regex, template in one.patterns] for one in extracts}


def filter_document(one: Filter) -> dict[str, Any]:
    """A filter as in the file."""
    return {"oid": one.oid, "targets": list(one.targets), "values": list(one.values)}
