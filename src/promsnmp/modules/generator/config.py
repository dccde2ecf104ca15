"""Reads the generator.yml of snmp_exporter's generator: the objects of each module, and overrides.

Names stay names here; ``builder.py`` looks them up in the MIBs. As strict as the reader of snmp.yml: every error names
the file, the line and what is allowed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import yaml

from promsnmp.errors import ModuleError
from promsnmp.modules.display_hint import is_valid_hint
from promsnmp.modules.model import Filter, RegexExtract
from promsnmp.modules.snmp_yml.other_forms import other_form_of_generator
from promsnmp.modules.snmp_yml.reader import read_octets
from promsnmp.modules.types import MetricType
from promsnmp.support import yaml_nodes, yaml_scalars, yaml_text

Read = TypeVar("Read")
Reader = Callable[[yaml.Node, str], Any]


@dataclass(frozen=True, slots=True)
class LookupRule:
    """A label taken from the column ``lookup`` wherever the labels ``sources`` are indexes."""

    sources: tuple[str, ...]
    lookup: str
    drop_sources: bool = False
    display_hint: str = ""
    """As in ``Override``."""


@dataclass(frozen=True, slots=True)
class Override:
    """The changes to one object; an empty field keeps the value of the MIB."""

    ignore: bool = False
    type: str = ""
    name: str = ""
    help: str = ""
    regex_extracts: tuple[RegexExtract, ...] = ()
    datetime_pattern: str = ""
    offset: float = 0.0
    scale: float = 0.0
    display_hint: str = ""
    """A DISPLAY-HINT (RFC 2579 section 3.1), or ``MIB_HINT`` for that of the MIB."""

    def merged_with(self, other: Override) -> Override:
        """Both; ``other`` takes precedence, and extracts of one suffix are tried in order."""
        patterns: dict[str, tuple[tuple[str, str], ...]] = {}
        for one in (*self.regex_extracts, *other.regex_extracts):
            patterns[one.suffix] = patterns.get(one.suffix, ()) + one.patterns
        return Override(
            other.ignore or self.ignore,
            other.type or self.type,
            other.name or self.name,
            other.help or self.help,
            tuple(RegexExtract(suffix, entries) for suffix, entries in patterns.items()),
            other.datetime_pattern or self.datetime_pattern,
            other.offset or self.offset,
            other.scale or self.scale,
            other.display_hint or self.display_hint,
        )


@dataclass(frozen=True, slots=True)
class StaticFilter:
    """Reads only the rows ``indices`` of the objects ``targets``."""

    targets: tuple[str, ...]
    indices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ModuleConfig:
    """The configuration of one module. Objects are names, ``MODULE::name`` or OIDs, with or without an instance."""

    name: str
    walk: tuple[str, ...]
    lookups: tuple[LookupRule, ...] = ()
    overrides: tuple[tuple[str, Override], ...] = ()
    static_filters: tuple[StaticFilter, ...] = ()
    filters: tuple[Filter, ...] = ()
    """Their OIDs may be names."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Fields of ``Module`` for polling: max_repetitions, retries, timeout and so on."""
    base_types: bool = False
    """Whether a type without a DISPLAY-HINT of its own is shown like the one that it is derived from."""


@dataclass(frozen=True, slots=True)
class GeneratorFile:
    """A generator.yml."""

    configs: tuple[ModuleConfig, ...] = ()
    auths: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)
    """Copied as they are, secrets and references to the environment included."""


MIB_HINT = "@mib"
METRIC_TYPES = frozenset(map(str, MetricType))
_AUTH_KEYS = frozenset({
    "community", "version", "security_level", "username", "password", "auth_protocol", "priv_protocol", "priv_password",
    "context_name",
})  # fmt: skip


def read_generator(path: Path) -> GeneratorFile:
    """Reads a generator.yml. Raises ModuleError."""
    return parse_generator(read_octets(path), source=str(path))


def parse_generator(text: bytes | str, *, source: str) -> GeneratorFile:
    """Reads the text of a generator.yml; ``source`` names it in errors. Raises ModuleError."""
    try:
        root = yaml_text.compose(text)
        return _file(root) if root is not None else GeneratorFile()
    except yaml.YAMLError as error:
        line, reason = yaml_text.describe_error(error)
        raise ModuleError(f"{source}{f':{line}' if line else ''}: not valid YAML: {reason}") from None
    except yaml_nodes.NodeError as problem:
        raise ModuleError(f"{source}:{problem.line}: {problem}") from None


def _file(root: yaml.Node) -> GeneratorFile:
    if error := other_form_of_generator(root):
        raise error
    configs: tuple[ModuleConfig, ...] = ()
    auths: dict[str, dict[str, str]] = {}
    for key, value in yaml_nodes.pairs(root, "the file", {"auths", "modules", "version"}):
        if key == "modules":
            configs = tuple(_config(name, node) for name, node in yaml_nodes.pairs(value, "'modules'"))
        elif key == "auths":
            auths = {name: _auth(name, node) for name, node in yaml_nodes.pairs(value, "'auths'")}
    return GeneratorFile(configs, auths)


