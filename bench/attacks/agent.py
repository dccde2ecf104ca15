"""A fast SNMP agent for attacks: ``python -m bench.attacks.agent PORT``; the community chooses what it does.

``public``: an honest device with 24 interfaces. ``large``: one with 20,000 interfaces, every column of ifTable and
ifXTable. ``endless``: a column of ifTable that never ends. ``wide``: an endless column of values of 2,000 octets.
``clones``: as ``large``, but with interfaces that change their names at every walk. Answers GET, GETNEXT and GETBULK of
v2c.
"""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from promsnmp.snmp import ber, oid

INTERFACES = 20_000
ENDLESS = 1 << 31
WIDE = bytes(range(65, 91)) * 77
IF_ENTRY, IF_X_ENTRY = "1.3.6.1.2.1.2.2.1", "1.3.6.1.2.1.31.1.1.1"
COMMON_SIZE, LARGEST_SIZE = 1400, 64_000
"""Octets of varbinds in a response: of an honest device, and as many as a datagram can carry."""

Value = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Column:
    """Rows ``first`` to ``last`` of a column, each with the encoded value that ``value`` gives for its row."""

    name: tuple[int, ...]
    prefix: bytes
    first: int
    last: int
    value: Value

    def varbind(self, row: int) -> bytes:
        return ber.encode_varbind(self.prefix + oid.encode_subids((row,)), self.value(row))


def column(name: str, value: Value, *, first: int = 1, last: int = INTERFACES) -> Column:
    return Column(tuple(map(int, name.split("."))), oid.encode(name), first, last, value)


def scalar(name: str, value: bytes) -> Column:
    return column(name, lambda _: value, first=0, last=0)


def text(value: str) -> bytes:
    return ber.tlv(ber.OCTET_STRING, value.encode())


def started_ticks() -> bytes:
    return ber.encode_integer(int(time.monotonic() * 100) & 0xFFFFFFFF, ber.TIME_TICKS)


def system() -> list[Column]:
    return [
        scalar("1.3.6.1.2.1.1.1", text("attack")),
        scalar("1.3.6.1.2.1.1.2", ber.tlv(ber.OBJECT_IDENTIFIER, oid.encode("1.3.6.1.4.1.9999.1"))),
        column("1.3.6.1.2.1.1.3", lambda _: started_ticks(), first=0, last=0),
        scalar("1.3.6.1.2.1.1.5", text("attack-01")),
    ]


def interfaces(name: Value) -> list[Column]:
    """Every column of ifTable and ifXTable for INTERFACES rows; counters are the same in one second."""

    def counter(tag: int, step: int) -> Value:
        return lambda row: ber.encode_integer((int(time.monotonic()) * row * step) & 0x7FFFFFFF, tag)

    constant = {4: ber.encode_integer(1500), 5: ber.encode_integer(1_000_000_000, ber.GAUGE32)}
    ones = (3, 7, 8)
    if_columns: dict[int, Value] = {1: ber.encode_integer, 2: lambda row: text(f"GigabitEthernet{row}/0")}
    for number in range(3, 22):
        if number in ones:
            if_columns[number] = lambda row: ber.encode_integer(1 + row % 2)
        elif number in constant:
            if_columns[number] = lambda _, made=constant[number]: made  # type: ignore[misc]
        elif number == 6:
            if_columns[number] = lambda row: ber.tlv(ber.OCTET_STRING, b"\2\0" + row.to_bytes(4, "big"))
        elif number == 9:
            if_columns[number] = lambda _: ber.encode_integer(1500, ber.TIME_TICKS)
        else:
            if_columns[number] = counter(ber.COUNTER32, number)
    x_columns: dict[int, Value] = {1: name}
    for number in range(2, 14):
        x_columns[number] = counter(ber.COUNTER64 if number > 5 else ber.COUNTER32, number)
    x_columns |= {
        14: lambda _: ber.encode_integer(1),
        15: lambda _: ber.encode_integer(1000, ber.GAUGE32),
        16: lambda _: ber.encode_integer(2),
        17: lambda _: ber.encode_integer(1),
        18: lambda row: text(f"customer {row}, circuit {row * 7}"),
        19: lambda _: ber.encode_integer(0, ber.TIME_TICKS),
    }
    rows = [column(f"{IF_ENTRY}.{number}", value) for number, value in if_columns.items()]
    return rows + [column(f"{IF_X_ENTRY}.{number}", value) for number, value in x_columns.items()]


