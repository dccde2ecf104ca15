"""Chooses the metric and index type (snmp.yml ``type``) of an object from its SYNTAX.

Textual conventions for octets take precedence over DISPLAY-HINT, and both over the type of the SMI.
"""

from __future__ import annotations

import re
from dataclasses import replace

from promsnmp.modules.mibs.tree import IndexPart, ObjectType
from promsnmp.modules.model import Index
from promsnmp.modules.types import IndexType, MetricType

_KINDS = {
    "INTEGER": MetricType.GAUGE,
    "COUNTER": MetricType.COUNTER,
    "OCTETS": MetricType.OCTET_STRING,
    "OID": MetricType.OCTET_STRING,
    "ADDRESS": MetricType.INET_ADDRESS_IPV4,
    "BITS": MetricType.BITS,
}
_CONVENTIONS = {
    "DisplayString": MetricType.DISPLAY_STRING,
    "PhysAddress": MetricType.PHYS_ADDRESS_48,
    "DateAndTime": MetricType.DATE_AND_TIME,
    "ParseDateAndTime": MetricType.PARSE_DATE_AND_TIME,
    "NTPTimeStamp": MetricType.NTP_TIME_STAMP,
    "InetAddress": MetricType.INET_ADDRESS,
    "InetAddressIPv4": MetricType.INET_ADDRESS_IPV4,
    "InetAddressIPv6": MetricType.INET_ADDRESS_IPV6,
    "LldpPortId": MetricType.LLDP_PORT_ID,
}
_TEXTS = frozenset({"DisplayString", "PhysAddress"})
"""Conventions that say only how octets are shown, as a DISPLAY-HINT does: the nearest of both counts."""
_OPAQUE = {"Float": MetricType.FLOAT, "Double": MetricType.DOUBLE}
_TEXT_HINT = re.compile(r"\d+[at]")
_MAC_SIZE = 6
"""Octets of the addresses that PhysAddress48 shows; octets of another fixed size with their hint are none."""
_AS_INDEX = {
    MetricType.DATE_AND_TIME: IndexType.OCTET_STRING,
    MetricType.PARSE_DATE_AND_TIME: IndexType.OCTET_STRING,
    MetricType.NTP_TIME_STAMP: IndexType.OCTET_STRING,
    MetricType.BITS: IndexType.OCTET_STRING,
    MetricType.ENUM_AS_STATE_SET: IndexType.GAUGE,
}
"""Metric types that an index cannot have, and the index type to use instead."""
_INDEX_TYPES = frozenset(map(str, IndexType))
_NUMBERS_OF_ENUMERATIONS = frozenset({MetricType.GAUGE, MetricType.ENUM_AS_STATE_SET})
"""Types that an override may give an enumeration so that labels show its numbers."""
_SIZED = frozenset({
    IndexType.OCTET_STRING, IndexType.DISPLAY_STRING, IndexType.PHYS_ADDRESS_48,
    IndexType.INET_ADDRESS_IPV4, IndexType.INET_ADDRESS_IPV6,
})  # fmt: skip

TYPE_COLUMN_CONVENTIONS = {
    MetricType.INET_ADDRESS: "InetAddressType",
    MetricType.INET_ADDRESS_MISSING_SIZE: "InetAddressType",
    MetricType.LLDP_PORT_ID: "LldpPortIdSubtype",
}
"""Types whose values need the object before them, and the convention of that object."""


class UnusableIndex(Exception):
    """An index that cannot become a label; the message says which and why."""


def as_declared(object_type: ObjectType) -> ObjectType:
    """The type with what its nearest convention says, and not what that one is derived from.

    So snmp_exporter's generator sees it: ``Name ::= DisplayString`` without a DISPLAY-HINT is a type of octets. Only a
    fixed size, without which an index cannot be read, counts wherever it is (RFC 2578 section 7.7).
    """
    return replace(
        object_type,
        conventions=object_type.conventions[:1],
        hint="" if object_type.hint_depth else object_type.hint,
        enums=() if object_type.enums_depth else object_type.enums,
        hint_depth=0,
        enums_depth=0,
    )


