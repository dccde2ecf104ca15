"""Reads mappings, lists and text from YAML nodes; every error has its line. ``yaml_scalars.py`` reads the values."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from difflib import get_close_matches

import yaml

from promsnmp.support.yaml_text import NULL

_MERGE = "<<"
QUOTED_LENGTH = 60
"""Characters of a wrong value that an error shows."""
MOST_VALUES = 2_000_000
"""Values of a document that ``plain_value`` makes, at most."""


class NodeError(Exception):
    """An error at a node, with its line."""

    def __init__(self, node: yaml.Node, message: str) -> None:
        super().__init__(message)
        self.line = node.start_mark.line + 1


class UnknownKeyError(NodeError):
    """A mapping has a key that is not known; ``key`` is its name."""

    def __init__(self, node: yaml.Node, message: str, key: str) -> None:
        super().__init__(node, message)
        self.key = key


class ReportedError(NodeError):
    """A part cannot be read because of errors in it that were reported already."""

    def __init__(self, node: yaml.Node) -> None:
        super().__init__(node, "it contains errors")


_Pair = tuple[yaml.Node, yaml.Node]
ErrorHandler = Callable[[NodeError], None]
"""Handles an error: raises it, or stores it so that reading can continue."""
UnknownKeyHandler = Callable[[UnknownKeyError], None]
"""Handles an unknown key that is ignored."""


def raise_error(error: NodeError) -> None:
    """The handler that stops at the first error."""
    raise error


def quoted(value: object) -> str:
    """A wrong value in quotes, truncated to QUOTED_LENGTH."""
    text = str(value)
    return repr(text if len(text) <= QUOTED_LENGTH else f"{text[:QUOTED_LENGTH]}...")


# ---------------------------------------------------------------------------------------------------------- structure


def is_null(node: yaml.Node) -> bool:
    return bool(node.tag == NULL)


def pairs(
    node: yaml.Node,
    what: str,
    allowed: Collection[str] | None = None,
    *,
    secret: bool = False,
    on_error: ErrorHandler = raise_error,
) -> Iterator[tuple[str, yaml.Node]]:
    """Keys and value nodes of a mapping (null: an empty one); unknown and repeated keys are errors.

    With ``secret`` the error does not show an unknown key: if a colon is missing, the key contains the value.
    """
    for key, _, value in entries(node, what, allowed, secret=secret, on_error=on_error):
        yield key, value


def entries(
    node: yaml.Node,
    what: str,
    allowed: Collection[str] | None = None,
    *,
    secret: bool = False,
    on_error: ErrorHandler = raise_error,
) -> Iterator[tuple[str, yaml.Node, yaml.Node]]:
    """Like ``pairs``, with the nodes of the keys."""
    if is_null(node):
        return
    if not isinstance(node, yaml.MappingNode):
        raise NodeError(node, f"{what} must be a mapping (key: value)")
    _merge(node, is_open=allowed is None)
    seen: set[str] = set()
    for key_node, value in node.value:
        key = text(key_node, f"a key of {what}")
        if allowed is not None and key not in allowed:
            on_error(_unknown_key(key_node, key, what, allowed, secret=secret))
        elif key in seen:
            on_error(NodeError(key_node, f"key {quoted(key)} is repeated in {what}"))
        else:
            seen.add(key)
            yield key, key_node, value


def _unknown_key(node: yaml.Node, key: str, what: str, allowed: Collection[str], *, secret: bool) -> UnknownKeyError:
    name = "" if secret else f" {quoted(key)}"
    nearest = get_close_matches(key[:QUOTED_LENGTH], sorted(allowed), n=1)
    hint = f"; did you mean {nearest[0]!r}?" if nearest else ""
    message = f"unknown key{name} in {what}; allowed: {', '.join(sorted(allowed))}{hint}"
    return UnknownKeyError(node, message, "" if secret else key)


def _is_merge(key: yaml.Node) -> bool:
    return isinstance(key, yaml.ScalarNode) and key.value == _MERGE and key.style not in ("'", '"')


def _merge(node: yaml.MappingNode, *, is_open: bool) -> None:
    """Resolves merge keys (``<<``) as go-yaml does: the later value counts, merged or the node's own.

    In a mapping that allows any key the keys add up instead, and so do those of mappings under one key.
    """
    if not any(_is_merge(key) for key, _ in node.value):
        return
    pairs, node.value = node.value, []  # a mapping that merges itself gets nothing
    own: set[str] = set()
    merged: dict[str, _Pair] = {}
    twice: dict[str, _Pair] = {}
    for key, value, is_own in _expanded(pairs, is_open=is_open):
        name = str(key.value)
        if name in (merged if is_open else own if is_own else ()):
            twice[name] = key, value
            continue
        own.update([name] if is_own else [])
        merged[name] = key, _merged(merged[name][1], value) if name in merged else value
    node.value = [*merged.values(), *twice.values()]


def _expanded(pairs: Sequence[_Pair], *, is_open: bool) -> Iterator[tuple[yaml.Node, yaml.Node, bool]]:
    """Keys and values in order of precedence, and whether they are the mapping's own."""
    for key, value in pairs:
        if not _is_merge(key):
            yield key, value, True
            continue
        for source in reversed(value.value) if isinstance(value, yaml.SequenceNode) else [value]:
            if not isinstance(source, yaml.MappingNode):
                raise NodeError(source, f"{_MERGE} must name a mapping or a list of them")
            _merge(source, is_open=is_open)
            yield from ((*pair, False) for pair in source.value)


def _merged(before: yaml.Node, value: yaml.Node) -> yaml.Node:
    """The value that replaces an earlier one; for two mappings, a mapping with the pairs of both."""
    if isinstance(before, yaml.MappingNode) and isinstance(value, yaml.MappingNode):
        return yaml.MappingNode(value.tag, before.value + value.value, value.start_mark, value.end_mark)
    return value


def scalar_at(node: yaml.Node, key: str) -> str:
    """The scalar under a key of a mapping; "" when the key is missing or its value is not a scalar."""
    node_pairs = node.value if isinstance(node, yaml.MappingNode) else ()
    return next(
        (str(value.value) for name, value in node_pairs if name.value == key and isinstance(value, yaml.ScalarNode)), ""
    )


def items(node: yaml.Node, what: str) -> list[yaml.Node]:
    """The nodes of a list (null: an empty one)."""
    if is_null(node):
        return []
    if not isinstance(node, yaml.SequenceNode):
        raise NodeError(node, f"{what} must be a list")
    return list(node.value)


# ------------------------------------------------------------------------------------------------------------- values


def text(node: yaml.Node, what: str) -> str:
    """Text; null is empty."""
    if not isinstance(node, yaml.ScalarNode):
        raise NodeError(node, f"{what} must be text")
    return "" if node.tag == NULL else str(node.value)


def plain_value(node: yaml.Node, *, budget: list[int] | None = None) -> object:
    """The value of a node: mappings, lists, None, and text for every other scalar, so that the name 007 stays 007.

    Aliases are repeated, ``MOST_VALUES`` values in all. Raises NodeError.
    """
    left = [MOST_VALUES] if budget is None else budget  # shared by all levels
    left[0] -= 1
    if left[0] < 0:
        raise NodeError(node, f"there are more than {MOST_VALUES:,} values")
    if isinstance(node, yaml.MappingNode):
        return {key: plain_value(value, budget=left) for key, value in pairs(node, "a mapping")}
    if isinstance(node, yaml.SequenceNode):
        return [plain_value(item, budget=left) for item in node.value]
    return None if is_null(node) else text(node, "a value")
