"""Converts the value of a varbind to text or to a number, by the types of snmp.yml. Pure functions.

The rules are those of snmp_exporter, except that a value that is not a number gives None (and so no sample) where
snmp_exporter gives 0.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from ipaddress import IPv6Address
from math import isfinite

from promsnmp.exposition.dates import days_since_1970
from promsnmp.modules.display_hint import integer_by_hint, octets_by_hint
from promsnmp.modules.types import MetricType
from promsnmp.snmp import ber, oid
from promsnmp.snmp.text_encodings import decode

_INVALID_RUN = re.compile("[\udc80-\udcff]+")
_ASSOCIATED: Mapping[str, Mapping[int, str]] = {
    MetricType.INET_ADDRESS: {1: MetricType.INET_ADDRESS_IPV4, 2: MetricType.INET_ADDRESS_IPV6},
    MetricType.INET_ADDRESS_MISSING_SIZE: {1: MetricType.INET_ADDRESS_IPV4, 2: MetricType.INET_ADDRESS_IPV6},
    MetricType.LLDP_PORT_ID: {
        1: MetricType.DISPLAY_STRING,
        2: MetricType.DISPLAY_STRING,
        3: MetricType.PHYS_ADDRESS_48,
        5: MetricType.DISPLAY_STRING,
        7: MetricType.DISPLAY_STRING,
    },
}
_FIRST_OCTET = frozenset({"gauge", "counter", "Integer", "Integer32", "EnumAsInfo"})
"""Number types, as which octets are shown by the first one."""
SNMP_TYPES = frozenset(
    {
        *(ber.INTEGER, ber.OCTET_STRING, ber.NULL, ber.OBJECT_IDENTIFIER, ber.IP_ADDRESS, ber.COUNTER32, ber.GAUGE32),
        *(ber.TIME_TICKS, ber.OPAQUE, ber.NSAP_ADDRESS, ber.COUNTER64, ber.UINTEGER32),
    }
)
"""Tags of values (RFC 2578 section 7.1), those of RFC 1442 included."""
_SINGLE = 7
"""Octets of an Opaque that contains a float of 32 bits."""
_LARGEST_EXACT = 1 << 53
"""Up to here a float holds every whole number."""
_HALF = 1 << 63
_SECONDS_1900_TO_1970 = 2_208_988_800


def valid_utf8(octets: bytes) -> str:
    """Text of UTF-8 octets; each run of invalid ones becomes one U+FFFD (Go's strings.ToValidUTF8)."""
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return _INVALID_RUN.sub("\ufffd", octets.decode(errors="surrogateescape"))


def display_text(octets: bytes, encoding: str = "") -> str:
    """Text of a DisplayString, by default UTF-8."""
    return decode(octets, encoding) if encoding else valid_utf8(octets)


def hexadecimal(octets: bytes) -> str:
    """``0x`` and upper-case digits; empty stays empty."""
    return f"0x{octets.hex().upper()}" if octets else ""


def _padded(octets: bytes, size: int) -> bytes:
    return octets[:size].ljust(size, b"\0")


def octets_text(octets: bytes, kind: str, hint: str = "", *, encoding: str = "") -> str:
    """Octets as text of a string type; any other type is shown as OctetString.

    ``hint`` is the ``display_hint`` of snmp.yml, which applies to the type OctetString only; ``encoding`` that of
    a DisplayString, one of ``snmp.text_encodings.ENCODINGS``; empty: UTF-8.
    """
    if hint and kind == MetricType.OCTET_STRING:
        text = octets_by_hint(hint, octets)
        if text is not None:
            return valid_utf8(text)
    if kind == MetricType.DISPLAY_STRING:
        return display_text(octets, encoding)
    if kind == MetricType.PHYS_ADDRESS_48:
        return _padded(octets, 6).hex(":").upper()
    if kind == MetricType.INET_ADDRESS_IPV4:
        return ".".join(map(str, _padded(octets, 4)))
    if kind == MetricType.INET_ADDRESS_IPV6:
        return _padded(octets, 16).hex(":", 2).upper()
    if kind in _FIRST_OCTET:
        return str(octets[0]) if octets else "0"
    return hexadecimal(octets)


def text_of(tag: int, content: bytes, kind: str, hint: str = "", *, encoding: str = "") -> str:
    """Any value as the text of a label. Values of types that SNMP does not have are empty.

    ``hint`` and ``encoding``: as for ``octets_text``; integer formats apply to whole numbers of every ``kind``.
    """
    number = ber.integer_value(tag, content)
    if number is not None:
        return (integer_by_hint(hint, number) if hint else None) or str(number)
    if tag == ber.OBJECT_IDENTIFIER:
        return oid.to_text(content) if ber.oid_is_valid(content) else ""
    if tag == ber.IP_ADDRESS:
        return address_text(content)
    if tag == ber.OPAQUE:
        real = ber.opaque_float(content)
        if real is not None:
            return plain_float(_as_written(real) if len(content) == _SINGLE else real)
    return octets_text(content, kind, hint, encoding=encoding) if tag in (ber.OCTET_STRING, ber.OPAQUE) else ""


def enum_text(tag: int, content: bytes, names: Iterable[tuple[int, str]]) -> str:
    """A value as the name of its number, or as the number where there is no name; others as OctetString."""
    number = ber.integer_value(tag, content)
    if number is None:
        return text_of(tag, content, MetricType.OCTET_STRING)
    return next((name for value, name in names if value == number), str(number))


def address_text(content: bytes) -> str:
    """An IpAddress of 4 (or, from some agents, 16) octets; any other length is empty."""
    if len(content) == 4:
        return ".".join(map(str, content))
    if len(content) == 16:
        return str(IPv6Address(content))
    return ""


def plain_float(number: float) -> str:
    """A float's shortest digits without exponent (Go's strconv 'f', -1)."""
    if number != number or number in (float("inf"), float("-inf")):
        return ber.float_text(number).decode()
    return format(Decimal(repr(number)), "f").removesuffix(".0")


def _as_written(number: float) -> float:
    """The number with the fewest digits that equals this one in 32 bits: 0.1 for 0.10000000149011612."""
    octets = struct.pack(">f", number)
    for digits in range(1, 10):
        short = float(f"{number:.{digits}g}")
        try:
            if struct.pack(">f", short) == octets:
                return short
        except OverflowError:  # rounded up beyond the largest
            continue
    return number


def type_column(kind: str, column_oid: str) -> str:
    """The OID of the column with the types of the values of an InetAddress or LldpPortId column; "" for others."""
    head, _, last = column_oid.rpartition(".")
    return f"{head}.{int(last) - 1}" if kind in _ASSOCIATED and int(last) else ""


def associated_type(
    kind: str, column_oid: str, at: bytes, column: Callable[[str], Mapping[bytes, tuple[int, bytes]]]
) -> str:
    """The type of an InetAddress or LldpPortId *value*, from the same row of the column before it.

    Without a known type there, the value is shown as OctetString.
    """
    if kind not in _ASSOCIATED:
        return kind
    row = column(type_column(kind, column_oid)).get(at) if at else None
    subtype = whole_number(*row) if row is not None else None
    return _ASSOCIATED[kind].get(subtype or 0, MetricType.OCTET_STRING)


def whole_number(tag: int, content: bytes) -> int | None:
    """A value as the number of an enumeration, None when it is not a number.

    The value is converted to a float and truncated, so beyond 2^53 it loses its last digits. A Counter64 is reduced
    modulo 2^53 first. A result of more than 64 bits gives None.
    """
    number = ber.opaque_float(content) if tag == ber.OPAQUE else ber.integer_value(tag, content)
    if number is None or not isfinite(number):
        return None
    if tag == ber.COUNTER64:
        number %= _LARGEST_EXACT
    elif tag != ber.OPAQUE and number >= _HALF:
        number -= 2 * _HALF
    whole = int(float(number))
    return whole if -_HALF <= whole < _HALF else None


def date_and_time(octets: bytes) -> float | None:
    """Unix seconds of a DateAndTime (8 octets, or 11 with the zone; no zone means UTC), None for others.

    The ranges are those of RFC 2579 section 2 (a leap second has the number 60), with zones up to +14:00, which some
    islands have; the day must exist in its month. Agents send zeros or FF where they have no date.
    """
    zone = octets[8:] or b"+\0\0"
    if len(octets) not in (8, 11) or zone[:1] not in (b"+", b"-") or zone[1] > 14 or zone[2] > 59:
        return None
    year, month, day, hour, minute, second, tenths = struct.unpack(">HBBBBBB", octets[:8])
    if not (1 <= month <= 12 and 1 <= day <= _days_of(year, month)):
        return None
    if hour > 23 or minute > 59 or second > 60 or tenths > 9:
        return None
    days = days_since_1970(year, month, day)
    seconds = ((days * 24 + hour) * 60 + minute) * 60 + second
    return float(seconds - (zone[1] * 60 + zone[2]) * (-60 if zone[:1] == b"-" else 60))


def _days_of(year: int, month: int) -> int:
    return days_since_1970(year, month + 1, 1) - days_since_1970(year, month, 1)


def ntp_time_stamp(octets: bytes) -> float | None:
    """Whole Unix seconds of an NTP time stamp (RFC 5905 section 6: 32 bits of seconds since 1900, 32 of fraction).

    Octets after these 8 are ignored; a shorter value gives None.
    """
    return float(int.from_bytes(octets[:4], "big") - _SECONDS_1900_TO_1970) if len(octets) >= 8 else None


def bit_is_set(octets: bytes, bit: int) -> bool:
    """Whether ``bit`` of a BITS value is set, the most significant of the first octet being bit 0 (RFC 2578 7.1.4)."""
    return 0 <= bit < len(octets) * 8 and bool(octets[bit // 8] & 0x80 >> bit % 8)
