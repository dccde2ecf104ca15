"""Boards: shared by all who look, and seldom made."""

from __future__ import annotations

import asyncio

from promsnmp.web import fleet
from promsnmp.web.fleet import Fleet
from tests.support.web.interface import device, down, interface, up


def made() -> tuple[Fleet, list[float]]:
    now = [100.0]
    sources = interface({device(1): up(), device(2): down()})._sources
    return Fleet(sources, clock=lambda: now[0]), now


async def test_those_who_ask_at_the_same_time_share_a_board() -> None:
    boards, _ = made()
    found = await asyncio.gather(*(boards.board() for _ in range(20)))
    assert {id(board) for board in found} == {id(found[0])}
    assert found[0].counts["down"] == 1


async def test_a_board_is_made_again_when_it_is_old() -> None:
    boards, now = made()
    first = await boards.board()
    now[0] += first.lifetime - 0.01
    assert await boards.board() is first
    now[0] += 0.02
    assert await boards.board() is not first


async def test_a_caller_that_goes_away_takes_the_board_from_nobody() -> None:
    boards, _ = made()
    leaving = asyncio.create_task(boards.board())
    staying = asyncio.create_task(boards.board())
    await asyncio.sleep(0)
    leaving.cancel()
    assert (await staying).counts["up"] == 1


async def test_a_board_that_takes_long_is_shown_longer() -> None:
    boards, _ = made()
    assert (await boards.board()).lifetime >= fleet.REFRESH
    sources = interface({device(number): up() for number in range(1, 20_001)})._sources
    board = await Fleet(sources).board()
    assert board.lifetime > fleet.REFRESH