def _auth(name: str, node: yaml.Node) -> dict[str, str]:
    what = f"auth {yaml_nodes.quoted(name)}"
    return {
        key: yaml_nodes.text(value, f"{key!r} of {what}")
        for key, value in yaml_nodes.pairs(node, what, _AUTH_KEYS, secret=True)
    }


def _config(name: str, node: yaml.Node) -> ModuleConfig:
    what = f"module {yaml_nodes.quoted(name)}"
    fields = _fields(
        node,
        what,
        {
            "walk": _list(yaml_nodes.text),
            "lookups": _list(_lookup),
            "overrides": _overrides,
            "filters": _filters,
            "max_repetitions": yaml_scalars.count,
            "retries": yaml_scalars.count,
            "timeout": yaml_scalars.seconds,
            "use_unconnected_udp_socket": yaml_scalars.flag,
            "allow_nonincreasing_oids": yaml_scalars.flag,
        },
    )
    static, dynamic = fields.pop("filters", ((), ()))
    own = {key: fields.pop(key, ()) for key in ("walk", "lookups", "overrides")}
    return ModuleConfig(name, own["walk"], own["lookups"], own["overrides"], static, dynamic, fields)


def _fields(node: yaml.Node, what: str, readers: Mapping[str, Reader]) -> dict[str, Any]:
    return {
        key: readers[key](value, f"{key!r} of {what}") for key, value in yaml_nodes.pairs(node, what, readers.keys())
    }


def _list(reader: Callable[[yaml.Node, str], Read]) -> Callable[[yaml.Node, str], tuple[Read, ...]]:
    return lambda node, what: tuple(reader(item, what) for item in yaml_nodes.items(node, what))


def _lookup(node: yaml.Node, what: str) -> LookupRule:
    readers = {
        "source_indexes": _list(yaml_nodes.text),
        "lookup": yaml_nodes.text,
        "drop_source_indexes": yaml_scalars.flag,
        "display_hint": _hint,
    }
    fields = _fields(node, what, readers)
    for key in ("source_indexes", "lookup"):
        if not fields.get(key):
            raise yaml_nodes.NodeError(node, f"{what}: a lookup has no {key!r}")
    own = (fields["source_indexes"], fields["lookup"])
    return LookupRule(*own, fields.get("drop_source_indexes", False), fields.get("display_hint", ""))


def _hint(node: yaml.Node, what: str) -> str:
    text = yaml_nodes.text(node, what)
    if text != MIB_HINT and not is_valid_hint(text):
        raise yaml_nodes.NodeError(
            node, f"{what}: {yaml_nodes.quoted(text)} is not a DISPLAY-HINT, such as 1x: or d-2, nor {MIB_HINT}"
        )
    return text


def _overrides(node: yaml.Node, what: str) -> tuple[tuple[str, Override], ...]:
    readers: dict[str, Reader] = {
        "ignore": yaml_scalars.flag,
        "type": lambda n, w: yaml_scalars.choice(n, w, METRIC_TYPES),
        "name": yaml_nodes.text,
        "help": yaml_nodes.text,
        "regex_extracts": _extracts,
        "datetime_pattern": yaml_nodes.text,
        "offset": yaml_scalars.number,
        "scale": yaml_scalars.number,
        "display_hint": _hint,
    }
    return tuple(
        (name, Override(**_fields(value, f"override {yaml_nodes.quoted(name)}", readers)))
        for name, value in yaml_nodes.pairs(node, what)
    )


def _extracts(node: yaml.Node, what: str) -> tuple[RegexExtract, ...]:
    readers = {"regex": yaml_nodes.text, "value": yaml_nodes.text}
    out = []
    for suffix, value in yaml_nodes.pairs(node, what):
        entries = [_fields(item, what, readers) for item in yaml_nodes.items(value, what)]
        out.append(RegexExtract(suffix, tuple((one.get("regex", ""), one.get("value", "$1")) for one in entries)))
    return tuple(out)


def _filters(node: yaml.Node, what: str) -> tuple[tuple[StaticFilter, ...], tuple[Filter, ...]]:
    fields = _fields(node, what, {"static": _list(_static), "dynamic": _list(_dynamic)})
    return fields.get("static", ()), fields.get("dynamic", ())


def _static(node: yaml.Node, what: str) -> StaticFilter:
    fields = _fields(node, what, {"targets": _list(yaml_nodes.text), "indices": _list(_instance)})
    return StaticFilter(fields.get("targets", ()), fields.get("indices", ()))


def _instance(node: yaml.Node, what: str) -> str:
    text = yaml_nodes.text(node, what)
    if not all(part.isascii() and part.isdigit() for part in text.split(".")):
        raise yaml_nodes.NodeError(
            node, f"{what}: {yaml_nodes.quoted(text)} is not an index: write numbers, such as 2 or 2.1"
        )
    return text


def _dynamic(node: yaml.Node, what: str) -> Filter:
    fields = _fields(
        node, what, {"oid": yaml_nodes.text, "targets": _list(yaml_nodes.text), "values": _list(yaml_nodes.text)}
    )
    for key in ("oid", "targets", "values"):
        if not fields.get(key):
            raise yaml_nodes.NodeError(node, f"{what}: a filter has no {key!r}")
    return Filter(fields["oid"], fields["targets"], fields["values"])
