"""A server at which a client of Redis gets unexpected answers: wrong types, endless data, other protocols.

It answers the commands with which the client begins a connection as Redis does, and a script with ``nonsense``.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from tests.support.service.threaded_server import ThreadedServer

CHUNK = b"x" * 65_536
DRIP = 0.05
"""Seconds between two bytes of a slow answer."""


@dataclass(frozen=True, slots=True)
class Nonsense:
    """An unexpected answer: ``data``, then ``more`` again and again, then the end of the connection with ``closes``."""

    name: str
    data: bytes = b""
    more: bytes = b""
    closes: bool = False
    drips: bool = False
    """Byte by byte."""
    is_banner: bool = False
    """It is sent as soon as a client connects."""
    is_valid_somewhere: bool = False
    """It is a valid answer to one of our scripts."""

    def __str__(self) -> str:
        return self.name


def bulk(*texts: bytes) -> bytes:
    """Texts, each as a bulk string."""
    return b"".join(b"$%d\r\n%b\r\n" % (len(text), text) for text in texts)


def array(*parts: bytes) -> bytes:
    """A list of answers."""
    return b"*%d\r\n%b" % (len(parts), b"".join(parts))


def errors(*texts: str) -> Iterator[Nonsense]:
    for text in texts:
        yield Nonsense(f"error {text[:24]}", f"-{text}\r\n".encode())


NULL = b"$-1\r\n"
NONSENSE: tuple[Nonsense, ...] = (
    Nonsense("an integer", b":1\r\n", is_valid_somewhere=True),
    Nonsense("a simple string", b"+OK\r\n"),
    Nonsense("a text", bulk(b"hello")),
    Nonsense("null", NULL),
    Nonsense("a null list", b"*-1\r\n"),
    Nonsense("an empty list", b"*0\r\n", is_valid_somewhere=True),
    Nonsense("a list of integers", array(b":1\r\n", b":2\r\n", b":3\r\n")),
    Nonsense("a list of nulls", array(NULL, NULL, NULL)),
    Nonsense("lists of wrong lengths", array(NULL, array(NULL, NULL), bulk(b"store"))),
    Nonsense("fields that are lists", array(NULL, array(*[array()] * 9), bulk(b"store"))),
    Nonsense("fields that are errors", array(NULL, array(*[b"-ERR no\r\n"] * 9), bulk(b"store"))),
    Nonsense("texts that are not UTF-8", array(bulk(b"\xff\xfe"), array(*[bulk(b"\xc3\x28\x80")] * 9), bulk(b"\xff")),
        is_valid_somewhere=True),
    Nonsense("heartbeats that are not JSON", array(*[array(*map(bulk, (b"a", b"1", b"1", b"{nonsense")))] * 3),
        is_valid_somewhere=True),
    Nonsense("heartbeats of deep JSON", array(array(*map(bulk, (b"a", b"1", b"1", b"[" * 60_000)))),
        is_valid_somewhere=True),
    Nonsense("lists in lists", b"*1\r\n" * 50_000),
    Nonsense("an integer beyond 64 bits", b":%b\r\n" % (b"9" * 40)),
    Nonsense("an integer of 5,000 digits", b":%b\r\n" % (b"9" * 5000)),
    Nonsense("no integer", b":many\r\n"),
    Nonsense("a text of a negative length", b"$-7\r\n"),
    Nonsense("a list of a negative length", b"*-7\r\n", is_valid_somewhere=True),
    Nonsense("a text of 2 GiB", b"$2147483647\r\n", more=CHUNK),
    Nonsense("a list of a billion integers", b"*1000000000\r\n", more=b":1\r\n" * 10_000),
    Nonsense("a line without an end", b"+", more=CHUNK),
    Nonsense("an error without an end", b"-ERR ", more=CHUNK),
    Nonsense("a truncated text", b"$100\r\nabc", closes=True),
    Nonsense("a truncated list", b"*3\r\n:1\r\n", closes=True),
    Nonsense("nothing", closes=True),
    Nonsense("silence"),
    Nonsense("a slow answer", b"*3\r\n" + b"$100\r\n" + b"x" * 1000, drips=True),
    Nonsense("a type of RESP3", b"%1\r\n+a\r\n+b\r\n"),
    Nonsense("a push of RESP3", b">2\r\n+message\r\n+x\r\n"),
    Nonsense("an unknown type", b"?\r\n"),
    Nonsense("an empty line", b"\r\n"),
    Nonsense("two answers", b":1\r\n:2\r\n", is_valid_somewhere=True),
    Nonsense("HTTP", b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n", closes=True, is_banner=True),
    Nonsense("SSH", b"SSH-2.0-OpenSSH_9.2p1\r\n", is_banner=True),
    Nonsense("SMTP", b"220 mail.example ESMTP\r\n", is_banner=True),
    Nonsense("TLS", b"\x15\x03\x01\x00\x02\x02\x46", closes=True, is_banner=True),
    *errors(
        "", "ERR unknown command", "LOADING Redis is loading the dataset in memory", "MOVED", "MOVED 1 nowhere", "ASK",
        "MOVED 1234 127.0.0.1:1", "OOM command not allowed when used memory > 'maxmemory'.", "NOSCRIPT No script",
        "WRONGPASS invalid username-password pair", "NOAUTH Authentication required.", "BUSY Redis is busy",
        "READONLY You can't write against a read only replica.", "MISCONF", "CLUSTERDOWN", "MASTERDOWN", "TRYAGAIN",
        "\x1b[31mred\x07", "E" * 60_000, "ERR repeats secret-password",
    ),
)  # fmt: skip


class FakeRedis(ThreadedServer):
    """``nonsense`` may be changed at any time."""

    def __init__(self, nonsense: Nonsense) -> None:
        self.nonsense = nonsense
        self.sent = 0
        """Bytes of answers to scripts that were sent so far."""
        super().__init__()

    @property
    def url(self) -> str:
        return f"redis://:secret-password@127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ValueError):  # the client gave up in the middle
            await self._converse(reader, writer)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.nonsense.is_banner:
            await self._send(self.nonsense, writer)
        while command := await _read_command(reader):
            if command[0].upper() not in (b"EVAL", b"EVALSHA"):
                writer.write(b"+OK\r\n")
                await writer.drain()
            elif not self.nonsense.is_banner:
                await self._send(self.nonsense, writer)
                if self.nonsense.closes:
                    return

    async def _send(self, nonsense: Nonsense, writer: asyncio.StreamWriter) -> None:
        parts = [bytes([one]) for one in nonsense.data] if nonsense.drips else [nonsense.data]
        for part in parts:
            await self._write(part, writer)
            if nonsense.drips:
                await asyncio.sleep(DRIP)
        while nonsense.more:
            await self._write(nonsense.more, writer)

    async def _write(self, data: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()
        self.sent += len(data)


async def _read_command(reader: asyncio.StreamReader) -> list[bytes]:
    """A command of a client (redis.io, RESP protocol specification); none when it has closed the connection."""
    words: list[bytes] = []
    for _ in range(int((await reader.readline())[1:] or 0)):
        length = int((await reader.readline())[1:])
        words.append((await reader.readexactly(length + 2))[:-2])
    return words