def metric_type(object_type: ObjectType) -> str:
    """The metric type of values of this type; empty when snmp.yml has no such type."""
    conventions = _OPAQUE if object_type.kind == "OPAQUE" else _CONVENTIONS if object_type.kind == "OCTETS" else {}
    for depth, convention in enumerate(object_type.conventions):
        if convention in conventions and not (
            convention in _TEXTS and object_type.hint and depth > object_type.hint_depth
        ):
            return conventions[convention]
    if object_type.kind == "OCTETS" and object_type.hint == "1x:" and object_type.fixed_size in (0, _MAC_SIZE):
        return MetricType.PHYS_ADDRESS_48
    if object_type.kind == "OCTETS" and _TEXT_HINT.fullmatch(object_type.hint):
        return MetricType.DISPLAY_STRING
    return _KINDS.get(object_type.kind, "")


def label_type(object_type: ObjectType, override: str) -> str:
    """The type of an object whose values become a label, as an index or by a lookup; ``override`` may be empty.

    An enumeration is shown by its names. An override by gauge keeps the numbers, as does EnumAsStateSet, which suits
    metrics only. This is the rule of snmp_exporter's main branch; the generator of 0.30.1 keeps numbers.
    """
    if object_type.kind == "INTEGER" and object_type.enums and override not in _NUMBERS_OF_ENUMERATIONS:
        return MetricType.ENUM_AS_INFO
    return override or metric_type(object_type)


def index_type(label_type: str) -> str:
    """The index type that shows a label like this metric type; empty when no index can be of that type."""
    kind = str(_AS_INDEX.get(MetricType(label_type), label_type)) if label_type else ""
    return kind if kind in _INDEX_TYPES else ""


def make_index(part: IndexPart, override: str, *, label: str) -> Index:
    """One index; ``override`` is its metric type from an override (or empty). Raises UnusableIndex."""
    type_name = label_type(part.type, override)
    kind = index_type(type_name)
    if not kind:
        raise UnusableIndex(
            f"index {part.label} cannot be a label: its type is {type_name or part.type.kind.capitalize()}"
        )
    size = part.type.fixed_size if kind in _SIZED and part.type.kind == "OCTETS" else 0
    return Index(label, kind, size, part.implied, part.type.enums)


def is_address(index: Index) -> bool:
    """Whether an index is an address whose type is another index."""
    return index.type in (IndexType.INET_ADDRESS, IndexType.INET_ADDRESS_MISSING_SIZE)


def without_own_type(index: Index, part: IndexPart) -> Index:
    """The second of two addresses that share one InetAddressType, as octets: its type is not before it in the OID.

    Raises UnusableIndex where its length cannot be known.
    """
    if index.type == IndexType.INET_ADDRESS_MISSING_SIZE:
        raise UnusableIndex(f"index {index.labelname} has neither a length nor a type of its own")
    return Index(index.labelname, IndexType.OCTET_STRING, part.type.fixed_size, index.implied)


def type_index_distance(index: Index, before: list[IndexPart]) -> int:
    """How many of the indexes ``before`` an index belong to its type, and so do not become labels.

    An InetAddress follows its InetAddressType (RFC 4001 section 4.1), with at most one index between them. Raises
    UnusableIndex when the index of its type does not precede it.
    """
    convention = TYPE_COLUMN_CONVENTIONS.get(MetricType(index.type)) if index.type in TYPE_COLUMN_CONVENTIONS else None
    if convention is None:
        return 0
    for distance in (1, 2):
        if distance <= len(before) and convention in before[-distance].type.conventions:
            return distance
    raise UnusableIndex(f"index {index.labelname} is an {index.type} with no {convention} before it")
