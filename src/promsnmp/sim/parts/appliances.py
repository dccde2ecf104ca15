"""Tables of simulated devices besides their interfaces: addresses, a server, a power supply, a printer."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping

from promsnmp.sim.mib import Value
from promsnmp.sim.moving import Flow, counter32, gauge
from promsnmp.sim.parts.objects import (
    Objects,
    TableRows,
    integer,
    ip_address,
    object_id,
    scalars,
    table,
    text,
    time_ticks,
    unsigned,
)
from promsnmp.snmp import ber

HOST = "1.3.6.1.2.1.25"
UCD = "1.3.6.1.4.1.2021"
UPS = "1.3.6.1.2.1.33.1"
PRINTER = "1.3.6.1.2.1.43"


def ip_addresses(addresses: Mapping[str, tuple[int, int]]) -> Objects:
    """ipAddrTable (RFC 4293): IPv4 address -> ifIndex and prefix length."""
    rows: TableRows = {}
    for address, (interface, prefix) in addresses.items():
        mask = str(ipaddress.IPv4Network((address, prefix), strict=False).netmask)
        index = tuple(ipaddress.IPv4Address(address).packed)
        rows[index] = {1: ip_address(address), 2: integer(interface), 3: ip_address(mask), 4: integer(1)}
    return table("1.3.6.1.2.1.4.20.1", rows)


def host_resources(seed: str) -> Objects:
    """hrSystem, hrStorageTable, hrDeviceTable and hrProcessorTable (RFC 2790) with four processors."""
    storage: TableRows = {(row,): _storage(row, *what, seed=seed) for row, what in _STORAGE.items()}
    cores = range(196608, 196612)
    devices: TableRows = {
        (core,): {1: integer(core), 2: object_id(f"{HOST}.3.1.3"), 3: text("Example CPU"), 5: integer(2)}
        for core in cores
    }
    loads: TableRows = {
        (core,): {1: object_id("0.0"), 2: gauge(3, 97, tag=ber.INTEGER, seed=f"{seed} {core}")} for core in cores
    }
    processes = gauge(180, 240, seed=f"{seed} processes")
    return {
        **scalars(f"{HOST}.1", {"5": unsigned(3), "6": processes, "7": integer(0)}),
        f"{HOST}.2.2.0": integer(16_777_216),
        **table(f"{HOST}.2.3.1", storage),
        **table(f"{HOST}.3.2.1", devices),
        **table(f"{HOST}.3.3.1", loads),
    }


_STORAGE: dict[int, tuple[str, str, int, int, float]] = {
    1: ("2", "Physical memory", 1024, 16_777_216, 0.6),
    10: ("3", "Swap space", 1024, 4_194_304, 0.02),
    31: ("4", "/", 4096, 26_214_400, 0.4),
    36: ("4", "/var/lib/data", 4096, 268_435_456, 0.83),
}


def _storage(row: int, kind: str, descr: str, unit: int, size: int, used: float, *, seed: str) -> dict[int, Value]:
    return {
        1: integer(row),
        2: object_id(f"{HOST}.2.1.{kind}"),
        3: text(descr),
        4: integer(unit),
        5: integer(size),
        6: gauge(size * used * 0.95, size * used * 1.05, tag=ber.INTEGER, seed=f"{seed} storage {row}"),
    }


def ucd(seed: str) -> Objects:
    """laTable, memory and CPU time of UCD-SNMP-MIB."""
    names = {1: "Load-1", 2: "Load-5", 3: "Load-15"}
    loads: TableRows = {
        (row,): {
            1: integer(row),
            2: text(name),
            3: text(f"{1.5 / row:.2f}"),
            5: gauge(20, 380 / row, tag=ber.INTEGER, seed=f"{seed} load {row}"),
        }
        for row, name in names.items()
    }
    memory: Objects = {
        "5": integer(16_777_216),
        "6": gauge(2_000_000, 7_000_000, tag=ber.INTEGER, seed=f"{seed} memory"),
    }
    ticks: Objects = {
        str(column): counter32(Flow(rate, swing=0.6, seed=f"{seed} cpu {column}"))
        for column, rate in {50: 90.0, 51: 2.0, 52: 35.0, 53: 270.0, 54: 3.0}.items()
    }
    return {**table(f"{UCD}.10.1", loads), **scalars(f"{UCD}.4", memory), **scalars(f"{UCD}.11", ticks)}


def ups(seed: str) -> Objects:
    """Identity, battery, input, output and one alarm of UPS-MIB (RFC 1628)."""
    ident: Objects = {"1": text("Example Power"), "2": text("EP-3000"), "3": text("2.1.7"), "4": text("card 2.1")}
    battery: Objects = {
        "1": integer(2),
        "2": integer(0),
        "3": gauge(38, 52, tag=ber.INTEGER, seed=f"{seed} minutes"),
        "4": gauge(94, 100, tag=ber.INTEGER, seed=f"{seed} charge"),
        "5": gauge(272, 276, tag=ber.INTEGER, seed=f"{seed} volts"),
        "6": integer(0),
        "7": gauge(24, 31, tag=ber.INTEGER, seed=f"{seed} degrees"),
    }
    lines: TableRows = {
        (1,): {
            2: gauge(498, 502, tag=ber.INTEGER, seed=f"{seed} hertz"),
            3: gauge(226, 236, tag=ber.INTEGER, seed=f"{seed} input"),
            4: gauge(40, 75, tag=ber.INTEGER, seed=f"{seed} current"),
            5: gauge(900, 1700, tag=ber.INTEGER, seed=f"{seed} true power"),
        }
    }
    outputs: TableRows = {
        (1,): {
            2: integer(230),
            3: gauge(38, 70, tag=ber.INTEGER, seed=f"{seed} output current"),
            4: gauge(850, 1600, tag=ber.INTEGER, seed=f"{seed} output power"),
            5: gauge(28, 54, tag=ber.INTEGER, seed=f"{seed} load"),
        }
    }
    return {
        **scalars(f"{UPS}.1", {**ident, "5": text(seed), "6": text('rack "A", rack "B"')}),
        **scalars(f"{UPS}.2", battery),
        **scalars(f"{UPS}.3", {"1": counter32(lambda uptime: uptime / 900_000), "2": integer(1)}),
        **table(f"{UPS}.3.3.1", lines),
        **scalars(f"{UPS}.4", {"1": integer(3), "2": integer(500), "3": integer(1)}),
        **table(f"{UPS}.4.4.1", outputs),
        **scalars(f"{UPS}.6", {"1": unsigned(1)}),
        **table(f"{UPS}.6.2.1", {(1,): {2: object_id(f"{UPS}.6.3.20"), 3: time_ticks(0)}}),
        **scalars(f"{UPS}.9", {"1": integer(230), "2": integer(500), "3": integer(230), "4": integer(500)}),
    }


def printer(seed: str) -> Objects:
    """Page counter, supplies and status of Printer-MIB (RFC 3805) and the printer of HOST-RESOURCES-MIB."""
    toners = {1: "black toner", 2: "cyan toner", 3: 'magenta toner "XL"', 4: "yellow toner"}
    supplies: TableRows = {
        (1, row): {
            2: integer(1),
            4: integer(3),
            5: integer(3),
            6: text(name),
            7: integer(19),
            8: integer(100),
            9: gauge(5 + 20 * row, 8 + 20 * row, tag=ber.INTEGER, seed=f"{seed} {name}"),
        }
        for row, name in toners.items()
    }
    device: TableRows = {(1,): {1: integer(1), 2: object_id(f"{HOST}.3.1.5"), 3: text("EO-9"), 5: integer(2)}}
    life: TableRows = {(1, 1): {3: integer(7), 4: counter32(lambda uptime: 48_211 + uptime / 20), 5: integer(0)}}
    return {
        **table(f"{HOST}.3.2.1", device),
        **table(f"{HOST}.3.5.1", {(1,): {1: integer(3)}}),
        f"{PRINTER}.5.1.1.16.1": text(seed),
        **table(f"{PRINTER}.10.2.1", life),
        **table(f"{PRINTER}.11.1.1", supplies),
    }
