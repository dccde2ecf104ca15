"""Interfaces from the samples of a page."""

from __future__ import annotations

from promsnmp.web.pages.interfaces import MOST_ROWS, InterfaceRow, interface_rows
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


def rows(page: str, rates: dict[str, tuple[float, float]] | None = None) -> list[InterfaceRow]:
    return list(interface_rows(samples(page, ("if",)), rates or {})[0])


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


def test_there_is_a_bound_on_interfaces() -> None:
    page = "".join(f'ifOperStatus{{ifIndex="{number}"}} 1\n' for number in range(1, MOST_ROWS + 11))
    found, count = interface_rows(samples(page, ("if",)), {})
    assert (len(found), count) == (MOST_ROWS, MOST_ROWS + 10)
    assert [row.index for row in found[:3]] == ["1", "2", "3"]
