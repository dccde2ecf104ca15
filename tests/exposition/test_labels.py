"""Labels of a row from its index and from lookups, and their text."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from promsnmp.exposition.labels import ColumnRows, LabelSpec, label_name, label_text
from promsnmp.modules.model import Index, Lookup
from promsnmp.snmp import ber, oid

NAME = Lookup(("row",), "name", "1.3.9", "DisplayString")
ROW = Index("row")


@given(
    st.dictionaries(
        st.from_regex(r"[a-z]\w{0,5}", fullmatch=True).filter(str.isascii), st.text(max_size=20), max_size=4
    )
)
def test_a_parser_returns_label_values_unchanged(found: dict[str, str]) -> None:
    found = {name: text.encode(errors="replace").decode() for name, text in found.items()}
    line = b"x" + label_text(found) + b"1\n"
    assert line.count(b"\n") == 1
    (family,) = text_string_to_metric_families(line.decode())
    assert family.samples[0].labels == found


@pytest.mark.parametrize(
    ("name", "shown"),
    [("ifName", "ifName"), ("a-b.c", "a_b_c"), ("1st", "_1st"), ("é", "_"), ("a:b", "a_b"), ("_x9", "_x9")],
)
def test_a_label_name_has_only_allowed_characters(name: str, shown: str) -> None:
    assert label_name(name) == shown


def test_a_look_up_by_a_number_that_no_row_can_have_is_empty() -> None:
    parent = Lookup(("row",), "parent", "1.3.8")
    spec = LabelSpec((ROW,), (parent, Lookup(("parent",), "name", "1.3.9", "DisplayString")))
    columns: dict[str, ColumnRows] = {
        "1.3.8": {b"\x01": (ber.INTEGER, b"\xff"), b"\x02": (ber.COUNTER64, b"\x01\x00\x00\x00\x07")},
        "1.3.9": {
            b"\x07": (ber.OCTET_STRING, b"seven"),
            oid.encode_subids([oid.MAX_SUBID]): (ber.OCTET_STRING, b"last"),
        },
    }
    shown = [spec.labels(row, lambda name: columns.get(name, {})) for row in (b"\x01", b"\x02")]
    assert [one["parent"] for one in shown] == ["-1", "4294967303"]
    assert [one["name"] for one in shown] == ["", ""]


@pytest.mark.parametrize(
    ("lookup", "value", "text"),
    [
        ({}, (ber.OCTET_STRING, b"AB"), "0x4142"),
        ({}, (ber.INTEGER, b"\x41"), "65"),
        ({"type": "EnumAsInfo", "enum_values": ((6, "ethernet"),)}, (ber.INTEGER, b"\x06"), "ethernet"),
        ({"type": "EnumAsInfo", "enum_values": ((6, "ethernet"),)}, (ber.INTEGER, b"\x07"), "7"),
        ({"type": "EnumAsInfo", "enum_values": ((0, "zero"),)}, (ber.OCTET_STRING, b"AB"), "0x4142"),
        ({"type": "gauge", "enum_values": ((6, "ethernet"),)}, (ber.INTEGER, b"\x06"), "6"),
        ({"display_hint": "1x:"}, (ber.OCTET_STRING, b"AB"), "41:42"),
        ({"display_hint": "255t"}, (ber.OCTET_STRING, b"A\xff\xff"), "A\ufffd"),
        ({"type": "DisplayString", "display_hint": "1x:"}, (ber.OCTET_STRING, b"AB"), "AB"),
        ({"type": "gauge", "display_hint": "d-2"}, (ber.INTEGER, b"\x41"), "0.65"),
        ({"display_hint": "1x:?"}, (ber.OCTET_STRING, b"AB"), "0x4142"),
    ],
)
def test_a_look_up_is_shown_by_its_type_names_and_hint(
    lookup: dict[str, Any], value: tuple[int, bytes], text: str
) -> None:
    spec = LabelSpec((ROW,), (Lookup(("row",), "label", "1.3.9", **lookup),))
    assert spec.labels(b"\x05", lambda _: {b"\x05": value})["label"] == text


def test_a_spec_lists_type_columns_too() -> None:
    spec = LabelSpec((ROW,), (Lookup(("row",), "a", "1.3.2", "InetAddress"), Lookup((), "row"), NAME))
    assert list(spec.columns()) == ["1.3.2", "1.3.1", "1.3.9"]


@pytest.mark.parametrize(
    ("row", "misfit"),
    [("1.2.97.98", 0), ("1.0", 0), ("1.2.97", -1), ("1", -1), ("", -2), ("1.2.97.98.99", 1), ("1.0.0.0", 2)],
)
def test_excess_and_missing_sub_identifiers_of_an_index_are_counted(row: str, misfit: int) -> None:
    spec = LabelSpec((Index("number"), Index("name", "DisplayString")), ())
    assert spec.excess_subids(oid.encode_subids(map(int, filter(None, row.split("."))))) == misfit
    assert LabelSpec((), ()).excess_subids(b"\x05\x06") == 0
