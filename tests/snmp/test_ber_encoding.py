"""The decoder, compiled and as plain Python: encoding, lengths, the text of numbers, the indexes of rows,
and columns of numbers as lines."""

from __future__ import annotations

import math
import struct
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promsnmp.snmp import ber
from tests.support.agents.decoders import (
    COLUMN,
    COLUMNS,
    COMPILED,
    DECODERS,
    INTEGERS,
    PLAIN,
    SKIP,
    TAGS,
    row,
    rows,
)


def test_both_decoders_are_tested() -> None:
    assert PLAIN.COMPILED is False
    assert COMPILED is not PLAIN


@pytest.mark.parametrize(
    ("size", "head"),
    [
        (0, "0400"),
        (127, "047f"),
        (128, "048180"),
        (255, "0481ff"),
        (256, "04820100"),
        (65535, "0482ffff"),
        (65536, "048400010000"),
    ],
)
def test_lengths_are_written_in_the_shortest_form(decoder: ModuleType, size: int, head: str) -> None:
    assert decoder.tlv(4, bytes(size)) == bytes.fromhex(head) + bytes(size)


@pytest.mark.parametrize(
    ("value", "octets"),
    [
        (0, "020100"),
        (127, "02017f"),
        (128, "02020080"),
        (-1, "0201ff"),
        (-128, "020180"),
        (-129, "0202ff7f"),
        (256, "02020100"),
        (2**31 - 1, "02047fffffff"),
        (2**32 - 1, "020500ffffffff"),
        (2**64 - 1, "020900ffffffffffffffff"),
    ],
)
def test_integers_are_written_in_the_fewest_octets(decoder: ModuleType, value: int, octets: str) -> None:
    assert decoder.encode_integer(value) == bytes.fromhex(octets)


@given(INTEGERS)
def test_integers_read_back_as_what_was_written(value: int) -> None:
    octets = ber.encode_integer(value)
    for decoder in DECODERS:
        assert decoder.read_integer(octets, 0, len(octets)) == (value, len(octets))
        assert decoder.integer_value(ber.INTEGER, octets[2:]) == value
        assert decoder.numbers(row(COLUMN + b"\x01", octets), SKIP, True)[1] == [b"%d" % value]


NUMBERS = st.one_of(st.integers(0, 300), st.integers(0, 0x7FFFFFFF))


@given(NUMBERS, NUMBERS, NUMBERS, st.binary(max_size=300))
def test_a_request_is_a_pdu_with_one_varbind(request_id: int, status: int, index: int, name: bytes) -> None:
    for decoder in DECODERS:
        pdu = decoder.encode_pdu(ber.GET_BULK, request_id, status, index, decoder.encode_varbind(name))
        assert decoder.encode_request(ber.GET_BULK, request_id, status, index, name) == pdu


@pytest.mark.parametrize("size", [0, 1, 100, 117, 118, 119, 120, 127, 128, 200, 250, 255, 256, 60_000])
def test_requests_of_every_length_are_written(decoder: ModuleType, size: int) -> None:
    name = b"\x01" * size
    pdu = decoder.encode_pdu(ber.GET, 1, 0, 0, decoder.encode_varbind(name))
    assert decoder.encode_request(ber.GET, 1, 0, 0, name) == pdu


@pytest.mark.parametrize("numbers", [(-1, 0, 0), (0, -1, 0), (0, 0, -1), (2**31, 0, 0), (0, 0, 2**63), (0, 0, 2**70)])
def test_requests_with_impossible_numbers_are_refused(decoder: ModuleType, numbers: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="2\\^31-1"):
        decoder.encode_request(ber.GET_BULK, *numbers, COLUMN)
    with pytest.raises(ValueError, match="too long"):
        decoder.encode_request(ber.GET, 1, 0, 0, bytes(60_001))


@pytest.mark.parametrize(
    "octets", ["0403616263", "048103616263", "04820003616263", "0483000003616263", "048400000003616263"]
)
def test_every_form_of_a_length_is_read(decoder: ModuleType, octets: str) -> None:
    data = bytes.fromhex(octets)
    tag, start, end = decoder.read_any(data, 0, len(data))
    assert (tag, data[start:end], end) == (4, b"abc", len(data))


