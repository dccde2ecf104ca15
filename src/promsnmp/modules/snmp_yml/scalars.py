"""Reads OIDs and regular expressions of snmp.yml; every error has its line."""

from __future__ import annotations

import yaml

from promsnmp.modules.regex import compile_full_match, compile_regex
from promsnmp.snmp import oid
from promsnmp.support.yaml_nodes import QUOTED_LENGTH, NodeError, quoted, text


def object_id(node: yaml.Node, what: str) -> str:
    """A numeric OID, as written."""
    dotted = text(node, what)
    try:
        oid.encode(dotted)
    except ValueError as error:
        reason = str(error) if len(dotted) <= QUOTED_LENGTH else f"{quoted(dotted)} is not an OID"
        raise NodeError(node, f"{what}: {reason}") from None
    return dotted


def regex(node: yaml.Node, what: str, *, whole: bool = False) -> str:
    """A valid RE2 expression, as written; with ``whole`` it is compiled to match a whole text."""
    expression = text(node, what)
    try:
        (compile_full_match if whole else compile_regex)(expression)
    except ValueError as error:
        raise NodeError(node, f"{what}: {quoted(expression)} is not a regular expression of RE2: {error}") from None
    return expression
