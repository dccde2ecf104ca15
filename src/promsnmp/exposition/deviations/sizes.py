"""Sizes that agents send as negative numbers: an INTEGER ends at 2^31-1, so a larger size comes as its low 32 bits.

``hrStorageSize`` counts blocks: 8 TiB in blocks of 4 KiB are 2^31 of them. The MIBs say that these objects are never
negative (HOST-RESOURCES-MIB) or what they count cannot be (UCD-SNMP-MIB), so such a number plus 2^32 is the one meant.
"""

from __future__ import annotations

from collections.abc import Sequence

from promsnmp.snmp import oid

_HOST = "1.3.6.1.2.1.25"
_UCD = "1.3.6.1.4.1.2021"
_COLUMNS = (
    f"{_HOST}.2.2",  # hrMemorySize
    f"{_HOST}.2.3.1.5",  # hrStorageSize
    f"{_HOST}.2.3.1.6",  # hrStorageUsed
    f"{_HOST}.3.6.1.4",  # hrDiskStorageCapacity
    f"{_HOST}.3.7.1.5",  # hrPartitionSize
    f"{_HOST}.5.1.1.2",  # hrSWRunPerfMem
    *(f"{_UCD}.4.{number}" for number in range(3, 18)),  # memTotalSwap to memUsedRealTXT
    *(f"{_UCD}.9.1.{number}" for number in (6, 7, 8)),  # dskTotal, dskAvail, dskUsed
)
_ENCODED = frozenset(map(oid.encode, _COLUMNS))


def is_size(column: bytes) -> bool:
    """Whether the objects of a column (an OID's content octets) are sizes that are never negative."""
    return column in _ENCODED


def unsigned(numbers: Sequence[bytes]) -> list[bytes]:
    """Numbers as decimal text, negative ones of 32 bits as the size that is meant."""
    return [_unsigned(one) if one.startswith(b"-") else one for one in numbers]


def _unsigned(text: bytes) -> bytes:
    number = int(text) if text[1:].isdigit() else 0
    return b"%d" % (number + (1 << 32)) if -(1 << 31) <= number < 0 else text
