"""Neighbours by LLDP and CDP, and which devices they are."""

from __future__ import annotations

from promsnmp.inventory.index import Index
from promsnmp.inventory.model import DeviceIdentifiers
from promsnmp.web.pages.device_page.neighbours import (
    MOST_ROWS,
    PREFIXES,
    InventoryFinder,
    NeighbourRow,
    identify,
    neighbour_rows,
)
from promsnmp.web.scrape_text import samples
from tests.support.web.interface import device

REM = 'lldpLocPortId="Gi0/{port}",lldpRemIndex="1",lldpRemLocalPortNum="{port}",lldpRemTimeMark="9"'
PAGE = (
    f'lldpRemChassisId{{{REM.format(port=2)},lldpRemChassisId="0x00005E005302",lldpRemSysName="a"}} 1\n'
    f'lldpRemManAddrIfId{{{REM.format(port=10)},lldpRemManAddr="10.0.0.3",lldpRemSysName="b"}} 5\n'
    f'lldpRemPortDesc{{{REM.format(port=11)},lldpRemPortDesc="x",lldpRemSysName="SWITCH-4."}} 1\n'
    'cdpCacheDeviceId{cdpCacheDeviceId="phone",cdpCacheDeviceIndex="1",cdpCacheIfIndex="3"} 1\n'
    'cdpCacheAddress{cdpCacheAddress="0x0A000005",cdpCacheDeviceIndex="1",cdpCacheIfIndex="3"} 1\n'
    'lldpRemSysDesc{lldpRemSysDesc="without an index"} 1\n'
)


def found(page: str) -> list[NeighbourRow]:
    return list(neighbour_rows(samples([page], PREFIXES))[0])


def test_rows_of_one_neighbour_are_one() -> None:
    rows = found(PAGE)
    assert [(row.protocol, row.local_port, row.name) for row in rows] == [
        ("CDP", "3", "phone"), ("LLDP", "Gi0/2", "a"), ("LLDP", "Gi0/10", "b"), ("LLDP", "Gi0/11", "SWITCH-4.")
    ]  # fmt: skip
    assert [row.address for row in rows] == ["10.0.0.5", "", "10.0.0.3", ""]


def test_a_neighbour_is_the_device_with_its_mac_address_address_or_name() -> None:
    devices = tuple(device(number) for number in range(3, 6))
    with_mac = device(2, identifiers=DeviceIdentifiers(mac_addresses=("00:00:5e:00:53:02",)))
    rows, finders, everything = found(PAGE), InventoryFinder(), (*devices, with_mac)
    finder = finders.of(everything)
    identify(rows, finder, Index(everything))
    assert [row.device and row.device.sys_name for row in rows] == ["switch-5", "switch-2", "switch-3", "switch-4"]
    assert finders.of(everything) is finder


def test_a_neighbour_by_cdp_is_the_device_with_its_name_without_the_serial_number() -> None:
    labels = 'cdpCacheDeviceId="switch-6(FOX1234)",cdpCacheDeviceIndex="1",cdpCacheIfIndex="3"'
    (row,) = found(f"cdpCacheDeviceId{{{labels}}} 1\n")
    identify([row], InventoryFinder().of((device(6),)), Index((device(6),)))
    assert (row.name, row.device and row.device.sys_name) == ("switch-6(FOX1234)", "switch-6")


def test_what_several_devices_have_says_nothing() -> None:
    twins = tuple(
        device(number, sys_name="a", identifiers=DeviceIdentifiers(mac_addresses=("00005e005302",)))
        for number in (7, 8)
    )
    rows = found(PAGE)
    identify(rows, InventoryFinder().of(twins), Index(twins))
    assert [row.device for row in rows] == [None] * 4


def test_texts_that_are_no_addresses_are_none_and_there_is_a_bound() -> None:
    row = NeighbourRow("LLDP", {"lldpRemManAddr": "<b>", "lldpRemChassisId": "0x" + "00" * 7})
    assert (row.address, row.chassis) == ("", "0" * 14)
    many = "".join(
        f'lldpRemChassisId{{lldpRemIndex="{number}",lldpRemLocalPortNum="1"}} 1\n' for number in range(MOST_ROWS + 5)
    )
    rows, count = neighbour_rows(samples([many], PREFIXES))
    assert (len(rows), count) == (MOST_ROWS, MOST_ROWS + 5)
