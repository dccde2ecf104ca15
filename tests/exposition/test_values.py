"""Values as text and as numbers."""

from __future__ import annotations

import struct
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promsnmp.exposition import values
from promsnmp.snmp import ber, oid


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (b"", ""),
        (b"plain", "plain"),
        ("ünï".encode(), "ünï"),
        (b"a\xff\xfe\xfdb", "a\ufffdb"),
        (b"\xc3", "\ufffd"),
        (b"\xff\xc3\xbc\xff", "\ufffdü\ufffd"),
        (b"\x00\x01", "\x00\x01"),
    ],
)
def test_a_run_of_invalid_utf8_becomes_one_replacement_character(octets: bytes, text: str) -> None:
    assert values.valid_utf8(octets) == text


@given(st.binary(max_size=64))
def test_any_octets_become_text_that_can_be_encoded(octets: bytes) -> None:
    values.valid_utf8(octets).encode()


@pytest.mark.parametrize(
    ("octets", "kind", "text"),
    [
        (b"\x00\xab", "OctetString", "0x00AB"),
        (b"", "OctetString", ""),
        (b"\x01\xab", "PhysAddress48", "01:AB:00:00:00:00"),
        (b"\x01\x02\x03\x04\x05\x06\x07", "PhysAddress48", "01:02:03:04:05:06"),
        (b"\x0a", "InetAddressIPv4", "10.0.0.0"),
        (b"\x0a\x01\x02\xff\x05", "InetAddressIPv4", "10.1.2.255"),
        (b"\xfe\x80", "InetAddressIPv6", "FE80:0000:0000:0000:0000:0000:0000:0000"),
        (b"\x07\x08", "gauge", "7"),
        (b"", "counter", "0"),
        (b"\x41", "EnumAsInfo", "65"),
        (b"ab", "Float", "0x6162"),
    ],
)
def test_octets_become_text_by_type(octets: bytes, kind: str, text: str) -> None:
    assert values.octets_text(octets, kind) == text


@pytest.mark.parametrize(
    ("tag", "content", "text"),
    [
        (ber.INTEGER, b"\xff", "-1"),
        (ber.COUNTER64, b"\x00" + b"\xff" * 8, "18446744073709551615"),
        (ber.OBJECT_IDENTIFIER, oid.encode("1.3.6.1.2.1"), "1.3.6.1.2.1"),
        (ber.OBJECT_IDENTIFIER, b"", ""),
        (ber.OBJECT_IDENTIFIER, b"+" + bytes(127), ""),
        (ber.OBJECT_IDENTIFIER, b"+\x86", ""),
        (ber.IP_ADDRESS, b"\x7f\x00\x00\x01", "127.0.0.1"),
        (ber.IP_ADDRESS, b"\x00" * 15 + b"\x01", "::1"),
        (ber.IP_ADDRESS, b"", ""),
        (ber.IP_ADDRESS, b"\x01\x02\x03\x04\x05", ""),
        (ber.OPAQUE, b"\x9f\x78\x04" + struct.pack(">f", 0.1), "0.1"),
        (ber.OPAQUE, b"\x9f\x78\x04" + bytes.fromhex("7f7fffff"), "34028235" + "0" * 31),
        (ber.OPAQUE, b"\x9f\x79\x08" + struct.pack(">d", 1e-7), "0.0000001"),
        (ber.OPAQUE, b"\x9f\x79\x08" + struct.pack(">d", float("nan")), "NaN"),
        (ber.OPAQUE, b"\x9f\x78\x04\x00", "0x9F780400"),
        (ber.NULL, b"", ""),
        (0x99, b"abc", ""),
    ],
)  # fmt: skip
def test_every_type_of_value_has_a_text(tag: int, content: bytes, text: str) -> None:
    assert values.text_of(tag, content, "OctetString") == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_plain_float_has_no_exponent_and_reads_back_equal(number: float) -> None:
    text = values.plain_float(number)
    assert "e" not in text.lower()
    assert float(text) == number


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_a_single_float_is_shown_by_the_digits_that_make_it(number: float) -> None:
    text = values.text_of(ber.OPAQUE, b"\x9f\x78\x04" + struct.pack(">f", number), "DisplayString")
    assert struct.pack(">f", float(text)) == struct.pack(">f", number)
    assert len(text.strip("-0.").replace(".", "")) <= 9 or "000" in text


