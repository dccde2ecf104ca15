"""SNMP over TCP (RFC 3430): opens the connection and splits the stream into messages.

A few devices answer only over TCP, and snmp_exporter's ``tcp://`` targets have to work. Nothing else differs: the
messages are the same, and one request is outstanding at a time.
"""

from __future__ import annotations

import asyncio
import socket

from promsnmp.snmp import ber
from promsnmp.snmp.transport import Address, bind_source

LARGEST_MESSAGE = 1 << 20
"""Maximum octets of a message. Agents must support only 8192 (RFC 3430 section 2.2), so this is plenty."""


async def open_stream(address: Address, *, source: str = "") -> socket.socket:
    """A non-blocking TCP socket, connected to ``address`` from ``source`` as ``open_socket``. Raises OSError."""
    sock = socket.socket(address.family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        bind_source(sock, source)
        await asyncio.get_running_loop().sock_connect(sock, address.sockaddr)
        return sock
    except BaseException:  # raised again
        sock.close()
        raise


class MessageSplitter:
    """Splits a stream of octets into messages."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, octets: bytes) -> list[bytes]:
        """The messages that ``octets`` complete.

        Raises ber.Malformed where no message can start, or one is too large; the rest of the stream is lost then.
        """
        self._buffer += octets
        messages: list[bytes] = []
        while size := _size(self._buffer):
            if len(self._buffer) < size:
                break
            messages.append(bytes(self._buffer[:size]))
            del self._buffer[:size]
        return messages


def _size(octets: bytearray) -> int:
    """The size of the first message in ``octets``; 0 when more octets are needed to tell."""
    if len(octets) < 2:
        return 0
    if octets[0] != ber.SEQUENCE:
        raise ber.Malformed("it does not start with a sequence")
    if octets[1] < 0x80:
        return 2 + octets[1]
    head = 2 + (octets[1] & 0x7F)
    if not 2 < head <= 6:
        raise ber.Malformed("a length is indefinite or longer than four octets")
    if len(octets) < head:
        return 0
    size = head + int.from_bytes(octets[2:head], "big")
    if size > LARGEST_MESSAGE:
        raise ber.Malformed(f"a message has {size} octets")
    return size
