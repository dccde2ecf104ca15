"""Runs the polls of a target one after the other, and lets scrapes share them."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from promsnmp.observe.tasks import shielded
from promsnmp.polling.pages.cache import CacheEntry
from promsnmp.polling.target import Target


@dataclass(slots=True, eq=False)
class _SharedPoll:
    target: Target
    task: asyncio.Task[CacheEntry] | None = None
    began: float | None = None
    """Seconds, monotonic; None: it has not begun."""


class SharedPolls:
    """Polls that run or wait. ``poll`` polls a target once."""

    def __init__(self, poll: Callable[[Target], Awaitable[CacheEntry]]) -> None:
        self._poll = poll
        self._polls: dict[tuple[str, tuple[str, ...]], list[_SharedPoll]] = {}

    @property
    def active(self) -> int:
        """Polls running now."""
        return sum(poll.began is not None for polls in self._polls.values() for poll in polls)

    @property
    def is_idle(self) -> bool:
        """Whether no poll runs or waits."""
        return not self._polls

    def targets(self) -> list[Target]:
        """The targets of polls that run or wait."""
        return [poll.target for polls in self._polls.values() for poll in polls]

    async def share(self, target: Target, *, not_before: float = -math.inf) -> CacheEntry:
        """The result of a poll of ``target`` that began at ``not_before`` (seconds, monotonic) or later: one that runs
        or waits, or else a new one after those. Raises what the poll raises."""
        return await shielded(self.start(target, not_before=not_before))

    def has(self, target: Target, *, not_before: float = -math.inf) -> bool:
        """Whether ``share`` with the same arguments would begin no new poll."""
        return self._find(target, not_before) is not None

    def start(self, target: Target, *, not_before: float = -math.inf) -> asyncio.Task[CacheEntry]:
        """As ``share``, but returns the task, which must not be cancelled, without waiting for it."""
        return self._find(target, not_before) or self._start(target)

    async def close(self) -> None:
        """Ends all polls."""
        tasks = [poll.task for polls in self._polls.values() for poll in polls if poll.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _find(self, target: Target, not_before: float) -> asyncio.Task[CacheEntry] | None:
        for poll in self._polls.get((target.key, target.modules), ()):
            if poll.target == target and (poll.began is None or poll.began >= not_before):
                return poll.task
        return None

    def _start(self, target: Target) -> asyncio.Task[CacheEntry]:
        polls = self._polls.setdefault((target.key, target.modules), [])
        before, made = polls[-1].task if polls else None, _SharedPoll(target)
        made.task = task = asyncio.create_task(self._run(made, before), name=f"poll of {target.name}")
        polls.append(made)

        def remove(_: object) -> None:
            polls.remove(made)
            if not polls:
                self._polls.pop((target.key, target.modules), None)

        task.add_done_callback(remove)
        return task

    async def _run(self, poll: _SharedPoll, before: asyncio.Task[CacheEntry] | None) -> CacheEntry:
        if before is not None:
            await asyncio.wait([before])
        poll.began = time.monotonic()
        return await self._poll(poll.target)
