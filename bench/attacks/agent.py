"""A fast SNMP agent for attacks: ``python -m bench.attacks.agent PORT``; the community chooses what it does.

``public``: an honest device with 24 interfaces. ``large``: one with 20,000 interfaces, every column of ifTable and
ifXTable. ``endless``: a column of ifTable that never ends. ``wide``: an endless column of values of 2,000 octets.
``clones``: as ``large``, but with interfaces that change their names at every walk. Answers GET, GETNEXT and GETBULK of
v2c.
"""

from __future__ import annotations

import bisect
import socket
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

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
    is_constant: bool
    encoded: dict[int, bytes] = field(default_factory=dict)
    """The varbinds of constant rows that were requested before: the agent must be faster than the service."""

    def varbind(self, row: int) -> bytes:
        varbind = self.encoded.get(row)
        if varbind is None:
            varbind = ber.encode_varbind(self.prefix + oid.encode_subids((row,)), self.value(row))
            if self.is_constant:
                self.encoded[row] = varbind
        return varbind


def column(name: str, value: Value, *, first: int = 1, last: int = INTERFACES, is_constant: bool = False) -> Column:
    return Column(tuple(map(int, name.split("."))), oid.encode(name), first, last, value, is_constant)


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


def interfaces(name: Value, *, has_new_names: bool = False) -> list[Column]:
    """Every column of ifTable and ifXTable for INTERFACES rows. The octet counters grow, all else is constant."""

    def counter(tag: int, step: int) -> Value:
        return lambda row: ber.encode_integer((int(time.monotonic()) * row * step) & 0x7FFFFFFF, tag)

    def always(value: bytes) -> Value:
        return lambda _: value

    growing = {f"{IF_ENTRY}.10", f"{IF_ENTRY}.16", f"{IF_X_ENTRY}.6", f"{IF_X_ENTRY}.10"}

    constant = {4: ber.encode_integer(1500), 5: ber.encode_integer(1_000_000_000, ber.GAUGE32)}
    ones = (3, 7, 8)
    if_columns: dict[int, Value] = {1: ber.encode_integer, 2: lambda row: text(f"GigabitEthernet{row}/0")}
    for number in range(3, 22):
        if number in ones:
            if_columns[number] = lambda row: ber.encode_integer(1 + row % 2)
        elif number in constant:
            if_columns[number] = always(constant[number])
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
    values = {f"{IF_ENTRY}.{number}": value for number, value in if_columns.items()}
    values |= {f"{IF_X_ENTRY}.{number}": value for number, value in x_columns.items()}
    changing = growing | ({f"{IF_X_ENTRY}.1"} if has_new_names else set())
    return [column(each, value, is_constant=each not in changing) for each, value in values.items()]


class Device:
    """The objects of one community, and how large its responses are."""

    def __init__(self, columns: Sequence[Column], size: int) -> None:
        self._columns = sorted(columns, key=lambda column: column.name)
        self._names = [column.name for column in self._columns]
        self._size = size

    def respond(self, pdu: ber.Pdu, requested: Sequence[bytes]) -> bytes:
        if pdu.type == ber.GET:
            return b"".join(map(self._get, requested))
        if pdu.type == ber.GET_NEXT or len(requested) > 1:
            return b"".join([self._next(name, 1) for name in requested])
        return self._next(requested[0], pdu.index)

    def _get(self, name: bytes) -> bytes:
        for column in self._columns:
            rest = oid.decode_subids(name[len(column.prefix) :]) if name.startswith(column.prefix) else ()
            if len(rest) == 1 and column.first <= rest[0] <= column.last:
                return column.varbind(rest[0])
        return ber.encode_varbind(name, bytes((ber.NO_SUCH_OBJECT, 0)))

    def _next(self, name: bytes, repetitions: int) -> bytes:
        """The objects behind ``name``, as many as fit."""
        out, size = [], 0
        start = bisect.bisect_right(self._names, oid.decode(name)) if name else 0
        for column in self._columns[max(start - 1, 0) :]:
            row = self._row_after(column, name)
            while row is not None and row <= column.last:
                varbind = column.varbind(row)
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
    def _row_after(column: Column, name: bytes) -> int | None:
        """The first row of a column behind ``name``; None when all are before it."""
        if name.startswith(column.prefix) and len(name) > len(column.prefix):
            row = int(oid.decode_subids(name[len(column.prefix) :])[0])
            return row + 1 if row < column.last else None
        return column.first if ber.oid_follows(column.prefix, name) or name == column.prefix else None


def devices() -> dict[bytes, Device]:
    octets = ber.encode_integer(4711, ber.COUNTER32)
    endless = column(f"{IF_ENTRY}.10", lambda _: octets, last=ENDLESS)
    wide = column(f"{IF_ENTRY}.2", lambda row: ber.tlv(ber.OCTET_STRING, b"%d" % row + WIDE), last=ENDLESS)
    small = [column(f"{IF_ENTRY}.{number}", ber.encode_integer, last=24) for number in (1, 10, 16)]
    return {
        b"public": Device(system() + small, COMMON_SIZE),
        b"large": Device(system() + interfaces(lambda row: text(f"Gi{row}/0")), LARGEST_SIZE),
        b"endless": Device([*system(), endless], LARGEST_SIZE),
        b"wide": Device([*system(), wide], LARGEST_SIZE),
        b"clones": Device(
            system() + interfaces(lambda row: text(f"Gi{row}/{time.monotonic_ns()}"), has_new_names=True), LARGEST_SIZE
        ),
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
