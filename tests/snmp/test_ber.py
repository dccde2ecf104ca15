"""The decoder, compiled and as plain Python: every rule, every edge, and whatever octets may come."""

from __future__ import annotations

import contextlib
import math
import struct
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promsnmp.snmp import ber, oid
from tests.support.agents.decoders import (
    BOTH,
    COLUMNS,
    COMPILED,
    HEAD,
    PLAIN,
    TABLE,
    agree_on,
    column_of,
    message_of,
    scan_of,
)

COLUMN = COLUMNS[0]
SKIP = len(COLUMN)
INTEGERS = st.integers(-(1 << 63), (1 << 63) - 1)
TAGS = st.sampled_from([2, 4, 5, 6, 0x40, 0x41, 0x42, 0x43, 0x44, 0x46, 0x47, 0x80, 0x81, 0x82, 0x5F])
SUFFIXES = st.lists(st.integers(0, oid.MAX_SUBID), min_size=1, max_size=6).map(oid.encode_subids)
ROWS = st.lists(
    st.tuples(st.sampled_from([*COLUMNS, TABLE + b"\x07", b"\x2b\x09"]), SUFFIXES, TAGS, st.binary(max_size=12))
)


@pytest.fixture(params=BOTH, ids=["compiled", "plain"])
def decoder(request: pytest.FixtureRequest) -> ModuleType:
    return request.param  # type: ignore[no-any-return]


def row(name: bytes, value: bytes = b"\x02\x01\x2a") -> bytes:
    return ber.encode_varbind(name, value)


def rows(*suffixes: int, column: bytes = COLUMN) -> bytes:
    return b"".join(row(column + oid.encode_subids([suffix]), ber.encode_integer(suffix)) for suffix in suffixes)


def feed(
    decoder: ModuleType, octets: bytes, *, root: bytes = TABLE, walking: bool = True, ordered: bool = True
) -> tuple[int, ModuleType]:
    scanner = decoder.Scanner(list(COLUMNS))
    scanner.start(root, ordered)
    return scanner.feed(octets, 0, len(octets), walking), scanner


def number(decoder: ModuleType, value: str, *, wrap: bool = True) -> bytes | None:
    """The one number that a value gives, None when it gives none."""
    index, texts, dropped = decoder.numbers(row(COLUMN + b"\x01", bytes.fromhex(value)), SKIP, wrap)
    assert len(texts) + dropped == 1
    assert index == (b"\x00\x01\x01" if texts else b"")
    return texts[0] if texts else None


def test_both_decoders_are_tested() -> None:
    assert PLAIN.COMPILED is False
    assert COMPILED is not PLAIN


# ------------------------------------------------------------------------------------------------------------ encoding


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
    for decoder in BOTH:
        assert decoder.read_integer(octets, 0, len(octets)) == (value, len(octets))
        assert decoder.integer_value(ber.INTEGER, octets[2:]) == value
        assert decoder.numbers(row(COLUMN + b"\x01", octets), SKIP, True)[1] == [b"%d" % value]


NUMBERS = st.one_of(st.integers(0, 300), st.integers(0, 0x7FFFFFFF))


@given(NUMBERS, NUMBERS, NUMBERS, st.binary(max_size=300))
def test_a_request_is_a_pdu_with_one_varbind(request_id: int, status: int, index: int, name: bytes) -> None:
    for decoder in BOTH:
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


# ------------------------------------------------------------------------------------------------------------- lengths


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
def test_lengths_that_lie_or_are_not_allowed_are_malformed(decoder: ModuleType, octets: str) -> None:
    data = bytes.fromhex(octets)
    with pytest.raises(decoder.Malformed):
        decoder.read_any(data, 0, len(data))
    with pytest.raises(decoder.Malformed):
        decoder.read(data, 0, len(data), 4)


