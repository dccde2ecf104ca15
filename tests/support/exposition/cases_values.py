"""Cases for the comparison with snmp_exporter: every type of metric, with values of every type and odd ones."""

from __future__ import annotations

import struct
from typing import Any

from promsnmp.snmp import ber, oid
from tests.support.exposition.reference import Case, counter64, gauge32, integer, octets

ROW = {"labelname": "row", "type": "gauge"}
"""An index of a single number."""


def opaque(content: bytes) -> bytes:
    return ber.tlv(ber.OPAQUE, content)


def _column(kind: str, *values: bytes, **more: Any) -> Case:
    """A column ``1`` of a type, with rows from 1 on."""
    return Case(
        f"values_{kind}",
        [{"oid": "1", "type": kind, "indexes": [ROW], **more}],
        {f"1.{at}": value for at, value in enumerate(values, 1)},
    )


NUMBERS = [
    integer(0),
    integer(-1),
    integer(2**31 - 1),
    integer(-(2**31)),
    integer(2**63 - 1),
    integer(-(2**63)),
    gauge32(2**32 - 1),
    ber.encode_integer(2**32 - 1, ber.COUNTER32),
    ber.encode_integer(123456, ber.TIME_TICKS),
    counter64(2**53 - 1),
    counter64(2**53),
    counter64(2**53 + 5),
    counter64(2**64 - 1),
    counter64(2**63),
    ber.encode_integer(77, ber.UINTEGER32),
    ber.tlv(ber.COUNTER32, bytes.fromhex("0102030405")),
    ber.tlv(ber.COUNTER32, bytes.fromhex("ff02030405060708")),
    *(ber.tlv(ber.GAUGE32, bytes.fromhex(octets)) for octets in ("ff00000000", "ffffffffffff", "00ffffffffffffffff")),
    *(ber.tlv(ber.UINTEGER32, bytes.fromhex(octets)) for octets in ("ff", "ff00000001", "8000000000000005")),
    ber.tlv(ber.TIME_TICKS, bytes.fromhex("010203040506")),
    opaque(b"\x9f\x78\x04" + struct.pack(">f", 1.5)),
    opaque(b"\x9f\x79\x08" + struct.pack(">d", -2.25e-7)),
    opaque(b"\x9f\x78\x04" + struct.pack(">f", 0.1)),
    opaque(b"\x9f\x79\x08" + struct.pack(">d", 1e300)),
    opaque(b"\x9f\x79\x08" + struct.pack(">d", float("inf"))),
]
NOT_NUMBERS = [octets("12"), octets(""), ber.tlv(ber.IP_ADDRESS, b"\1\2\3\4"), ber.tlv(6, oid.encode("1.3.6.1"))]
TEXTS = [
    octets("plain"),
    octets(""),
    octets('quote " backslash \\ newline \n end'),
    octets("ünïcödé"),
    octets(b"bad \xff\xfe run \xc3 end"),
    octets(b"\x00\x01\x02"),
    octets(b"nul\x00inside"),
    octets(b"\xed\xa0\x80"),
    octets(b"\xf4\x90\x80\x80"),
    octets(b"\xe2\x82"),
    octets("tab\tcr\r"),
    octets("\u2028 \ufeff"),
    integer(7),
    integer(-7),
    gauge32(2**32 - 1),
    counter64(2**64 - 1),
    ber.tlv(ber.IP_ADDRESS, b"\1\2\3\4"),
    ber.tlv(ber.IP_ADDRESS, bytes(range(16))),
    ber.tlv(ber.IP_ADDRESS, b"\0" * 15 + b"\1"),
    ber.tlv(ber.IP_ADDRESS, b""),
    ber.tlv(6, oid.encode("1.3.6.1.4294967295")),
    ber.tlv(6, oid.encode("2.999.3")),
    ber.tlv(6, oid.encode("0.0")),
    opaque(b"\x9f\x78\x04" + struct.pack(">f", 0.1)),
    opaque(b"\x9f\x79\x08" + struct.pack(">d", 1e-7)),
    opaque(b"\x9f\x79\x08" + struct.pack(">d", 1e21)),
    opaque(b"\x9f\x79\x08" + struct.pack(">d", 123.456)),
    *(opaque(b"\x9f\x78\x04" + struct.pack(">f", number)) for number in (-126324.4140625, 3.4028235e38, 16777217.0)),
    ber.tlv(ber.COUNTER32, bytes.fromhex("ffffffffffffffff")),
    ber.tlv(ber.NSAP_ADDRESS, b"\1\2\3"),
    b"\x05\x00",
    opaque(b"\x04\x03abc"),
    ber.encode_integer(12, ber.TIME_TICKS),
]
ADDRESSES = [
    octets(b"\1\2\3\4"),
    octets(b"\1\2"),
    octets(b"\1\2\3\4\5\6\7\x88\x99"),
    octets(bytes(range(16))),
    octets(bytes(range(240, 256)) + b"more"),
    octets(b""),
    octets(b"\xaa\xbb\xcc\xdd\xee\xff"),
    ber.tlv(ber.IP_ADDRESS, b"\x7f\0\0\1"),
    integer(3),
]
DATES = [
    octets(bytes.fromhex("07e8 02 1d 0c 1e 2d 05")),
    octets(bytes.fromhex("07e8 02 1d 0c 1e 2d 05 2b 02 1e")),
    octets(bytes.fromhex("07e8 02 1d 0c 1e 2d 05 2d 05 00")),
    octets(bytes.fromhex("0001 01 01 00 00 00 00")),
    octets(bytes.fromhex("ffff 01 01 00 00 00 00")),
    octets(bytes.fromhex("07b2 01 01 00 00 00 00 2b 0e 00")),
    octets(bytes.fromhex("07b2 01 01 00 00 00 09 20 01 00")),
    octets(bytes.fromhex("0000 01 01 00 00 00 00")),
    octets(bytes.fromhex("07e8 02 1d 0c 1e 2d 05 2b 63 63")),
]
ENUMERATED = [
    *(integer(number) for number in (1, 3, 9, -4, 2**62 + 77)),
    gauge32(2**32 - 1),
    counter64(2**53 + 3),
    counter64(2**64 - 1),
    opaque(b"\x9f\x78\x04" + struct.pack(">f", 2.75)),
    ber.tlv(ber.COUNTER32, bytes.fromhex("ffffffffffffffff")),
]
STATES = {"enum_values": {1: "up", 2: "down", 3: 'odd "state"'}}

