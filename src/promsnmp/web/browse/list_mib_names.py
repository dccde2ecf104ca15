"""``python -m promsnmp.web.browse.list_mib_names MOST FOLDER...``: the names in MIB files, for ``mib_names.py``.

Writes a line with the number of problems and the first of them, and then a line for each object, all as JSON.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TextIO

from promsnmp.errors import ModuleError
from promsnmp.modules.generator.types import UnusableIndex, make_index, metric_type
from promsnmp.modules.mibs.files import load_mibs
from promsnmp.modules.mibs.tree import IndexPart, MibNode, MibTree
from promsnmp.snmp.oid import MAX_SUBIDS

MOST_PROBLEMS = 20
ISO = (1,)


def main(arguments: Sequence[str], out: TextIO) -> None:
    """Writes the names."""
    most, folders = int(arguments[0]), arguments[1:]
    nodes: list[MibNode] = []
    missing = [folder for folder in folders if not Path(folder).exists()]  # which must not hide the others
    problems = [f"{folder}: no such folder of MIB files (MIB_FOLDERS)" for folder in missing]
    known = [Path(folder) for folder in folders if Path(folder).exists()]
    try:
        loaded = load_mibs(known)
    except ModuleError as error:
        problems.append(str(error))
    else:
        problems += map(str, loaded.problems)
        nodes = list(_nodes(loaded.tree))
    if len(nodes) > most:
        problems.insert(0, f"{len(nodes)} objects; only the first {most} have names here, name fewer folders")
    print(json.dumps({"count": len(problems), "problems": problems[:MOST_PROBLEMS]}), file=out)
    for node in nodes[:most]:
        print(json.dumps(_entry(node), separators=(",", ":")), file=out)


def _nodes(tree: MibTree) -> Iterator[MibNode]:
    return (node for node in tree.under(ISO) if 1 < len(node.oid) <= MAX_SUBIDS)


def _entry(node: MibNode) -> list[object]:
    oid = ".".join(map(str, node.oid))
    if node.type is None:
        return [oid, node.name, False, "", "", [], []]
    return [
        oid, node.name, True, metric_type(node.type), node.type.hint, node.type.enums, _indexes(node.indexes),
    ]  # fmt: skip


def _indexes(parts: Sequence[IndexPart]) -> list[object]:
    """The indexes; none where one of them cannot be read."""
    try:
        made = [make_index(part, "", label=part.label) for part in parts]
    except UnusableIndex:
        return []
    return [[one.labelname, one.type, one.fixed_size, one.implied, one.enum_values] for one in made]


if __name__ == "__main__":
    main(sys.argv[1:], sys.stdout)
