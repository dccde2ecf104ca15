"""The memory guard: what happens close to the limit, and that it ends."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from promsnmp.observe.health import Status
from promsnmp.observe.memory_guard import MemoryGuard

MB = 1 << 20


@dataclass(slots=True)
class Memory:
    """The memory of a process: pages, and everything else."""

    used: int
    pages: int = 0
    released: int = 0
    dropped: list[int] = field(default_factory=list)

    def measure(self) -> int:
        return self.used + self.pages

    def drop(self, octets: int) -> int:
        self.dropped.append(octets)
        before, self.pages = self.pages, max(self.pages - octets, 0)
        return (before - self.pages) // MB

    def release(self) -> None:
        self.released += 1


def guard_of(memory: Memory, limit: int = 100 * MB) -> MemoryGuard:
    return MemoryGuard(limit, drop_pages=memory.drop, measure=memory.measure, release=memory.release)


async def test_below_the_limit_nothing_happens() -> None:
    memory = Memory(50 * MB, pages=20 * MB)
    guard = guard_of(memory)
    await guard.refresh()
    assert not guard.is_high()
    assert (memory.dropped, memory.released) == ([], 0)
    assert guard.check().status is Status.UP


async def test_close_to_the_limit_pages_are_dropped_until_there_is_room() -> None:
    memory = Memory(60 * MB, pages=30 * MB)
    guard = guard_of(memory)
    await guard.refresh()
    assert memory.measure() == 80 * MB
    assert guard.dropped == 10
    assert not guard.is_high()


async def test_what_the_c_library_keeps_is_returned_before_pages_are_dropped() -> None:
    memory = Memory(90 * MB, pages=5 * MB)

    def release() -> None:
        memory.used = 40 * MB

    guard = MemoryGuard(100 * MB, drop_pages=memory.drop, measure=memory.measure, release=release)
    await guard.refresh()
    assert memory.dropped == []
    assert not guard.is_high()


async def test_without_pages_to_drop_it_is_visible_and_ends_with_the_shortage(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    memory = Memory(97 * MB)
    guard = guard_of(memory)
    for _ in range(3):
        await guard.refresh()
    assert guard.is_high()
    assert guard.is_critical()
    component = guard.check()
    assert component.status is Status.DOWN
    assert component.details["limitBytes"] == 100 * MB
    assert {one.name: one.samples[0].value for one in guard.families()}["promsnmp_memory_short"] == 1.0
    memory.used = 10 * MB
    await guard.refresh()
    assert guard.check().status is Status.UP
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    assert "MEMORY_LIMIT" in caplog.text


async def test_a_rendering_is_admitted_if_dropping_pages_makes_room_for_it() -> None:
    memory = Memory(40 * MB, pages=30 * MB)
    guard = guard_of(memory)
    assert await guard.admits(20 * MB)
    assert memory.dropped == []
    assert await guard.admits(40 * MB)
    assert memory.measure() <= 55 * MB
    assert not await guard.admits(60 * MB)


async def test_without_a_limit_everything_is_admitted() -> None:
    guard = guard_of(Memory(1 << 40), limit=0)
    await guard.refresh()
    assert not guard.is_high()
    assert await guard.admits(1 << 50)
    assert "limitBytes" not in guard.check().details


async def test_memory_that_was_freed_is_returned_at_the_next_look() -> None:
    memory = Memory(10 * MB)
    guard = guard_of(memory)
    guard.release_soon()
    await guard.refresh()
    await guard.refresh()
    assert memory.released == 1