@pytest.mark.parametrize(
    "octets",
    [
        *("", "04", "0401", "0480", "04800000", "0481", "048201", "0482ffff00", "048400000001", "04850000000001ff"),
        *("04ff" + "00" * 130, "0484ffffffff00", "04847fffffff00"),
    ],
)
def test_wrong_or_forbidden_lengths_are_malformed(decoder: ModuleType, octets: str) -> None:
    data = bytes.fromhex(octets)
    with pytest.raises(decoder.Malformed):
        decoder.read_any(data, 0, len(data))
    with pytest.raises(decoder.Malformed):
        decoder.read(data, 0, len(data), 4)


@pytest.mark.parametrize(("pos", "end"), [(-1, 5), (0, 6), (0, 4), (5, 5), (6, 5), (3, 2), (0, 0)])
def test_offsets_outside_the_octets_are_malformed(decoder: ModuleType, pos: int, end: int) -> None:
    data = bytes.fromhex("0403616263")
    for name, arguments in (("read", (4,)), ("read_any", ()), ("read_integer", ()), ("read_pdu", ())):
        with pytest.raises(decoder.Malformed):
            getattr(decoder, name)(data, pos, end, *arguments)


def test_another_tag_than_wanted_is_named(decoder: ModuleType) -> None:
    with pytest.raises(decoder.Malformed, match="tag 0x04 stands where 0x02 must"):
        decoder.read(b"\x04\x00", 0, 2, 2)


@pytest.mark.parametrize("octets", ["0200", "0209010101010101010101", "0209000000000000000001"])
def test_integers_of_zero_or_nine_octets_are_malformed(decoder: ModuleType, octets: str) -> None:
    data = bytes.fromhex(octets)
    with pytest.raises(decoder.Malformed, match="INTEGER has"):
        decoder.read_integer(data, 0, len(data))


def number(decoder: ModuleType, value: str, *, wrap: bool = True) -> bytes | None:
    """The number that a value gives, or None."""
    index, texts, dropped = decoder.numbers(row(COLUMN + b"\x01", bytes.fromhex(value)), SKIP, wrap)
    assert len(texts) + dropped == 1
    assert index == (b"\x00\x01\x01" if texts else b"")
    return texts[0] if texts else None


UNSIGNED = (ber.COUNTER32, ber.GAUGE32)
"""Types that snmp_exporter reads as signed from 64 bits on."""


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("020100", b"0"),
        ("0201ff", b"-1"),
        ("020180", b"-128"),
        ("0208 8000000000000000", b"-9223372036854775808"),
        ("0208 7fffffffffffffff", b"9223372036854775807"),
        ("0204 80000000", b"-2147483648"),
        ("4101ff", b"255"),
        ("4104ffffffff", b"4294967295"),
        ("410500ffffffff", b"4294967295"),
        ("4105ffffffffff", b"1099511627775"),
        ("4108 ffffffffffffffff", b"-1"),
        ("4208 7fffffffffffffff", b"9223372036854775807"),
        ("4109 00ffffffffffffffff", b"-1"),
        ("42020080", b"128"),
        ("4304ffffffff", b"4294967295"),
        ("43050100000001", b"1"),
        ("470103", b"3"),
        ("4701ff", b"4294967295"),
        ("470500ffffffff", b"4294967295"),
        ("470501ffffffff", b"4294967295"),
        ("4708 ff00000000000001", b"1"),
        ("460100", b"0"),
        ("4601ff", b"255"),
        ("4608 001fffffffffffff", b"9007199254740991"),
        ("4608 0020000000000000", b"0"),
        ("4608 0020000000000005", b"5"),
        ("4609 00ffffffffffffffff", b"9007199254740991"),
        ("4407 9f78 04 42f60000", b"123"),
        ("4407 9f78 04 7fc00000", b"NaN"),
        ("4407 9f78 04 7f800000", b"+Inf"),
        ("4407 9f78 04 ff800000", b"-Inf"),
        ("440b 9f79 08 405edccccccccccd", b"123.45"),
        ("440b 9f79 08 8000000000000000", b"0"),
    ],
)
def test_numbers_have_their_text(decoder: ModuleType, value: str, text: bytes) -> None:
    assert number(decoder, value) == text


