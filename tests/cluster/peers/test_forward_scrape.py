"""When a replica asks the owner for a page, and when it skips the owner."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from promsnmp.cluster.members.members import Member
from promsnmp.cluster.peers.forward_scrape import SKIP_SECONDS, ScrapeForwarder
from promsnmp.errors import PeerError
from promsnmp.support.http_client import HttpResponse, RequestNotSent

OWNER = Member("pod-1", "an instance", "192.0.2.1:8080", 1.0)


class FakePeerClient:
    """Answers with ``answers``: it raises exceptions, and sleeps for numbers (seconds)."""

    def __init__(self) -> None:
        self.now = 0.0
        self.asked: list[tuple[Any, ...]] = []
        self.answers: list[HttpResponse | Exception] = []
        self.takes = 0.0

    async def request(
        self, address: str, method: str, target: bytes, headers: object, **options: object
    ) -> HttpResponse:
        self.asked.append((address, method, target, headers, options["user"]))
        self.now += self.takes
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


PAGE = HttpResponse(200, [(b"content-type", b"text/plain")], b"up 1\n")


@pytest.fixture
def peers() -> FakePeerClient:
    return FakePeerClient()


@pytest.fixture
def forwarder(peers: FakePeerClient) -> ScrapeForwarder:
    return ScrapeForwarder(peers, clock=lambda: peers.now)  # type: ignore[arg-type]


async def asks(forwarder: ScrapeForwarder) -> HttpResponse | None:
    try:
        return await forwarder.fetch(OWNER, b"/snmp?target=a", [], within=1.5, user="eva")
    except PeerError:
        return None


async def test_the_owners_page_is_returned(forwarder: ScrapeForwarder, peers: FakePeerClient) -> None:
    peers.answers = [PAGE]
    assert await asks(forwarder) == PAGE
    assert peers.asked == [("192.0.2.1:8080", "GET", b"/snmp?target=a", [], "eva")]
    assert forwarder.counts["answered"] == 1


async def test_any_status_is_an_answer_and_no_reason_to_skip_the_owner(
    forwarder: ScrapeForwarder, peers: FakePeerClient
) -> None:
    silent = HttpResponse(504, [], b"no answer from the device\n")
    peers.answers = [silent, PAGE]
    assert await asks(forwarder) == silent
    assert await asks(forwarder) == PAGE
    assert forwarder.counts["answered"] == 2


@pytest.mark.parametrize("error", [RequestNotSent("refused"), PeerError("the connection broke")])
async def test_an_owner_that_failed_is_skipped_for_a_moment(
    forwarder: ScrapeForwarder, peers: FakePeerClient, error: Exception
) -> None:
    peers.answers = [error, PAGE]
    for _ in range(5):
        assert await asks(forwarder) is None
    assert len(peers.asked) == 1
    peers.now += SKIP_SECONDS
    assert await asks(forwarder) == PAGE
    assert (forwarder.counts["failed"], forwarder.counts["skipped"]) == (1, 4)


async def test_an_owner_that_does_not_answer_is_skipped(forwarder: ScrapeForwarder, peers: FakePeerClient) -> None:
    peers.answers, peers.takes = [PeerError("no answer within 1.5 s")], 1.5
    assert await asks(forwarder) is None
    assert await asks(forwarder) is None
    assert len(peers.asked) == 1
    assert forwarder.counts["late"] == 1


async def test_an_owner_that_is_slow_with_one_device_is_asked_for_the_others(peers: FakePeerClient) -> None:
    slow, free = ScrapeForwarder(peers, clock=lambda: peers.now), asyncio.Event()  # type: ignore[arg-type]

    async def ask(address: str, method: str, target: bytes, headers: object, **options: object) -> HttpResponse:
        if b"slow" in target:
            await free.wait()
            raise PeerError("no answer within 1.5 s")
        return PAGE

    peers.request = ask  # type: ignore[method-assign]
    waiting = asyncio.create_task(slow.fetch(OWNER, b"/snmp?target=slow", [], within=1.5))
    await asyncio.sleep(0)
    peers.now += 0.5
    assert await asks(slow) == PAGE
    peers.now += 1.0
    free.set()
    with pytest.raises(PeerError):
        await waiting
    assert await asks(slow) == PAGE
    assert slow.counts["late"] == 1


async def test_a_member_that_left_is_forgotten(forwarder: ScrapeForwarder, peers: FakePeerClient) -> None:
    peers.answers = [RequestNotSent("refused"), PAGE]
    assert await asks(forwarder) is None
    forwarder.forget_all_but(())
    assert await asks(forwarder) == PAGE


async def test_an_unreachable_owner_is_skipped_until_it_can_be_reached(peers: FakePeerClient) -> None:
    unreachable = {OWNER.address}
    forwarder = ScrapeForwarder(peers, is_unreachable=unreachable.__contains__, clock=lambda: peers.now)  # type: ignore[arg-type]
    for _ in range(3):
        assert await asks(forwarder) is None
    assert not peers.asked
    assert forwarder.counts["skipped"] == 3
    unreachable.clear()
    peers.answers = [PAGE]
    assert await asks(forwarder) == PAGE
