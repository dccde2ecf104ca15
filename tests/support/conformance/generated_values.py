"""Random encoded values, valid and invalid, with the edge values of every type."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from random import Random

from promsnmp.exposition import values
from promsnmp.snmp import ber, oid
from tests.support.exposition.reference import octets

Maker = Callable[[Random], bytes]
_UNSIGNED = (ber.COUNTER32, ber.GAUGE32, ber.TIME_TICKS, ber.UINTEGER32)
_EDGES = (0, 1, 2, 127, 128, 255, 256, 32767, 65535, 2**31 - 1, 2**31, 2**32 - 1)
_TEXTS = (
    b"", b" ", b"up", b"eth0/1", b"GigabitEthernet1/0/1", b'with "quotes" \\ and\nlines', "\u00fcmlaut \u4e2d".encode(),
    b"\xff", b"a\xffb\xfe\xfdc", b"\xc3", b"\xed\xa0\x80", b"nul\x00", b"\x00", b"tab\t", b"12", b"-1.5", b"1e3",
    b"0x1p4", b"inf", b"NaN", b"23.5 C", b"Temp: 41", b"2024-02-30 11:22:33", b"20240102", b"x" * 300,
    b"\xe2\x80\xa8", b"\r\n",
)  # fmt: skip


def integer(random: Random) -> bytes:
    """INTEGER, signed, of up to 64 bits."""
    value = random.choice((random.choice(_EDGES), random.randrange(20), random.getrandbits(31), random.getrandbits(63)))
    return ber.encode_integer(random.choice((1, 1, 1, -1)) * value)


def small(random: Random) -> bytes:
    """An INTEGER such as enumerations and types of addresses have."""
    return ber.encode_integer(random.choice((0, 1, 1, 2, 2, 3, 4, 5, 6, 7, 8, 16)))


def unsigned(random: Random) -> bytes:
    """One of the unsigned types of 32 bits."""
    value = random.choice((random.choice(_EDGES), random.randrange(100), random.getrandbits(32)))
    return ber.encode_integer(value, random.choice(_UNSIGNED))


def counter64(random: Random) -> bytes:
    """Counter64 around 2^53 and 2^64."""
    value = random.choice((2**53, 2**53 - 1, 2**64 - 1, 2**63, random.getrandbits(64), random.getrandbits(54)))
    return ber.encode_integer(value, ber.COUNTER64)


def opaque_float(random: Random) -> bytes:
    """net-snmp's float or double in an Opaque, of at most 64 bits as a whole number."""
    return _opaque_float(random.choice((0.0, -0.0, 0.1, 1.5, -1e-7, 1e17, random.uniform(-1e6, 1e6))), random)


def any_float(random: Random) -> bytes:
    """A float or double in an Opaque, of any size; not for enumerations, because snmp_exporter changes their large
    numbers."""
    numbers = (3.4e38, float("inf"), float("-inf"), float("nan"), random.uniform(-1e30, 1e30))
    return _opaque_float(random.choice(numbers), random)


def _opaque_float(number: float, random: Random) -> bytes:
    if random.random() < 0.5:
        return ber.tlv(ber.OPAQUE, b"\x9f\x78\x04" + struct.pack(">f", number))
    return ber.tlv(ber.OPAQUE, b"\x9f\x79\x08" + struct.pack(">d", number * random.choice((1.0, 1e-9, 0.1))))


def text(random: Random) -> bytes:
    """An OCTET STRING with text, valid or not."""
    return octets(random.choice(_TEXTS))


def some_octets(random: Random) -> bytes:
    """An OCTET STRING with the length of an address or a date, or one octet off."""
    size = random.choice((0, 1, 2, 3, 4, 4, 5, 6, 6, 7, 8, 9, 11, 12, 15, 16, 16, 17, 20, 130))
    return octets(random.randbytes(size))


def address(random: Random) -> bytes:
    """An IpAddress of 4 octets, of 16 (snmp_exporter 0.28 loses the last one, so it is 0 here), or of none."""
    return ber.tlv(
        ber.IP_ADDRESS, random.choice((random.randbytes(4), random.randbytes(4), random.randbytes(15) + b"\0", b""))
    )


def object_id(random: Random) -> bytes:
    """An OID, with sub-identifiers of up to 32 bits."""
    subids = (1, 3, 6, 1, *(random.choice(_EDGES) for _ in range(random.randrange(5))))
    return ber.tlv(ber.OBJECT_IDENTIFIER, oid.encode_subids(subids))


def date(random: Random) -> bytes:
    """A DateAndTime, mostly with fields in their ranges."""
    year = struct.pack(">H", random.choice((0, 1, 1970, 1999, 2024, 9999, 65535, random.getrandbits(16))))
    wild = random.random() < 0.2
    fields = [random.getrandbits(8) if wild else random.randrange(low, high + 1) for low, high in _DATE_FIELDS]
    zone = random.choice(
        (b"", b"", b"+\0\0", b"-\5\x1e", b"+\x0e\0", b"-\x18\x3b", b"+\x18\x3c", b"+\x19\0", b"\0\0\0", b"+\5\x3d")
    )
    return octets(year + bytes(fields) + zone)


