"""The decoder, compiled and as plain Python: encoding, and every form of a length."""

from __future__ import annotations

from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promsnmp.snmp import ber
from tests.support.agents.decoders import (
    COLUMN,
    COMPILED,
    DECODERS,
    INTEGERS,
    PLAIN,
    SKIP,
    row,
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
