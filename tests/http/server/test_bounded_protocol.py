"""What a client may send is bounded before anything reads it."""

from __future__ import annotations

import asyncio
import contextlib
import tracemalloc

import pytest
from starlette.types import Receive, Scope, Send

from promsnmp.http.responses.sending import body_headers, send_response
from promsnmp.http.server.bounded_protocol import MAX_BODY_PIECES, MAX_HEAD, MAX_HEADERS, MAX_REQUESTS, MAX_URL
from promsnmp.http.server.connections import ConnectionLimits
from tests.support.service.running_server import running_server, until

BEGIN = b"GET / HTTP/1.1\r\nHost: x\r\n"
CLOSE = b"Connection: close\r\n"


def request(*, headers: bytes = b"", path: bytes = b"/") -> bytes:
    return b"GET %b HTTP/1.1\r\nHost: x\r\n%b%b\r\n" % (path, CLOSE, headers)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (request(), b"200"),
        (request(headers=b"A: 1\r\n" * (MAX_HEADERS - 2)), b"200"),
        (request(headers=b"A: 1\r\n" * (MAX_HEADERS - 1)), b"431"),
        (request(headers=b"Accept: text/plain\r\n" * 200_000), b"431"),
        (request(headers=b"Long: %b\r\n" % (b"a" * (MAX_HEAD - 200))), b"200"),
        (request(headers=b"Long: %b\r\n" % (b"a" * MAX_HEAD)), b"431"),
        (request(headers=b"Long: %b\r\n" % (b"a" * 30_000) * 3), b"431"),
        (request(path=b"/" + b"a" * (MAX_URL - 1)), b"200"),
        (request(path=b"/" + b"a" * MAX_URL), b"414"),
        (request(path=b"/?" + b"a=1&" * 20_000), b"414"),
        (b"a" * 200_000, b"400"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nA : b\r\n\r\n", b"400"),
    ],
)
async def test_a_request_is_answered_or_refused_by_its_size(sent: bytes, status: bytes) -> None:
    async with running_server() as server:
        said = await server.exchange(sent)
        assert said.startswith(b"HTTP/1.1 " + status), said[:100]
        assert server.table.closed["request_too_large"] == (status in (b"431", b"414"))


async def test_a_header_without_end_is_refused_before_it_grows() -> None:
    async with running_server() as server:
        reader, writer = await server.connect()
        tracemalloc.start()
        writer.write(BEGIN + b"Long: ")
        with contextlib.suppress(ConnectionError):
            for _ in range(1_000):
                writer.write(b"a" * 65_536)
                await writer.drain()
            pytest.fail("the server read 64 MB of one header")
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert most < 8 << 20
        writer.close()
        del reader


@pytest.mark.parametrize(
    "tail",
    [
        b"0\r\n" + b"T: 1\r\n" * 1_000,
        b"0\r\nT: " + b"a" * 200_000,
        b"1;" + b"a" * 200_000,
        b"1\r\nA\r\n" * (2 * MAX_BODY_PIECES),
    ],
    ids=["trailers", "a trailer", "a chunk extension", "tiny chunks"],
)
async def test_a_chunked_body_cannot_smuggle_more_than_a_head(tail: bytes) -> None:
    async with running_server() as server:
        head = BEGIN.replace(b"GET", b"POST") + b"Transfer-Encoding: chunked\r\n\r\n"
        said = await server.exchange(head + tail)
        assert not said.startswith(b"HTTP/1.1 200"), said[:100]


async def test_a_body_in_small_chunks_is_read() -> None:
    async with running_server() as server:
        head = BEGIN.replace(b"GET", b"POST") + CLOSE + b"Transfer-Encoding: chunked\r\n\r\n"
        said = await server.exchange(head + b"1\r\nA\r\n" * 1_000 + b"0\r\n\r\n")
        assert said.startswith(b"HTTP/1.1 200")
        assert said.endswith(b"1000 octets")


async def test_requests_sent_without_waiting_are_answered_up_to_a_bound() -> None:
    async with running_server() as server:
        said = await server.exchange((BEGIN + b"\r\n") * 20 + request())
        assert said.count(b"HTTP/1.1 200") == 21
        said = await server.exchange((BEGIN + b"\r\n") * (2 * MAX_REQUESTS))
        assert said.count(b"HTTP/1.1 200") <= MAX_REQUESTS


async def test_a_large_body_after_a_small_head_is_read() -> None:
    async with running_server() as server:
        head = BEGIN.replace(b"GET", b"POST") + CLOSE + b"Content-Length: 500000\r\n\r\n"
        assert (await server.exchange(head + b"a" * 500_000)).endswith(b"500000 octets")


@pytest.mark.parametrize("begin", [b"", b"GET", BEGIN, BEGIN + b"Long: a"])
async def test_a_client_that_does_not_complete_its_head_is_cut_off(begin: bytes) -> None:
    async with running_server(limits=ConnectionLimits(head_timeout=0.2)) as server:
        said = await server.exchange(begin)
        assert said.startswith(b"HTTP/1.1 408") == bool(begin)
        assert server.table.closed["head_timeout"] == 1
        await until(lambda: len(server.table) == 0)


async def test_octets_that_trickle_in_do_not_extend_the_time_for_a_head() -> None:
    async with running_server(limits=ConnectionLimits(head_timeout=0.5)) as server:
        reader, writer = await server.connect()
        writer.write(BEGIN)
        reading = asyncio.create_task(reader.read())
        while not reading.done():
            writer.write(b"A: 1\r\n")
            await asyncio.wait((reading,), timeout=0.05)
        assert (await reading).startswith(b"HTTP/1.1 408")
        writer.close()


async def test_an_idle_connection_is_closed_after_its_time() -> None:
    async with running_server(limits=ConnectionLimits(idle_timeout=0.2)) as server:
        said = await server.exchange(BEGIN + b"\r\n")
        assert said.startswith(b"HTTP/1.1 200")
        assert server.table.closed["head_timeout"] == 0


async def test_a_client_that_stops_in_its_body_is_cut_off() -> None:
    async with running_server(limits=ConnectionLimits(stall_timeout=0.2)) as server:
        head = BEGIN.replace(b"GET", b"POST") + b"Content-Length: 10\r\n\r\n"
        assert await server.exchange(head + b"abc") == b""
        assert server.table.closed["stalled"] == 1


async def test_a_client_that_does_not_read_is_cut_off() -> None:
    body = bytes(32 << 20)

    async def large(scope: Scope, receive: Receive, send: Send) -> None:
        await send_response(send, 200, body_headers(body), body)

    async with running_server(large, limits=ConnectionLimits(stall_timeout=0.3)) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=1024)
        writer.write(BEGIN + b"\r\n")
        async with asyncio.timeout(20):
            while not server.table.closed["stalled"]:
                await asyncio.sleep(0.05)
        writer.close()
        del reader
