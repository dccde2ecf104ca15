"""OIDs: dotted text, BER octets, and the order of the MIB."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promsnmp.snmp import ber, oid

SUBIDS = st.integers(0, oid.MAX_SUBID)
OIDS = st.one_of(
    st.tuples(st.integers(0, 1), st.integers(0, 39), st.lists(SUBIDS, max_size=20)),
    st.tuples(st.just(2), st.integers(0, oid.MAX_SUBID - 80), st.lists(SUBIDS, max_size=20)),
).map(lambda parts: (parts[0], parts[1], *parts[2]))


@pytest.mark.parametrize(
    ("text", "octets"),
    [
        ("1.3", "2b"),
        ("0.0", "00"),
        ("1.3.6.1.2.1.1", "2b060102 0101"),
        (".1.3.6.1.4.1.2680", "2b060104019478"),
        ("2.999.3", "883703"),
        ("1.3.127", "2b7f"),
        ("1.3.128", "2b8100"),
        ("1.3.4294967295", "2b8fffffff7f"),
        ("1.3.0", "2b00"),
        ("2.47", "7f"),
        ("2.48", "8100"),
        ("1.03", "2b"),
    ],
)
def test_text_has_its_octets(text: str, octets: str) -> None:
    assert oid.encode(text) == bytes.fromhex(octets)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "1.",
        "1..3",
        "..1.3",
        "1.3.x",
        "1.3.-1",
        " 1.3",
        "1.3 ",
        "1.3.1e3",
        "1.3.\u0661",
        "+1.3",
        "1,3",
        "ifTable",
        "1.3.4294967296",
        "1.3." + "9" * 5000,
        "1.3" + ".1" * 127,
    ],
)
def test_a_wrong_oid_is_refused_and_named(text: str) -> None:
    with pytest.raises(ValueError, match="is not an OID") as caught:
        oid.parse(text)
    assert repr(text) in str(caught.value)


@pytest.mark.parametrize("text", ["3.1", "1.40", "0.40", "4294967295.1"])
def test_first_two_numbers_out_of_range_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="it starts with 0, 1 or 2"):
        oid.encode(text)


def test_128_numbers_are_allowed() -> None:
    assert len(oid.parse("1.3" + ".1" * 126)) == oid.MAX_SUBIDS


@pytest.mark.parametrize("text", ["1", ".1"])
def test_the_root_holds_everything(text: str) -> None:
    assert oid.encode(text) == b""
    assert oid.encode("1.3.6").startswith(oid.encode(text))


@pytest.mark.parametrize("text", ["0", "2"])
def test_other_single_numbers_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="at least two numbers"):
        oid.encode(text)


def test_empty_octets_decode_to_no_numbers() -> None:
    assert oid.decode(b"") == ()
    assert oid.to_text(b"") == ""


@given(OIDS)
def test_octets_read_back_as_what_was_written(subids: tuple[int, ...]) -> None:
    assert oid.decode(oid.encode(subids)) == subids
    assert oid.encode(oid.to_text(oid.encode(subids))) == oid.encode(subids)


@given(st.lists(SUBIDS))
def test_suffixes_read_back_as_what_was_written(subids: list[int]) -> None:
    assert oid.decode_subids(oid.encode_subids(subids)) == tuple(subids)


@given(OIDS, OIDS)
def test_a_prefix_of_octets_is_a_prefix_of_numbers(one: tuple[int, ...], other: tuple[int, ...]) -> None:
    assert oid.encode(other).startswith(oid.encode(one)) == (other[: len(one)] == one)


@given(OIDS, OIDS, st.booleans(), st.integers(0, 22))
def test_the_order_of_octets_is_that_of_numbers(
    one: tuple[int, ...], other: tuple[int, ...], is_near: bool, at: int
) -> None:
    if is_near:
        other = (*one[: max(at, 2)], *other[max(at, 2) :])
    if (other[0] == 2) == (one[0] == 2) or one[0] != other[0]:
        assert ber.oid_follows(oid.encode(one), oid.encode(other)) == (one > other)
