"""Samples of rows that are not plain numbers, and the reasons for missing samples."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from promsnmp.exposition.families import Exposition
from promsnmp.exposition.rows import row_samples
from promsnmp.modules.model import Metric
from promsnmp.snmp import ber
from tests.support.exposition.polls import ROW, Device, integer, module, octets, samples

STATES = {1: "up", 2: "down"}


def page_of(kind: str, value: bytes, **more: Any) -> Exposition:
    """The page of one row 5 of a metric ``m0`` of a type."""
    metric = {"oid": "1.3.1", "type": kind, "indexes": [ROW], **more}
    return Device(module(metrics=[metric])).renderer({"1.3.1.5": value}).exposition


def lines(page: Exposition) -> list[str]:
    return samples(page.render().decode())


def test_text_becomes_a_label_of_the_metrics_name_and_the_value_1() -> None:
    assert lines(page_of("DisplayString", octets('a "b"\n'))) == ['m0{m0="a \\"b\\"\\n",row="5"} 1']


def test_an_index_of_the_metrics_name_keeps_its_label() -> None:
    page = page_of("DisplayString", octets("text"), indexes=[{"labelname": "m0", "type": "gauge"}])
    assert lines(page) == ['m0{m0="5"} 1']


def test_an_enumeration_becomes_an_info_with_its_name_or_number() -> None:
    assert lines(page_of("EnumAsInfo", integer(2), enum_values=STATES)) == ['m0_info{m0="down",row="5"} 1']
    assert lines(page_of("EnumAsInfo", integer(7), enum_values=STATES)) == ['m0_info{m0="7",row="5"} 1']


def test_an_enumeration_that_is_its_own_index_has_no_further_series() -> None:
    index = {"labelname": "m0", "type": "EnumAsInfo", "enum_values": {5: "five"}}
    assert lines(page_of("EnumAsInfo", integer(2), enum_values=STATES, indexes=[index])) == []


def test_text_is_shown_by_the_display_hint_of_its_metric() -> None:
    assert lines(page_of("OctetString", octets("AB"), display_hint="1x:")) == ['m0{m0="41:42",row="5"} 1']
    assert lines(page_of("DisplayString", octets("AB"), display_hint="1x:")) == ['m0{m0="AB",row="5"} 1']


def test_scale_and_offset_apply_to_extracts() -> None:
    extracts = {"Temp": [{"regex": "(.*)C", "value": "$1"}]}
    page = page_of("DisplayString", octets("250C"), regex_extracts=extracts, scale=0.1, offset=-1)
    assert lines(page) == ['m0Temp{row="5"} 24']


def test_a_state_set_has_a_series_for_each_state_and_one_for_an_unknown() -> None:
    assert lines(page_of("EnumAsStateSet", integer(2), enum_values=STATES)) == [
        'm0{m0="up",row="5"} 0',
        'm0{m0="down",row="5"} 1',
    ]
    assert lines(page_of("EnumAsStateSet", integer(-1), enum_values=STATES))[-1] == 'm0{m0="-1",row="5"} 1'


def test_two_states_of_one_name_are_one_series() -> None:
    page = page_of("EnumAsStateSet", integer(2), enum_values={1: "same", 2: "same"})
    assert lines(page) == ['m0{m0="same",row="5"} 0']
    assert page.dropped == {"duplicate": 1}


def test_each_bit_is_a_series() -> None:
    page = page_of("Bits", octets(b"\x80\x01"), enum_values={0: "first", 15: "last", 16: "beyond"})
    assert [line.rpartition(" ")[2] for line in lines(page)] == ["1", "1", "0"]


def test_scale_and_offset_apply_to_dates_and_to_the_1_of_texts() -> None:
    assert lines(page_of("DisplayString", octets("x"), scale=2, offset=0.5)) == ['m0{m0="x",row="5"} 2.5']
    assert lines(page_of("NTPTimeStamp", octets(b"\x83\xaa\x7e\x8a" + bytes(4)), offset=-3)) == ['m0{row="5"} 7']
    assert lines(page_of("EnumAsInfo", integer(1), enum_values=STATES, scale=9)) == ['m0_info{m0="up",row="5"} 1']


@pytest.mark.parametrize(
    ("kind", "value", "reason"),
    [
        ("EnumAsInfo", octets("x"), "not_a_number"),
        ("EnumAsStateSet", octets(""), "not_a_number"),
        ("EnumAsInfo", ber.tlv(ber.OPAQUE, b"\x9f\x79\x08" + struct.pack(">d", float("nan"))), "not_a_number"),
        ("EnumAsStateSet", ber.tlv(ber.OPAQUE, b"\x9f\x79\x08" + struct.pack(">d", float("-inf"))), "not_a_number"),
        ("gauge", octets("12"), "not_a_number"),
        ("Bits", integer(3), "not_octets"),
        ("DateAndTime", octets("short"), "not_a_date"),
        ("DateAndTime", integer(3), "not_a_date"),
        ("NTPTimeStamp", octets("1234567"), "not_a_date"),
        ("NTPTimeStamp", integer(3), "not_a_date"),
    ],
)
def test_a_value_of_the_wrong_kind_gives_no_sample_and_is_counted(kind: str, value: bytes, reason: str) -> None:
    page = page_of(kind, value)
    assert lines(page) == []
    assert page.render() == b""
    assert page.dropped == {reason: 1}


@pytest.mark.parametrize("kind", ["gauge", "counter", "EnumAsInfo", "EnumAsStateSet"])
def test_a_value_that_is_not_a_number_is_left_out_or_0_as_configured(kind: str) -> None:
    metric = {"oid": "1.3.1", "type": kind, "indexes": [ROW], "enum_values": {0: "zero"}}
    page = Device(module(metrics=[metric])).renderer({"1.3.1.5": octets("text")}).exposition
    assert lines(page) == []
    assert page.dropped == {"not_a_number": 1}
    page = Device(module(metrics=[metric]), zeros=True).renderer({"1.3.1.5": octets("text")}).exposition
    expected = {"EnumAsInfo": 'm0_info{m0="zero",row="5"} 1', "EnumAsStateSet": 'm0{m0="zero",row="5"} 1'}
    assert lines(page) == [expected.get(kind, 'm0{row="5"} 0')]
    assert page.dropped == {}


def test_an_unknown_metric_type_is_an_error() -> None:
    metric = Metric("m0", "1.3.1", "Counter128")
    with pytest.raises(ValueError, match="unknown metric type 'Counter128'"):
        row_samples(metric, {}, b"\x05", ber.INTEGER, b"\x01", lambda _: {}, Exposition())