class Device:
    """The objects of one community, and how large its responses are."""

    def __init__(self, columns: Sequence[Column], size: int) -> None:
        self._columns = sorted(columns, key=lambda one: one.name)
        self._size = size

    def respond(self, pdu: ber.Pdu, requested: Sequence[bytes]) -> bytes:
        if pdu.type == ber.GET:
            return b"".join(map(self._get, requested))
        if pdu.type == ber.GET_NEXT or len(requested) > 1:
            return b"".join([self._next(name, 1) for name in requested])
        return self._next(requested[0], pdu.index)

    def _get(self, name: bytes) -> bytes:
        for one in self._columns:
            rest = oid.decode_subids(name[len(one.prefix) :]) if name.startswith(one.prefix) else ()
            if len(rest) == 1 and one.first <= rest[0] <= one.last:
                return one.varbind(rest[0])
        return ber.encode_varbind(name, bytes((ber.NO_SUCH_OBJECT, 0)))

    def _next(self, name: bytes, repetitions: int) -> bytes:
        """The objects behind ``name``, as many as fit."""
        out, size = [], 0
        for one in self._columns:
            row = self._row_after(one, name)
            while row is not None and row <= one.last:
                varbind = one.varbind(row)
                size += len(varbind)
                if size > self._size and out:
                    return b"".join(out)
                out.append(varbind)
                if len(out) >= repetitions:
                    return b"".join(out)
                row += 1
        out.append(ber.encode_varbind(name, bytes((ber.END_OF_MIB_VIEW, 0))))
        return b"".join(out)

    @staticmethod
    def _row_after(one: Column, name: bytes) -> int | None:
        """The first row of a column behind ``name``; None when all are before it."""
        if name.startswith(one.prefix) and len(name) > len(one.prefix):
            row = int(oid.decode_subids(name[len(one.prefix) :])[0])
            return row + 1 if row < one.last else None
        return one.first if ber.oid_follows(one.prefix, name) or name == one.prefix else None


def devices() -> dict[bytes, Device]:
    octets = ber.encode_integer(4711, ber.COUNTER32)
    endless = column(f"{IF_ENTRY}.10", lambda _: octets, last=ENDLESS)
    wide = column(f"{IF_ENTRY}.2", lambda row: ber.tlv(ber.OCTET_STRING, b"%d" % row + WIDE), last=ENDLESS)
    small = [column(f"{IF_ENTRY}.{number}", ber.encode_integer, last=24) for number in (1, 10, 16)]
    return {
        b"public": Device(system() + small, COMMON_SIZE),
        b"large": Device(system() + interfaces(lambda row: text(f"Gi{row}/0")), COMMON_SIZE),
        b"endless": Device([*system(), endless], LARGEST_SIZE),
        b"wide": Device([*system(), wide], LARGEST_SIZE),
        b"clones": Device(system() + interfaces(lambda row: text(f"Gi{row}/{time.monotonic_ns()}")), LARGEST_SIZE),
    }


def serve(port: int) -> None:
    """Answers until it is ended."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        opened.bind(("127.0.0.1", port))
        by_community = devices()
        while True:
            datagram, peer = opened.recvfrom(65_535)
            start, end = ber.read(datagram, 0, len(datagram), ber.SEQUENCE)
            _, at = ber.read_integer(datagram, start, end)
            name, at = ber.read(datagram, at, end, ber.OCTET_STRING)
            device = by_community.get(datagram[name:at])
            if device is None:
                continue
            pdu = ber.read_pdu(datagram, at, end)
            requested = [one.oid for one in ber.varbinds(datagram, pdu.start, pdu.end)]
            response = ber.encode_pdu(ber.RESPONSE, pdu.request_id, 0, 0, device.respond(pdu, requested))
            opened.sendto(ber.tlv(ber.SEQUENCE, datagram[start:at] + response), peer)


if __name__ == "__main__":
    serve(int(sys.argv[1]))
