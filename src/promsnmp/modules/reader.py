"""Reads files in the form of snmp.yml into the model, strictly: an unknown key is an error, not a surprise later.

Every error names the file, the line and what is allowed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from promsnmp.errors import ModuleError
from promsnmp.modules.model import Filter, Index, IndexType, Lookup, Metric, MetricType, Module, RegexExtract
from promsnmp.snmp import oid
from promsnmp.snmp.credentials import AuthProtocol, Community, Credentials, PrivProtocol, SecurityLevel, User, Version

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION = re.compile(r"(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h)")
_METRIC_TYPES = frozenset(MetricType)
_INDEX_TYPES = frozenset(IndexType)


@dataclass(frozen=True, slots=True)
class Document:
    """What one file defines."""

    modules: Mapping[str, Module] = field(default_factory=dict)
    auths: Mapping[str, Credentials] = field(default_factory=dict)


class _Problem(Exception):
    """Something wrong at a node."""

    def __init__(self, node: yaml.Node, message: str) -> None:
        super().__init__(message)
        self.line = node.start_mark.line + 1


def read_file(path: Path) -> Document:
    """Reads one file. Raises ModuleError."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise ModuleError(f"{path}: cannot be read: {error.strerror}") from None
    return read_text(text, source=str(path))


def read_text(text: bytes | str, *, source: str) -> Document:
    """Reads a document; ``source`` names it in errors. Raises ModuleError."""
    try:
        root = yaml.compose(text, Loader=_Loader)
        return _document(root) if root is not None else Document()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark is not None else ""
        raise ModuleError(f"{source}{line}: not valid YAML: {getattr(error, 'problem', None) or error}") from None
    except _Problem as problem:
        raise ModuleError(f"{source}:{problem.line}: {problem}") from None


def parse_duration(text: str) -> float:
    """Seconds of a Go duration such as ``5s``, ``1m30s`` or ``250ms`` (package time, ParseDuration).

    Raises ValueError.
    """
    parts = _DURATION.findall(text)
    if not parts or "".join(parts) != text:
        raise ValueError(f"{text!r} is not a duration: write a number and a unit, such as 5s or 500ms")
    total = 0.0
    for part in parts:
        unit = part.lstrip("0123456789.")
        total += float(part[: -len(unit)]) * _UNITS[unit]
    return total


# ------------------------------------------------------------------------------------------------------ nodes of YAML


def _pairs(node: yaml.Node, what: str, allowed: frozenset[str] | None = None) -> Iterator[tuple[str, yaml.Node]]:
    """Key and value nodes of a mapping; unknown and repeated keys are problems."""
    if not isinstance(node, yaml.MappingNode):
        raise _Problem(node, f"{what} must be a mapping")
    seen: set[str] = set()
    for key_node, value in node.value:
        key = _text(key_node, "a key")
        if allowed is not None and key not in allowed:
            raise _Problem(key_node, f"unknown key {key!r} in {what}; allowed: {', '.join(sorted(allowed))}")
        if key in seen:
            raise _Problem(key_node, f"key {key!r} stands twice in {what}")
        seen.add(key)
        yield key, value


def _items(node: yaml.Node, what: str) -> list[yaml.Node]:
    if _is_null(node):
        return []
    if not isinstance(node, yaml.SequenceNode):
        raise _Problem(node, f"{what} must be a list")
    return list(node.value)