@pytest.mark.parametrize(("pos", "end"), [(-1, 5), (0, 6), (0, 4), (5, 5), (6, 5), (3, 2), (0, 0)])
def test_places_outside_of_the_octets_are_malformed(decoder: ModuleType, pos: int, end: int) -> None:
    data = bytes.fromhex("0403616263")
    for name, arguments in (("read", (4,)), ("read_any", ()), ("read_integer", ()), ("read_pdu", ())):
        with pytest.raises(decoder.Malformed):
            getattr(decoder, name)(data, pos, end, *arguments)


def test_another_tag_than_wanted_is_named(decoder: ModuleType) -> None:
    with pytest.raises(decoder.Malformed, match="tag 0x04 stands where 0x02 must"):
        decoder.read(b"\x04\x00", 0, 2, 2)


@pytest.mark.parametrize("octets", ["0200", "0209010101010101010101", "0209000000000000000001"])
def test_integers_of_no_or_nine_octets_are_malformed(decoder: ModuleType, octets: str) -> None:
    data = bytes.fromhex(octets)
    with pytest.raises(decoder.Malformed, match="INTEGER has"):
        decoder.read_integer(data, 0, len(data))


# ------------------------------------------------------------------------------------------------------------ messages


def message(pdu: bytes, *, version: bytes = b"\x02\x01\x01", community: bytes = b"\x04\x06public") -> bytes:
    return ber.tlv(ber.SEQUENCE, version + community + pdu)


def test_a_message_s_pdu_is_found(decoder: ModuleType) -> None:
    datagram = message(ber.encode_pdu(ber.RESPONSE, -5, 2, 300, rows(1)))
    pdu = decoder.read_community_message(datagram, HEAD)
    assert tuple(pdu)[:4] == (ber.RESPONSE, -5, 2, 300)
    assert datagram[pdu.start : pdu.end] == rows(1)


@pytest.mark.parametrize(
    ("version", "community"),
    [("02020001", "0406"), ("020101", "048106"), ("0281020001", "04820006")],
)
def test_versions_and_communities_in_longer_forms_are_the_same(
    decoder: ModuleType, version: str, community: str
) -> None:
    datagram = message(
        ber.encode_pdu(ber.RESPONSE, 1, 0, 0, b""),
        version=bytes.fromhex(version),
        community=bytes.fromhex(community) + b"public",
    )
    assert decoder.read_community_message(datagram, HEAD).request_id == 1


@pytest.mark.parametrize(
    ("version", "community"),
    [
        ("020100", b"\x04\x06public"),
        ("020103", b"\x04\x06public"),
        ("020101", b"\x04\x00"),
        ("020101", b"\x04\x07publics"),
    ],
)
def test_another_version_or_community_gives_none(decoder: ModuleType, version: str, community: bytes) -> None:
    datagram = message(ber.encode_pdu(ber.RESPONSE, 1, 0, 0, b""), version=bytes.fromhex(version), community=community)
    assert decoder.read_community_message(datagram, HEAD) is None


@pytest.mark.parametrize("tag", [0x30, 0x02, 0xA4, 0x82, 0xC2, 0x22])
def test_a_tag_that_is_not_one_of_a_pdu_is_malformed(decoder: ModuleType, tag: int) -> None:
    with pytest.raises(decoder.Malformed):
        decoder.read_community_message(message(ber.encode_pdu(tag, 1, 0, 0, b"")), HEAD)


def test_a_message_cut_off_anywhere_is_malformed(decoder: ModuleType) -> None:
    datagram = message(ber.encode_pdu(ber.RESPONSE, 1, 0, 0, rows(1, 2)))
    for size in range(len(datagram)):
        with pytest.raises(decoder.Malformed):
            decoder.read_community_message(datagram[:size], HEAD)


# ------------------------------------------------------------------------------------------------------------ varbinds


def named(name: bytes, rest: str) -> bytes:
    return ber.tlv(ber.SEQUENCE, ber.tlv(ber.OBJECT_IDENTIFIER, name) + bytes.fromhex(rest))


