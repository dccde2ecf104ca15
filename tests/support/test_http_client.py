"""The HTTP client between replicas, over real sockets: connections that are kept, broken, refused, slow or send
nonsense."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import uvloop

from promsnmp.errors import PeerError
from promsnmp.support.http_client import MAX_HEAD, HttpClient, RequestNotSent
from tests.support.tools import free_tcp_port

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nX-Thing: 1\r\n\r\nhello"


class Server:
    """Answers each request with the next of ``answers`` (the last one again and again); None: silence."""

    def __init__(self) -> None:
        self.answers: list[bytes | None] = [OK]
        self.close_after = False
        self.requests: list[bytes] = []
        self.connections = 0
        self.writers: list[asyncio.StreamWriter] = []

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.address = f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        self._server.close()
        self.drop()

    def drop(self) -> None:
        for writer in self.writers:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.writers.append(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = [
                    int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.startswith(b"content-length")
                ]
                self.requests.append(head + (await reader.readexactly(length[0]) if length else b""))
                answer = self.answers[0] if len(self.answers) == 1 else self.answers.pop(0)
                if answer is None:
                    continue
                writer.write(answer)
                if self.close_after:
                    await writer.drain()
                    writer.close()
        except (OSError, asyncio.IncompleteReadError):
            writer.close()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def to(server: Server) -> AsyncIterator[HttpClient]:
    made = HttpClient(server.address)
    yield made
    made.close()


async def test_an_answer_has_status_headers_and_body(to: HttpClient, server: Server) -> None:
    answer = await to.request("GET", b"/snmp?target=a", [(b"accept", b"text/plain")], timeout=10)
    assert (answer.status, answer.body, answer.header(b"x-thing")) == (200, b"hello", b"1")
    assert server.requests[0].startswith(b"GET /snmp?target=a HTTP/1.1\r\nhost: 127.0.0.1:")
    assert b"\r\naccept: text/plain\r\n" in server.requests[0]


async def test_a_body_is_sent_with_its_length(to: HttpClient, server: Server) -> None:
    await to.request("POST", b"/x", body=b"document", timeout=10)
    await to.request("DELETE", b"/x", timeout=10)
    assert server.requests[0].endswith(b"content-length: 8\r\n\r\ndocument")
    assert server.requests[1].endswith(b"content-length: 0\r\n\r\n")


async def test_requests_one_after_the_other_share_a_connection(to: HttpClient, server: Server) -> None:
    for _ in range(5):
        await to.request("GET", b"/", timeout=10)
    assert server.connections == 1


async def test_concurrent_requests_each_have_a_connection(to: HttpClient, server: Server) -> None:
    for _ in range(2):
        await asyncio.gather(*(to.request("GET", b"/", timeout=10) for _ in range(8)))
    assert 1 < server.connections <= 8


async def test_a_connection_closed_while_idle_is_replaced(to: HttpClient, server: Server) -> None:
    await to.request("GET", b"/", timeout=10)
    server.drop()
    assert (await to.request("GET", b"/", timeout=10)).status == 200


async def test_a_request_that_must_not_be_sent_twice_gets_a_fresh_connection(to: HttpClient, server: Server) -> None:
    await to.request("GET", b"/", timeout=10)
    await to.request("POST", b"/", timeout=10, fresh=True)
    assert server.connections == 2


async def test_the_server_may_close_after_its_answer(to: HttpClient, server: Server) -> None:
    server.answers = [OK.replace(b"X-Thing: 1", b"connection: close")]
    server.close_after = True
    for _ in range(3):
        assert (await to.request("GET", b"/", timeout=10)).body == b"hello"


async def test_chunks_are_joined(to: HttpClient, server: Server) -> None:
    server.answers = [b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"]
    assert (await to.request("GET", b"/", timeout=10)).body == b"abcde"


async def test_informational_responses_are_skipped(to: HttpClient, server: Server) -> None:
    server.answers = [b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" + OK]
    answer = await to.request("GET", b"/", timeout=10)
    assert (answer.status, answer.header(b"link")) == (200, b"")


async def test_a_late_answer_after_a_timeout_is_ignored(to: HttpClient, server: Server) -> None:
    server.answers = [None, OK]
    with pytest.raises(PeerError, match=r"within 0\.05 s"):
        await to.request("GET", b"/", timeout=0.05)
    assert (await to.request("GET", b"/", timeout=10)).body == b"hello"
    assert server.connections == 2


async def test_a_refused_connection_differs_from_a_timeout(server: Server) -> None:
    nobody = HttpClient(f"127.0.0.1:{free_tcp_port()}")
    with pytest.raises(RequestNotSent, match="cannot be reached"):
        await nobody.request("GET", b"/", timeout=10)
    with pytest.raises(RequestNotSent):
        await HttpClient("no-such-name.invalid:80").request("GET", b"/", timeout=10)


@pytest.mark.parametrize(
    "answer",
    [b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nshort", b"HTTP/1.1 200 OK\r\ncontent-len"],
)
async def test_an_incomplete_answer_is_an_error(to: HttpClient, server: Server, answer: bytes) -> None:
    server.answers, server.close_after = [answer], True
    with pytest.raises(PeerError):
        await to.request("GET", b"/", timeout=10)


async def test_unrequested_data_closes_the_connection(to: HttpClient, server: Server) -> None:
    server.answers = [OK + OK, OK]
    assert (await to.request("GET", b"/", timeout=10)).status == 200
    assert (await to.request("GET", b"/", timeout=10)).status == 200


async def test_a_cancelled_request_leaves_no_connection_in_use(to: HttpClient, server: Server) -> None:
    server.answers = [None, OK]
    asking = asyncio.create_task(to.request("GET", b"/", timeout=10))
    async with asyncio.timeout(10):
        while not server.requests:
            await asyncio.sleep(0.005)
    asking.cancel()
    await asyncio.wait([asking])
    assert (await to.request("GET", b"/", timeout=10)).body == b"hello"
    assert server.connections == 2


def test_tcp_works_on_uvloop() -> None:
    async def ask() -> int:
        server = Server()
        await server.start()
        to = HttpClient(server.address)
        try:
            return (await to.request("GET", b"/", timeout=10)).status
        finally:
            to.close()
            await server.stop()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(ask()) == 200


async def test_a_response_that_is_too_large_is_an_error(server: Server, to: HttpClient) -> None:
    assert (await to.request("GET", b"/", timeout=5, max_body=5)).body == b"hello"
    with pytest.raises(PeerError, match="larger than 4 bytes"):
        await to.request("GET", b"/", timeout=5, max_body=4)
    assert (await to.request("GET", b"/", timeout=5)).body == b"hello"


async def test_headers_without_an_end_are_an_error(server: Server, to: HttpClient) -> None:
    for endless in (b"x: " + b"a" * (8 * MAX_HEAD), b"x: a\r\n" * MAX_HEAD):
        server.answers = [b"HTTP/1.1 200 OK\r\n" + endless]
        with pytest.raises(PeerError, match=f"more than {MAX_HEAD} bytes of headers"):
            await to.request("GET", b"/", timeout=5)
