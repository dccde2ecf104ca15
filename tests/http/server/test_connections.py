"""Bounds on connections: how many, from whom, and who makes room."""

from __future__ import annotations

import asyncio
import gc
import socket
import ssl
import weakref
from pathlib import Path

import pytest
from starlette.types import Receive, Scope, Send

from promsnmp.http.server.connections import ConnectionLimits, address_key
from tests.support.service.certificates import Authority
from tests.support.service.running_server import RunningServer, echo, running_server, until

REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    writer.write(REQUEST)
    return await asyncio.wait_for(reader.readuntil(b"octets"), 20)


async def opened(server: RunningServer, count: int, source: str = "127.0.0.1") -> list[asyncio.StreamWriter]:
    made = [(await server.connect(source))[1] for _ in range(count)]
    await until(lambda: len(server.table) >= min(count, server.table.limits.per_address))
    return made


async def test_idle_connections_make_room_for_a_new_one() -> None:
    async with running_server(limits=ConnectionLimits(most=20, per_address=20)) as server:
        idle = await opened(server, 30)
        assert (await ask(*await server.connect())).startswith(b"HTTP/1.1 200")
        assert len(server.table) <= 20
        assert server.table.closed["evicted"] >= 11
        for writer in idle:
            writer.close()


async def test_a_connection_that_was_of_use_stays_while_others_never_asked_anything() -> None:
    async with running_server(limits=ConnectionLimits(most=10, per_address=10)) as server:
        prometheus = await server.connect()
        await ask(*prometheus)
        idle = await opened(server, 40)
        assert (await ask(*prometheus)).startswith(b"HTTP/1.1 200")
        for writer in (*idle, prometheus[1]):
            writer.close()


async def test_one_address_cannot_take_the_places_of_another() -> None:
    async with running_server(limits=ConnectionLimits(most=20, per_address=5)) as server:
        others = [await server.connect("127.0.0.2") for _ in range(4)]
        for pair in others:
            await ask(*pair)
        idle = await opened(server, 40, "127.0.0.3")
        await until(lambda: server.table.closed["evicted"] >= 35)
        for pair in others:
            assert (await ask(*pair)).startswith(b"HTTP/1.1 200")
        for writer in (*idle, *(writer for _, writer in others)):
            writer.close()


async def test_connections_with_a_request_in_progress_are_never_closed_for_others() -> None:
    release = asyncio.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await release.wait()
        await echo(scope, receive, send)

    async with running_server(slow, limits=ConnectionLimits(most=3, per_address=3)) as server:
        busy = [await server.connect() for _ in range(3)]
        for _, writer in busy:
            writer.write(REQUEST)
        await until(lambda: len(server.table) == 3)
        assert await server.exchange(REQUEST) == b""
        assert server.table.closed["refused"] == 1
        release.set()
        for reader, writer in busy:
            assert (await asyncio.wait_for(reader.readuntil(b"octets"), 20)).startswith(b"HTTP/1.1 200")
            writer.close()


async def test_a_handshake_that_is_never_completed_is_counted_and_ended(tmp_path: Path) -> None:
    Authority().server().write(tmp_path, "server")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.crt", tmp_path / "server.key")
    async with running_server(tls=context, limits=ConnectionLimits(head_timeout=0.3)) as server:
        with socket.create_connection(("127.0.0.1", server.port)) as silent:
            await until(lambda: len(server.table) == 1)
            silent.setblocking(False)
            assert await asyncio.wait_for(asyncio.get_running_loop().sock_recv(silent, 10), 20) == b""
        await until(lambda: len(server.table) == 0)


@pytest.mark.parametrize("begin", [b"", b"GET / HTTP/1.1\r\nHost: ", REQUEST])
async def test_a_closed_connection_is_freed_without_a_garbage_collection(begin: bytes) -> None:
    """Thousands that wait for one would hold the event loop for long when it comes."""
    async with running_server() as server:
        gc.disable()
        try:
            reader, writer = await server.connect()
            writer.write(begin)
            if begin == REQUEST:
                await asyncio.wait_for(reader.readuntil(b"octets"), 20)
            await until(lambda: len(server.table) == 1)
            await until(lambda: all(one.client is not None for one in server.table.entries))
            (client,) = (weakref.ref(one.client) for one in server.table.entries)
            assert client() is not None
            writer.close()
            await until(lambda: client() is None)
        finally:
            gc.enable()


async def test_places_are_given_back() -> None:
    async with running_server() as server:
        writers = await opened(server, 10)
        for writer in writers:
            writer.close()
        await until(lambda: len(server.table) == 0)
        assert server.table._by_address == {}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::1%eth1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
    ],
)
def test_a_client_is_an_ipv4_address_or_a_network_of_ipv6(one: str, other: str, same: bool) -> None:
    assert (address_key(one) == address_key(other)) is same
