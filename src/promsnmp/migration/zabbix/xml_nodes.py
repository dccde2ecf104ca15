"""Zabbix's XML as the YAML nodes that its YAML export has, so that one reader is enough for both.

Built on expat without its document types: an entity that is declared in the file (one that grows, or names another
file) is refused before it is used.
"""

from __future__ import annotations

from xml.parsers import expat  # document types, and so entities, are refused below

import yaml

from promsnmp.errors import ModuleError
from promsnmp.support.yaml_text import NULL

MOST_DEPTH, MOST_ELEMENTS = 30, 2_000_000
_LISTS = frozenset({"hosts", "templates", "groups", "host_groups", "interfaces", "macros", "tags"})
_TEXT, _MAP, _SEQ = (f"tag:yaml.org,2002:{kind}" for kind in ("str", "map", "seq"))


class _Element:
    """An element that has not ended."""

    __slots__ = ("children", "line", "name", "texts")

    def __init__(self, name: str, line: int) -> None:
        self.name = name
        self.line = line
        self.children: list[tuple[str, int, yaml.Node]] = []
        self.texts: list[str] = []

    def node(self) -> yaml.Node:
        mark = _mark(self.line)
        if self.name in _LISTS:
            return yaml.SequenceNode(_SEQ, [child for _, _, child in self.children], mark, mark)
        if self.children:
            pairs = [(yaml.ScalarNode(_TEXT, name, _mark(line), None), child) for name, line, child in self.children]
            return yaml.MappingNode(_MAP, pairs, mark, mark)
        text = "".join(self.texts).strip()
        return yaml.ScalarNode(_TEXT if text else NULL, text, mark, mark)


def _mark(line: int) -> yaml.Mark:
    return yaml.Mark("", 0, line - 1, 0, None, 0)


class _Refused(Exception):
    """The document has what is not read."""


def compose_xml(octets: bytes, file: str) -> yaml.Node:
    """The root of an XML document as a mapping with one key. Raises ModuleError with file and line."""
    parser = expat.ParserCreate()
    document = _Element("", 1)
    open_elements = [document]
    count = 0

    def start(name: str, _: object) -> None:
        nonlocal count
        count += 1
        if len(open_elements) > MOST_DEPTH or count > MOST_ELEMENTS:
            raise _Refused("elements are nested too deeply, or there are too many")
        open_elements.append(_Element(name, parser.CurrentLineNumber))

    def end(name: str) -> None:
        element = open_elements.pop()
        open_elements[-1].children.append((name, element.line, element.node()))

    def text(data: str) -> None:
        open_elements[-1].texts.append(data)

    def refuse(*_: object) -> None:
        raise _Refused("a document type (<!DOCTYPE>) is not allowed: it could declare entities")

    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, text
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = refuse
    try:
        parser.Parse(octets, True)  # a positional parameter of expat
    except expat.ExpatError as error:
        raise ModuleError(f"{file}:{error.lineno}: not valid XML: {expat.ErrorString(error.code)}") from None
    except (LookupError, ValueError):  # the declaration names an encoding that expat cannot read
        raise ModuleError(f"{file}:1: not valid XML: its encoding cannot be read; convert it to UTF-8") from None
    except _Refused as error:
        raise ModuleError(f"{file}:{parser.CurrentLineNumber}: {error}") from None
    return document.node()
