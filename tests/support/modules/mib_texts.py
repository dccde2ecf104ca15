"""Texts of small MIBs, and what was read of them."""

from __future__ import annotations

from promsnmp.modules.mibs.tree import LoadedMibs, MibNode, MibTree


def whole(name: str, body: str) -> str:
    return f"{name} DEFINITIONS ::= BEGIN\n{body}\nEND\n"


def scalar(name: str, syntax: str = "Integer32", under: str = "enterprises 1") -> str:
    return (
        f'{name} OBJECT-TYPE\n SYNTAX {syntax}\n MAX-ACCESS read-only\n STATUS current\n DESCRIPTION "x"\n'
        f" ::= {{ {under} }}\n"
    )


def found(tree: MibTree, name: str) -> MibNode:
    node = tree.find(name)
    assert node is not None, name
    return node


def problems(mibs: LoadedMibs) -> list[str]:
    return [str(problem) for problem in mibs.problems]
