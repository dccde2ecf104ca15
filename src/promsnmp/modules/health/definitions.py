"""The health definitions in use: those of the operator's files, and the built-in ones, read when they are needed.

There are hundreds of built-in definitions and a service needs a few of them: reading all would take a second at each
start. So a quick look at the text finds only the head of each (for which devices it is); the file is read when a device
needs it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from promsnmp.modules.health.model import Definition
from promsnmp.modules.health.reader import DefinitionReader
from promsnmp.support import yaml_nodes, yaml_text

_NAME = re.compile(r"^  (\w+):[ \t]*(?:#.*)?$", re.MULTILINE)
_LIST = re.compile(r"^    (devices|answers|fallback):[ \t]*(?:\[([^\]]*)\]|((?:\n      - .*)+))", re.MULTILINE)
_ITEM = re.compile(r"[\w.]+")
_COMMENT = re.compile(r"#.*")


@dataclass(frozen=True, slots=True)
class _Located:
    """The head of a definition, and the file that has the rest."""

    head: Definition
    file: str


class LazyDefinitions(Mapping[str, Definition]):
    """Definitions by name: ``more`` and the built-in ones, which are read when they are asked for."""

    def __init__(self, more: Mapping[str, Definition]) -> None:
        self._more = more
        self._builtin = builtin_heads()
        self.heads: Collection[Definition] = (
            *more.values(),
            *(one.head for name, one in self._builtin.items() if name not in more),
        )
        """All of them, the built-in ones without tables and information."""

    def __getitem__(self, name: str) -> Definition:
        return self._more[name] if name in self._more else _read(self._builtin[name].file)[name]

    def __iter__(self) -> Iterator[str]:
        return iter([one.name for one in self.heads])

    def __len__(self) -> int:
        return len(self.heads)


def heads(definitions: Mapping[str, Definition]) -> Collection[Definition]:
    """The definitions, as far as choosing among them needs."""
    return definitions.heads if isinstance(definitions, LazyDefinitions) else definitions.values()


@cache
def builtin_heads() -> Mapping[str, _Located]:
    """The heads of the built-in definitions, by name."""
    found: dict[str, _Located] = {}
    for file in sorted(builtin_files()):
        for head in scan(_text(file)):
            found[head.name] = _Located(head, file)
    return found


def builtin_files() -> list[str]:
    """The names of the built-in files."""
    folder = resources.files("promsnmp.modules").joinpath("builtin").joinpath("health")
    return [one.name for one in folder.iterdir() if one.name.endswith(".yml")]


def scan(text: str) -> Iterator[Definition]:
    """The heads of the definitions in a file that is laid out as the built-in ones are: two blanks a level."""
    names = list(_NAME.finditer(text))
    for at, match in enumerate(names):
        body = text[match.end() : names[at + 1].start() if at + 1 < len(names) else len(text)]
        lists = {
            one[1]: tuple(_ITEM.findall(_COMMENT.sub("", one[2] if one[2] is not None else one[3])))
            for one in _LIST.finditer(body)
        }
        yield Definition(
            match[1],
            devices=lists.get("devices", ()),
            answers=lists.get("answers", ()),
            fallback=frozenset(lists.get("fallback", ())),
        )


def _text(file: str) -> str:
    folder = resources.files("promsnmp.modules").joinpath("builtin").joinpath("health")
    return folder.joinpath(file).read_text(encoding="utf-8")


@cache
def _read(file: str) -> Mapping[str, Definition]:
    """The definitions of a built-in file. A test reads them all, so none has errors."""
    root = yaml_text.compose(_text(file))
    assert root is not None
    (section,) = (node for key, node in yaml_nodes.pairs(root, file) if key == "health")
    reader = DefinitionReader(yaml_nodes.raise_error)
    return {name: reader.definition(name, node) for name, node in yaml_nodes.pairs(section, "'health'")}
