"""Clients that attack the HTTP server of a PromSNMP, each by one means; plain sockets, so that nothing tidies up."""

from __future__ import annotations

import contextlib
import itertools
import random
import socket
import time
from collections.abc import Iterator

CHUNK = 1 << 16
LONG = 60_000


def connect(port: int, source: str = "127.0.0.1") -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=60, source_address=(source, 0))


def exchange(port: int, request: bytes) -> bytes:
    """The beginning of the response to one request on a connection of its own; empty when the server closes it."""
    with contextlib.suppress(OSError), connect(port) as opened:
        with contextlib.suppress(OSError):  # the server does not read all of a request that it refuses
            opened.sendall(request)
        return opened.recv(CHUNK)
    return b""


def long_header(port: int, octets: int = 100_000_000) -> str:
    """One header of 100 MB."""
    sent = 0
    response = b""
    with contextlib.suppress(OSError), connect(port) as opened:
        opened.sendall(b"GET /-/healthy HTTP/1.1\r\nHost: x\r\nX-Long: ")
        with contextlib.suppress(OSError):
            while sent < octets:
                sent += opened.send(b"a" * CHUNK)
            opened.sendall(b"\r\n\r\n")
        response = opened.recv(CHUNK)
    return f"{sent / 1e6:.0f} MB sent, {status(response)}"


def many_headers(port: int, lines: int = 200_000) -> str:
    """200,000 lines of Accept."""
    head = b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + b"Accept: text/plain;q=0.1\r\n" * lines
    return status(exchange(port, head + b"\r\n"))


def distinct_queries(port: int, path: str, seconds: float) -> str:
    """GETs of ``path`` for ``seconds``, whose ``{}`` is another text of 60 kB each time."""
    statuses: dict[str, int] = {}
    end = time.monotonic() + seconds
    for number in itertools.count():
        if time.monotonic() > end:
            break
        text = f"{number}-{random.randbytes(LONG // 2).hex()}"
        request = f"GET {path.format(text)} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
        answer = status(exchange(port, request))
        statuses[answer] = statuses.get(answer, 0) + 1
    return ", ".join(f"{count} x {answer}" for answer, count in statuses.items())


def short_queries(port: int, paths: Iterator[str], seconds: float) -> str:
    """GETs of ever new paths over one connection at a time."""
    count, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(OSError), connect(port) as opened:
            for path in itertools.islice(paths, 200):
                if time.monotonic() > end:
                    break
                opened.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                _read_response(opened)
                count += 1
    return f"{count} requests"


def _read_response(opened: socket.socket) -> None:
    head = b""
    while b"\r\n\r\n" not in head:
        part = opened.recv(CHUNK)
        if not part:
            raise OSError("closed")
        head += part
    head, _, body = head.partition(b"\r\n\r\n")
    sizes = [int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    left = (sizes[0] if sizes else 0) - len(body)
    while left > 0:
        left -= len(opened.recv(min(left, CHUNK)))


@contextlib.contextmanager
def idle_connections(port: int, count: int, sources: int, begin: bytes = b"") -> Iterator[list[socket.socket]]:
    """``count`` connections from ``sources`` addresses that send ``begin`` and nothing more."""
    opened: list[socket.socket] = []
    try:
        for number in range(count):
            with contextlib.suppress(OSError):
                made = socket.socket()
                made.settimeout(0.2)
                made.bind((f"127.0.7.{1 + number % sources}", 0))
                opened.append(made)
                made.connect(("127.0.0.1", port))
                made.sendall(begin)
        yield opened
    finally:
        for connection in opened:
            connection.close()


def status(response: bytes) -> str:
    """The status line's number and text; what happened without one."""
    return response.split(b"\r\n")[0].partition(b" ")[2].decode() or "closed without a response"
