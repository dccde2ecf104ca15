"""What a replica asks others, how often, and what it shows when they do not answer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast

from promsnmp.errors import PeerError
from promsnmp.inventory.model import Device
from promsnmp.polling.pages.poll_status import NEVER_POLLED, PollStatus
from promsnmp.web.peers.asking import RETRY
from promsnmp.web.peers.statuses import ANSWER_LIFETIME, StatusExchange
from promsnmp.web.rates import PollRates

DEVICES = tuple(Device(device_id) for device_id in ("a", "b", "c"))
UP = PollStatus("up", 100.0, seconds=0.1, samples=3, outcome="success")


class Peers:
    """The client of a replica whose only peers are ``others``, by address; None: one that does not answer."""

    def __init__(self) -> None:
        self.others: dict[str, StatusExchange | None] = {}
        self.asked: list[str] = []
        self.questions: list[bytes] = []

    async def request(self, address: str, _: str, __: bytes, ___: object, body: bytes, **____: object) -> Any:
        self.asked.append(address)
        self.questions.append(body)
        other = self.others[address]
        if other is None:
            raise PeerError("connection refused")
        return SimpleNamespace(status=200, body=await other.answer(body))


def replica(
    statuses: Sequence[PollStatus | None], peers: Peers, now: list[float] | None = None, *, polls: bool = True
) -> StatusExchange:
    others = [SimpleNamespace(name=address, instance=address, address=address) for address in peers.others]
    cluster = SimpleNamespace(peers=peers, has_peers=bool(others), members=SimpleNamespace(others=others))
    clock = now or [0.0]
    return StatusExchange(
        cast("Any", cluster),
        devices=lambda: DEVICES,
        statuses=lambda _: statuses,
        rates=lambda: PollRates(1.0),
        polls=polls,
        clock=lambda: clock[0],
    )


def asking(*others: StatusExchange | None, now: list[float] | None = None) -> tuple[StatusExchange, Peers]:
    peers = Peers()
    peers.others = {f"pod-{number}": other for number, other in enumerate(others, 1)}
    return replica([UP, None, None], peers, now), peers


async def test_each_replica_says_what_it_polls() -> None:
    down = PollStatus("down", 5.0, "no response")
    asker, _ = asking(replica([None, down, None], Peers()), replica([None, None, NEVER_POLLED], Peers()))
    report = await asker.report()
    assert report.statuses == {"b": down, "c": NEVER_POLLED}
    assert (report.problems, [one.per_second for one in report.rates]) == ({}, [1.0, 1.0])


async def test_of_a_device_that_two_replicas_poll_the_later_poll_counts() -> None:
    old, new = PollStatus("down", 5.0, "no response"), PollStatus("up", 9.0)
    for pair in ((old, new), (new, old)):
        asker, _ = asking(*(replica([None, status, None], Peers()) for status in pair))
        assert (await asker.report()).statuses == {"b": new}


async def test_a_replica_that_does_not_answer_is_named_and_left_alone_for_a_while() -> None:
    now = [1000.0]
    asker, peers = asking(None, replica([None, UP, None], Peers()), now=now)
    for _ in range(3):
        report = await asker.report()
        assert report.statuses == {"b": UP}
        assert report.problems == {"pod-1": "connection refused"}
    assert peers.asked.count("pod-1") == 1
    now[0] += RETRY
    peers.others["pod-1"] = replica([None, None, UP], Peers())
    report = await asker.report()
    assert (report.problems, set(report.statuses)) == ({}, {"b", "c"})


async def test_those_who_ask_at_the_same_time_cause_one_request() -> None:
    asker, peers = asking(replica([None, UP, None], Peers()))
    reports = await asyncio.gather(*(asker.report() for _ in range(5)))
    assert peers.asked == ["pod-1"]
    assert all(one.statuses == {"b": UP} for one in reports)


async def test_what_a_replica_said_before_it_fell_silent_is_not_shown() -> None:
    asker, peers = asking(replica([None, UP, None], Peers()))
    assert (await asker.report()).statuses
    peers.others["pod-1"] = None
    assert not (await asker.report()).statuses


async def test_who_asks_again_gets_only_what_has_changed() -> None:
    now, down = [0.0], PollStatus("down", 5.0, "no response")
    statuses: list[PollStatus | None] = [None, UP, UP]
    asker, peers = asking(replica(statuses, Peers(), now))
    first = (await asker.report()).statuses
    statuses[2], now[0] = down, 1000.0
    second = (await asker.report()).statuses
    assert (first, second) == ({"b": UP, "c": UP}, {"b": UP, "c": down})
    assert second["b"] is first["b"]
    assert peers.questions[0] == b"{}" != peers.questions[1]
    statuses[1], now[0] = None, 2000.0  # another replica polls it now
    assert (await asker.report()).statuses == {"c": down}


async def test_an_answer_serves_all_who_ask_for_a_while() -> None:
    now, statuses = [0.0], [UP, None, None]
    answering = replica(statuses, Peers(), now)
    first = await asyncio.gather(*(answering.answer(b"{}") for _ in range(10)))
    assert len({id(one) for one in first}) == 1
    statuses[1] = UP
    assert await answering.answer(b"{}") is first[0]
    now[0] += ANSWER_LIFETIME + 60
    assert await answering.answer(b"{}") != first[0]


async def test_without_polls_in_the_background_only_devices_that_were_polled_are_named() -> None:
    asker, _ = asking(replica([NEVER_POLLED, UP, NEVER_POLLED], Peers(), polls=False))
    assert (await asker.report()).statuses == {"b": UP}


async def test_a_single_replica_asks_nobody() -> None:
    asker, peers = asking()
    assert not (await asker.report()).statuses
    assert peers.asked == []
