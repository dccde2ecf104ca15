"""Addresses of neighbours in devices' tables: recorded tables, and tables with nonsense."""

from __future__ import annotations

import pytest

from promsnmp.discovery.examine.neighbours import neighbour_addresses, neighbour_rows
from promsnmp.sim.agent import SimulatedAgent
from promsnmp.sim.mib import Mib, Value
from promsnmp.sim.recording import read_recording
from promsnmp.snmp import ber
from promsnmp.snmp.credentials import Version
from tests.support.agents.operation import exchange
from tests.support.tools import require_shared

LLDP = "1.0.8802.1.1.2.1.4.2.1.3"
CDP = "1.3.6.1.4.1.9.9.23.1.2.1.1.4"
TWO = ber.encode_integer(2)


def addresses_of(mib: Mib, version: Version = Version.V2C) -> list[str]:
    head = neighbour_rows(version)
    exchange(head, SimulatedAgent(mib).answer, version=version)
    return neighbour_addresses(head)


def octets(*values: int) -> Value:
    return ber.tlv(ber.OCTET_STRING, bytes(values))


def test_lldp_and_cdp_give_addresses_of_both_families_once_each() -> None:
    v6 = "32.1.13.184.0.0.0.0.0.0.0.0.0.0.0.7"
    rows: dict[str, Value] = {
        f"{LLDP}.0.1.1.1.4.192.0.2.7": TWO,
        f"{LLDP}.900.2.1.1.4.192.0.2.7": TWO,
        f"{LLDP}.0.3.1.2.16.{v6}": TWO,
        f"{CDP}.1.1": octets(192, 0, 2, 8),
    }
    assert addresses_of(Mib.of(rows)) == ["192.0.2.7", "192.0.2.8", "2001:db8::7"]
    assert addresses_of(Mib.of(rows), Version.V1) == ["192.0.2.7", "192.0.2.8", "2001:db8::7"]


def test_unusable_neighbour_addresses_are_left_out() -> None:
    rows: dict[str, Value] = {
        f"{LLDP}.0.1.1.6.6.0.36.168.225.208.128": TWO,  # a MAC address
        f"{LLDP}.0.2.1.1.4.192.0.2": TWO,  # cut off
        f"{LLDP}.0.3.1.1.4.192.0.2.300": TWO,
        f"{LLDP}.0.4.1.1.5.192.0.2.1.1": TWO,
        f"{LLDP}.0.5.1.1.4.0.0.0.0": TWO,
        f"{LLDP}.0.6.1.1.4.169.254.1.2": TWO,
        f"{LLDP}.0.7.1.1.4.255.255.255.255": TWO,
        f"{LLDP}.0.8.1.1.4.224.0.0.1": TWO,
        f"{LLDP}.7": TWO,
        f"{CDP}.1.1": octets(1, 2, 3),
        f"{CDP}.1.2": octets(),
        f"{CDP}.1.3": ber.encode_integer(7),
        f"{CDP}.1.4": octets(0xFE, 0x80, *range(14)),
    }
    assert addresses_of(Mib.of(rows)) == []


@pytest.mark.parametrize(
    ("name", "count", "one"),
    [("aos6", 13, "10.150.134.252"), ("arista_eos_vrf", 1, "172.29.173.53"), ("arubaos-cx", 1, "172.20.5.87")],
)  # fmt: skip
def test_recorded_devices_give_their_neighbours(name: str, count: int, one: str) -> None:
    found = addresses_of(read_recording(require_shared("recordings", f"{name}.snmprec")).mib)
    assert (len(found), one in found) == (count, True)