@pytest.mark.parametrize(
    "value",
    [
        *("0200", "4100", "4600", "4300", "0209 000000000000000001", "0209 010101010101010101"),
        *(
            "4109 010101010101010101",
            "4709 00ffffffffffffffff",
            "4609 010000000000000000",
            "460a 00000000000000000001",
            "040131",
            "0500",
        ),
        *("06012b", "40047f000001", "4400", "4406 9f7804 42f600", "4408 9f7804 42f6000000"),
        *("440a 9f7908 405edccccccccc", "5f0101", "8000"),
    ],
)
def test_values_that_are_not_numbers_are_dropped_and_counted(decoder: ModuleType, value: str) -> None:
    assert number(decoder, value) is None


def test_counter64_wraps_at_53_bits_only_on_request(decoder: ModuleType) -> None:
    assert number(decoder, "4608ffffffffffffffff", wrap=False) == b"18446744073709551615"
    assert number(decoder, "4208 0020000000000005") == b"9007199254740997"


@settings(max_examples=300)
@given(TAGS, st.binary(max_size=10))
def test_numbers_and_integer_values_are_the_same(tag: int, content: bytes) -> None:
    for decoder in DECODERS:
        _, texts, _ = decoder.numbers(row(COLUMN + b"\x01", ber.tlv(tag, content)), SKIP, False)
        value = decoder.integer_value(tag, content)
        if tag != ber.OPAQUE:
            shown = value - 2**64 if value is not None and tag in UNSIGNED and value >= 2**63 else value
            assert texts == ([] if shown is None else [b"%d" % shown])


@given(st.floats())
def test_floats_read_back_equal(value: float) -> None:
    for decoder in DECODERS:
        text = decoder.float_text(value)
        again = float(text)
        assert again == value or (math.isnan(again) and math.isnan(value))
        content = b"\x9f\x79\x08" + struct.pack(">d", value)
        assert decoder.numbers(row(COLUMN + b"\x01", ber.tlv(ber.OPAQUE, content)), SKIP, True)[1] == [text]


def test_rows_have_an_index_that_columns_share(decoder: ModuleType) -> None:
    one, other = (b"".join(rows(*part, column=column) for part in ((1, 2), (300,))) for column in COLUMNS[:2])
    index, texts, dropped = decoder.numbers(one, SKIP, True)
    assert (texts, dropped) == ([b"1", b"2", b"300"], 0)
    assert decoder.suffixes(index) == [b"\x01", b"\x02", b"\x82\x2c"]
    assert decoder.values(other, SKIP)[0] == index
    assert decoder.values(one, SKIP)[1][2] == (ber.INTEGER, b"\x01\x2c")


def test_a_suffix_longer_than_255_octets_is_kept(decoder: ModuleType) -> None:
    suffix = b"\x01" * 300
    index, texts, _ = decoder.numbers(row(COLUMN + suffix), SKIP, True)
    assert (decoder.suffixes(index), texts) == ([suffix], [b"42"])
    assert decoder.suffixes(decoder.values(row(COLUMN + suffix), SKIP)[0]) == [suffix]


def test_the_instance_of_a_scalar_has_an_empty_suffix(decoder: ModuleType) -> None:
    assert decoder.numbers(row(COLUMN), SKIP, True)[0] == b"\0\0"
    assert decoder.suffixes(b"\0\0") == [b""]


def test_rows_outside_of_the_column_are_malformed(decoder: ModuleType) -> None:
    with pytest.raises(decoder.Malformed):
        decoder.numbers(row(b"\x2b"), SKIP, True)
    with pytest.raises(decoder.Malformed):
        decoder.values(row(b"\x2b"), SKIP)


