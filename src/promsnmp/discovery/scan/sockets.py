"""The sockets of a sweep: one for each address family, unconnected, shared by all addresses that are asked.

A thousand sockets would cost a thousand descriptors, and a firewall on the way a state for each credential and retry.
An unconnected socket hears of ICMP errors only where the kernel is told to queue them (ip(7), IP_RECVERR); each then
comes with the address that the lost datagram was sent to, so a host on which nothing listens need not be waited for.
The same option makes the kernel tell of packets that it could not queue (ENOBUFS), which it otherwise drops in silence.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import sys
from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

from promsnmp.snmp.transport import RECEIVE_SIZE

SocketAddress = tuple[str, int] | tuple[str, int, int, int]
"""A socket address: host and port, for IPv6 with flow label and scope."""

AT_ONCE = 500
"""Datagrams that are taken in one go: who sends more must not keep the loop from its other work."""
_BUFFER = 1 << 22
"""Octets. Packets to hosts of an attached network wait in the sending buffer while ARP looks for them in vain, three
seconds each; a buffer of the usual size holds 250 of them."""
_BUFFERS = ((socket.SO_SNDBUF, 32), (socket.SO_RCVBUF, 33))
"""With SO_SNDBUFFORCE and SO_RCVBUFFORCE of Linux (asm/socket.h), which root may use to pass the system's limit."""
_RECVERR = {socket.AF_INET: (socket.IPPROTO_IP, 11), socket.AF_INET6: (socket.IPPROTO_IPV6, 25)}
"""IP_RECVERR and IPV6_RECVERR of Linux (linux/in.h, linux/in6.h); Python has no names for them before 3.14."""
_FULL = frozenset({errno.EAGAIN, errno.EWOULDBLOCK, errno.ENOBUFS, errno.ENOMEM})
_QUEUED = frozenset({errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EPROTO, errno.EOPNOTSUPP})
"""Errors by which a socket may tell of an earlier datagram."""


class SendResult(Enum):
    """What became of a datagram that was to be sent."""

    SENT = "on its way"
    BUFFER_FULL = "no room just now: try again later"
    UNREACHABLE = "cannot be sent there"


class Undelivered(NamedTuple):
    """A datagram that did not arrive: where it was sent to, and why (an errno)."""

    sockaddr: SocketAddress
    reason: int


def socket_address(address: str, port: int, scope: int = 0) -> SocketAddress:
    """The socket address of an address without a zone, as ``recvfrom`` gives it."""
    return (address, port, 0, scope) if ":" in address else (address, port)


class SweepSockets:
    """Opens the socket of a family when it is first needed. ``close`` it."""

    def __init__(self) -> None:
        self._sockets: dict[socket.AddressFamily, socket.socket] = {}

    def close(self) -> None:
        for opened in self._sockets.values():
            opened.close()
        self._sockets.clear()

    def send(self, datagram: bytes, sockaddr: SocketAddress) -> SendResult:
        """Sends one datagram, or says why not; never raises for what a network may do."""
        try:
            opened = self._socket(socket.AF_INET if len(sockaddr) == 2 else socket.AF_INET6)
        except OSError:  # this machine has no such family
            return SendResult.UNREACHABLE
        for _ in range(3):  # an error that was waiting on the socket is about another datagram, and told once
            try:
                opened.sendto(datagram, sockaddr)
            except OSError as error:
                if error.errno in _FULL:
                    return SendResult.BUFFER_FULL
                if error.errno not in _QUEUED:
                    return SendResult.UNREACHABLE
            else:
                return SendResult.SENT
        return SendResult.UNREACHABLE

    def received(self) -> Iterator[tuple[bytes, SocketAddress]]:
        """Datagrams that came, AT_ONCE at most, each with its source."""
        for opened in self._sockets.values():
            for _ in range(AT_ONCE):
                try:
                    datagram, source = opened.recvfrom(RECEIVE_SIZE)
                except BlockingIOError:
                    break
                except OSError:  # about an earlier datagram: ``undelivered`` has it
                    continue
                yield datagram, source if len(source) == 2 else socket_address(source[0], source[1], source[3])

    def undelivered(self) -> Iterator[Undelivered]:
        """Datagrams of ours that some host or router said were lost, AT_ONCE at most."""
        if sys.platform != "linux":
            return
        for opened in self._sockets.values():
            for _ in range(AT_ONCE):
                try:
                    _, told, _, sockaddr = opened.recvmsg(0, 512, socket.MSG_ERRQUEUE)
                except OSError:
                    break
                for level, kind, data in told:
                    if (level, kind) == _RECVERR[opened.family] and len(sockaddr) >= 2:
                        reason = int.from_bytes(data[:4], sys.byteorder)  # sock_extended_err.ee_errno, ip(7)
                        yield Undelivered(
                            sockaddr if len(sockaddr) == 2 else socket_address(sockaddr[0], sockaddr[1], sockaddr[3]),
                            reason,
                        )

    def _socket(self, family: socket.AddressFamily) -> socket.socket:
        opened = self._sockets.get(family)
        if opened is None:
            opened = socket.socket(family, socket.SOCK_DGRAM)
            opened.setblocking(False)
            for option, force in _BUFFERS:
                opened.setsockopt(socket.SOL_SOCKET, option, _BUFFER)
                with contextlib.suppress(OSError):
                    if sys.platform == "linux":
                        opened.setsockopt(socket.SOL_SOCKET, force, _BUFFER)
            if sys.platform == "linux":
                opened.setsockopt(*_RECVERR[family], 1)
            self._sockets[family] = opened
        return opened