@pytest.mark.parametrize(
    "bad",
    [
        b"\x30",
        b"\x30\x00",
        b"\x02\x01\x01",
        ber.tlv(ber.SEQUENCE, b"\x04\x03abc\x05\x00"),
        named(COLUMN + b"\x09", ""),
        named(COLUMN + b"\x09", "05"),
        named(COLUMN + b"\x09", "0501"),
        named(COLUMN + b"\x09", "02010102"),
        named(COLUMN + b"\x09", "0201010201 02"),
        named(COLUMN + b"\x09", "2480040161 0000"),
        named(b"", "0500"),
        named(COLUMN + b"\x86", "0500"),
        named(COLUMN + b"\x80", "0500"),
        named(COLUMN + b"\x80\x01", "0500"),
        named(COLUMN + b"\x80\x80\x80\x01", "0500"),
        named(COLUMN + b"\x90\x80\x80\x80\x00", "0500"),
        named(COLUMN + b"\x81\x80\x80\x80\x80\x00", "0500"),
        named(COLUMN + b"\xff" * 9 + b"\x7f", "0500"),
    ],
    ids=bytes.hex,
)
def test_varbinds_that_break_a_rule_are_malformed_and_nothing_is_kept(decoder: ModuleType, bad: bytes) -> None:
    with pytest.raises(decoder.Malformed):
        decoder.varbinds(bad, 0, len(bad))
    scanner = decoder.Scanner(list(COLUMNS))
    scanner.start(b"", True)
    octets = rows(1) + bad
    for walking in (True, False):
        with pytest.raises(decoder.Malformed):
            scanner.feed(octets, 0, len(octets), walking)
    assert scanner.varbind_count == 0
    assert scanner.column(0) == b""
    assert scanner.last_oid == b""


@pytest.mark.parametrize("last", [0, 127, 128, 16383, 16384, 2**21, 2**28 - 1, 2**28, 2**32 - 1])
def test_sub_identifiers_of_up_to_32_bits_are_read(decoder: ModuleType, last: int) -> None:
    octets = rows(last)
    verdict, scanner = feed(decoder, octets)
    assert verdict == ber.MORE
    assert oid.decode_subids(scanner.last_oid)[-1] == last
    assert decoder.varbinds(octets, 0, len(octets))[0].oid == scanner.last_oid


@given(ROWS)
def test_varbinds_read_back_as_what_was_written(pieces: list[tuple[bytes, bytes, int, bytes]]) -> None:
    octets = b"".join(row(column + suffix, ber.tlv(tag, content)) for column, suffix, tag, content in pieces)
    for decoder in BOTH:
        found = decoder.varbinds(octets, 0, len(octets))
        assert [tuple(one) for one in found] == [
            (column + suffix, tag, content) for column, suffix, tag, content in pieces
        ]


# ------------------------------------------------------------------------------------------------------------ scanning


def test_runs_of_columns_are_kept_apart(decoder: ModuleType) -> None:
    octets = rows(1, 2) + rows(1, 2, column=COLUMNS[1]) + rows(1, column=TABLE + b"\x03") + rows(7, column=COLUMNS[2])
    verdict, scanner = feed(decoder, octets)
    assert verdict == ber.MORE
    assert [scanner.column(at) for at in range(3)] == [
        rows(1, 2),
        rows(1, 2, column=COLUMNS[1]),
        rows(7, column=COLUMNS[2]),
    ]
    assert (scanner.varbind_count, scanner.unclaimed_count) == (6, 1)
    assert scanner.last_oid == COLUMNS[2] + b"\x07"


def test_columns_are_collected_over_responses_and_given_away_once(decoder: ModuleType) -> None:
    scanner = decoder.Scanner(list(COLUMNS))
    scanner.start(TABLE, True)
    for octets in (rows(1, 2), rows(3)):
        assert scanner.feed(octets, 0, len(octets)) == ber.MORE
    assert scanner.column(0) == scanner.take(0) == rows(1, 2, 3)
    assert scanner.column(0) == b""


