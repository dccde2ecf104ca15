"""Indexes cut from OIDs, by type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promsnmp.exposition.indexes import MAX_STRING, decode_index
from promsnmp.modules.types import IndexType
from promsnmp.snmp import oid


@pytest.mark.parametrize(
    ("subids", "kind", "options", "text", "left"),
    [
        ((7, 8), "gauge", {}, "7", (8,)),
        ((), "Integer", {}, "0", ()),
        ((4294967295,), "counter", {}, "4294967295", ()),
        ((1, 2, 3, 170, 187, 204, 9), "PhysAddress48", {}, "01:02:03:AA:BB:CC", (9,)),
        ((1, 2), "PhysAddress48", {}, "01:02:00:00:00:00", ()),
        ((10, 0, 256, 1, 5), "InetAddressIPv4", {}, "10.0.256.1", (5,)),
        ((254, 128), "InetAddressIPv6", {}, "FE80:0000:0000:0000:0000:0000:0000:0000", ()),
        ((2, 97, 98, 99), "DisplayString", {}, "ab", (99,)),
        ((5, 97), "DisplayString", {}, "a\0\0\0\0", ()),
        ((0, 1), "DisplayString", {}, "", (1,)),
        ((97, 98, 99), "DisplayString", {"fixed_size": 2}, "ab", (99,)),
        ((97, 98), "DisplayString", {"implied": True}, "ab", ()),
        ((), "DisplayString", {"implied": True}, "", ()),
        ((2, 353, 610), "DisplayString", {}, "ab", ()),
        ((2, 255, 255), "DisplayString", {}, "\ufffd", ()),
        ((2, 171, 205), "OctetString", {}, "0xABCD", ()),
        ((0,), "OctetString", {}, "", ()),
        ((1, 4, 10, 0, 0, 1, 7), "InetAddress", {}, "10.0.0.1", (7,)),
        ((1, 10, 0, 0, 1, 7), "InetAddressMissingSize", {}, "10.0.0.1", (7,)),
        ((3, 2, 9, 9, 7), "InetAddress", {}, "0x03020909", (7,)),
        ((16, 97), "InetAddressMissingSize", {}, "0x1061", ()),
        ((3, 6, 1, 2, 3, 4, 5, 6, 7), "LldpPortId", {}, "01:02:03:04:05:06", (7,)),
        ((2,), "EnumAsInfo", {"enum": {2: "two"}}, "two", ()),
        ((3,), "EnumAsInfo", {"enum": {2: "two"}}, "3", ()),
    ],
)
def test_an_index_is_cut_from_the_front(
    subids: tuple[int, ...], kind: str, options: Mapping[str, Any], text: str, left: tuple[int, ...]
) -> None:
    assert decode_index(subids, kind, **options)[::2] == (text, left)


def test_a_length_in_an_oid_reserves_no_memory() -> None:
    text, _, _ = decode_index((30_000_000, 1), "OctetString")
    assert len(text) <= 2 + 2 * MAX_STRING
    text, _, _ = decode_index((4, 4_294_967_295, 1), "InetAddress")
    assert len(text) <= 2 + 2 * (MAX_STRING + 2)


@given(
    st.lists(st.integers(0, oid.MAX_SUBID), max_size=40).map(tuple),
    st.sampled_from([one.value for one in IndexType]),
)
def test_no_index_fails_or_grows(subids: tuple[int, ...], kind: str) -> None:
    text, used, left = decode_index(subids, kind)
    assert len(text) <= 2 + 2 * MAX_STRING
    assert left == () or (used + left)[: len(subids)] == subids


def test_an_unknown_index_type_is_an_error() -> None:
    with pytest.raises(ValueError, match="unknown index type 'Integer64'"):
        decode_index((1, 2), "Integer64")


@pytest.mark.parametrize(
    ("subids", "options", "text", "used", "rest"),
    [
        ((1, 70000, 3), {"implied": True}, "1.70000.3", (1, 70000, 3), ()),
        ((), {"implied": True}, "", (), ()),
        ((1, 70000, 3), {"fixed_size": 2}, "1.70000", (1, 70000), (3,)),
        ((2, 5, 6, 7), {}, "5.6", (2, 5, 6), (7,)),
        ((9,), {"fixed_size": 2}, "9.0", (9, 0), ()),
    ],
)
def test_an_object_identifier_is_shown_as_dotted_numbers(
    subids: tuple[int, ...], options: dict[str, Any], text: str, used: tuple[int, ...], rest: tuple[int, ...]
) -> None:
    assert decode_index(subids, IndexType.OBJECT_IDENTIFIER, **options) == (text, used, rest)
