"""Whole indexes of rows: as the module says, in the forms that agents are known to send, and in none of them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from promsnmp.exposition.deviations.row_index import decode_row
from promsnmp.exposition.labels import LabelSpec
from promsnmp.modules.model import Index, Lookup
from promsnmp.modules.types import IndexType
from promsnmp.snmp import ber, oid
from tests.support.exposition.polls import Device, integer, module, samples


def subids(dotted: str) -> tuple[int, ...]:
    return tuple(map(int, filter(None, dotted.split("."))))


MAC = Index("mac", "PhysAddress48")
ROW = Index("row")
V4 = Index("a", "InetAddressIPv4")
NAME8 = Index("name", "DisplayString", fixed_size=8)
V6 = ".".join(["254", "128", *["0"] * 13, "1"])


@pytest.mark.parametrize(
    ("row", "indexes", "texts"),
    [
        ("0.17.34.51.68.85", [MAC], ["00:11:22:33:44:55"]),
        ("6.0.17.34.51.68.85", [MAC], ["00:11:22:33:44:55"]),
        ("6.0.17.34.51.68.0", [MAC], ["00:11:22:33:44:00"]),
        ("5.6.0.17.34.51.68.85", [ROW, MAC], ["5", "00:11:22:33:44:55"]),
        ("6.0.17.34.51.68.85.5", [MAC, ROW], ["00:11:22:33:44:55", "5"]),
        ("4.10.0.0.1", [V4], ["10.0.0.1"]),
        ("4.10.0.0.1.4.10.0.0.2", [V4, V4], ["10.0.0.1", "10.0.0.2"]),
        (f"16.{V6}", [Index("a", "InetAddressIPv6")], ["FE80:0000:0000:0000:0000:0000:0000:0001"]),
        ("2.97.98", [Index("a", "OctetString", fixed_size=2)], ["0x6162"]),
        ("1.4.10.0.0.1", [Index("a", "InetAddress")], ["10.0.0.1"]),
        ("1.10.0.0.1", [Index("a", "InetAddress")], ["10.0.0.1"]),
        ("7.1.10.0.0.1.9", [ROW, Index("a", "InetAddress"), Index("b")], ["7", "10.0.0.1", "9"]),
        ("1.10.0.0.1", [Index("a", "InetAddressMissingSize")], ["10.0.0.1"]),
        ("1.4.10.0.0.1", [Index("a", "InetAddressMissingSize")], ["10.0.0.1"]),
        ("3.0", [ROW], ["3"]),
        ("72.83.73.0.0.0.0.0", [NAME8], ["HSI"]),
        ("8.72.83.73.0.0.0.0.0", [NAME8], ["HSI"]),
        ("5.72.83.73.0.0", [Index("name", "DisplayString")], ["HSI"]),
        ("0.0.0.0.0.0.0.0", [NAME8], [""]),
        ("5.3.97.98.99", [Index("port", "LldpPortId")], ["abc"]),
        ("3.6.0.17.34.51.68.85", [Index("port", "LldpPortId")], ["00:11:22:33:44:55"]),
        ("3.2.97.98", [ROW, Index("name", "DisplayString")], ["3", "ab"]),
    ],
)  # fmt: skip
def test_a_form_that_agents_send_is_recognised(row: str, indexes: list[Index], texts: list[str]) -> None:
    found = decode_row(indexes, subids(row))
    assert (list(found.texts), found.valid, found.excess) == (texts, True, 0)


@pytest.mark.parametrize(
    ("row", "index", "excess"),
    [
        ("3.5", ROW, 1),
        ("3.0.0", ROW, 2),
        ("", ROW, -1),
        ("7.0.17.34.51.68.85", MAC, 1),
        ("0.17.34.51.68", MAC, -1),
        ("0.17.34.51.68.300", MAC, 0),
        ("10.0.0.256", V4, 0),
        ("1.353", Index("a", "DisplayString"), 0),
        ("97.98.99", Index("a", "DisplayString"), -95),
        ("1.4.10.0.0", Index("a", "InetAddress"), -1),
        ("3.5.97", Index("a", "OctetString", fixed_size=2), 1),
        ("5.9.97.98", Index("a", "LldpPortId"), -7),
    ],
)
def test_an_index_of_no_known_form_is_not_valid(row: str, index: Index, excess: int) -> None:
    found = decode_row([index], subids(row))
    assert (found.valid, found.excess) == (False, excess)


def test_rows_that_are_too_short_keep_the_labels_that_tell_them_apart() -> None:
    name = [Index("name", "DisplayString")]
    first, second = (decode_row(name, row) for row in ((4, 97, 98), (22, 97, 98)))
    assert (first.valid, second.valid) == (False, False)
    assert (first.texts, second.texts) == (("ab\0\0",), ("ab" + "\0" * 20,))


def test_two_forms_that_fit_are_no_certainty() -> None:
    two = [MAC, MAC]
    assert not decode_row(two, subids("6.1.2.3.4.5.6.7.8.9.10.11.12")).valid


def test_a_metric_without_indexes_takes_every_row() -> None:
    assert decode_row([], subids("5.6")).valid


def test_a_lookup_follows_the_rows_of_its_table_with_a_further_zero() -> None:
    name = Lookup(("row",), "name", "1.3.9", "DisplayString")
    rows = {oid.encode_subids((1, 0)): (ber.OCTET_STRING, b"fan"), b"\x02": (ber.OCTET_STRING, b"exact")}
    spec = LabelSpec((ROW,), (name,))
    shown = [spec.labels(oid.encode_subids(one), lambda _: rows) for one in ((1, 0), (2, 0), (3, 0))]
    assert [one["name"] for one in shown] == ["fan", "exact", ""]


def page(index: dict[str, Any], *rows: str, kind: str = "gauge") -> tuple[list[str], dict[str, int]]:
    device = Device(module(metrics=[{"oid": "1.3.1", "type": kind, "indexes": [index]}]))
    found = device.renderer({f"1.3.1.{row}": integer(7) for row in rows}).exposition
    return samples(found.render().decode()), found.dropped


@pytest.mark.parametrize("kind", ["gauge", "DisplayString"])
def test_rows_of_no_known_form_are_counted_on_the_page(kind: str) -> None:
    lines, dropped = page({"labelname": "i", "type": "gauge"}, "1", "2.5", "3.0", kind=kind)
    assert len(lines) == 3
    assert dropped == {"invalid_index": 1}


def test_rows_with_the_length_of_a_fixed_size_have_labels_of_their_own() -> None:
    index = {"labelname": "mac", "type": "PhysAddress48"}
    lines, dropped = page(index, "6.0.17.34.51.68.85", "6.0.17.34.51.68.86")
    assert [line.split('"')[1] for line in lines] == ["00:11:22:33:44:55", "00:11:22:33:44:56"]
    assert dropped == {}


INDEXES = st.builds(
    Index,
    st.sampled_from("abc"),
    st.sampled_from(sorted(IndexType)),
    st.sampled_from([0, 0, 1, 3]),
    st.booleans(),
)
SUBIDS = st.one_of(st.integers(0, 20), st.integers(90, 130), st.integers(0, oid.MAX_SUBID))


@given(st.lists(INDEXES, min_size=1, max_size=3), st.lists(SUBIDS, max_size=30).map(tuple))
def test_a_valid_index_uses_exactly_what_came(indexes: list[Index], row: tuple[int, ...]) -> None:
    found = decode_row(indexes, row)
    used = tuple(sub for part in found.used for sub in part)
    if found.valid:
        assert used + found.rest == row
        assert found.rest in ((), (0,))


OF_KIND = {
    kind: module(metrics=[{"oid": "1.3.1", "type": "gauge", "indexes": [{"labelname": "i", "type": kind}]}])
    for kind in ("gauge", "PhysAddress48", "InetAddressIPv4", "OctetString")
}


def sent(kind: str, text: str) -> list[tuple[int, ...]]:
    """The forms in which an agent may send the index that has this label."""
    if kind == "gauge":
        return [(int(text),)]
    if kind == "PhysAddress48":
        octets = tuple(bytes.fromhex(text.replace(":", "")))
    elif kind == "OctetString":
        octets = tuple(bytes.fromhex(text.removeprefix("0x")))
    else:
        octets = tuple(map(int, text.split(".")))
    return [octets, (len(octets), *octets)]


OCTET_COUNTS = {"PhysAddress48": (6, 6), "InetAddressIPv4": (4, 4), "OctetString": (0, 8)}


@st.composite
def rows_of_kinds(draw: st.DrawFn) -> tuple[str, tuple[int, ...]]:
    """A type of index and a row: in one of the forms that agents send, or any."""
    kind = draw(st.sampled_from(list(OF_KIND)))
    if draw(st.integers(0, 3)) == 0:
        return kind, tuple(draw(st.lists(SUBIDS, min_size=1, max_size=9)))
    row: tuple[int, ...]
    if kind == "gauge":
        row = (draw(st.integers(0, 300) | st.integers(2**15, 2**17) | st.integers(0, oid.MAX_SUBID)),)
    else:
        least, most = OCTET_COUNTS[kind]
        row = tuple(draw(st.binary(min_size=least, max_size=most)))
        if draw(st.booleans()):
            row = (len(row), *row)
    return kind, row + draw(st.sampled_from([(), (0,)]))


@settings(deadline=None)
@given(rows_of_kinds().filter(lambda drawn: bool(drawn[1])))
def test_a_page_has_the_label_that_came_or_says_that_it_may_be_wrong(drawn: tuple[str, tuple[int, ...]]) -> None:
    kind, row = drawn
    found = Device(OF_KIND[kind]).renderer({f"1.3.1.{'.'.join(map(str, row))}": integer(7)}).exposition
    if not found.dropped:
        forms = sent(kind, samples(found.render().decode())[0].split('"')[1])
        assert row in [form + rest for form in forms for rest in ((), (0,))]


TWO_OCTETS = Index("pair", "OctetString", fixed_size=2)
OCTETS = st.sampled_from([2, 4, 6]) | st.integers(0, 255)
"""Often a length, so that a row fits several forms."""
PARTS = st.one_of(
    st.integers(0, oid.MAX_SUBID).map(lambda one: (ROW, (one,), str(one))),
    st.lists(OCTETS, min_size=6, max_size=6).map(lambda one: (MAC, (*one,), bytes(one).hex(":").upper())),
    st.lists(OCTETS, min_size=4, max_size=4).map(lambda one: (V4, (*one,), ".".join(map(str, one)))),
    st.lists(OCTETS, min_size=2, max_size=2).map(lambda one: (TWO_OCTETS, (*one,), f"0x{bytes(one).hex().upper()}")),
)
"""An index, the sub-identifiers of a value, and its label."""


@given(st.lists(st.tuples(PARTS, st.booleans()), min_size=1, max_size=3))
@example([((MAC, (6, 2, 2, 2, 2, 2), "06:02:02:02:02:02"), False), ((MAC, (7,) * 6, "07:07:07:07:07:07"), True)])
@example([((V4, (2, 2, 2, 6), "2.2.2.6"), True), ((MAC, (2, 2, 2, 2, 2, 0), "02:02:02:02:02:00"), False)])
@example([((MAC, (1, 2, 2, 2, 2, 2), "01:02:02:02:02:02"), True), ((MAC, (7,) * 6, "07:07:07:07:07:07"), False)])
def test_labels_of_rows_in_another_form_are_what_the_agent_means_or_not_certain(
    parts: list[tuple[tuple[Index, tuple[int, ...], str], bool]],
) -> None:
    """An agent may send some values with their length and others without; the row may then fit several forms."""
    row, counted = tuple[int, ...](), 0
    for (index, subs, _), with_length in parts:
        is_counted = with_length and index is not ROW
        row, counted = row + ((len(subs),) if is_counted else ()) + subs, counted + is_counted
    found = decode_row([index for (index, _, _), _ in parts], row)
    if not counted or len(parts) == 1:
        assert found.valid
    if found.valid:
        assert found.texts == tuple(text for (_, _, text), _ in parts)


VALUE_TYPES = ["OctetString", "DisplayString", "gauge", "EnumAsInfo"]


@given(st.sampled_from(VALUE_TYPES), st.binary(max_size=6), st.sampled_from([None, "1x:", "255a", "*1d.", "d-1"]))
def test_a_look_up_shows_octets_that_came(kind: str, octets: bytes, hint: str | None) -> None:
    names = {"enum_values": ((0, "zero"),)} if kind == "EnumAsInfo" else {}
    lookup = Lookup(("row",), "name", "1.3.9", kind, display_hint=hint or "", **names)
    spec = LabelSpec((ROW,), (lookup,))
    text = spec.labels(b"\x05", lambda _: {b"\x05": (ber.OCTET_STRING, octets)})["name"]
    assert text != "zero"
    if kind == "OctetString" and hint in (None, "1x:"):
        assert bytes.fromhex(text.removeprefix("0x").replace(":", "")) == octets
