"""The table of all devices: shared by all who look, seldom made, and the same whether it is made anew or kept up."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any, cast

import pytest

from promsnmp.polling.health.summary import HealthSummary, NamedValue
from promsnmp.polling.pages.poll_status import NEVER_POLLED, PollStatus
from promsnmp.web.device_table.service import LONGEST, REFRESH, REVIEW, DeviceTables
from promsnmp.web.device_table.table import COLUMNS, DeviceTable
from tests.support.web.interface import NOW, device, down, interface, up

HOT = HealthSummary(2, 1, ("Fan",), NamedValue("CPU", 71.0), NamedValue("/", 0.9))


class Devices:
    """Devices whose polls end as a test says, and the tables of them."""

    def __init__(self, *statuses: PollStatus) -> None:
        self.statuses = list(statuses)
        self.now = 100.0
        self.asked = 0
        devices = {device(number): status for number, status in enumerate(statuses, 1)}
        self.sources = interface(devices)._sources
        self.sources = replace(self.sources, statuses=self._statuses)
        self.tables = DeviceTables(self.sources, clock=lambda: self.now, wall=lambda: NOW + self.now - 100)

    def _statuses(self, _: object) -> list[PollStatus | None]:
        self.asked += 1
        return list(self.statuses)

    async def next_table(self) -> DeviceTable:
        self.now += LONGEST
        return await self.tables.table()


async def test_those_who_ask_at_the_same_time_share_a_table() -> None:
    devices = Devices(up(), down())
    found = await asyncio.gather(*(devices.tables.table() for _ in range(20)))
    assert {id(table) for table in found} == {id(found[0])}
    assert (found[0].counts["down"], devices.asked) == (1, 1)


async def test_a_table_is_renewed_when_it_is_old() -> None:
    devices = Devices(up(), down())
    first = await devices.tables.table()
    assert REFRESH <= first.lifetime <= LONGEST
    devices.now += first.lifetime - 0.01
    assert await devices.tables.table() is first
    devices.now += 0.02
    assert await devices.tables.table() is not first


async def test_a_caller_that_goes_away_takes_the_table_from_nobody() -> None:
    devices = Devices(up(), down())
    leaving = asyncio.create_task(devices.tables.table())
    staying = asyncio.create_task(devices.tables.table())
    await asyncio.sleep(0)
    leaving.cancel()
    assert (await staying).counts["up"] == 1


STATUSES = (
    up(), down(), up(health=HOT), NEVER_POLLED, PollStatus("partial", NOW, "cut"), up(-1000, health=HOT),
    PollStatus("down", NOW, "wrong digest", outcome="authentication"),
)  # fmt: skip


@pytest.mark.parametrize("after", STATUSES)
async def test_a_table_that_is_kept_up_says_the_same_as_a_new_one(after: PollStatus) -> None:
    devices = Devices(*STATUSES)
    before = await devices.next_table()
    counts, rows = before.counts.copy(), list(before.rows)
    devices.statuses = [after, *STATUSES[1:-1], after]
    kept = await devices.next_table()
    new = await Devices(*devices.statuses).tables.table()
    assert kept.rows[1] is before.rows[1]
    for name in ("rows", "components", "worst", "hottest", "fullest", "refused", "changed"):
        assert getattr(kept, name) == getattr(new, name), name
    assert +kept.counts == +new.counts
    assert [kept.ordered(column) for column in COLUMNS] == [new.ordered(column) for column in COLUMNS]
    assert (before.counts, before.rows) == (counts, rows)


async def test_what_only_time_changes_is_looked_at_now_and_then() -> None:
    devices = Devices(up(200), up())
    assert (await devices.next_table()).counts["stale"] == 1
    for _ in range(int(200 / LONGEST) - 1):
        await devices.next_table()
    table = await devices.next_table()
    assert table.counts["stale"] == 2
    assert table.reviewed_at >= devices.now - REVIEW


async def test_another_inventory_is_shown_at_once_to_those_who_changed_it() -> None:
    devices = Devices(up(), down())
    first = await devices.tables.table()
    store = cast("Any", devices.sources.devices)._store
    store.snapshot = type(store.snapshot).of(replace(first.inventory, devices=first.inventory.devices[:1]))
    devices.statuses = devices.statuses[:1]
    assert await devices.tables.table() is first
    assert len((await devices.tables.table(is_current=True)).rows) == 1
