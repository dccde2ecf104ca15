"""Discovery for the rest of the program: the saved seeds, and the jobs that search.

Several jobs run concurrently and share the rate, so that a search of one address does not wait for a large network. A
run over all seeds never overlaps with another one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable

from promsnmp.discovery.jobs import ENDED_STATES, Job, JobHistory, JobState, SearchPlan
from promsnmp.discovery.reconcile.merge import NewDeviceDefaults
from promsnmp.discovery.scan.addresses import Addresses
from promsnmp.discovery.scan.rate import SharedRate
from promsnmp.discovery.scan.target_syntax import read_networks, read_scope
from promsnmp.discovery.search import SearchContext, SearchRun
from promsnmp.discovery.seeds import SavedSeeds
from promsnmp.errors import DiscoveryBusy, PromSnmpError
from promsnmp.inventory.model import Seed
from promsnmp.observe.counts import DiscoveryCounts

log = logging.getLogger(__name__)

MAX_RUNNING_JOBS = 4
"""Most jobs that run at the same time."""
MAX_WAITING_JOBS = 100
"""Most jobs that wait."""
SCHEDULE_ACTOR = "discovery schedule"
"""The author of scheduled searches in the audit log."""


def plan_for_seed(seed: Seed, neighbours: Addresses, *, who: str, remove_lost: bool, saved: bool) -> SearchPlan:
    """The plan for a seed. Invalid targets are listed in its problems, and left out.

    ``neighbours`` applies when the seed does not set its own. ``saved``: the seed is in the inventory.
    """
    scope, problems = read_scope(seed.potential_targets, seed.exclude, force=seed.force)
    if seed.neighbours is not None:
        neighbours, more = read_networks(seed.neighbours, "neighbours")
        problems += more
    return SearchPlan(
        targets=seed.potential_targets,
        scope=scope,
        credentials=seed.credentials,
        port=seed.port,
        new_device_defaults=NewDeviceDefaults(labels=seed.labels, modules=seed.modules),
        neighbours=neighbours,
        remove_lost=remove_lost,
        seed_id=seed.id if saved else "",
        who=who,
        problems=tuple(problems),
    )


class Discovery:
    """The saved ``seeds``, and jobs. ``neighbours`` and ``remove_lost`` are the defaults from the settings."""

    def __init__(
        self,
        context: SearchContext,
        counts: DiscoveryCounts,
        *,
        neighbours: Addresses | None = None,
        remove_lost: bool = False,
        leads: Callable[[], bool] = lambda: True,
        finished_at: float = 0.0,
    ) -> None:
        self.seeds = SavedSeeds(context.inventory, context.update)
        self._context = context
        self._counts = counts
        self._neighbours = neighbours or Addresses()
        self._remove_lost = remove_lost
        self._leads = leads
        self._shared_rate = SharedRate(context.scan_limits.packets_per_second)
        self._history = JobHistory()
        self._waiting: list[Job] = []
        self._running: dict[str, asyncio.Task[None]] = {}
        self._is_running_seeds = False
        self.finished_at = finished_at
        """Unix time at which a job last finished without being stopped; 0: never."""

    @property
    def jobs(self) -> Iterable[Job]:
        """The newest first."""
        return iter(self._history)

    def job(self, job_id: str) -> Job | None:
        return self._history.get(job_id)

    def plan(self, seed: Seed, *, who: str, remove_lost: bool = False, saved: bool = False) -> SearchPlan:
        """``plan_for_seed`` with the defaults of the settings."""
        return plan_for_seed(seed, self._neighbours, who=who, remove_lost=remove_lost or self._remove_lost, saved=saved)

    def check_queue(self) -> None:
        """Raises DiscoveryBusy when too many searches are waiting."""
        if len(self._waiting) >= MAX_WAITING_JOBS:
            raise DiscoveryBusy(f"{MAX_WAITING_JOBS} searches are waiting already; retry later")

    def start(self, plan: SearchPlan) -> Job:
        """Starts a search, or queues it. Raises DiscoveryBusy when too many are waiting."""
        self.check_queue()
        job = Job(plan, self._context.clock())
        self._history.add(job)
        self._waiting.append(job)
        self._begin_waiting()
        return job

    def stop_job(self, job: Job) -> None:
        """Stops a job; what it found stays in the inventory."""
        job.stop_requested = True
        if job in self._waiting:
            self._waiting.remove(job)
            self._end(job, JobState.CANCELLED)

    async def run_seeds(self) -> list[Job]:
        """Searches all saved seeds and returns at the end; does nothing when such a run is in progress.

        Being cancelled stops the searches.
        """
        if self._is_running_seeds:
            log.warning("skipping this run, the saved seeds are being searched already")
            return []
        self._is_running_seeds = True
        jobs: list[Job] = []
        try:
            for seed in self.seeds.seeds:
                if not self._leads():
                    break
                plan = self.plan(seed, who=SCHEDULE_ACTOR, saved=True)
                job = self.start(plan)
                jobs.append(job)
                await job.ended_event.wait()
        finally:
            self._is_running_seeds = False
            for job in jobs:
                if job.state not in ENDED_STATES:
                    self.stop_job(job)
        return jobs

    def stop_all(self) -> None:
        """Stops all jobs."""
        for job in list(self._waiting):
            self.stop_job(job)
        for job in self._history:
            job.stop_requested = True

    async def close(self) -> None:
        """Stops all jobs and waits until their results are written."""
        self.stop_all()
        if self._running:
            await asyncio.wait(self._running.values())

    def figures(self) -> tuple[int, int, int]:
        """Addresses in flight, the limit of them, and addresses that wait."""
        jobs = [job for job in self._history if job.state not in ENDED_STATES]
        active = sum(job.in_flight for job in jobs)
        left = sum(job.progress.addresses - job.progress.probed if job.started else job.plan.scope.size for job in jobs)
        return active, self._context.scan_limits.in_flight, max(left - active, 0)

    def _begin_waiting(self) -> None:
        while self._waiting and len(self._running) < MAX_RUNNING_JOBS:
            job = self._waiting.pop(0)
            job.state, job.started = JobState.RUNNING, self._context.clock()
            task = asyncio.get_running_loop().create_task(self._run(job), name=f"discovery job {job.id}")
            self._running[job.id] = task

    async def _run(self, job: Job) -> None:
        share = self._shared_rate.share()
        log.info(
            "discovery job %s begins: %d addresses of %s", job.id, job.plan.scope.size, ", ".join(job.plan.targets)
        )
        try:
            await SearchRun(job, self._context, share).run()
        except PromSnmpError as error:
            self._end(job, JobState.FAILED, str(error))
        except Exception:
            log.exception("unexpected error in discovery job %s", job.id)
            self._end(job, JobState.FAILED, "unexpected error in PromSNMP; see its log")
        else:
            self._end(job, JobState.CANCELLED if job.stop_requested else JobState.FINISHED)
        finally:
            share.close()
            del self._running[job.id]
            self._begin_waiting()

    def _end(self, job: Job, state: JobState, error: str = "") -> None:
        now = self._context.clock()
        job.in_flight = 0
        job.end(state, now, error)
        if state is JobState.FINISHED:
            self.finished_at = now
        self._history.trim()
        self._counts.record(
            state.value,
            seconds=now - job.started if job.started else None,
            findings=job.change_counts,
            lost=len(job.missed_devices.lost),
            removed=len(job.missed_devices.removed),
            addresses=job.progress.probed,
            packets=job.progress.packets,
            errors=job.progress.errors,
        )
        log.info(
            "discovery job %s is %s: asked %d addresses, %d devices (%d new), %d lost%s",
            job.id, state.value, job.progress.probed, len(job.discovered_devices), job.change_counts["added"],
            len(job.missed_devices.lost),
            f": {error}" if error else "",
        )  # fmt: skip