_DATE_FIELDS = ((1, 12), (1, 31), (0, 23), (0, 59), (0, 60), (0, 9))


def ntp(random: Random) -> bytes:
    """An NTP time stamp: always 8 octets, because snmp_exporter crashes on other lengths."""
    return octets(random.choice((bytes(8), b"\xff" * 8, random.randbytes(8))))


def padded(random: Random) -> bytes:
    """Numbers in more octets than their type has."""
    tag = random.choice((ber.COUNTER32, ber.GAUGE32, ber.TIME_TICKS, ber.INTEGER, ber.COUNTER64, ber.UINTEGER32))
    content = random.randbytes(random.randrange(1, 9))
    if tag == ber.COUNTER64 and random.random() < 0.5:
        content = b"\0" + random.randbytes(8)
    return ber.tlv(tag, content)


def odd(random: Random) -> bytes:
    """Values that no valid agent sends: NULL, plain Opaque, tags that SNMP dropped or never had."""
    return random.choice(
        (
            b"\x05\x00",
            ber.tlv(ber.OPAQUE, b"\x04\x03abc"),
            ber.tlv(ber.OPAQUE, b""),
            ber.tlv(ber.OPAQUE, b"\x9f\x78"),
            ber.tlv(ber.NSAP_ADDRESS, b"\1\2\3"),
            ber.tlv(0x03, b"\0\xf0"),
            ber.tlv(0x01, b"\xff"),
            ber.tlv(0x0C, b"utf8"),
            ber.tlv(0x48, b"\1"),
        )
    )


def malformed(random: Random) -> bytes:
    """Values for which snmp_exporter fails a scrape."""
    return random.choice(
        (
            ber.tlv(ber.INTEGER, b""),
            ber.tlv(ber.INTEGER, b"\1" * 9),
            ber.tlv(ber.IP_ADDRESS, b"\1\2\3\4\5"),
            ber.tlv(ber.OPAQUE, b"\x9f\x78\x04\0\0"),
            ber.tlv(ber.COUNTER64, b"\1" * 12),
            ber.tlv(ber.COUNTER32, b"\1" * 9),
        )
    )


NUMBERS: tuple[Maker, ...] = (integer, small, unsigned, counter64, opaque_float)
STRINGS: tuple[Maker, ...] = (text, some_octets)
ANYTHING: tuple[Maker, ...] = (*NUMBERS, *STRINGS, address, object_id, date, ntp)

BY_TYPE: Mapping[str, tuple[Maker, ...]] = {
    "gauge": (*NUMBERS, any_float),
    "counter": (*NUMBERS, any_float),
    "Float": (opaque_float, any_float, integer),
    "Double": (opaque_float, any_float, unsigned),
    "EnumAsInfo": (small, small, integer),
    "EnumAsStateSet": (small, small, integer),
    "Bits": (text, some_octets),
    "DateAndTime": (date, date, date, some_octets),
    "ParseDateAndTime": (text,),
    "NTPTimeStamp": (ntp,),
    "DisplayString": (text, text, text, *ANYTHING, any_float),
    "OctetString": (some_octets, text, *ANYTHING, any_float),
}
"""The usual values of a metric of a type; ANYTHING for the other types."""
NUMERIC = ("gauge", "counter", "Float", "Double", "EnumAsInfo", "EnumAsStateSet")
ASSOCIATED = {"InetAddress": (1, 2), "InetAddressMissingSize": (1, 2), "LldpPortId": (1, 2, 3, 5, 7)}
"""Types whose values take their type from the column before, and the numbers of those types."""


def is_number(value: bytes) -> bool:
    """Whether an encoded value is a number."""
    tag, start, end = ber.read_any(value, 0, len(value))
    content = value[start:end]
    if tag == ber.OPAQUE:
        return ber.opaque_float(content) is not None
    return ber.integer_value(tag, content) is not None


def is_whole(value: bytes) -> bool:
    """Whether an encoded value fits an enumeration: not NaN, not infinite, at most 64 bits."""
    tag, start, end = ber.read_any(value, 0, len(value))
    number = values.whole_number(tag, value[start:end])
    return number is not None and -(2**63) <= number < 2**63


def value_for(kind: str, random: Random, *, wrong_types: bool) -> bytes:
    """A value for a metric or lookup of a type; with ``wrong_types``, sometimes of another type."""
    makers = BY_TYPE.get(kind, ANYTHING)
    if kind in ASSOCIATED:  # values without a type column are shown differently on purpose
        makers = STRINGS
    if wrong_types and kind != "NTPTimeStamp" and random.random() < 0.15:
        makers = (*ANYTHING, padded, odd)
    elif random.random() < 0.05 and kind in ("gauge", "counter"):
        makers = (padded,)
    value = random.choice(makers)(random)
    if kind not in NUMERIC and value[0] in (ber.TIME_TICKS, ber.UINTEGER32):  # a formatting bug of snmp_exporter
        return integer(random)
    return value