@pytest.mark.parametrize("octets", [rows(1, 1), rows(2, 1), rows(128, 127), rows(1, 2, 2, 3)])
def test_oids_that_do_not_increase_are_a_loop(decoder: ModuleType, octets: bytes) -> None:
    verdict, scanner = feed(decoder, octets)
    assert verdict == ber.LOOP
    assert scanner.offending_oid
    assert not decoder.oid_follows(scanner.offending_oid, scanner.last_oid)


def test_a_loop_over_two_responses_is_found(decoder: ModuleType) -> None:
    verdict, scanner = feed(decoder, rows(1, 2))
    assert verdict == ber.MORE
    octets = rows(2, 3)
    assert scanner.feed(octets, 0, len(octets)) == ber.LOOP
    assert scanner.column(0) == rows(1, 2)


def test_what_begins_with_a_loop_can_be_taken_as_it_comes(decoder: ModuleType) -> None:
    octets = rows(1, 3, 2, 2, 5)
    _, scanner = feed(decoder, octets)
    assert scanner.relax(octets, len(octets)) == ber.MORE
    assert scanner.column(0) == octets
    assert scanner.last_oid.endswith(b"\x05")
    more = rows(4, 1)
    assert scanner.feed(more, 0, len(more)) == ber.MORE
    scanner.unify()
    assert scanner.column(0) == rows(1, 3, 2, 5, 4)


def test_of_objects_that_come_twice_the_last_counts(decoder: ModuleType) -> None:
    first, second = (row(COLUMN + b"\x01", ber.encode_integer(value)) for value in (7, 8))
    _, scanner = feed(decoder, first)
    scanner.relax(second, len(second))
    scanner.unify()
    assert scanner.column(0) == second


def test_a_row_at_the_root_itself_is_a_loop(decoder: ModuleType) -> None:
    assert feed(decoder, row(TABLE))[0] == ber.LOOP


def test_unordered_walks_take_what_does_not_increase(decoder: ModuleType) -> None:
    verdict, scanner = feed(decoder, rows(2, 1), ordered=False)
    assert (verdict, scanner.column(0)) == (ber.MORE, rows(2, 1))


@pytest.mark.parametrize(
    "behind", [row(b"\x2b\x07"), row(TABLE[:-1] + b"\x02"), row(b"\x2b\x01"), row(COLUMN + b"\x02", b"\x82\x00")]
)
def test_the_first_varbind_behind_the_subtree_ends_it(decoder: ModuleType, behind: bytes) -> None:
    verdict, scanner = feed(decoder, rows(1) + behind + b"\xff\xff")
    assert (verdict, scanner.column(0), scanner.varbind_count) == (ber.DONE, rows(1), 1)


def test_a_subtree_inside_a_column_is_not_left(decoder: ModuleType) -> None:
    inside, behind = row(COLUMN + b"\x05\x01"), row(COLUMN + b"\x06\x01")
    verdict, scanner = feed(decoder, inside + behind, root=COLUMN + b"\x05")
    assert (verdict, scanner.column(0)) == (ber.DONE, inside)


@pytest.mark.parametrize("tag", [ber.NO_SUCH_OBJECT, ber.NO_SUCH_INSTANCE])
def test_a_row_that_is_not_there_is_passed_over_in_a_walk(decoder: ModuleType, tag: int) -> None:
    gone = row(COLUMN + b"\x02", bytes((tag, 0)))
    verdict, scanner = feed(decoder, rows(1) + gone + rows(3))
    assert (verdict, scanner.column(0), scanner.varbind_count) == (ber.MORE, rows(1, 3), 2)
    verdict, scanner = feed(decoder, gone)
    assert (verdict, scanner.last_oid) == (ber.MORE, COLUMN + b"\x02")
    again = row(COLUMN + b"\x01", bytes((tag, 0)))
    assert feed(decoder, rows(1) + again + rows(3))[0] == ber.DONE


def test_a_response_without_varbinds_is_empty(decoder: ModuleType) -> None:
    assert feed(decoder, b"")[0] == ber.EMPTY
    assert feed(decoder, b"", walking=False)[0] == ber.EMPTY


