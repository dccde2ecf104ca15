"""Indexes, lookups and label text, and what is kept of them from poll to poll."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from promsnmp.exposition import labels
from promsnmp.exposition.labels import MAX_STRING, LabelSpec, LabelTable, decode_index, label_name, label_text
from promsnmp.modules.model import Index, IndexType, Lookup
from promsnmp.snmp import ber, oid

NAME = Lookup(("row",), "name", "1.3.9", "DisplayString")
ROW = Index("row")


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
    assert len(text) <= 2 + 2 * labels.MAX_STRING
    text, _, _ = decode_index((4, 4_294_967_295, 1), "InetAddress")
    assert len(text) <= 2 + 2 * (labels.MAX_STRING + 2)


@given(
    st.lists(st.integers(0, oid.MAX_SUBID), max_size=40).map(tuple),
    st.sampled_from([one.value for one in IndexType]),
)
def test_no_index_fails_or_grows(subids: tuple[int, ...], kind: str) -> None:
    text, used, left = decode_index(subids, kind)
    assert len(text) <= 2 + 2 * MAX_STRING
    assert left == () or (used + left)[: len(subids)] == subids


@given(
    st.dictionaries(
        st.from_regex(r"[a-z]\w{0,5}", fullmatch=True).filter(str.isascii), st.text(max_size=20), max_size=4
    )
)
def test_label_values_come_back_from_the_parser_as_they_were(found: dict[str, str]) -> None:
    found = {name: text.encode(errors="replace").decode() for name, text in found.items()}
    line = b"x" + label_text(found) + b"1\n"
    assert line.count(b"\n") == 1
    (family,) = text_string_to_metric_families(line.decode())
    assert family.samples[0].labels == found


@pytest.mark.parametrize(
    ("name", "shown"),
    [("ifName", "ifName"), ("a-b.c", "a_b_c"), ("1st", "_1st"), ("é", "_"), ("a:b", "a_b"), ("_x9", "_x9")],
)
def test_a_label_name_has_only_the_characters_that_it_may_have(name: str, shown: str) -> None:
    assert label_name(name) == shown


def index_of(*rows: int) -> bytes:
    return b"".join(len(oid.encode_subids([row])).to_bytes(2, "big") + oid.encode_subids([row]) for row in rows)


class Column:
    """A lookup column that counts how often it is looked at."""

    def __init__(self, **names: str) -> None:
        self.rows = {
            oid.encode_subids([int(row.removeprefix("r"))]): (ber.OCTET_STRING, name.encode())
            for row, name in names.items()
        }
        self.looked = 0

    def __call__(self, name: str) -> labels.ColumnRows:
        self.looked += 1
        return self.rows


def test_labels_are_made_once_while_nothing_changes() -> None:
    table, column = LabelTable(LabelSpec((ROW,), (NAME,))), Column(r1="eth0", r2="eth1")
    for _ in range(3):
        table.refresh([b"same"])
        texts, repeated = table.texts(index_of(1, 2), column)
        assert texts == [b'{name="eth0",row="1"} ', b'{name="eth1",row="2"} ']
        assert repeated == ()
    assert column.looked == 2
    assert table.generation == 1


def test_labels_follow_the_columns_that_they_come_from() -> None:
    table = LabelTable(LabelSpec((ROW,), (NAME,)))
    table.refresh([b"before"])
    table.texts(index_of(1), Column(r1="old"))
    table.refresh([b"after"])
    assert table.texts(index_of(1), Column(r1="new"))[0] == [b'{name="new",row="1"} ']
    assert table.generation == 2


def test_rows_may_come_and_go() -> None:
    table, column = LabelTable(LabelSpec((ROW,), (NAME,))), Column(r1="a", r2="b", r3="c")
    for rows in ((1, 2), (2,), (2, 3), (), (1, 2, 3)):
        table.refresh([b"same"])
        texts, _ = table.texts(index_of(*rows), column)
        assert [text.split(b'"')[1] for text in texts] == [b"abc"[row - 1 : row] for row in rows]


def test_labels_of_rows_that_are_gone_are_forgotten_in_time() -> None:
    table, column = LabelTable(LabelSpec((ROW,), ())), Column()
    for start in range(0, 100_000, 1_000):
        table.refresh([])
        table.texts(index_of(*range(start, start + 1_000)), column)
    assert len(table._by_suffix) <= 5_000
    assert len(table._by_index) + len(table._previous) <= 2


def test_rows_whose_labels_stand_already_are_told() -> None:
    table = LabelTable(LabelSpec((), ()))
    assert table.texts(index_of(1, 2, 3), Column()) == ([b" ", b" ", b" "], (1, 2))


def test_a_number_that_no_row_can_have_leads_nowhere() -> None:
    parent = Lookup(("row",), "parent", "1.3.8")
    spec = LabelSpec((ROW,), (parent, Lookup(("parent",), "name", "1.3.9", "DisplayString")))
    columns: dict[str, labels.ColumnRows] = {
        "1.3.8": {b"\x01": (ber.INTEGER, b"\xff"), b"\x02": (ber.COUNTER64, b"\x01\x00\x00\x00\x07")},
        "1.3.9": {
            b"\x07": (ber.OCTET_STRING, b"seven"),
            oid.encode_subids([oid.MAX_SUBID]): (ber.OCTET_STRING, b"last"),
        },
    }
    shown = [spec.labels(row, lambda name: columns.get(name, {})) for row in (b"\x01", b"\x02")]
    assert [one["parent"] for one in shown] == ["-1", "4294967303"]
    assert [one["name"] for one in shown] == ["", ""]


def test_a_spec_names_the_columns_that_tell_types_too() -> None:
    spec = LabelSpec((ROW,), (Lookup(("row",), "a", "1.3.2", "InetAddress"), Lookup((), "row"), NAME))
    assert list(spec.columns()) == ["1.3.2", "1.3.1", "1.3.9"]


@pytest.mark.parametrize(
    ("row", "misfit"),
    [("1.2.97.98", 0), ("1.0", 0), ("1.2.97", -1), ("1", -1), ("", -2), ("1.2.97.98.99", 1), ("1.0.0.0", 2)],
)
def test_by_how_much_a_row_does_not_fit_its_indexes_is_known(row: str, misfit: int) -> None:
    spec = LabelSpec((Index("number"), Index("name", "DisplayString")), ())
    assert spec.excess_subids(oid.encode_subids(map(int, filter(None, row.split("."))))) == misfit
    assert LabelSpec((), ()).excess_subids(b"\x05\x06") == 0