@pytest.mark.parametrize(
    ("tag", "content", "number"),
    [
        (ber.INTEGER, b"\x80", -128),
        (ber.OPAQUE, b"\x9f\x78\x04" + struct.pack(">f", 2.75), 2),
        (ber.OPAQUE, b"\x9f\x79\x08" + struct.pack(">d", float("inf")), None),
        (ber.OPAQUE, b"\x9f\x79\x08" + struct.pack(">d", float("nan")), None),
        (ber.OCTET_STRING, b"7", None),
        (ber.INTEGER, b"", None),
    ],
)
def test_a_number_that_is_not_finite_is_not_a_whole_number(tag: int, content: bytes, number: int | None) -> None:
    assert values.whole_number(tag, content) == number


@pytest.mark.parametrize(
    ("octets", "iso"),
    [
        ("07e8021d0c1e2d05", "2024-02-29T12:30:45+00:00"),
        ("07e8021d0c1e2d052b021e", "2024-02-29T12:30:45+02:30"),
        ("07e8021d0c1e2d052d0500", "2024-02-29T12:30:45-05:00"),
        ("07e8021e0000000000", None),
        ("07e8021d0c1e2d052b0e00", "2024-02-29T12:30:45+14:00"),
        ("07e80c1f173b3c00", "2025-01-01T00:00:00+00:00"),
        ("0001010100000000", "0001-01-01T00:00:00+00:00"),
        ("07e8021e00000000", None),
        ("07e7021d00000000", None),
        ("07e80d0100000000", None),
        ("07e8000100000000", None),
        ("07e8010000000000", None),
        ("07e8012000000000", None),
        ("07e8010118000000", None),
        ("07e80101003c0000", None),
        ("07e8010100003d00", None),
        ("07e801010000000a", None),
        ("07e8021d0c1e2d05200200", None),
        ("07e8021d0c1e2d052b0f00", None),
        ("07e8021d0c1e2d052b003c", None),
        ("0000000000000000", None),
        ("0000000000000000000000", None),
        ("00000000000000002b0000", None),
        ("ffffffffffffffff", None),
        ("ffffffffffffffffffffff", None),
        ("", None),
    ],
)
def test_a_date_and_time_has_ranges_and_zones(octets: str, iso: str | None) -> None:
    expected = None if iso is None else datetime.fromisoformat(iso).timestamp()
    assert values.date_and_time(bytes.fromhex(octets)) == expected


@given(st.datetimes(timezones=st.just(UTC)))
def test_date_and_time_agrees_with_the_calendar(moment: datetime) -> None:
    moment = moment.replace(microsecond=0)
    octets = struct.pack(">H6B", moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second, 0)
    assert values.date_and_time(octets) == moment.timestamp()


@given(st.binary(max_size=12))
def test_no_octets_make_a_date_raise(octets: bytes) -> None:
    values.date_and_time(octets)
    values.ntp_time_stamp(octets)


def test_an_ntp_time_stamp_counts_whole_seconds_from_1900() -> None:
    assert values.ntp_time_stamp(struct.pack(">II", 2_208_988_800, 1 << 31)) == 0
    assert values.ntp_time_stamp(b"\x00" * 7) is None


def test_bit_0_is_the_most_significant_of_the_first_octet() -> None:
    assert [bit for bit in range(-1, 20) if values.bit_is_set(b"\x81\x40", bit)] == [0, 7, 9]


def test_the_type_of_an_address_is_in_the_column_before_it() -> None:
    columns = {"1.3.1": {b"\x01": (ber.INTEGER, b"\x01"), b"\x02": (ber.INTEGER, b"\x63")}}

    def type_at(row: bytes) -> str:
        return values.associated_type("InetAddress", "1.3.2", row, lambda name: columns.get(name, {}))

    assert type_at(b"\x01") == "InetAddressIPv4"
    assert type_at(b"\x02") == "OctetString"
    assert type_at(b"\x03") == "OctetString"
    assert values.type_column("InetAddress", "1.3.0") == ""
    assert values.type_column("DisplayString", "1.3.2") == ""
