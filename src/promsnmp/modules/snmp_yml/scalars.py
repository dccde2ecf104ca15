"""Scalars that only snmp.yml has: OIDs and regular expressions, each problem with its line."""

from __future__ import annotations

import yaml

from promsnmp.modules.regex import compiled, compiled_whole
from promsnmp.snmp import oid
from promsnmp.support.yaml_nodes import Problem, shown, text

_SHOWN = 60
"""Characters of a wrong OID up to which the error says what exactly is wrong."""


def object_id(node: yaml.Node, what: str) -> str:
    """An OID of numbers, as it was written."""
    dotted = text(node, what)
    try:
        oid.encode(dotted)
    except ValueError as error:
        reason = str(error) if len(dotted) <= _SHOWN else f"{shown(dotted)} is not an OID"
        raise Problem(node, f"{what}: {reason}") from None
    return dotted


def regex(node: yaml.Node, what: str, *, whole: bool = False) -> str:
    """A regular expression that RE2 takes, as it was written; ``whole``: one that has to match a whole text."""
    expression = text(node, what)
    try:
        (compiled_whole if whole else compiled)(expression)
    except ValueError as error:
        raise Problem(node, f"{what}: {shown(expression)} is not a regular expression of RE2: {error}") from None
    return expression
