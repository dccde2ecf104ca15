"""The sockets of a sweep: one per address family, unconnected, shared by all addresses.

A thousand sockets would need a thousand descriptors, and a state in each firewall for every credential and retry. An
unconnected socket gets ICMP errors only when the kernel queues them (ip(7), IP_RECVERR); each error has the destination
of the lost datagram, so the sweep need not wait for a host without an agent. With the same option, the kernel reports
packets that it could not queue (ENOBUFS), instead of dropping them silently.
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
"""Datagrams to receive at once: a flood must not block the event loop."""
_BUFFER = 1 << 22
"""Octets. Packets to missing hosts of a local network stay in the send buffer during ARP, three seconds each; a buffer
of the default size holds 250 of them."""
_BUFFERS = ((socket.SO_SNDBUF, 32), (socket.SO_RCVBUF, 33))
"""With SO_SNDBUFFORCE and SO_RCVBUFFORCE of Linux (asm/socket.h), which root may use to pass the system's limit."""
_RECVERR = {socket.AF_INET: (socket.IPPROTO_IP, 11), socket.AF_INET6: (socket.IPPROTO_IPV6, 25)}
"""IP_RECVERR and IPV6_RECVERR of Linux (linux/in.h, linux/in6.h); Python has no names for them before 3.14."""
_FULL = frozenset({errno.EAGAIN, errno.EWOULDBLOCK, errno.ENOBUFS, errno.ENOMEM})
_QUEUED = frozenset({errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EPROTO, errno.EOPNOTSUPP})
"""Errors that may be about an earlier datagram."""


class SendResult(Enum):
    """The result of sending a datagram."""

    SENT = "sent"
    BUFFER_FULL = "buffer full, retry later"
    UNREACHABLE = "cannot be sent to this address"


class Undelivered(NamedTuple):
    """A datagram that did not arrive: its destination, and the reason (errno)."""

    sockaddr: SocketAddress
    reason: int


def socket_address(address: str, port: int, scope: int = 0) -> SocketAddress:
    """The socket address of an address without a zone, as ``recvfrom`` returns it."""
    return (address, port, 0, scope) if ":" in address else (address, port)


class SweepSockets:
    """Opens the socket of a family at its first use. Call ``close`` at the end."""

    def __init__(self) -> None:
        self._sockets: dict[socket.AddressFamily, socket.socket] = {}

    def close(self) -> None:
        for opened in self._sockets.values():
            opened.close()
        self._sockets.clear()

    def send(self, datagram: bytes, sockaddr: SocketAddress) -> SendResult:
        """Sends one datagram; never raises for network errors."""
        try:
            opened = self._socket(socket.AF_INET if len(sockaddr) == 2 else socket.AF_INET6)
        except OSError:  # this machine has no such family
            return SendResult.UNREACHABLE
        for _ in range(3):  # a pending error of the socket is about another datagram, and reported once
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
        """Received datagrams, at most AT_ONCE, each with its source."""
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
        """Our datagrams that a host or router reported as lost, at most AT_ONCE."""
        if sys.platform != "linux":
            return
        for opened in self._sockets.values():
            for _ in range(AT_ONCE):
                try:
                    _, ancillary, _, sockaddr = opened.recvmsg(0, 512, socket.MSG_ERRQUEUE)
                except OSError:
                    break
                for level, kind, data in ancillary:
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
