"""Definitions from MIB files, as YAML that ``definitions.py`` reads: names, OIDs, enumerations and display hints."""

from __future__ import annotations

import re
import textwrap
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator

from promsnmp.modules.display_hint import is_valid_hint
from promsnmp.modules.mibs.tree import LoadedMibs, MibNode, MibNotification, MibTree, ObjectType, dotted
from promsnmp.traps.names.definitions import INET

_WIDTH = 118
_PLAIN = re.compile(r"[A-Za-z][\w.+/-]*")
_NULLS = ("null", "Null", "NULL")
_TEXT_HINTS = ("255a", "255t")
"""Text is shown as text without a hint, too."""


def definitions_text(mibs: LoadedMibs, modules: Collection[str] = (), head: str = "") -> tuple[str, int]:
    """YAML with the notifications of ``modules`` (none: of all MIBs) and what they carry, and how many they are.

    ``head`` are comment lines for the top. An object stands under the MIB that defines it.
    """
    chosen = [one for one in mibs.notifications if not modules or one.module in modules]
    by_module: dict[str, list[MibNotification]] = defaultdict(list)
    objects: dict[str, dict[str, MibNode]] = defaultdict(dict)
    nodes: dict[str, dict[str, MibNode]] = defaultdict(dict)
    for one in chosen:
        by_module[one.module].append(one)
        for node in filter(None, map(mibs.tree.at, one.objects)):
            objects[node.module].setdefault(node.name, node)
        parent = _parent(one, mibs.tree)
        if parent is not None:
            nodes[one.module].setdefault(parent.name, parent)
    lines = [*head.splitlines(), "mibs:"]
    for module in sorted({*by_module, *objects}):
        lines.append(f"  {_quoted(module)}:")
        lines += _section("nodes", (_entry(one.name, dotted(one.oid)) for one in nodes[module].values()))
        lines += _section("objects", (_object_entry(one) for one in objects[module].values()))
        lines += _section("notifications", (_notification_entry(one, mibs.tree) for one in by_module[module]))
    return "\n".join(lines) + "\n", len(chosen)


def _parent(one: MibNotification, tree: MibTree) -> MibNode | None:
    """The named node above a notification, so that its unknown siblings have a name, too."""
    oid = one.oid[:-2] if one.oid[-2:-1] == (0,) else one.oid[:-1]
    node = tree.nearest(oid)
    return node if node is not None and len(node.oid) > 7 else None


def _section(name: str, texts: Iterable[str]) -> Iterator[str]:
    found = list(texts)
    if found:
        yield f"    {name}:"
        for text in found:
            yield from textwrap.wrap(
                text, _WIDTH, initial_indent=" " * 6, subsequent_indent=" " * 8, break_long_words=False,
                break_on_hyphens=False,
            )  # fmt: skip


def _entry(name: str, value: str) -> str:
    return f"{_quoted(name)}: {value}"


def _notification_entry(one: MibNotification, tree: MibTree) -> str:
    names = [node.name for node in filter(None, map(tree.at, one.objects))]
    objects = f", objects: [{', '.join(map(_quoted, names))}]" if names else ""
    return _entry(one.name, f"{{oid: {dotted(one.oid)}{objects}}}")


def _object_entry(node: MibNode) -> str:
    fields = [f"oid: {dotted(node.oid)}"]
    if node.type is not None:
        fields += _type_fields(node.type)
    return _entry(node.name, f"{{{', '.join(fields)}}}")


def _type_fields(kind: ObjectType) -> Iterator[str]:
    if kind.enums:
        if kind.kind == "BITS":
            yield "bits: true"
        yield f"enum: {{{', '.join(f'{number}: {_quoted(label)}' for number, label in kind.enums)}}}"
    elif "InetAddress" in kind.conventions:
        yield f"hint: {INET}"
    elif kind.hint and kind.hint not in _TEXT_HINTS and is_valid_hint(kind.hint):
        yield f"hint: {_quoted(kind.hint)}"


def _quoted(text: str) -> str:
    if _PLAIN.fullmatch(text) and text not in _NULLS:
        return text
    return "'" + text.replace("'", "''") + "'"
