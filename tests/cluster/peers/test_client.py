"""Requests to replicas that are what they seem, and to addresses where somebody else is."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from promsnmp.cluster.peers.client import PeerClient, PeerNotProven
from promsnmp.cluster.peers.cluster_key import ClusterKey
from promsnmp.errors import PeerError
from promsnmp.support.http_client import RequestNotSent
from tests.support.cluster.peer_server import Answer, PeerServer
from tests.support.service.certificates import Authority
from tests.support.tools import free_tcp_port

KEY, OTHER_KEY = ClusterKey("the key of the tests of clients, 32+"), ClusterKey("some other key of the tests, 32+")
SECRET = b"passphrase of a device"


@pytest.fixture
async def server() -> AsyncIterator[PeerServer]:
    made = PeerServer(KEY, "pod-1", handle=lambda body: b"got " + body)
    await made.start()
    yield made
    made.stop()


@pytest.fixture
async def client() -> AsyncIterator[PeerClient]:
    made = PeerClient(KEY, "pod-0", "process of pod-0")
    yield made
    made.close()


async def post(client: PeerClient, address: str, *, fresh: bool = True) -> bytes:
    answer = await client.request(address, "POST", b"/x", [], SECRET, timeout=5, user="eva", fresh=fresh)
    return answer.body


async def test_an_answer_has_what_its_signature_covers(client: PeerClient, server: PeerServer) -> None:
    answer = await client.request(server.address, "GET", b"/x?y", [(b"accept", b"*/*")], timeout=5, user="eva")
    assert (answer.status, answer.headers, answer.body) == (200, [(b"etag", b'"1"')], b"got ")
    (request,) = server.accepted
    assert (request.identity.name, request.identity.user) == ("pod-0", "eva")
    assert request.headers == [(b"accept", b"*/*")]


async def test_a_replica_is_challenged_once_for_reads_and_before_each_write(
    client: PeerClient, server: PeerServer
) -> None:
    for _ in range(3):
        await client.request(server.address, "GET", b"/x", timeout=5)
    assert sum(b"challenge" in one for one in server.seen) == 1
    for number in range(3):
        assert await post(client, server.address) == b"got " + SECRET
        assert sum(b"challenge" in one for one in server.seen) == number + 2


async def test_concurrent_requests_share_a_challenge(client: PeerClient, server: PeerServer) -> None:
    await asyncio.gather(*(client.request(server.address, "GET", b"/x", timeout=5) for _ in range(10)))
    assert sum(b"challenge" in one for one in server.seen) == 1
    assert len(server.accepted) == 10


async def test_who_does_not_have_the_key_gets_no_request(client: PeerClient, server: PeerServer) -> None:
    server.key = OTHER_KEY
    with pytest.raises(PeerNotProven, match="CLUSTER_KEY"):
        await post(client, server.address)
    assert not any(SECRET in one or b"x-promsnmp-peer" in one for one in server.seen)


async def test_a_replica_that_is_replaced_by_somebody_else_gets_no_further_write(
    client: PeerClient, server: PeerServer
) -> None:
    assert await post(client, server.address) == b"got " + SECRET
    server.key = OTHER_KEY
    server.seen.clear()
    with pytest.raises(PeerNotProven):
        await post(client, server.address)
    assert not any(SECRET in one for one in server.seen)


async def test_a_replica_that_wants_to_be_reached_elsewhere_gets_no_request_here(
    client: PeerClient, server: PeerServer
) -> None:
    """Such as one behind an address that somebody else announced, and who only passes challenges on."""
    server.announced = "192.0.2.1:8080"
    with pytest.raises(PeerNotProven, match=r"pod-1, whose address is 192\.0\.2\.1:8080"):
        await post(client, server.address)
    assert not any(SECRET in one for one in server.seen)
    answer = await client.request(server.address, "POST", b"/x", timeout=5, elsewhere=True)
    assert answer.status == 200


async def test_after_a_restart_the_new_process_is_challenged(client: PeerClient, server: PeerServer) -> None:
    assert await post(client, server.address, fresh=False) == b"got " + SECRET
    server.restart()
    assert await post(client, server.address, fresh=False) == b"got " + SECRET
    server.restart()
    assert (await client.request(server.address, "GET", b"/x", timeout=5)).status == 200


@pytest.mark.parametrize(
    "tamper",
    [
        lambda answer: (201, *answer[1:]),
        lambda answer: (answer[0], answer[1], b"forged"),
        lambda answer: (answer[0], [(b"etag", b'"2"'), *answer[1][1:]], answer[2]),
        lambda answer: (answer[0], answer[1][:1], answer[2]),
        lambda answer: (403, [(b"x-promsnmp-refused", b"recipient")], b""),
        lambda answer: (503, [(b"x-promsnmp-not-leader", b"1")], b""),
    ],
)
async def test_an_answer_that_was_changed_on_its_way_is_no_answer(
    client: PeerClient, server: PeerServer, tamper: object
) -> None:
    """And not one that allows to send a write once more: nobody knows whether it had an effect."""
    server.tamper = tamper  # type: ignore[assignment]
    with pytest.raises(PeerError, match="changed on its way") as caught:
        await post(client, server.address)
    assert not isinstance(caught.value, RequestNotSent)
    assert len(server.accepted) == 1


async def test_a_copied_answer_is_no_answer_to_another_request(client: PeerClient, server: PeerServer) -> None:
    answers: list[Answer] = []

    def copy_first(answer: Answer) -> Answer:
        answers.append(answer)
        return answers[0]

    server.tamper = copy_first
    assert await post(client, server.address) == b"got " + SECRET
    with pytest.raises(PeerError, match="changed on its way"):
        await post(client, server.address)


async def test_a_write_that_was_refused_as_a_copy_is_not_sent_again(client: PeerClient, server: PeerServer) -> None:
    await post(client, server.address)
    server.replays.accept("process of pod-0", 2)  # as if a copy had come first
    with pytest.raises(PeerError, match="used before") as caught:
        await post(client, server.address)
    assert not isinstance(caught.value, RequestNotSent)
    server.replays.accept("process of pod-0", 3)
    assert (await client.request(server.address, "GET", b"/x", timeout=5)).status == 200


async def test_silence_and_nobody_are_requests_that_were_not_sent(client: PeerClient, server: PeerServer) -> None:
    server.silent = True
    for address in (server.address, f"127.0.0.1:{free_tcp_port()}"):
        with pytest.raises(RequestNotSent) as caught:
            await client.request(address, "POST", b"/x", timeout=0.3)
        assert not isinstance(caught.value, PeerNotProven)


async def test_a_certificate_that_is_not_trusted_is_named_and_gets_no_request(tmp_path: Path) -> None:
    authority, seen = Authority(), list[bytes]()
    authority.server().write(tmp_path, "server")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "server.crt", tmp_path / "server.key")

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.read(100))
        writer.close()

    async with await asyncio.start_server(listen, "127.0.0.1", 0, ssl=tls) as server:
        address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        client = PeerClient(KEY, "pod-0", "process of pod-0", tls=Authority("another CA").context)
        with pytest.raises(PeerNotProven, match=r"certificate of .* is not trusted .*CLUSTER_CA_FILE"):
            await post(client, address)
        client.close()
    assert not seen
