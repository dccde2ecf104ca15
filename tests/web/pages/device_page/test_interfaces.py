"""Interfaces from the samples of a page."""

from __future__ import annotations

from promsnmp.web.pages.device_page.interfaces import (
    PREFIXES,
    SIZE,
    InterfaceData,
    InterfacePage,
    InterfaceRow,
    interface_page,
)
from promsnmp.web.scrape_text import samples

LABELS = '{ifAlias="uplink",ifDescr="GigabitEthernet0/1",ifIndex="2",ifName="Gi0/1"}'
PAGE = f"""ifOperStatus{{ifIndex="10",ifName="Gi0/9"}} 2
ifAdminStatus{{ifIndex="10",ifName="Gi0/9"}} 2
ifAdminStatus{LABELS} 1
ifOperStatus{LABELS} 1
ifHighSpeed{LABELS} 1000
ifSpeed{LABELS} 4294967295
ifHCInOctets{LABELS} 123
ifInErrors{LABELS} 3
ifOutErrors{LABELS} 4
ifInDiscards{LABELS} 0
ifNumber 2
"""


def page_of(page: str, data: InterfaceData | None = None, *, wanted: str = "", number: int = 1) -> InterfacePage:
    return interface_page(samples([page], PREFIXES), data or InterfaceData(), wanted=wanted, number=number)


def rows(page: str, rates: dict[str, tuple[float, float]] | None = None) -> list[InterfaceRow]:
    return list(page_of(page, InterfaceData(rates or {})).rows)


def test_an_interface_has_state_speed_rates_errors_and_description() -> None:
    first, second = rows(PAGE, {LABELS: (250e6, 2e9)})
    assert (first.index, first.name, first.description, first.state) == ("2", "Gi0/1", "uplink", "up")
    assert (first.speed, first.rates, first.shares) == (1e9, (250e6, 2e9), (0.25, 1.0))
    assert (first.errors, first.discards) == (7.0, 0.0)
    assert (second.index, second.state, second.speed, second.shares, second.errors) == ("10", "off", 0.0, None, None)


def test_unknown_states_and_speeds_stay_unknown() -> None:
    (row,) = rows('ifOperStatus{ifDescr="a"} 99\nifSpeed{ifDescr="a"} 4294967295\n')
    assert (row.name, row.state, row.speed) == ("a", "unknown", 0.0)
    (row,) = rows('ifOperStatus{ifDescr="a"} NaN\n')
    assert row.state == "unknown"


def test_errors_are_rates_where_two_polls_are_known() -> None:
    first, second = page_of(PAGE, InterfaceData(errors={"2": (0.5, None)})).rows
    assert (first.error_rate, first.discard_rate, second.error_rate) == (0.5, None, None)
    first, _ = page_of(PAGE, InterfaceData(errors={})).rows
    assert (first.error_rate, first.discard_rate) == (0.0, 0.0)
    first, _ = page_of(PAGE).rows
    assert (first.error_rate, first.errors) == (None, 7.0)


def test_interfaces_are_filtered_by_name_description_state_and_index() -> None:
    for wanted, indexes in (("gi0", ["2", "10"]), ("UPLINK", ["2"]), ("off", ["10"]), ("10", ["10"]), ("none", [])):
        assert [row.index for row in page_of(PAGE, wanted=wanted).rows] == indexes


def test_a_page_has_a_bound_and_one_that_does_not_exist_is_the_last() -> None:
    page = "".join(f'ifOperStatus{{ifIndex="{number}"}} 1\n' for number in range(1, 2 * SIZE + 11))
    first, last = page_of(page), page_of(page, number=99)
    assert (len(first.rows), first.found, first.total, first.pages) == (SIZE, 2 * SIZE + 10, 2 * SIZE + 10, 3)
    assert [row.index for row in first.rows[:3]] == ["1", "2", "3"]
    assert (last.number, last.first, len(last.rows)) == (3, 2 * SIZE + 1, 10)
