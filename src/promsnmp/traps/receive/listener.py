"""The UDP sockets for traps: reads datagrams in small batches, and counts those that the system dropped.

Few datagrams are read in one turn of the event loop, so that polls go on during a storm; what the socket's buffer
cannot hold meanwhile is dropped by the system, which says how many they were (``SO_MEMINFO``, Linux). A reply leaves
from the address that the request came to (``IP_PKTINFO``, RFC 3542 section 6.2), as senders of informs expect.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from promsnmp.errors import PromSnmpError
from promsnmp.traps.receive.counts import Dropped, TrapCounts

log = logging.getLogger(__name__)

READ_AT_ONCE = 64
"""Datagrams read in one turn of the loop: less than a millisecond."""
BUFFER_OCTETS = 8 * 1024 * 1024
"""Wanted size of a socket's receive buffer; the system may allow less (net.core.rmem_max)."""
MAX_DATAGRAM = 65_535
_SO_MEMINFO, _DROPS = 55, slice(32, 36)
"""socket(7): sock_diag's figures of a socket, nine numbers of 32 bits, of which the last is that of drops."""
_IP_PKTINFO = 8
_ANCILLARY = socket.CMSG_SPACE(32)
_NO_FAMILY = {errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL, errno.EPROTONOSUPPORT}
_MAPPED = "::ffff:"
ANY_IPV6, ANY_IPV4 = "::", "0.0.0.0"  # noqa: S104  # the meaning of the empty setting

Ancillary = tuple[int, int, bytes]


class Datagram(NamedTuple):
    """A datagram, where it came from, and how a reply gets there."""

    data: bytes
    sender: str
    """Address; an IPv4 address as such."""
    port: int
    socket: socket.socket
    place: tuple[object, ...]
    """The sender for ``sendmsg``."""
    source: tuple[Ancillary, ...]
    """What makes a reply leave from the address that this datagram came to."""

    def reply(self, data: bytes) -> None:
        """Sends a datagram to the sender, if that is possible now."""
        with suppress(OSError):  # the sender repeats an inform that was not acknowledged
            self.socket.sendmsg([data], list(self.source), 0, self.place)


class TrapListener:
    """Gives datagrams that arrive to ``take``."""

    def __init__(self, take: Callable[[Datagram], object], counts: TrapCounts) -> None:
        self._take = take
        self._counts = counts
        self._sockets: list[socket.socket] = []
        self._buffer = memoryview(bytearray(MAX_DATAGRAM))
        self._overflows: dict[int, int] = {}
        """Datagrams that the system has dropped so far, by file descriptor."""

    @property
    def port(self) -> int:
        """The port of the first socket; 0 before ``open``."""
        return int(self._sockets[0].getsockname()[1]) if self._sockets else 0

    def open(self, address: str, port: int) -> None:
        """Binds the sockets; datagrams are read from ``start`` on. Raises PromSnmpError that names the setting."""
        try:
            self._sockets = _bound_sockets(address, port)
        except OSError as error:
            reason = {
                errno.EADDRINUSE: f"UDP port {port} is in use; stop the program that listens there (snmptrapd?), or "
                "set TRAP_PORT to another port",
                errno.EACCES: f"this user may not use port {port}; set TRAP_PORT to a port above 1023, such as 1162, "
                "and redirect 162 to it",
                errno.EADDRNOTAVAIL: f"this machine has no address {address}; set TRAP_ADDRESS to one it has",
            }.get(error.errno or 0, f"{error.strerror} (TRAP_ADDRESS={address}, TRAP_PORT={port})")
            raise PromSnmpError(f"cannot listen for traps: {reason}") from None

    def start(self) -> None:
        """Reads from the running loop on."""
        loop = asyncio.get_running_loop()
        for one in self._sockets:
            loop.add_reader(one.fileno(), self._read, one)

    def stop(self) -> None:
        """Closes the sockets."""
        loop = asyncio.get_running_loop()
        for one in self._sockets:
            loop.remove_reader(one.fileno())
            one.close()
        self._sockets = []

    def _read(self, opened: socket.socket) -> None:
        for _ in range(READ_AT_ONCE):
            try:
                size, ancillary, flags, place = opened.recvmsg_into([self._buffer], _ANCILLARY)
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:  # such as a reply that the sender's machine refused
                log.debug("cannot read from the port for traps: %s", error.strerror)
                return
            self._counts.received += 1
            source = _source(ancillary) if ancillary else ()
            sender = str(place[0])
            if flags & socket.MSG_TRUNC:
                self._counts.drop(Dropped.MALFORMED, sender)
                continue
            if sender.startswith(_MAPPED) and "." in sender:
                sender = sender[len(_MAPPED) :]
            data = bytes(self._buffer[:size])
            self._take(Datagram(data, sender.partition("%")[0], place[1], opened, place, source))

    async def count_overflows(self) -> None:
        """Counts what the system has dropped because a socket's buffer was full."""
        for one in self._sockets:
            try:
                total = int.from_bytes(one.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, 36)[_DROPS], sys.byteorder)
            except OSError:  # not Linux
                continue
            dropped = total - self._overflows.get(one.fileno(), 0) & 0xFFFFFFFF
            if dropped:
                self._overflows[one.fileno()] = total
                self._counts.received += dropped
                self._counts.drop(Dropped.KERNEL, number=dropped)


def _source(ancillary: list[Ancillary]) -> tuple[Ancillary, ...]:
    """What makes a reply leave from the address that a datagram came to."""
    for level, kind, content in ancillary:
        if level == socket.IPPROTO_IP and kind == _IP_PKTINFO and len(content) >= 12:
            # in_pktinfo: interface, local address, destination (ip(7)); the system chooses the interface
            return ((level, kind, bytes(4) + content[4:8] + bytes(4)),)
        if level == socket.IPPROTO_IPV6 and kind == socket.IPV6_PKTINFO and len(content) >= 20:
            return ((level, kind, content[:20]),)
    return ()


def _bound_sockets(address: str, port: int) -> list[socket.socket]:
    """One socket for each address that ``address`` has; empty: one for IPv6 and IPv4 (RFC 3493 section 5.3)."""
    if not address:
        try:
            return [_bound(socket.AF_INET6, (ANY_IPV6, port), dual_stack=True)]
        except OSError as error:
            if error.errno not in _NO_FAMILY:
                raise
        return [_bound(socket.AF_INET, (ANY_IPV4, port))]
    found = socket.getaddrinfo(address.strip("[]"), port, type=socket.SOCK_DGRAM, flags=socket.AI_PASSIVE)
    sockets: list[socket.socket] = []
    try:
        for family, _, _, _, place in dict.fromkeys(found):
            chosen = sockets[0].getsockname()[1] if sockets else port
            sockets.append(_bound(family, (place[0], chosen, *place[2:])))
    except OSError as error:
        if not sockets or error.errno not in _NO_FAMILY:
            for one in sockets:
                one.close()
            raise
    return sockets


def _bound(family: socket.AddressFamily, place: tuple[object, ...], *, dual_stack: bool = False) -> socket.socket:
    made = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    try:
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if dual_stack else 1)
            if place[0] == ANY_IPV6:
                made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
        elif place[0] == ANY_IPV4:
            with suppress(OSError):  # only Linux has it
                made.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_OCTETS)
        made.bind(place)
    except OSError:
        made.close()
        raise
    return made
