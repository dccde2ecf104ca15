"""Scrapes in simulated time, and what must not happen among them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tests.support.reads.replicas import SimulatedReplica, Site

_READING = re.compile(rb"reading_begin (\S+)\nreading_end (\S+)\n")
_COUNT = re.compile(rb"interface_utilization_count\S* (\d+)")


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer with a page; times by the world's clock."""

    device: str
    replica: str
    asked_at: float
    answered_at: float
    begun: float
    ended: float
    """When the poll of the page began and ended."""
    count: int | None
    """Observations in the histogram, if the page has one."""


class SimulatedScrapes:
    """Scrapes any device at any replica, or at ``only`` one, every ``pause`` seconds, on average."""

    def __init__(self, site: Site, *, pause: float, only: SimulatedReplica | None = None) -> None:
        self.answers: list[Answer] = []
        self.refused: list[str] = []
        self._site = site
        self._pause = pause
        self._only = only
        self._next()

    def _next(self) -> None:
        world = self._site.world
        replicas = self._site.running if self._only is None else [self._only]
        open_replicas = [one for one in replicas if not one.is_closed]
        if open_replicas:
            self._scrape(world.chance.choice(open_replicas), world.chance.choice(self._site.devices))
        world.at(world.now + world.chance.uniform(0, 2 * self._pause), self._next)

    def _scrape(self, replica: SimulatedReplica, device: str) -> None:
        world, asked_at = self._site.world, self._site.world.now

        def answered(status: int, page: bytes) -> None:
            reading, count = _READING.search(page), _COUNT.search(page)
            if status != 200 or reading is None:
                self.refused.append(f"{device} at {replica.name}, {asked_at:.3f} to {world.now:.3f}: {status} {page!r}")
                return
            self.answers.append(
                Answer(
                    device,
                    replica.me.instance,
                    asked_at,
                    world.now,
                    float(reading[1]),
                    float(reading[2]),
                    None if count is None else int(count[1]),
                )
            )

        async def serve() -> None:
            status, page = await replica.serve(b"target=" + device.encode())
            world.at(world.now + world.chance.uniform(0, 0.005), lambda: answered(status, page))

        world.at(world.now + world.chance.uniform(0, 0.005), lambda: replica.process.spawn(serve))


def regressions(answers: Sequence[Answer]) -> list[str]:
    """Answers whose poll began before that of an answer had ended that came before they were asked for."""
    found = []
    for device in {one.device for one in answers}:
        mine = [one for one in answers if one.device == device]
        by_end = sorted(mine, key=lambda one: one.answered_at)
        newest: Answer | None = None
        at = 0
        for one in sorted(mine, key=lambda one: one.asked_at):
            while at < len(by_end) and by_end[at].answered_at < one.asked_at:
                if newest is None or by_end[at].ended > newest.ended:
                    newest = by_end[at]
                at += 1
            if newest is not None and one.begun < newest.ended and one.begun != newest.begun:
                found.append(f"{one} after {newest}")
    return found


def histogram_steps(answers: Sequence[Answer], polls: dict[str, list[float]]) -> tuple[list[str], list[str]]:
    """Histograms that went back, and those that went ahead by more than the polls between."""
    resets, jumps = [], []
    for device in {one.device for one in answers}:
        mine = [one for one in answers if one.device == device and one.count is not None]
        by_end = sorted(mine, key=lambda one: one.answered_at)
        last: Answer | None = None
        at = 0
        for one in sorted(mine, key=lambda one: one.asked_at):
            while at < len(by_end) and by_end[at].answered_at < one.asked_at:
                last = by_end[at]
                at += 1
            if last is None or last.count is None or one.count is None:
                continue
            between = sum(last.begun < moment <= one.begun for moment in polls[device])
            if one.count < last.count and one.count > between:  # it did not begin after the last one
                jumps.append(f"{one} after {last}: {between} polls between")
            elif one.count < last.count:
                resets.append(f"{one} after {last}")
            elif one.count > last.count + between + 1:
                jumps.append(f"{one} after {last}: {between} polls between")
    return resets, jumps
