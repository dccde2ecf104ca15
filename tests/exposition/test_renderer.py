"""Columns are rendered to samples: values, labels, duplicates, and what is cached between polls."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promsnmp.snmp import ber
from tests.support.exposition.polls import ROW, Device, column, counter64, gauge32, integer, module, octets, samples

NAME = {"labels": ["row"], "labelname": "name", "oid": "1.3.2", "type": "DisplayString"}
NAMED = {"oid": "1.3.1", "indexes": [ROW], "lookups": [NAME]}
IF = "1.3.6.1.2.1.2.2.1"
IF_X = "1.3.6.1.2.1.31.1.1.1"


def test_numbers_of_all_types_become_samples() -> None:
    values = [integer(-5), gauge32(2**32 - 1), counter64(2**53 + 1), ber.encode_integer(7, ber.TIME_TICKS)]
    device = Device(module(metrics=[{"oid": "1.3.1", "type": "counter", "indexes": [ROW]}]))
    assert device.samples(column("1.3.1", values)) == [
        'm0{row="1"} -5', 'm0{row="2"} 4294967295', 'm0{row="3"} 1', 'm0{row="4"} 7',
    ]  # fmt: skip


def test_counter64_is_whole_when_wrapping_is_off() -> None:
    device = Device(module(metrics=[{"oid": "1.3.1"}]), wrap=False)
    assert device.samples({"1.3.1.0": counter64(2**64 - 1)}) == ["m0 18446744073709551615"]


@pytest.mark.parametrize(
    ("scale", "offset", "value"),
    [(0.1, 0, "0.7000000000000001"), (0, 1, "8"), (2, -1, "13"), (2.0**-30, 0, repr(7 * 2.0**-30))],
)
def test_scale_comes_before_offset(scale: float, offset: float, value: str) -> None:
    device = Device(module(metrics=[{"oid": "1.3.1", "scale": scale, "offset": offset}]))
    assert device.samples({"1.3.1.0": integer(7)}) == [f"m0 {value}"]


def test_a_missing_row_gives_no_sample_and_never_0() -> None:
    device = Device(module(metrics=[{**NAMED}, {**NAMED, "oid": "1.3.3"}]))
    found = device.samples({"1.3.1.1": integer(1), "1.3.1.2": integer(2), "1.3.3.2": integer(3)})
    assert found == ['m0{name="",row="1"} 1', 'm0{name="",row="2"} 2', 'm1{name="",row="2"} 3']


def test_a_value_that_is_not_a_number_is_counted_and_the_column_served() -> None:
    device = Device(module(metrics=[{"oid": "1.3.1", "indexes": [ROW]}]))
    page = device.renderer(column("1.3.1", [integer(1), octets("x"), integer(3)])).exposition
    assert samples(page.render().decode()) == ['m0{row="1"} 1', 'm0{row="3"} 3']
    assert page.dropped == {"not_a_number": 1}


def test_a_duplicate_within_a_metric_is_counted_and_the_rest_served() -> None:
    device = Device(module(metrics=[{"oid": "1.3.1"}, {"oid": "1.3.2", "type": "DisplayString"}, {"oid": "1.3.3"}]))
    objects = {
        "1.3.1.1": integer(1),
        "1.3.1.2": integer(2),
        "1.3.2.1": octets("a"),
        "1.3.2.2": octets("a"),
        "1.3.3.0": integer(9),
    }
    for _ in range(2):  # made and kept
        page = device.renderer(objects).exposition
        assert samples(page.render().decode()) == ["m0 1", 'm1{m1="a"} 1', "m2 9"]
        assert page.dropped == {"duplicate": 2}


def test_labels_follow_a_changed_alias_and_rows_come_and_go() -> None:
    device = Device(module(metrics=[NAMED, {**NAMED, "oid": "1.3.3", "type": "DisplayString"}]))
    first = {"1.3.1.1": integer(1), "1.3.2.1": octets("old"), "1.3.3.1": octets("text")}
    assert device.samples(first) == ['m0{name="old",row="1"} 1', 'm1{m1="text",name="old",row="1"} 1']
    changed = {**first, "1.3.2.1": octets("new")}
    assert device.samples(changed) == ['m0{name="new",row="1"} 1', 'm1{m1="text",name="new",row="1"} 1']
    more = {**changed, "1.3.1.2": integer(5)}
    assert device.samples(more)[1] == 'm0{name="",row="2"} 5'
    assert device.samples(first)[0] == 'm0{name="old",row="1"} 1'
    assert device.samples({}) == []


def test_cached_text_follows_its_column() -> None:
    device = Device(module(metrics=[{"oid": "1.3.1", "type": "DisplayString"}]))
    assert [device.samples({"1.3.1.0": octets(one)}) for one in ("a", "a", "b")] == [
        ['m0{m0="a"} 1'], ['m0{m0="a"} 1'], ['m0{m0="b"} 1'],
    ]  # fmt: skip


def test_cached_text_follows_its_type_column() -> None:
    address = {"oid": "1.3.2", "type": "InetAddress"}
    looked = {"oid": "1.3.3", "indexes": [ROW], "lookups": [{**NAME, "type": "InetAddress"}]}
    device = Device(module(metrics=[address, looked]))
    objects = {"1.3.2.0": octets(b"\x0a\x00\x00\x01"), "1.3.3.0": integer(4)}
    for address_type, text in ((integer(1), "10.0.0.1"), (integer(4), "0x0A000001"), (integer(1), "10.0.0.1")):
        found = device.samples({**objects, "1.3.1.0": address_type})
        assert found == [f'm0{{m0="{text}"}} 1', f'm1{{name="{text}",row="0"}} 4']


ROWS = st.integers(0, 6) | st.sampled_from([127, 128, 16_383, 2**32 - 1])
NUMBERS = st.dictionaries(ROWS, st.integers(-(2**31), 2**31 - 1))
TEXTS = st.dictionaries(ROWS, st.binary(max_size=4))


def shown(text: bytes | None) -> str:
    return f"0x{text.hex().upper()}" if text else ""


@settings(deadline=None)
@given(st.lists(st.tuples(NUMBERS, NUMBERS, TEXTS, TEXTS), min_size=1, max_size=4))
def test_a_page_has_what_the_agent_sent_in_this_poll_and_nothing_else(
    polls: list[tuple[dict[int, int], dict[int, int], dict[int, bytes], dict[int, bytes]]],
) -> None:
    """Rows come and go in each column on its own, and change; one device is polled, so labels are kept in between."""
    fields = {"indexes": [ROW], "lookups": [{**NAME, "type": "OctetString"}]}
    device = Device(module(metrics=[
        {"oid": "1.3.1", **fields}, {"oid": "1.3.3", **fields}, {"oid": "1.3.4", "type": "OctetString", **fields},
    ]))  # fmt: skip
    for first, second, texts, names in polls:
        objects = {f"1.3.{at}.{row}": integer(number) for at, numbers in ((1, first), (3, second))
                   for row, number in numbers.items()}  # fmt: skip
        objects |= {f"1.3.{at}.{row}": ber.tlv(ber.OCTET_STRING, text) for at, column_of in ((4, texts), (2, names))
                    for row, text in column_of.items()}  # fmt: skip
        wanted = [f'm{at}{{name="{shown(names.get(row))}",row="{row}"}} {number}'
                  for at, numbers in enumerate((first, second)) for row, number in numbers.items()]  # fmt: skip
        wanted += [f'm2{{m2="{shown(text)}",name="{shown(names.get(row))}",row="{row}"}} 1'
                   for row, text in texts.items()]  # fmt: skip
        assert sorted(device.samples(objects)) == sorted(wanted)
