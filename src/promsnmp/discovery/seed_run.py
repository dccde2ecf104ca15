"""Searches all saved seeds, one after the other, and keeps in the inventory which are left.

A run ends early when this replica stops leading. The next leader then goes on with it: with the search that was
running, by its job (``Discovery.resume``), and with the seeds that are left.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

from promsnmp.discovery.jobs import ENDED_STATES, Job
from promsnmp.discovery.search_log import RESUME_SECONDS, SCHEDULE_ACTOR
from promsnmp.discovery.service import Discovery
from promsnmp.errors import PromSnmpError
from promsnmp.inventory.model import ScheduledRun

log = logging.getLogger(__name__)


class SeedRun:
    """Runs of ``discovery``. ``schedule`` is the text of the schedule; a run under another one is not its last."""

    def __init__(
        self,
        discovery: Discovery,
        *,
        schedule: str,
        leads: Callable[[], bool] = lambda: True,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._discovery = discovery
        self._schedule = schedule
        self._leads = leads
        self._clock = clock
        self._is_running = False

    @property
    def _run(self) -> ScheduledRun | None:
        return self._discovery.durable.run

    @property
    def last(self) -> datetime | None:
        """The time of the last run, or when it ended if that was later; None when unknown."""
        run = self._run
        if run is None or run.schedule != self._schedule:
            return None
        return max(datetime.fromisoformat(time) for time in (run.due_at, run.ended_at) if time)

    @property
    def is_unfinished(self) -> bool:
        """Whether seeds of the last run are left, and it is not too old to go on."""
        run = self._run
        if self._is_running or run is None or not run.seeds_left:
            return False
        return self._clock() - datetime.fromisoformat(run.due_at) < timedelta(seconds=RESUME_SECONDS)

    async def begin(self, due_at: datetime) -> list[Job]:
        """Searches all saved seeds and returns at the end; does nothing when a run is in progress.

        Being cancelled suspends the searches. Raises PromSnmpError when the inventory cannot be written: then the run
        did not begin, or the rest of it is left.
        """
        if self._is_running:
            log.warning("skipping this run, the saved seeds are being searched already")
            return []
        seeds = self._discovery.seeds.seeds
        self._is_running = True
        try:
            await self._discovery.durable.begin_run(self._schedule, due_at.timestamp(), seeds)
            return await self._search([seed.id for seed in seeds])
        finally:
            self._is_running = False

    async def go_on(self) -> list[Job]:
        """Searches what is left of the last run; otherwise as ``begin``."""
        if not self.is_unfinished or self._run is None:
            return []
        self._is_running = True
        try:
            return await self._search(self._run.seeds_left)
        finally:
            self._is_running = False

    async def _search(self, seed_ids: Iterable[str]) -> list[Job]:
        jobs: list[Job] = []
        try:
            for seed_id in seed_ids:
                if not self._leads():
                    break
                job = await self._job(seed_id)
                if job is not None:
                    jobs.append(job)
                    await job.ended_event.wait()
                    if job.is_suspended:
                        break
                await self._end_seed(seed_id)
        finally:
            for job in jobs:
                if job.state not in ENDED_STATES:
                    self._discovery.suspend_job(job)
        return jobs

    async def _job(self, seed_id: str) -> Job | None:
        """The search of a seed: the one that an earlier leader began, or a new one. None when the seed is gone."""
        for job in self._discovery.jobs:
            if job.state not in ENDED_STATES and (job.plan.seed_id, job.plan.who) == (seed_id, SCHEDULE_ACTOR):
                return job
        seed = self._discovery.seeds.get(seed_id)
        if seed is None:
            return None
        return await self._discovery.start_durably(self._discovery.plan(seed, who=SCHEDULE_ACTOR, saved=True))

    async def _end_seed(self, seed_id: str) -> None:
        try:
            await self._discovery.durable.end_seed(seed_id)
        except PromSnmpError as error:  # at worst, the next leader searches the seed again
            log.warning("cannot note that a seed was searched: %s", error)
