"""Polls of a target run one after the other, and are shared by those that they are new enough for."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import pytest

from promsnmp.errors import SnmpTimeout
from promsnmp.polling.pages.cache import CacheEntry
from promsnmp.polling.pages.page import Format, RenderedPage
from promsnmp.polling.pages.shared_polls import SharedPolls
from promsnmp.polling.target import Target
from promsnmp.snmp.credentials import Community
from promsnmp.snmp.transport import SnmpEndpoint

TARGET = Target("d/a", "switch", SnmpEndpoint("192.0.2.1"), Community(), ("if_mib",))


class Polls:
    """Polls that end when ``free`` is set; ``running`` is how many run at once."""

    def __init__(self) -> None:
        self.free = asyncio.Event()
        self.polled: list[Target] = []
        self.running = 0
        self.most = 0
        self.shared = SharedPolls(self.poll)

    async def poll(self, target: Target) -> CacheEntry:
        self.polled.append(target)
        self.running += 1
        self.most = max(self.most, self.running)
        taken_at = time.monotonic()
        await self.free.wait()
        self.running -= 1
        return RenderedPage(taken_at, (), {Format.TEXT: b""})


async def test_those_who_wait_for_a_target_share_its_poll() -> None:
    polls = Polls()
    waiting = [asyncio.create_task(polls.shared.share(TARGET)) for _ in range(5)]
    await asyncio.sleep(0)
    polls.free.set()
    assert len(set(map(id, await asyncio.gather(*waiting)))) == 1
    assert len(polls.polled) == 1
    assert polls.shared.active == 0


async def test_whoever_needs_a_newer_poll_gets_the_next_one() -> None:
    polls = Polls()
    first = asyncio.create_task(polls.shared.share(TARGET))
    await asyncio.sleep(0.01)
    now = time.monotonic()
    later = [asyncio.create_task(polls.shared.share(TARGET, not_before=now)) for _ in range(3)]
    await asyncio.sleep(0.01)
    assert len(polls.polled) == polls.shared.active == 1
    polls.free.set()
    pages = await asyncio.gather(*later)
    assert len(set(map(id, pages))) == 1
    assert pages[0] is not await first
    assert pages[0].taken_at >= now
    assert (len(polls.polled), polls.most) == (2, 1)


async def test_a_target_with_other_credentials_is_polled_after_the_first_one() -> None:
    polls = Polls()
    other = replace(TARGET, credentials=Community(community="other"))
    both = [asyncio.create_task(polls.shared.share(target)) for target in (TARGET, other)]
    await asyncio.sleep(0.01)
    assert polls.polled == [TARGET]
    polls.free.set()
    await asyncio.gather(*both)
    assert polls.polled == [TARGET, other]


async def test_an_error_reaches_all_and_the_next_poll_is_a_new_one() -> None:
    async def fail(_: Target) -> CacheEntry:
        raise SnmpTimeout("no answer")

    shared = SharedPolls(fail)
    answers = await asyncio.gather(*(shared.share(TARGET) for _ in range(2)), return_exceptions=True)
    assert [type(one) for one in answers] == [SnmpTimeout, SnmpTimeout]
    with pytest.raises(SnmpTimeout):
        await shared.share(TARGET)


async def test_all_polls_end_when_it_is_closed() -> None:
    polls = Polls()
    waiting = [asyncio.create_task(polls.shared.share(TARGET, not_before=moment)) for moment in (0.0, 1e12)]
    await asyncio.sleep(0.01)
    await polls.shared.close()
    assert all(isinstance(one, BaseException) for one in await asyncio.gather(*waiting, return_exceptions=True))
