"""Six devices of different kinds, written by hand, for the demo and for tests.

They differ as real ones do: v1, v2c and v3; with and without 64-bit counters; names that need escaping; interfaces
from idle to nearly full; tables with one and with several indexes; neighbours by LLDP, one of which (SILENT) does not
answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from promsnmp.sim.mib import Mib
from promsnmp.sim.parts import appliances
from promsnmp.sim.parts.chassis import chassis, memory, processors
from promsnmp.sim.parts.interfaces import DOWN, ETHERNET, L2_VLAN, LOOPBACK, Interface, interfaces
from promsnmp.sim.parts.lldp import ROUTER, STATION, LldpNeighbour, lldp
from promsnmp.sim.parts.objects import system
from promsnmp.snmp.credentials import AuthProtocol, Community, Credentials, PrivProtocol, SecurityLevel, User, Version

DAY = 86_400.0
SILENT = "core-sw-02"
"""A device that others see as a neighbour, and that does not answer."""
CONTACT = "Network Operations <noc@example.net>"
ALIASES = (
    'Büro "Süd", 2. OG',
    "会議室 A",
    "Storage\\iSCSI",
    "Printer – café",
    "",
    "uplink; do not touch",
    "Öffentliches WLAN",
    "desk 4711",
)
"""ifAlias as people write it: quotes, backslashes and every alphabet, and often nothing at all."""

LOADS = (0.002, 0.008, 0.02, 0.04, 0.08, 0.15, 0.22, 0.35, 0.48, 0.6, 0.72, 0.8)
"""Mean use of the ports, in turn: some in each bucket of a utilisation histogram."""


@dataclass(frozen=True, slots=True)
class Device:
    """A device to simulate: its objects, its SNMP versions and credentials, and its uptime in seconds."""

    name: str
    descr: str
    location: str
    mib: Mib
    credentials: Credentials = field(default_factory=Community)
    uptime: float = 9 * DAY


def switch(name: str = "access-sw-01", *, ports: int = 48) -> Device:
    """An access switch with ``ports`` rows in ifTable and ifXTable (41 columns each); the last two are uplinks."""
    descr = "Example Networks EN-4800 access switch, 48x 1000BASE-T, 2x 10G, software 7.2(1)"
    location = 'Building 3, floor 2, rack "A"'
    objects = system(name, descr, object_id_suffix="1.48", contact=CONTACT, location=location, services=2)
    objects |= interfaces(name, [_port(number, ports) for number in range(1, ports + 1)])
    optics = {number: _port(number, ports).name for number in (ports - 1, ports)}
    objects |= chassis(name, model="EN-4800", serial="EN48A0117", software="7.2(1)", optics=optics, failed_fan=2)
    objects |= processors(name) | memory(name, 1024)
    names = {number: _port(number, ports).name for number in range(1, ports + 1)}
    seen = [
        LldpNeighbour(2, _mac(4, 1), "ups-01", "eth0", capabilities=STATION),
        LldpNeighbour(3, _mac(5, 1), "printer-3rd-floor", "eth0", capabilities=STATION),
        LldpNeighbour(ports - 1, _mac(6, 0), "core-sw-01", "Eth1/2"),
        LldpNeighbour(ports, _mac(7, 0), SILENT, "Eth1/2"),
    ]
    objects |= lldp(name, descr, chassis=_mac(1, 0), ports=names, neighbours=seen)
    return Device(name, descr, location, Mib.of(objects), uptime=23 * DAY + 4000)


def _port(number: int, ports: int) -> Interface:
    if number > ports - 2:
        return Interface(
            index=number,
            name=f"Te1/1/{number - ports + 2}",
            descr=f"TenGigabitEthernet1/1/{number - ports + 2}",
            alias=f'uplink to core-{number - ports + 2} "10G"',
            mtu=9216,
            speed=10_000,
            mac=_mac(1, number),
            load_in=0.34 + 0.3 * (number == ports),
            load_out=0.11,
        )
    is_used = number % 9 != 0
    return Interface(
        index=number,
        name=f"Gi1/0/{number}",
        descr=f"GigabitEthernet1/0/{number}",
        alias=ALIASES[number % len(ALIASES)],
        speed=100 if number % 16 == 7 else 1000,
        mac=_mac(1, number),
        admin=DOWN if number % 27 == 0 else 1,
        oper=1 if is_used else DOWN,
        load_in=LOADS[number % len(LOADS)],
        load_out=LOADS[(number * 5 + 3) % len(LOADS)],
        errors=0.3 if number % 13 == 0 else 0.0,
    )


def _mac(device: int, number: int) -> bytes:
    """Locally administered (IEEE 802, second bit of the first octet), so that no vendor owns it."""
    return bytes((0x02, 0x00, 0x5E, device, number >> 8, number & 0xFF))


DEMO_USER = User(
    name="promsnmp",
    level=SecurityLevel.AUTH_PRIV,
    auth_protocol=AuthProtocol.SHA256,
    auth_passphrase="demo-authentication",
    priv_protocol=PrivProtocol.AES256,
    priv_passphrase="demo-privacy",
)
"""The user of the demo's router. Its passphrases are no secret: it guards made-up numbers on loopback."""


