"""YAML for snmp.yml files: from text to nodes, each problem with its line; ``scalars`` makes values of them.

Nodes are read instead of what PyYAML would construct of them: they know their lines, and an alias stays one shared node
however often it is named, so that a small file cannot unfold into a large one. Scalars are text until a reader says
what they are, so that the OID 1.10 does not become the number 1.1.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Collection, Iterator
from typing import Any

import yaml

_NULL = "tag:yaml.org,2002:null"
_TAGS = {
    yaml.ScalarNode: "tag:yaml.org,2002:str",
    yaml.SequenceNode: "tag:yaml.org,2002:seq",
    yaml.MappingNode: "tag:yaml.org,2002:map",
}
_NULL_TEXTS = frozenset({"", "~", "null", "Null", "NULL"})
_MERGE = "<<"
_PARTS = 4
"""Level of the lists whose items ``compose`` hands out one by one."""
_DEEPEST = 30
"""Levels of nodes; snmp.yml needs nine."""
_SHOWN = 60
"""Characters of a wrong value that an error shows."""


class Problem(Exception):
    """Something wrong at a node."""

    def __init__(self, node: yaml.Node, message: str) -> None:
        super().__init__(message)
        self.line = node.start_mark.line + 1


class Told(Problem):
    """A part cannot be read because of problems in it that were told already."""

    def __init__(self, node: yaml.Node) -> None:
        super().__init__(node, "something in it is wrong")


Teller = Callable[[Problem], None]
"""What becomes of a problem: it is raised, or kept so that the reading can go on."""


def raise_problem(problem: Problem) -> None:
    """The teller for who wants to know of one problem only."""
    raise problem


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # chosen at run time
    """Tells null from text and nothing else: numbers are the readers' business, and it takes a third less time."""

    def resolve(self, kind: type[yaml.Node], value: Any, implicit: Any) -> str:
        if kind is yaml.ScalarNode and implicit[0] and value in _NULL_TEXTS:
            return _NULL
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
        if self._depth > _DEEPEST:  # libyaml's composer would go on until the stack is full
            reason = "lists or mappings stand too deep in one another"
            raise yaml.MarkedYAMLError(problem=reason, problem_mark=current_node.start_mark)

    def ascend_resolver(self) -> None:
        self._depth -= 1


PartReader = Callable[[str, str, yaml.Node], yaml.Node]
"""Takes an item of a list, with the key of the root and the key that the list stands under, and says what takes its
place."""


def compose(text: bytes | str, part: PartReader | None = None) -> yaml.Node | None:
    """The root node of a document, None for an empty one. Raises yaml.YAMLError.

    ``part`` is shown the items of lists four levels deep (``modules``, the module, ``metrics``, the item) as soon as
    they are complete, but not the last of each: when it leaves a small node in place of a large one, a large file needs
    little memory.
    """
    octets = text.encode() if isinstance(text, str) else text.removeprefix(codecs.BOM_UTF8)
    try:
        octets.decode()
    except UnicodeDecodeError as error:
        raise _error("it is not text in UTF-8", octets[: error.start]) from None
    try:
        loader = _Loader(octets)
        loader.part = part
        try:
            root: yaml.Node | None = loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.reader.ReaderError as error:
        raise _error("there is a character that text has not", octets[: error.position]) from None
    return root


def _error(reason: str, before: bytes) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=reason, problem_mark=yaml.Mark("", 0, before.count(b"\n"), 0, None, 0))


def explain(error: yaml.YAMLError) -> tuple[int, str]:
    """Line (0: unknown) and reason of what PyYAML did not like; the reason quotes nothing from the file."""
    mark = getattr(error, "problem_mark", None)
    reason = str(getattr(error, "problem", None) or "it cannot be read")
    if "alias" in reason:  # its name may be the start of a secret that is not in quotes
        reason = "an alias (*) has no anchor (&) before it; put text that starts with * in quotes"
    return (0 if mark is None else mark.line + 1), " ".join(reason.split())


def shown(value: object) -> str:
    """A wrong value in quotes, cut off where it gets long."""
    text = str(value)
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...")


# ---------------------------------------------------------------------------------------------------------- structure


def is_null(node: yaml.Node) -> bool:
    return bool(node.tag == _NULL)


def pairs(
    node: yaml.Node,
    what: str,
    allowed: Collection[str] | None = None,
    *,
    secret: bool = False,
    tell: Teller = raise_problem,
) -> Iterator[tuple[str, yaml.Node]]:
    """Keys and value nodes of a mapping (null: an empty one); unknown and repeated keys are told as problems.

    With ``secret`` the error does not show an unknown key: where a colon was forgotten, it holds the value.
    """
    for key, _, value in entries(node, what, allowed, secret=secret, tell=tell):
        yield key, value


def entries(
    node: yaml.Node,
    what: str,
    allowed: Collection[str] | None = None,
    *,
    secret: bool = False,
    tell: Teller = raise_problem,
) -> Iterator[tuple[str, yaml.Node, yaml.Node]]:
    """``pairs`` with the nodes of the keys."""
    if is_null(node):
        return
    if not isinstance(node, yaml.MappingNode):
        raise Problem(node, f"{what} must be a mapping (key: value)")
    _merge(node)
    seen: set[str] = set()
    for key_node, value in node.value:
        key = text(key_node, f"a key of {what}")
        if allowed is not None and key not in allowed:
            name = "" if secret else f" {shown(key)}"
            tell(Problem(key_node, f"unknown key{name} in {what}; allowed: {', '.join(sorted(allowed))}"))
        elif key in seen:
            tell(Problem(key_node, f"key {shown(key)} stands twice in {what}"))
        else:
            seen.add(key)
            yield key, key_node, value


def _is_merge(key: yaml.Node) -> bool:
    return isinstance(key, yaml.ScalarNode) and key.value == _MERGE and key.style not in ("'", '"')


def _merge(node: yaml.MappingNode) -> None:
    """Puts in place what ``<<`` names: keys of other mappings, which give way to the node's own and to earlier ones."""
    merged = [value for key, value in node.value if _is_merge(key)]
    if not merged:
        return
    node.value = [(key, value) for key, value in node.value if not _is_merge(key)]
    known = {key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)}
    for one in merged:
        for source in one.value if isinstance(one, yaml.SequenceNode) else [one]:
            if not isinstance(source, yaml.MappingNode):
                raise Problem(source, f"{_MERGE} must name a mapping or a list of them")
            _merge(source)
            new = [(key, value) for key, value in source.value if str(key.value) not in known]
            known.update(str(key.value) for key, _ in new)
            node.value += new


def items(node: yaml.Node, what: str) -> list[yaml.Node]:
    """The nodes of a list (null: an empty one)."""
    if is_null(node):
        return []
    if not isinstance(node, yaml.SequenceNode):
        raise Problem(node, f"{what} must be a list")
    return list(node.value)


# ------------------------------------------------------------------------------------------------------------- values


def text(node: yaml.Node, what: str) -> str:
    """Text; null is empty."""
    if not isinstance(node, yaml.ScalarNode):
        raise Problem(node, f"{what} must be text")
    return "" if node.tag == _NULL else str(node.value)