def _is_null(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null"


def _text(node: yaml.Node, what: str) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise _Problem(node, f"{what} must be text")
    return "" if _is_null(node) else str(node.value)


def _integer(node: yaml.Node, what: str) -> int:
    try:
        return int(_text(node, what), 0)
    except ValueError:
        raise _Problem(node, f"{what} must be a whole number, not {node.value!r}") from None


def _number(node: yaml.Node, what: str) -> float:
    try:
        return float(_text(node, what))
    except ValueError:
        raise _Problem(node, f"{what} must be a number, not {node.value!r}") from None


def _flag(node: yaml.Node, what: str) -> bool:
    text = _text(node, what).lower()
    if text not in ("true", "false", "yes", "no", "on", "off"):
        raise _Problem(node, f"{what} must be true or false, not {node.value!r}")
    return text in ("true", "yes", "on")


def _oid(node: yaml.Node, what: str) -> str:
    text = _text(node, what)
    try:
        oid.parse(text)
    except ValueError as error:
        raise _Problem(node, f"{what}: {error}") from None
    return text


def _choice(node: yaml.Node, what: str, allowed: frozenset[Any]) -> str:
    text = _text(node, what)
    if text not in allowed:
        raise _Problem(node, f"{what} {text!r} is not known; allowed: {', '.join(sorted(map(str, allowed)))}")
    return text


def _texts(node: yaml.Node, what: str) -> tuple[str, ...]:
    return tuple(_text(item, what) for item in _items(node, what))


def _oids(node: yaml.Node, what: str) -> tuple[str, ...]:
    return tuple(_oid(item, what).removeprefix(".") for item in _items(node, what))


def _fields(
    node: yaml.Node, what: str, readers: Mapping[str, tuple[str, Callable[[yaml.Node, str], Any]]]
) -> dict[str, Any]:
    """Reads a mapping by ``readers``: key in the file -> (field of the model, reader)."""
    out: dict[str, Any] = {}
    for key, value in _pairs(node, what, frozenset(readers)):
        name, reader = readers[key]
        out[name] = reader(value, f"{key!r} of {what}")
    return out


def _required(node: yaml.Node, found: Mapping[str, Any], what: str, *names: str) -> None:
    for name in names:
        if not found.get(name):
            raise _Problem(node, f"{what} has no {name!r}")


# ------------------------------------------------------------------------------------------------------- the language


def _enum(node: yaml.Node, what: str) -> tuple[tuple[int, str], ...]:
    out = []
    for key, value in _pairs(node, what):
        try:
            out.append((int(key, 0), _text(value, what)))
        except ValueError:
            raise _Problem(value, f"{what}: {key!r} is not a whole number") from None
    return tuple(out)


def _index(node: yaml.Node, what: str) -> Index:
    readers = {
        "labelname": ("labelname", _text),
        "type": ("type", lambda n, w: _choice(n, w, _INDEX_TYPES)),
        "fixed_size": ("fixed_size", _integer),
        "implied": ("implied", _flag),
        "enum_values": ("enum_values", _enum),
    }
    found = _fields(node, what, readers)
    _required(node, found, what, "labelname")
    return Index(**found)


def _lookup(node: yaml.Node, what: str) -> Lookup:
    readers = {
        "labels": ("labels", _texts),
        "labelname": ("labelname", _text),
        "oid": ("oid", _oid),
        "type": ("type", lambda n, w: _choice(n, w, _METRIC_TYPES)),
    }
    found = _fields(node, what, readers)
    _required(node, found, what, "labelname")
    found.setdefault("labels", ())
    return Lookup(**found)


def _extracts(node: yaml.Node, what: str) -> tuple[RegexExtract, ...]:
    out = []
    for suffix, value in _pairs(node, what):
        patterns = []
        for item in _items(value, what):
            entry = _fields(item, what, {"regex": ("regex", _text), "value": ("value", _text)})
            patterns.append((entry.get("regex", ""), entry.get("value", "$1")))
        out.append(RegexExtract(suffix, tuple(patterns)))
    return tuple(out)


def _list_of(reader: Callable[[yaml.Node, str], Any]) -> Callable[[yaml.Node, str], tuple[Any, ...]]:
    return lambda node, what: tuple(reader(item, what) for item in _items(node, what))


def _metric(node: yaml.Node, what: str) -> Metric:
    readers = {
        "name": ("name", _text),
        "oid": ("oid", _oid),
        "type": ("type", lambda n, w: _choice(n, w, _METRIC_TYPES)),
        "help": ("help", _text),
        "indexes": ("indexes", _list_of(_index)),
        "lookups": ("lookups", _list_of(_lookup)),
        "regex_extracts": ("regex_extracts", _extracts),
        "datetime_pattern": ("datetime_pattern", _text),
        "enum_values": ("enum_values", _enum),
        "offset": ("offset", _number),
        "scale": ("scale", _number),
    }
    found = _fields(node, what, readers)
    _required(node, found, what, "name", "oid", "type")
    return Metric(**found)


def _filter(node: yaml.Node, what: str) -> Filter:
    readers = {"oid": ("oid", _oid), "targets": ("targets", _oids), "values": ("values", _texts)}
    found = _fields(node, what, readers)
    _required(node, found, what, "oid", "targets", "values")
    return Filter(**found)


def _timeout(node: yaml.Node, what: str) -> float:
    try:
        return parse_duration(_text(node, what))
    except ValueError as error:
        raise _Problem(node, f"{what}: {error}") from None


def _module(name: str, node: yaml.Node) -> Module:
    readers = {
        "walk": ("walk", _oids),
        "get": ("get", _oids),
        "metrics": ("metrics", _list_of(_metric)),
        "max_repetitions": ("max_repetitions", _integer),
        "retries": ("retries", _integer),
        "timeout": ("timeout", _timeout),
        "use_unconnected_udp_socket": ("use_unconnected_udp_socket", _flag),
        "allow_nonincreasing_oids": ("allow_nonincreasing_oids", _flag),
        "filters": ("filters", _list_of(_filter)),
    }
    return Module(name, **_fields(node, f"module {name!r}", readers))


_LEVELS = {
    "noAuthNoPriv": SecurityLevel.NO_AUTH_NO_PRIV,
    "authNoPriv": SecurityLevel.AUTH_NO_PRIV,
    "authPriv": SecurityLevel.AUTH_PRIV,
}


def _auth(name: str, node: yaml.Node) -> Credentials:
    what = f"auth {name!r}"
    keys = ("community", "security_level", "username", "password", "auth_protocol", "priv_protocol", "priv_password")
    readers: dict[str, Any] = {key: (key, _text) for key in (*keys, "context_name")}
    found = _fields(node, what, {**readers, "version": ("version", _integer)})
    version = found.get("version", 2)
    if version in (1, 2):
        return Community(Version.V1 if version == 1 else Version.V2C, found.get("community", "public"))
    if version != 3:
        raise _Problem(node, f"'version' of {what} must be 1, 2 or 3, not {version}")
    return _user(what, node, found)


def _user(what: str, node: yaml.Node, found: Mapping[str, str]) -> User:
    try:
        level = _LEVELS[found.get("security_level", "noAuthNoPriv")]
        auth, priv = AuthProtocol(found.get("auth_protocol", "MD5")), PrivProtocol(found.get("priv_protocol", "DES"))
    except (KeyError, ValueError) as error:
        raise _Problem(node, f"{what}: {error} is not known; levels: {', '.join(_LEVELS)}") from None
    if not found.get("username"):
        raise _Problem(node, f"{what}: version 3 needs a 'username'")
    if level >= SecurityLevel.AUTH_NO_PRIV and not found.get("password"):
        raise _Problem(node, f"{what}: this security level needs a 'password'")
    if level is SecurityLevel.AUTH_PRIV and not found.get("priv_password"):
        raise _Problem(node, f"{what}: this security level needs a 'priv_password'")
    return User(
        name=found["username"],
        level=level,
        auth_protocol=auth,
        auth_passphrase=found.get("password", ""),
        priv_protocol=priv,
        priv_passphrase=found.get("priv_password", ""),
        context_name=found.get("context_name", ""),
    )


def _document(root: yaml.Node) -> Document:
    modules: dict[str, Module] = {}
    auths: dict[str, Credentials] = {}
    for key, value in _pairs(root, "the file", frozenset({"auths", "modules", "version"})):
        if key == "modules":
            modules = {name: _module(name, node) for name, node in _pairs(value, "'modules'")}
        elif key == "auths":
            auths = {name: _auth(name, node) for name, node in _pairs(value, "'auths'")}
    return Document(modules, auths)
