"""Decodes the index of a row: the sub-identifiers after the column's OID, as text, by the index types of snmp.yml.

A new index type begins in ``modules/types.py``. The rules are those of snmp_exporter: an index that is too short is
padded with zeros, what is left over is ignored. ``deviations/row_index.py`` decides which form a row has.
"""

from __future__ import annotations

from collections.abc import Mapping

from promsnmp.exposition import values
from promsnmp.modules.types import IndexType

SubIds = tuple[int, ...]
MAX_STRING = 1024
"""Maximum octets of an index with a length, whatever the length says: an OID has at most 128 sub-identifiers."""
MAX_SUBIDS = 128
"""Sub-identifiers of an OID (RFC 2578 section 3.5)."""

_COMBINED: Mapping[str, Mapping[int, str]] = {
    IndexType.INET_ADDRESS: {1: IndexType.INET_ADDRESS_IPV4, 2: IndexType.INET_ADDRESS_IPV6},
    IndexType.INET_ADDRESS_MISSING_SIZE: {1: IndexType.INET_ADDRESS_IPV4, 2: IndexType.INET_ADDRESS_IPV6},
    IndexType.LLDP_PORT_ID: {
        1: IndexType.DISPLAY_STRING,
        2: IndexType.DISPLAY_STRING,
        3: IndexType.PHYS_ADDRESS_48,
        5: IndexType.DISPLAY_STRING,
        7: IndexType.DISPLAY_STRING,
    },
}
NUMBERS = frozenset(
    {IndexType.INTEGER32, IndexType.INTEGER, IndexType.GAUGE, IndexType.COUNTER, IndexType.ENUM_AS_INFO}
)
"""Types of a single sub-identifier."""
OF_SUBIDS = NUMBERS | {IndexType.OBJECT_IDENTIFIER}
"""Types of sub-identifiers that may be larger than an octet."""


def _split(subids: SubIds, count: int) -> tuple[SubIds, SubIds]:
    """The first ``count`` sub-identifiers, padded with zeros, and the rest."""
    head = subids[:count]
    return head + (0,) * (count - len(head)), subids[count:]


def _octets(subids: SubIds) -> bytes:
    return bytes(one & 0xFF for one in subids)


def decode_index(
    subids: SubIds,
    kind: str,
    *,
    fixed_size: int = 0,
    implied: bool = False,
    enum: Mapping[int, str] | None = None,
    encoding: str = "",
) -> tuple[str, SubIds, SubIds]:
    """Decodes one index from the front of ``subids``: its text, the sub-identifiers that it uses, and the rest.

    ``encoding`` is that of a DisplayString; empty: UTF-8.

    Raises ValueError for a ``kind`` that is not an IndexType.
    """
    if kind in _COMBINED:
        return _combined(subids, kind, enum, encoding)
    if kind == IndexType.PHYS_ADDRESS_48:
        used, rest = _split(subids, 6)
        return ":".join(f"{one:02X}" for one in used), used, rest
    if kind == IndexType.INET_ADDRESS_IPV4:
        used, rest = _split(subids, 4)
        return ".".join(map(str, used)), used, rest
    if kind == IndexType.INET_ADDRESS_IPV6:
        used, rest = _split(subids, 16)
        return ":".join(f"{used[at]:02X}{used[at + 1]:02X}" for at in range(0, 16, 2)), used, rest
    if kind == IndexType.OBJECT_IDENTIFIER:
        return _object_id(subids, fixed_size, implied)
    if kind in (IndexType.OCTET_STRING, IndexType.DISPLAY_STRING):
        return _string(subids, kind, fixed_size, implied, encoding)
    if kind not in NUMBERS:
        raise ValueError(f"unknown index type {kind!r}: exposition/indexes.py has no rule to decode it")
    used, rest = _split(subids, 1)
    if kind == IndexType.ENUM_AS_INFO and enum and used[0] in enum:
        return enum[used[0]], used, rest
    return str(used[0]), used, rest


def _object_id(subids: SubIds, fixed_size: int, implied: bool) -> tuple[str, SubIds, SubIds]:
    """All sub-identifiers, a fixed number of them, or as many as the first one says (RFC 2578 section 7.7)."""
    if implied:
        return ".".join(map(str, subids)), subids, ()
    counted: SubIds = ()
    if not fixed_size:
        counted, subids = _split(subids, 1)
    content, rest = _split(subids, min(fixed_size or counted[0], MAX_SUBIDS))
    return ".".join(map(str, content)), counted + content, rest


def _string(subids: SubIds, kind: str, fixed_size: int, implied: bool, encoding: str) -> tuple[str, SubIds, SubIds]:
    counted: SubIds = ()
    length = len(subids) if implied else fixed_size
    if length == 0:
        counted, subids = _split(subids, 1)
        length = counted[0]
    content, rest = _split(subids, min(length, MAX_STRING))
    octets = _octets(content)
    if kind == IndexType.DISPLAY_STRING:
        return values.display_text(octets, encoding), counted + content, rest
    return values.hexadecimal(octets), counted + content, rest


def _combined(subids: SubIds, kind: str, enum: Mapping[int, str] | None, encoding: str) -> tuple[str, SubIds, SubIds]:
    """InetAddress and the like: a type, a length (not in ...MissingSize), then the value of that type.

    The length counts the octets of a string, too (snmp_exporter takes the first character of a port for its length).
    """
    missing_size = kind == IndexType.INET_ADDRESS_MISSING_SIZE
    head, tail = _split(subids, 1 if missing_size else 2)
    actual = _COMBINED[kind].get(head[0])
    if actual == IndexType.DISPLAY_STRING:
        text, used, rest = decode_index(subids[1:], actual)
        return text, head[:1] + used, rest
    if actual is not None:
        text, used, rest = decode_index(tail, actual, enum=enum, encoding=encoding)
        return text, head + used, rest
    if missing_size:
        return decode_index(subids, IndexType.OCTET_STRING, implied=True)
    return decode_index(subids, IndexType.OCTET_STRING, fixed_size=min(head[1], MAX_STRING) + 2)
