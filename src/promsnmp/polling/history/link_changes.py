"""Which interfaces have another state than at the poll before: ``ifOperStatus`` (RFC 2863).

The column is kept compressed, and read only when it has changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from promsnmp.exposition.renderer import Renderer
from promsnmp.snmp import ber, oid
from promsnmp.support.compression import pack, unpack

IF_OPER_STATUS = "1.3.6.1.2.1.2.2.1.8"
MOST_OCTETS = 512 * 1024
"""Octets of a column that are kept; the changes of more interfaces are not known."""
_SIZE = len(oid.encode(IF_OPER_STATUS))
_NONE: Mapping[bytes, int] = MappingProxyType({})


class LinkChanges:
    """The states at the last poll of one device, and how they differ from those before."""

    __slots__ = ("_hash", "_packed", "changes")

    def __init__(self) -> None:
        self._packed = b""
        self._hash = 0
        self.changes: Mapping[bytes, int] = _NONE
        """The new states of interfaces that have changed, by OID suffix."""

    def note(self, renderer: Renderer) -> None:
        """Takes the states of a poll; a poll without them changes nothing."""
        self.changes = _NONE
        column = renderer.plan.by_oid.get(IF_OPER_STATUS)
        octets = b"" if column is None else renderer.octets(column)
        if not octets or len(octets) > MOST_OCTETS:
            return
        found = hash(octets)
        if self._packed and found == self._hash:
            return
        before, self._packed, self._hash = self._packed, pack(octets), found
        if before:
            old, new = _states(unpack(before)), _states(octets)
            self.changes = {row: state for row, state in new.items() if old.get(row, state) != state}


def _states(column: bytes) -> dict[bytes, int]:
    index, values = ber.values(column, _SIZE)
    states = {}
    for row, (tag, content) in zip(ber.suffixes(index), values, strict=True):
        if (state := ber.integer_value(tag, content)) is not None:
            states[row] = state
    return states