def router(name: str = "edge-rtr-01") -> Device:
    """A router that speaks v3 (SHA-256, AES-256)."""
    descr = "Example Networks ER-200 edge router, software 12.4"
    location = "Data centre, row 2"
    objects = system(name, descr, object_id_suffix="1.200", contact=CONTACT, location=location, services=78)
    rows = [
        Interface(index=1, name="lo0", descr="Loopback0", type=LOOPBACK, mtu=65535, speed=0),
        _routed(2, "xe-0/0/0", 10_000, "transit: Example Carrier, circuit EX/1234", 0.62, 0.31),
        _routed(3, "xe-0/0/1", 10_000, "transit: Other Carrier", 0.18, 0.44),
        _routed(4, "et-0/1/0", 100_000, "core-1 <-> edge-rtr-01", 0.09, 0.13),
        Interface(index=10, name="vlan.100", descr="Vlan100", alias="guests", type=L2_VLAN, speed=1000, load_in=0.03),
    ]
    objects |= interfaces(name, rows)
    optics = {row.index: row.name for row in rows[1:4]}
    objects |= chassis(name, model="ER-200", serial="ER20B0042", software="12.4", optics=optics)
    objects |= processors(name, 2) | memory(name, 8192)
    objects |= appliances.ip_addresses({"192.0.2.1": (2, 30), "198.51.100.1": (3, 30), "203.0.113.1": (4, 31)})
    names = {row.index: row.name for row in rows}
    seen = [LldpNeighbour(4, _mac(6, 0), "core-sw-01", "Eth1/1")]
    objects |= lldp(name, descr, chassis=_mac(2, 0), ports=names, neighbours=seen, capabilities=ROUTER)
    return Device(name, descr, location, Mib.of(objects), DEMO_USER, uptime=140 * DAY)


def _routed(index: int, name: str, speed: int, alias: str, load_in: float, load_out: float) -> Interface:
    return Interface(
        index=index,
        name=name,
        descr=name,
        alias=alias,
        type=ETHERNET,
        mtu=9192,
        speed=speed,
        mac=_mac(2, index),
        load_in=load_in,
        load_out=load_out,
    )


def server(name: str = "app-srv-01") -> Device:
    """A server: HOST-RESOURCES-MIB and a few objects of UCD-SNMP-MIB."""
    descr = "Linux app-srv-01 6.1.0-amd64 #1 SMP x86_64"
    location = "Data centre, row 4, unit 12"
    objects = system(name, descr, object_id_suffix="2.1", contact=CONTACT, location=location, services=72)
    rows = [
        Interface(index=1, name="lo", descr="lo", type=LOOPBACK, mtu=65536, speed=10, load_in=0.01, load_out=0.01),
        Interface(
            index=2,
            name="eth0",
            descr="eth0",
            alias="frontend",
            mac=_mac(3, 2),
            load_in=0.27,
            load_out=0.55,
        ),
        Interface(index=3, name="eth1", descr="eth1", alias="backup", mac=_mac(3, 3), load_in=0.04, load_out=0.9),
    ]
    objects |= interfaces(name, rows)
    objects |= appliances.host_resources(name)
    objects |= appliances.ucd(name)
    names = {row.index: row.name for row in rows}
    seen = [LldpNeighbour(2, _mac(6, 0), "core-sw-01", "Eth1/4")]
    objects |= lldp(name, descr, chassis=_mac(3, 2), ports=names, neighbours=seen, capabilities=STATION)
    return Device(name, descr, location, Mib.of(objects), uptime=3 * DAY + 777)