def test_a_get_takes_what_there_is_around_exceptions(decoder: ModuleType) -> None:
    gone = [row(COLUMN + b"\x02", bytes((tag, 0))) for tag in (0x80, 0x81, 0x82)]
    octets = rows(9) + gone[0] + rows(5) + gone[1] + gone[2] + rows(1, column=COLUMNS[1]) + row(b"\x2b\x07")
    verdict, scanner = feed(decoder, octets, walking=False)
    assert verdict == ber.MORE
    assert scanner.column(0) == rows(9, 5)
    assert scanner.column(1) == rows(1, column=COLUMNS[1])
    assert (scanner.varbind_count, scanner.unclaimed_count) == (4, 1)


@pytest.mark.parametrize(("pos", "end"), [(-1, 3), (0, 10_000)])
def test_varbinds_outside_of_the_datagram_are_malformed(decoder: ModuleType, pos: int, end: int) -> None:
    with pytest.raises(decoder.Malformed):
        decoder.Scanner(list(COLUMNS)).feed(rows(1), pos, end)


# ------------------------------------------------------------------------------------------------------------- numbers


UNSIGNED = (ber.COUNTER32, ber.GAUGE32)
"""What snmp_exporter takes for signed from 64 bits on."""


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
def test_what_is_no_number_gives_none_and_is_counted(decoder: ModuleType, value: str) -> None:
    assert number(decoder, value) is None


def test_counter64_is_reduced_only_when_asked_to(decoder: ModuleType) -> None:
    assert number(decoder, "4608ffffffffffffffff", wrap=False) == b"18446744073709551615"
    assert number(decoder, "4208 0020000000000005") == b"9007199254740997"


@settings(max_examples=300)
@given(TAGS, st.binary(max_size=10))
def test_numbers_and_integer_values_are_the_same(tag: int, content: bytes) -> None:
    for decoder in BOTH:
        _, texts, _ = decoder.numbers(row(COLUMN + b"\x01", ber.tlv(tag, content)), SKIP, False)
        value = decoder.integer_value(tag, content)
        if tag != ber.OPAQUE:
            shown = value - 2**64 if value is not None and tag in UNSIGNED and value >= 2**63 else value
            assert texts == ([] if shown is None else [b"%d" % shown])


@given(st.floats())
def test_floats_read_back_equal(value: float) -> None:
    for decoder in BOTH:
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


def test_a_scalar_s_own_instance_has_an_empty_suffix(decoder: ModuleType) -> None:
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


# ---------------------------------------------------------------------------------------------------------- any octets


@settings(max_examples=500)
@given(st.binary(max_size=200))
def test_random_octets_are_read_alike_and_raise_nothing_but_malformed(octets: bytes) -> None:
    agree_on(octets)
    for decoder in BOTH:
        for name, arguments in (("read", (ber.SEQUENCE,)), ("read_any", ()), ("read_integer", ()), ("read_pdu", ())):
            with contextlib.suppress(decoder.Malformed):
                getattr(decoder, name)(octets, 0, len(octets), *arguments)


@settings(max_examples=500)
@given(ROWS, st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), max_size=4))
def test_altered_messages_are_read_alike(
    pieces: list[tuple[bytes, bytes, int, bytes]], changes: list[tuple[int, int]]
) -> None:
    octets = b"".join(row(column + suffix, ber.tlv(tag, content)) for column, suffix, tag, content in pieces)
    datagram = bytearray(message(ber.encode_pdu(ber.RESPONSE, 1, 0, 0, octets)))
    for at, value in changes:
        datagram[at % len(datagram)] = value
    assert message_of(COMPILED, bytes(datagram)) == message_of(PLAIN, bytes(datagram))
    assert column_of(COMPILED, octets, SKIP) == column_of(PLAIN, octets, SKIP)
    assert scan_of(COMPILED, octets, 0, len(octets)) == scan_of(PLAIN, octets, 0, len(octets))
