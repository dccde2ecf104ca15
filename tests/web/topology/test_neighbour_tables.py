"""Identifiers, addresses and names as the neighbour tables have them."""

from __future__ import annotations

import pytest

from promsnmp.web.scrape_text import samples
from promsnmp.web.topology.neighbour_tables import LLDP_INDEX, address_of, cdp_name, digits_of, table_rows


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("0xC0000201", "192.0.2.1"),
        ("0X20010db8000000000000000000000001", "2001:db8::1"),
        ("0x20010db800000000000000000000000101", ""),
        ("0xC00002", ""),
        ("0xno", ""),
        ("switch", ""),
        ("", ""),
    ],
)
def test_an_address_is_text_or_four_or_sixteen_octets(text: str, address: str) -> None:
    assert address_of(text) == address


def test_identifiers_are_digits_and_names_have_no_serial_number() -> None:
    assert digits_of("0x02005E01FFAB") == digits_of("02:00:5e:01:ff:ab") == "02005e01ffab"
    assert digits_of("0200.5e01.ffab") == digits_of("2:0:5E:1:FF:AB") == digits_of("02005e01ffab") == "02005e01ffab"
    assert len({digits_of(text) for text in ("core-sw", "ce", "c-e", "access", "acce")}) == 5
    assert digits_of("") == digits_of("0x") == ""
    assert [cdp_name(text) for text in ("nexus(FOX1)", "ios.example", "")] == ["nexus", "ios.example", ""]


def test_the_samples_of_a_row_are_together_whenever_it_changed() -> None:
    page = (
        'lldpRemChassisId{lldpRemChassisId="a",lldpRemIndex="1",lldpRemLocalPortNum="2",lldpRemTimeMark="5"} 1\n'
        'lldpRemPortDesc{lldpRemIndex="1",lldpRemLocalPortNum="2",lldpRemPortDesc="b"} 1\n'
        'lldpRemSysDesc{lldpRemSysDesc="without an index"} 1\n'
    )
    (row,) = table_rows(samples([page], ("lldp",)), LLDP_INDEX).values()
    assert (row["lldpRemChassisId"], row["lldpRemPortDesc"]) == ("a", "b")
