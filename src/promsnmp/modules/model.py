"""Modules as plain values, in the language of snmp.yml: which OIDs to read, and which metrics they become.

``walk`` and ``get`` list the OIDs to read from a device, ``metrics`` map varbinds to samples. Files are read in
``snmp_yml/``. OIDs are dotted text without a leading dot, as in the file.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from promsnmp.modules.types import IndexType, MetricType


@dataclass(frozen=True, slots=True)
class Index:
    """One part of a row's index, in the order of the OID."""

    labelname: str
    type: str = IndexType.GAUGE
    fixed_size: int = 0
    implied: bool = False
    enum_values: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Lookup:
    """A label taken from another column at the index made of ``labels``; without labels, ``labelname`` is deleted."""

    labels: tuple[str, ...]
    labelname: str
    oid: str = ""
    type: str = MetricType.OCTET_STRING
    enum_values: tuple[tuple[int, str], ...] = ()
    """Names of the numbers of an EnumAsInfo."""
    display_hint: str = ""
    """How octets of an OctetString, or whole numbers, become text (RFC 2579 section 3.1)."""


@dataclass(frozen=True, slots=True)
class RegexExtract:
    """An additional metric, ``<name><suffix>``, extracted from a text value; the first pair that matches wins."""

    suffix: str
    patterns: tuple[tuple[str, str], ...]
    """(regex, value template) pairs, in order."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One column (or scalar) and its metric family."""

    name: str
    oid: str
    type: str
    help: str = ""
    indexes: tuple[Index, ...] = ()
    lookups: tuple[Lookup, ...] = ()
    regex_extracts: tuple[RegexExtract, ...] = ()
    enum_values: tuple[tuple[int, str], ...] = ()
    datetime_pattern: str = ""
    offset: float = 0.0
    scale: float = 0.0
    display_hint: str = ""
    """As in ``Lookup``."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Walk ``oid`` first; fetch ``targets`` only for the rows whose value matches one of ``values``."""

    oid: str
    targets: tuple[str, ...]
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Module:
    """What to read from one kind of device, and the metrics that it becomes."""

    name: str
    walk: tuple[str, ...] = ()
    get: tuple[str, ...] = ()
    metrics: tuple[Metric, ...] = ()
    max_repetitions: int = 25
    retries: int = 3
    timeout: float = 5.0
    """Seconds to wait for one packet."""
    use_unconnected_udp_socket: bool = False
    allow_nonincreasing_oids: bool = False
    filters: tuple[Filter, ...] = field(default=())