VALUES = [
    *(_column(kind, *NUMBERS) for kind in ("gauge", "counter", "Float", "Double")),
    Case(
        "no_numbers",
        [{"oid": "1", "type": "gauge", "indexes": [ROW], "name": "invented"}],
        {f"1.{at}": value for at, value in enumerate(NOT_NUMBERS)},
        missing=frozenset({"invented"}),
    ),
    *(_column(kind, *TEXTS) for kind in ("OctetString", "DisplayString")),
    *(_column(kind, *ADDRESSES, *TEXTS) for kind in ("PhysAddress48", "InetAddressIPv4", "InetAddressIPv6")),
    *(_column(kind, *DATES) for kind in ("DateAndTime",)),
    _column(
        "NTPTimeStamp",
        octets(bytes.fromhex("ea0b9c2b 80000000")),
        octets(bytes(8)),
        octets(bytes.fromhex("ffffffff ffffffff")),
        octets(bytes.fromhex("ea0b9c2b 80000000 010203")),
    ),
    *(_column(kind, *ENUMERATED, **STATES) for kind in ("EnumAsInfo", "EnumAsStateSet")),
    _column("Bits", octets(b"\x80"), octets(b"\x01\x80"), octets(b""), enum_values={0: "a", 7: "b", 8: "c", 40: "d"}),
    Case(
        "scaled",
        [
            {"oid": f"{at}", "type": kind, "scale": 0.1, "offset": -3, **({"enum_values": {1: "a"}} if enum else {})}
            for at, (kind, enum) in enumerate(
                [
                    ("gauge", 0),
                    ("counter", 0),
                    ("DisplayString", 0),
                    ("EnumAsInfo", 1),
                    ("EnumAsStateSet", 1),
                    ("Float", 0),
                ],
                1,
            )
        ],
        {
            "1.0": integer(7),
            "2.0": counter64(2**53 + 70),
            "3.0": octets("x"),
            "4.0": integer(1),
            "5.0": integer(1),
            "6.0": opaque(b"\x9f\x78\x04" + struct.pack(">f", 0.1)),
        },
    ),
    Case(
        "scaled_dates",
        [
            {"oid": "1", "type": "DateAndTime", "scale": 1000.0},
            {"oid": "2", "type": "NTPTimeStamp", "offset": 10.5},
            {"oid": "3", "type": "gauge", "offset": 0.5},
            {"oid": "4", "type": "gauge", "scale": 1e-9},
            {"oid": "5", "type": "gauge", "scale": -1},
        ],
        {
            "1.0": DATES[0],
            "2.0": octets(bytes.fromhex("ea0b9c2b 80000000")),
            "3.0": integer(1),
            "4.0": integer(123),
            "5.0": integer(0),
        },
    ),
]

ASSOCIATED = [
    Case(
        f"associated_{kind}",
        [
            {"oid": "1.1", "type": "gauge", "indexes": [ROW]},
            {"oid": "1.2", "type": kind, "indexes": [ROW], "name": "typed"},
        ],
        {
            **{f"1.1.{row}": integer(number) for row, number in enumerate(types, 1)},
            **{f"1.2.{row}": octets(b"\x61\x62\x63\x64\x65\x66") for row in range(1, len(types) + 1)},
            "1.2.99": octets(b"\x01\x04\x0a\x00\x00\x01"),
        },
    )
    for kind, types in (
        ("InetAddress", (1, 2, 3, 4, 16, 0)),
        ("InetAddressMissingSize", (1, 2, 3, 4, 16)),
        ("LldpPortId", (1, 2, 3, 4, 5, 6, 7, 8)),
    )
] + [
    Case(
        "associated_by_a_float",
        [{"oid": "1.2", "type": "InetAddress", "indexes": [ROW]}],
        {"1.1.5": opaque(b"\x9f\x78\x04" + struct.pack(">f", 1.5)), "1.2.5": octets(b"\1\2\3\4")},
    ),
    Case(
        "associated_without_index",
        [{"oid": "1.2", "type": "InetAddress"}],
        {"1.1": integer(1), "1.2": octets(b"\1\2\3\4")},
        {"walk": ["1.1", "1.2"]},
    ),
]
