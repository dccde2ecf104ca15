"""The decoder, compiled and as plain Python: messages, varbinds, columns, and random octets."""

from __future__ import annotations

import contextlib
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promsnmp.snmp import ber, oid
from tests.support.agents.decoders import (
    COLUMN,
    COLUMNS,
    COMPILED,
    DECODERS,
    HEAD,
    PLAIN,
    ROWS,
    SKIP,
    TABLE,
    check_decoders_agree,
    column_of,
    message,
    message_of,
    row,
    rows,
    scan_of,
)


def feed(
    decoder: ModuleType, octets: bytes, *, root: bytes = TABLE, walking: bool = True, ordered: bool = True
) -> tuple[int, ModuleType]:
    scanner = decoder.Scanner(list(COLUMNS))
    scanner.start(root, ordered)
    return scanner.feed(octets, 0, len(octets), walking), scanner


def test_the_pdu_of_a_message_is_found(decoder: ModuleType) -> None:
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
def test_another_version_or_community_returns_none(decoder: ModuleType, version: str, community: bytes) -> None:
    datagram = message(ber.encode_pdu(ber.RESPONSE, 1, 0, 0, b""), version=bytes.fromhex(version), community=community)
    assert decoder.read_community_message(datagram, HEAD) is None


@pytest.mark.parametrize("tag", [0x30, 0x02, 0xA4, 0x82, 0xC2, 0x22])
def test_a_tag_that_no_pdu_has_is_malformed(decoder: ModuleType, tag: int) -> None:
    with pytest.raises(decoder.Malformed):
        decoder.read_community_message(message(ber.encode_pdu(tag, 1, 0, 0, b"")), HEAD)


def test_a_message_cut_off_anywhere_is_malformed(decoder: ModuleType) -> None:
    datagram = message(ber.encode_pdu(ber.RESPONSE, 1, 0, 0, rows(1, 2)))
    for size in range(len(datagram)):
        with pytest.raises(decoder.Malformed):
            decoder.read_community_message(datagram[:size], HEAD)


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
        named(COLUMN + bytes(128 - len(COLUMN)), "0500"),
        named(COLUMN + b"\x81\x00" * (128 - len(COLUMN)), "0500"),
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


@pytest.mark.parametrize("subid", [b"\x00", b"\x81\x00"])
def test_an_oid_may_have_128_sub_identifiers(decoder: ModuleType, subid: bytes) -> None:
    varbind = named(COLUMN + subid * (127 - len(COLUMN)), "0500")
    scanner = decoder.Scanner(list(COLUMNS))
    scanner.start(b"", True)
    scanner.feed(varbind, 0, len(varbind))
    assert scanner.varbind_count == len(decoder.varbinds(varbind, 0, len(varbind))) == 1


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
    for decoder in DECODERS:
        found = decoder.varbinds(octets, 0, len(octets))
        assert [tuple(one) for one in found] == [
            (column + suffix, tag, content) for column, suffix, tag, content in pieces
        ]


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


def test_columns_are_collected_over_responses_and_taken_once(decoder: ModuleType) -> None:
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


def test_a_response_with_a_loop_can_be_read_unordered(decoder: ModuleType) -> None:
    octets = rows(1, 3, 2, 2, 5)
    _, scanner = feed(decoder, octets)
    assert scanner.relax(octets, len(octets)) == ber.MORE
    assert scanner.column(0) == octets
    assert scanner.last_oid.endswith(b"\x05")
    more = rows(4, 1)
    assert scanner.feed(more, 0, len(more)) == ber.MORE
    scanner.unify()
    assert scanner.column(0) == rows(1, 3, 2, 5, 4)


def test_the_last_of_two_equal_oids_counts(decoder: ModuleType) -> None:
    first, second = (row(COLUMN + b"\x01", ber.encode_integer(value)) for value in (7, 8))
    _, scanner = feed(decoder, first)
    scanner.relax(second, len(second))
    scanner.unify()
    assert scanner.column(0) == second


def test_a_row_at_the_root_itself_is_a_loop(decoder: ModuleType) -> None:
    assert feed(decoder, row(TABLE))[0] == ber.LOOP


def test_unordered_walks_accept_decreasing_oids(decoder: ModuleType) -> None:
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
def test_a_missing_row_is_skipped_in_a_walk(decoder: ModuleType, tag: int) -> None:
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
def test_varbinds_outside_the_datagram_are_malformed(decoder: ModuleType, pos: int, end: int) -> None:
    with pytest.raises(decoder.Malformed):
        decoder.Scanner(list(COLUMNS)).feed(rows(1), pos, end)


@settings(max_examples=500)
@given(st.binary(max_size=200))
def test_both_decoders_read_random_octets_alike_or_raise_malformed(octets: bytes) -> None:
    check_decoders_agree(octets)
    for decoder in DECODERS:
        for name, arguments in (("read", (ber.SEQUENCE,)), ("read_any", ()), ("read_integer", ()), ("read_pdu", ())):
            with contextlib.suppress(decoder.Malformed):
                getattr(decoder, name)(octets, 0, len(octets), *arguments)


@settings(max_examples=500)
@given(ROWS, st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), max_size=4))
def test_both_decoders_read_altered_messages_alike(
    pieces: list[tuple[bytes, bytes, int, bytes]], changes: list[tuple[int, int]]
) -> None:
    octets = b"".join(row(column + suffix, ber.tlv(tag, content)) for column, suffix, tag, content in pieces)
    datagram = bytearray(message(ber.encode_pdu(ber.RESPONSE, 1, 0, 0, octets)))
    for at, value in changes:
        datagram[at % len(datagram)] = value
    assert message_of(COMPILED, bytes(datagram)) == message_of(PLAIN, bytes(datagram))
    assert column_of(COMPILED, octets, SKIP) == column_of(PLAIN, octets, SKIP)
    assert scan_of(COMPILED, octets, 0, len(octets)) == scan_of(PLAIN, octets, 0, len(octets))
