"""Many simulated devices on one UDP socket: every address of a loopback network may be a device of its own.

All of 127.0.0.0/8 is this machine's (ip(7)), so one socket bound to every address receives the datagrams for all of
them, and IP_PKTINFO has the destination; the answer leaves from that address. So a network of a thousand devices among
sixty thousand silent addresses fits into one process, to try discovery on.
"""

from __future__ import annotations

import ipaddress
import socket
import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol, Self

from promsnmp.sim.agent import SimulatedAgent
from promsnmp.sim.listener import Listener
from promsnmp.sim.mib import Mib, Value
from promsnmp.snmp import ber
from promsnmp.snmp import oid as oids
from promsnmp.snmp.credentials import User
from promsnmp.snmp.v3.keys import KeyCache

SYS_NAME = oids.encode("1.3.6.1.2.1.1.5.0")
PHYSICAL_ADDRESS = oids.encode("1.3.6.1.2.1.2.2.1.6")  # ifPhysAddress
SERIAL_NUMBER = oids.encode("1.3.6.1.2.1.47.1.1.1.1.11")  # entPhysicalSerialNum
ENGINE_ID = oids.encode("1.3.6.1.6.3.10.2.1.1.0")  # snmpEngineID
ENTERPRISE = bytes.fromhex("80007ed905")
"""Start of generated engine ids (RFC 3411 section 5, SnmpEngineID): the enterprise number for examples."""

_IP_PKTINFO = 8
"""Of Linux (linux/in.h); Python has no name for it before 3.14."""
_PKTINFO = struct.Struct("=I4s4s")
_BATCH = 64


class DatagramHandler(Protocol):
    """Anything that answers datagrams."""

    def answer(self, datagram: bytes) -> bytes | None:
        """The answer to ``datagram``; None for no answer."""


class Field(Listener):
    """Devices by the IPv4 address at which each answers; addresses without one are silent, and never refuse."""

    def __init__(self, devices: Mapping[str, DatagramHandler]) -> None:
        super().__init__()
        self.devices = {socket.inet_aton(address): device for address, device in devices.items()}
        self.agents = tuple(device for device in devices.values() if isinstance(device, SimulatedAgent))
        self.port = 0

    async def start(self, port: int = 0) -> Self:
        """Listens on ``port`` of all addresses; 0 takes a free one. Raises OSError when that is not possible."""
        self._listen(
            socket.AF_INET,
            "0.0.0.0",  # noqa: S104  # only what is sent to a device's address is answered
            port,
            (socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22),
            (socket.IPPROTO_IP, _IP_PKTINFO, 1),
        )
        self.port = self.local[1]
        return self

    def _readable(self, opened: socket.socket) -> None:
        for _ in range(_BATCH):
            try:
                datagram, ancillary, _, peer = opened.recvmsg(65_535, socket.CMSG_SPACE(_PKTINFO.size))
            except OSError:  # nothing more to read
                return
            where = next((_PKTINFO.unpack(data)[2] for _, kind, data in ancillary if kind == _IP_PKTINFO), b"")
            device = self.devices.get(where)
            answer = device.answer(datagram) if device is not None else None
            if answer is None:
                continue
            source = [(socket.IPPROTO_IP, _IP_PKTINFO, _PKTINFO.pack(0, where, bytes(4)))]
            try:
                opened.sendmsg([answer], source, 0, peer)
            except OSError:  # a full buffer loses an answer, as networks do
                continue


def spread_over(network: str, count: int) -> list[str]:
    """``count`` host addresses of an IPv4 network, evenly apart. Raises ValueError if there are fewer."""
    try:
        found = ipaddress.IPv4Network(network, strict=False)
    except ValueError:
        raise ValueError(f"{network!r} is not an IPv4 network such as 127.1.0.0/16") from None
    hosts = max(found.num_addresses - 2, 1)
    if not 0 < count <= hosts:
        raise ValueError(f"{found} has {hosts:,} addresses for devices, not {count:,}")
    first = int(found.network_address) + (hosts > 1)
    return [str(ipaddress.IPv4Address(first + number * hosts // count)) for number in range(count)]


def siblings(mibs: Sequence[Mib], count: int) -> Iterator[tuple[bytes, Mib]]:
    """``count`` devices made from ``mibs`` in turn: engine id and MIB of each.

    They differ in the identifiers of devices: sysName, engine id, ifPhysAddress, entPhysicalSerialNum.
    """
    own = [_identity(mib) for mib in mibs]
    for number in range(count):
        mib, (name, tables) = mibs[number % len(mibs)], own[number % len(mibs)]
        engine = ENTERPRISE + number.to_bytes(8, "big")
        values: dict[bytes, Value] = {
            one: ber.tlv(ber.OCTET_STRING, _marked(one, value, number)) for one, value in tables
        }
        if SYS_NAME in mib:
            values[SYS_NAME] = ber.tlv(ber.OCTET_STRING, b"%s-%05d" % (name, number + 1))
        if ENGINE_ID in mib:
            values[ENGINE_ID] = ber.tlv(ber.OCTET_STRING, engine)
        yield engine, mib.altered(values)


def _identity(mib: Mib) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """The sysName of a MIB, and its MAC addresses and serial numbers by OID."""
    names = (name for name in mib.objects if name.startswith((PHYSICAL_ADDRESS, SERIAL_NUMBER)))
    tables = [(name, value) for name in names if (value := _octets(mib, name))]
    return _octets(mib, SYS_NAME) or b"device", tables


def _octets(mib: Mib, name: bytes) -> bytes:
    value = mib.get(name) or b""
    if value[:1] != bytes((ber.OCTET_STRING,)):
        return b""
    start, end = ber.read(value, 0, len(value), ber.OCTET_STRING)
    return value[start:end]


def _marked(name: bytes, value: bytes, number: int) -> bytes:
    """A MAC address or serial number for one sibling."""
    if name.startswith(SERIAL_NUMBER):
        return b"%s-%d" % (value, number + 1)
    return value[:2] + number.to_bytes(3, "big")[1:] + value[-2:] if len(value) == 6 else value


def populate(
    mibs: Sequence[Mib],
    addresses: Sequence[str],
    *,
    community: str = "public",
    users: Sequence[User] = (),
    uptimes: Sequence[float] = (0.0,),
) -> Field:
    """A field with a sibling of ``mibs`` at each address; all answer v1 and v2c, and v3 for ``users``.

    ``uptimes`` are the uptimes of the devices in seconds, by MIB (the last one also for further MIBs).
    """
    keys = KeyCache()
    devices = {}
    for number, (address, (engine, mib)) in enumerate(zip(addresses, siblings(mibs, len(addresses)), strict=True)):
        uptime = uptimes[min(number % len(mibs), len(uptimes) - 1)]
        devices[address] = SimulatedAgent(
            mib, community=community, users=users, engine_id=engine, uptime=uptime, keys=keys
        )
    return Field(devices)
