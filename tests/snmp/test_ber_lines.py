"""Columns of numbers as lines, by the decoder compiled and as plain Python: the same as row by row, or not at all."""

from __future__ import annotations

from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promsnmp.snmp import ber
from tests.support.agents.decoders import COLUMN, DECODERS, SKIP, row

NAME = b"\nifInOctets"
VALUES = st.one_of(
    st.tuples(st.sampled_from((ber.INTEGER, ber.COUNTER32, ber.TIME_TICKS, ber.COUNTER64)), st.binary(max_size=10)),
    st.tuples(st.just(ber.OCTET_STRING), st.binary(max_size=4)),
    st.sampled_from([(ber.OPAQUE, bytes.fromhex("9f78043fc00000")), (ber.OPAQUE, b"\x9f"), (ber.NULL, b"")]),
)
ROWS = st.dictionaries(st.integers(0, 300), VALUES, max_size=8)


def column_of(rows: dict[int, tuple[int, bytes]]) -> bytes:
    return b"".join(row(COLUMN + bytes(divmod(at, 128)), ber.tlv(*value)) for at, value in sorted(rows.items()))


def texts_of(index: bytes) -> list[bytes]:
    return [b'{row="%d"} ' % (suffix[0] * 128 + suffix[1]) for suffix in ber.suffixes(index)]


@given(ROWS, st.booleans(), st.booleans())
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


@given(ROWS, ROWS)
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
