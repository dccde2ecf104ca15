"""Parses YAML text into nodes, which ``yaml_nodes.py`` reads.

Nodes, not Python values: nodes have line numbers, and an alias stays one shared node however often it is used, so that
a small file cannot expand into a large one. Scalars stay text until a reader converts them, so that the OID 1.10 does
not become the number 1.1.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable
from typing import Any

import yaml
from yaml.composer import Composer

NULL = "tag:yaml.org,2002:null"
"""The tag of a null scalar."""
_TAGS = {
    yaml.ScalarNode: "tag:yaml.org,2002:str",
    yaml.SequenceNode: "tag:yaml.org,2002:seq",
    yaml.MappingNode: "tag:yaml.org,2002:map",
}
_NULL_TEXTS = frozenset({"", "~", "null", "Null", "NULL"})
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_PARTS = 4
"""Level of the lists whose items ``compose`` passes to ``part`` one by one."""
_DEEPEST = 30
"""Maximum levels of nodes; snmp.yml needs nine."""


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # chosen at run time
    """Resolves null and text only: the readers convert numbers, and this takes a third less time."""

    def resolve(self, kind: type[yaml.Node], value: Any, implicit: Any) -> str:
        if kind is yaml.ScalarNode and implicit[0] and value in _NULL_TEXTS:
            return NULL
        return _TAGS[kind]

    _depth = 0
    _section = _key = ""
    part: PartReader | None = None

    def descend_resolver(self, current_node: Any, current_index: Any) -> None:
        if self._depth == 1:
            self._section = getattr(current_index, "value", "")
        elif self._depth == _PARTS - 1:
            self._key = getattr(current_index, "value", "")
        elif self._depth == _PARTS and self.part is not None and isinstance(current_index, int) and current_node.value:
            current_node.value[-1] = self.part(self._section, self._key, current_node.value[-1])
        self._depth += 1
        if self._depth > _DEEPEST:  # libyaml's composer would overflow the stack
            reason = "lists or mappings are nested too deeply"
            raise yaml.MarkedYAMLError(problem=reason, problem_mark=current_node.start_mark)

    def ascend_resolver(self) -> None:
        self._depth -= 1


_ANCHOR_AGAIN = "second occurrence"
"""PyYAML's message when an anchor is defined again."""


class _TolerantComposer(Composer):
    """Composes nodes and allows an anchor to be defined again, as YAML and go-yaml do.

    It takes several times as long as libyaml's composer, which refuses that and has no option for it.
    """

    def __init__(self, loader: _Loader) -> None:
        super().__init__()
        self.check_event, self.peek_event, self.get_event = loader.check_event, loader.peek_event, loader.get_event
        self.resolve = loader.resolve
        self.descend_resolver, self.ascend_resolver = loader.descend_resolver, loader.ascend_resolver

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event = self.peek_event()
        if not isinstance(event, yaml.AliasEvent):
            self.anchors.pop(event.anchor, None)
        return super().compose_node(parent, index)


PartReader = Callable[[str, str, yaml.Node], yaml.Node]
"""Called with the root's key, the list's key and an item of the list; returns the node that replaces the item."""


def compose(text: bytes | str, part: PartReader | None = None) -> yaml.Node | None:
    """The root node of a document, None for an empty one. Raises yaml.YAMLError.

    ``part`` is shown the items of lists four levels deep (``modules``, the module, ``metrics``, the item) as soon as
    they are complete, but not the last of each: when it leaves a small node in place of a large one, a large file needs
    little memory.
    """
    octets = (text if isinstance(text, str) else decode(text)).encode()
    try:
        try:
            return _composed(octets, part)
        except yaml.composer.ComposerError as error:
            if error.problem != _ANCHOR_AGAIN:
                raise
            return _composed(octets, part, tolerant=True)
    except yaml.reader.ReaderError as error:
        raise _error("it contains a control character", octets[: error.position]) from None


def decode(octets: bytes) -> str:
    """Text in UTF-8, or in UTF-16 that begins with a byte order mark, without the mark. Raises yaml.YAMLError."""
    encoding = "utf-16" if octets.startswith(_UTF_16) else "utf-8-sig"
    try:
        return octets.decode(encoding)
    except UnicodeDecodeError as error:
        raise _error(f"it is not text in {encoding.removesuffix('-sig').upper()}", octets[: error.start]) from None


def _composed(octets: bytes, part: PartReader | None, *, tolerant: bool = False) -> yaml.Node | None:
    loader = _Loader(octets)
    loader.part = part
    try:
        root: yaml.Node | None = (_TolerantComposer(loader) if tolerant else loader).get_single_node()
    finally:
        loader.dispose()
    return root


def _error(reason: str, before: bytes) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=reason, problem_mark=yaml.Mark("", 0, before.count(b"\n"), 0, None, 0))


def describe_error(error: yaml.YAMLError) -> tuple[int, str]:
    """Line (0: unknown) and reason of an error of PyYAML; the reason quotes nothing from the file."""
    mark = getattr(error, "problem_mark", None)
    reason = str(getattr(error, "problem", None) or "it cannot be read")
    if "alias" in reason:  # its name may be the start of an unquoted secret
        reason = "an alias (*) has no anchor (&) before it; put text that starts with * in quotes"
    return (0 if mark is None else mark.line + 1), " ".join(reason.split())