def ups(name: str = "ups-01") -> Device:
    """An uninterruptible power supply (UPS-MIB, RFC 1628)."""
    descr = "Example Power EP-3000 UPS, network card 2.1"
    location = "Building 3, basement"
    objects = system(name, descr, object_id_suffix="3.3000", contact=CONTACT, location=location, services=72)
    rows = [Interface(index=1, name="eth0", descr="Management", speed=100, mac=_mac(4, 1), load_in=0.001)]
    objects |= interfaces(name, rows)
    objects |= appliances.ups(name)
    return Device(name, descr, location, Mib.of(objects), uptime=410 * DAY)


def printer(name: str = "printer-3rd-floor") -> Device:
    """A printer that speaks v1 only and has 32-bit counters only (Printer-MIB, RFC 3805)."""
    descr = "Example Office EO-9 laser printer"
    location = "Building 3, floor 3, copy room"
    objects = system(name, descr, object_id_suffix="4.9", contact="Facilities", location=location, services=72)
    row = Interface(
        index=1, name="eth0", descr="Ethernet", speed=100, mac=_mac(5, 1), load_in=0.05, load_out=0.01, errors=0.02
    )
    objects |= interfaces(name, [row], extended=False)
    objects |= appliances.printer(name)
    return Device(name, descr, location, Mib.of(objects), Community(Version.V1), uptime=1.5 * DAY)


def core(name: str = "core-sw-01") -> Device:
    """A core switch between the router, the access switch, the server and SILENT."""
    descr = "Example Networks EN-9000 core switch, software 9.1"
    location = "Data centre, row 1"
    objects = system(name, descr, object_id_suffix="1.90", contact=CONTACT, location=location, services=6)
    rows = [
        _core_port(1, 100_000, "edge-rtr-01 et-0/1/0", 0.13, 0.09),
        _core_port(2, 10_000, "access-sw-01 Te1/1/1", 0.11, 0.34),
        _core_port(3, 100_000, f"{SILENT} Eth1/1", 0.0, 0.0, oper=DOWN),
        _core_port(4, 1000, "app-srv-01 eth0", 0.55, 0.27),
    ]
    objects |= interfaces(name, rows)
    optics = {row.index: row.name for row in rows[:3]}
    objects |= chassis(name, model="EN-9000", serial="EN90C0003", software="9.1", optics=optics)
    objects |= processors(name, 2) | memory(name, 4096)
    seen = [
        LldpNeighbour(1, _mac(2, 0), "edge-rtr-01", "et-0/1/0", capabilities=ROUTER),
        LldpNeighbour(2, _mac(1, 0), "access-sw-01", "Te1/1/1"),
        LldpNeighbour(3, _mac(7, 0), SILENT, "Eth1/1"),
        LldpNeighbour(4, _mac(3, 2), "app-srv-01", "eth0", capabilities=STATION),
    ]
    names = {row.index: row.name for row in rows}
    objects |= lldp(name, descr, chassis=_mac(6, 0), ports=names, neighbours=seen)
    return Device(name, descr, location, Mib.of(objects), uptime=61 * DAY)


def _core_port(index: int, speed: int, alias: str, load_in: float, load_out: float, *, oper: int = 1) -> Interface:
    return Interface(
        index=index,
        name=f"Eth1/{index}",
        descr=f"Ethernet1/{index}",
        alias=alias,
        mtu=9216,
        speed=speed,
        mac=_mac(6, index),
        oper=oper,
        load_in=load_in,
        load_out=load_out,
    )


DEMO: tuple[Callable[[], Device], ...] = (switch, router, server, ups, printer, core)
"""The functions that make the devices of the demo."""