def test_below_takes_the_rows_of_a_part(decoder: ModuleType) -> None:
    part = rows(5, column=COLUMN + b"\x02") + rows(1, column=COLUMN + b"\x02")
    assert decoder.below(rows(1) + part + rows(3), COLUMN + b"\x02") == part
    assert decoder.below(b"", COLUMN) == b""


NAME = b"\nifInOctets"
ROW_VALUE = st.one_of(
    st.tuples(st.sampled_from((ber.INTEGER, ber.COUNTER32, ber.TIME_TICKS, ber.COUNTER64)), st.binary(max_size=10)),
    st.tuples(st.just(ber.OCTET_STRING), st.binary(max_size=4)),
    st.sampled_from([(ber.OPAQUE, bytes.fromhex("9f78043fc00000")), (ber.OPAQUE, b"\x9f"), (ber.NULL, b"")]),
)
ROW_VALUES = st.dictionaries(st.integers(0, 300), ROW_VALUE, max_size=8)


def column_of(rows: dict[int, tuple[int, bytes]]) -> bytes:
    return b"".join(row(COLUMN + bytes(divmod(at, 128)), ber.tlv(*value)) for at, value in sorted(rows.items()))


def texts_of(index: bytes) -> list[bytes]:
    return [b'{row="%d"} ' % (suffix[0] * 128 + suffix[1]) for suffix in ber.suffixes(index)]


@given(ROW_VALUES, st.booleans(), st.booleans())
def test_the_lines_of_a_column_are_its_numbers_with_the_texts_of_their_rows(
    rows: dict[int, tuple[int, bytes]], wrap: bool, zeros: bool
) -> None:
    column = column_of(rows)
    for decoder in DECODERS:
        index, values, dropped = decoder.numbers(column, SKIP, wrap, zeros)
        texts = texts_of(index)
        expected = b"".join(NAME + text + value for text, value in zip(texts, values, strict=True))
        lines = decoder.number_lines(column, SKIP, wrap, zeros, NAME, index, texts, 0, 0)
        if lines is None:  # something that might have been a number is none
            assert dropped
        else:
            assert lines == (expected, len(texts), len(index), dropped)


@given(ROW_VALUES, ROW_VALUES)
def test_no_value_stands_under_the_labels_of_another_row(
    rows: dict[int, tuple[int, bytes]], others: dict[int, tuple[int, bytes]]
) -> None:
    column = column_of(rows)
    for decoder in DECODERS:
        index, values, _ = decoder.numbers(column, SKIP, False)
        allowed = {NAME + text + value for text, value in zip(texts_of(index), values, strict=True)}
        other = decoder.numbers(column_of(others), SKIP, False)[0]
        lines = decoder.number_lines(column, SKIP, False, False, NAME, other, texts_of(other), 0, 0)
        if lines is not None:
            assert {b"\n" + line for line in lines[0].split(b"\n")[1:]} <= allowed


def test_a_column_may_come_in_parts(decoder: ModuleType) -> None:
    parts = [column_of({at: (ber.INTEGER, bytes([at])) for at in some}) for some in ((1, 2), (3,))]
    index = decoder.numbers(b"".join(parts), SKIP, False)[0]
    texts = texts_of(index)
    first = decoder.number_lines(parts[0], SKIP, False, False, NAME, index, texts, 0, 0)
    assert first == (b"".join((NAME, b'{row="1"} 1', NAME, b'{row="2"} 2')), 2, 8, 0)
    second = decoder.number_lines(parts[1], SKIP, False, False, NAME, index, texts, *first[1:3])
    assert second == (NAME + b'{row="3"} 3', 3, 12, 0)


def test_rows_that_the_index_has_not_are_the_callers(decoder: ModuleType) -> None:
    column = column_of({1: (ber.INTEGER, b"\1"), 2: (ber.INTEGER, b"\2")})
    index = decoder.numbers(column_of({1: (ber.INTEGER, b"\1")}), SKIP, False)[0]
    assert decoder.number_lines(column, SKIP, False, False, NAME, index, [b" "], 0, 0) is None
    with pytest.raises(decoder.Malformed):
        decoder.number_lines(row(b"\x2b"), SKIP, False, False, NAME, index, [b" "], 0, 0)
