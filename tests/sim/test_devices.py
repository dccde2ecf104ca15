"""The demo's devices: complete tables, traffic that fits, and values of the right types."""

from __future__ import annotations

import pytest

from promsnmp.sim.devices import DEMO, Device, printer, router, switch
from promsnmp.sim.mib import Mib
from promsnmp.sim.parts.interfaces import IF_ENTRY, IF_X_ENTRY
from promsnmp.snmp import ber, oid
from promsnmp.snmp.credentials import SecurityLevel, User, Version

DEVICES = [make() for make in DEMO]
UNSIGNED = {ber.COUNTER32, ber.GAUGE32, ber.TIME_TICKS, ber.COUNTER64}


def column(mib: Mib, entry: str, number: int, uptime: float = 0.0) -> dict[str, bytes]:
    """Index -> encoded value of a column."""
    root = oid.encode(f"{entry}.{number}")
    found: dict[str, bytes] = {}
    at = mib.position_after(root)
    while at < len(mib) and (name := mib.oid(at)).startswith(root):
        value = mib.get(name, uptime)
        assert value is not None
        found[".".join(map(str, oid.decode_subids(name[len(root) :])))] = value
        at += 1
    return found


def numbers(mib: Mib, entry: str, number: int, uptime: float = 0.0) -> dict[str, int]:
    values = column(mib, entry, number, uptime)
    return {index: int.from_bytes(value[2:], "big") for index, value in values.items()}


def test_the_devices_have_unique_names_and_cover_all_versions() -> None:
    assert len({device.name for device in DEVICES}) == len(DEMO)
    assert {device.credentials.version for device in DEVICES} == set(Version)


def test_the_router_is_asked_with_authentication_and_privacy() -> None:
    credentials = router().credentials
    assert isinstance(credentials, User)
    assert credentials.level == SecurityLevel.AUTH_PRIV


@pytest.mark.parametrize("device", DEVICES, ids=lambda device: device.name)
@pytest.mark.parametrize("ahead", [0.0, 0.5, 86_400.0, 4e8])
def test_every_value_is_well_formed_at_every_moment(device: Device, ahead: float) -> None:
    mib = device.mib
    for at in range(len(mib)):
        value = mib.get(mib.oid(at), device.uptime + ahead)
        assert value is not None
        tag, start, end = ber.read_any(value, 0, len(value))
        assert end == len(value)
        if tag in UNSIGNED:
            number = int.from_bytes(value[start:], "big", signed=True)
            assert 0 <= number < (1 << 64 if tag == ber.COUNTER64 else 1 << 32)


@pytest.mark.parametrize("device", DEVICES, ids=lambda device: device.name)
def test_the_system_group_identifies_the_device(device: Device) -> None:
    assert device.mib.get(oid.encode("1.3.6.1.2.1.1.5.0")) == ber.tlv(ber.OCTET_STRING, device.name.encode())
    uptime = device.mib.get(oid.encode("1.3.6.1.2.1.1.3.0"), device.uptime)
    assert uptime == ber.encode_integer(int(device.uptime * 100), ber.TIME_TICKS)


def test_the_switch_has_all_columns_of_iftable_and_ifxtable_for_48_ports() -> None:
    mib = switch().mib
    rows = [str(index) for index in range(1, 49)]
    for number in range(1, 23):
        assert list(column(mib, IF_ENTRY, number)) == rows, number
    for number in range(1, 20):
        assert list(column(mib, IF_X_ENTRY, number)) == rows, number


def test_the_printer_has_32_bit_counters_only() -> None:
    mib = printer().mib
    assert column(mib, IF_ENTRY, 10)
    assert not column(mib, IF_X_ENTRY, 6)
    assert not any(mib.is_counter64(at) for at in range(len(mib)))


def test_some_names_need_escaping() -> None:
    aliases = b"".join(column(switch().mib, IF_X_ENTRY, 18).values())
    assert b'"' in aliases
    assert b"\\" in aliases
    assert not aliases.isascii()


@pytest.mark.parametrize("device", DEVICES, ids=lambda device: device.name)
def test_no_interface_carries_more_than_its_speed(device: Device) -> None:
    mib, step = device.mib, 10.0
    for counter, seconds in ((6, 10.0), (10, 10.0)):
        speeds = numbers(mib, IF_X_ENTRY, 15)
        for moment in range(60):
            begin = device.uptime + moment * step
            before, later = numbers(mib, IF_X_ENTRY, counter, begin), numbers(mib, IF_X_ENTRY, counter, begin + seconds)
            for index, speed in speeds.items():
                assert 0 <= later[index] - before[index] <= speed * 1e6 / 8 * seconds + 1


def test_the_load_of_the_switch_fills_most_buckets_of_a_histogram() -> None:
    mib, uptime = switch().mib, switch().uptime
    speeds = numbers(mib, IF_X_ENTRY, 15)
    before, later = (numbers(mib, IF_X_ENTRY, 6, uptime + moment) for moment in (0.0, 30.0))
    shares = [(later[row] - before[row]) * 8 / 30 / (speeds[row] * 1e6) * 100 for row in speeds]
    buckets = (1, 5, 10, 25, 50, 75, 90, 95, 100)
    assert len({sum(share > bound for bound in buckets) for share in shares}) >= 6


def test_the_32_bit_counters_are_the_64_bit_ones_without_their_upper_half() -> None:
    device = switch()
    long, short = numbers(device.mib, IF_X_ENTRY, 6, device.uptime), numbers(device.mib, IF_ENTRY, 10, device.uptime)
    assert {index: value % 2**32 for index, value in long.items()} == short


def test_ports_that_are_down_carry_no_traffic() -> None:
    device = switch()
    states = numbers(device.mib, IF_ENTRY, 8)
    octets = numbers(device.mib, IF_X_ENTRY, 6, device.uptime)
    down = [index for index, state in states.items() if state == 2]
    assert down
    assert all(octets[index] == 0 for index in down)
