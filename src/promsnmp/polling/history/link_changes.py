"""Which interfaces have another state than at the poll before: ``ifOperStatus`` (RFC 2863).

The column is kept as it came, and read only when it has changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from promsnmp.exposition.renderer import Renderer
from promsnmp.snmp import ber, oid

IF_OPER_STATUS = "1.3.6.1.2.1.2.2.1.8"
MOST_OCTETS = 512 * 1024
"""Octets of a column that are kept; the changes of more interfaces are not known."""
_SIZE = len(oid.encode(IF_OPER_STATUS))
_NONE: Mapping[bytes, int] = MappingProxyType({})


class LinkChanges:
    """The states at the last poll of one device, and how they differ from those before."""

    __slots__ = ("_column", "changes")

    def __init__(self) -> None:
        self._column = b""
        self.changes: Mapping[bytes, int] = _NONE
        """The new states of interfaces that have changed, by OID suffix."""

    def note(self, renderer: Renderer) -> None:
        """Takes the states of a poll; a poll without them changes nothing."""
        self.changes = _NONE
        column = renderer.plan.by_oid.get(IF_OPER_STATUS)
        octets = b"" if column is None else renderer.octets(column)
        if not octets or len(octets) > MOST_OCTETS:
            return
        before, self._column = self._column, octets
        if before and before != octets:
            old, new = _states(before), _states(octets)
            self.changes = {row: state for row, state in new.items() if old.get(row, state) != state}


def _states(column: bytes) -> dict[bytes, int]:
    index, values = ber.values(column, _SIZE)
    states = {}
    for row, (tag, content) in zip(ber.suffixes(index), values, strict=True):
        if (state := ber.integer_value(tag, content)) is not None:
            states[row] = state
    return states
