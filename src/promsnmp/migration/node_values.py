"""Reads files of other programs as YAML nodes: YAML, and JSON as their programs write it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import yaml

from promsnmp.errors import ModuleError
from promsnmp.support import yaml_nodes, yaml_text
from promsnmp.support.yaml_nodes import NodeError

MOST_OCTETS = 64 << 20
"""Of one file."""
_SURROGATES = re.compile(r"\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")
_LONE_SURROGATE = re.compile(r"(?<!\\)((?:\\\\)*)\\u[dD][89a-fA-F][0-9a-fA-F]{2}")


def compose(octets: bytes, file: str) -> yaml.Node:
    """The root node of a YAML or JSON document. Raises ModuleError with file and line."""
    try:
        text = yaml_text.decode(octets)
        root = yaml_text.compose(_yaml_of_json(text) if text.lstrip()[:1] in ("{", "[") else text)
    except yaml.YAMLError as error:
        line, reason = yaml_text.describe_error(error)
        raise ModuleError(f"{file}:{line or 1}: not valid YAML or JSON: {reason}") from None
    except RecursionError:
        raise ModuleError(f"{file}:1: lists or mappings are nested too deeply") from None
    if root is None:
        raise ModuleError(f"{file}:1: the file is empty")
    return root


def _yaml_of_json(text: str) -> str:
    """JSON without what YAML has not: pairs of surrogates (RFC 8259 section 7) and tabs between values."""

    def character(pair: re.Match[str]) -> str:
        high, low = (int(part, 16) for part in pair.groups())
        return chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))

    text = _SURROGATES.sub(character, text)
    return _LONE_SURROGATE.sub(r"\1\\ufffd", text).replace("\t", " ")  # JSON texts contain no tabs


def mapping(node: yaml.Node, what: str) -> dict[str, yaml.Node]:
    """A mapping; of keys that are there twice, the first counts. Raises NodeError."""
    return dict(yaml_nodes.pairs(node, what, on_error=_ignore_repeated))


def _ignore_repeated(_: NodeError) -> None:
    """Nothing: without a list of allowed keys, the only error is a repeated key."""


def text_at(parts: dict[str, yaml.Node], *keys: str) -> str:
    """The text of the first of these keys that has one; "" for none, or where it is a list or a mapping."""
    for key in keys:
        node = parts.get(key)
        if isinstance(node, yaml.ScalarNode) and (text := yaml_nodes.text(node, key).strip()):
            return text
    return ""


def texts_at(parts: dict[str, yaml.Node], key: str) -> list[str]:
    """The texts of a list, or the one text; empty without the key. Raises NodeError."""
    node = parts.get(key)
    if node is None or yaml_nodes.is_null(node):
        return []
    if isinstance(node, yaml.ScalarNode):
        return [str(node.value)]
    return [str(one.value) for one in yaml_nodes.items(node, f"{key!r}") if isinstance(one, yaml.ScalarNode)]


def items_at(parts: dict[str, yaml.Node], key: str) -> Iterator[yaml.Node]:
    """The items of a list; none without the key. Raises NodeError."""
    if key in parts:
        yield from yaml_nodes.items(parts[key], f"{key!r}")


def line_of(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1
