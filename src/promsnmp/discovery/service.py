"""Discovery for the rest of the program: the saved seeds, and the jobs that search.

Several jobs run concurrently and share the rate, so that a search of one address does not wait for a large network. A
run over all seeds never overlaps with another one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from promsnmp.discovery.jobs import ENDED_STATES, Job, JobHistory, JobState, SearchPlan, packets_to_silent
from promsnmp.discovery.reconcile.merge import NewDeviceDefaults
from promsnmp.discovery.scan.addresses import Addresses
from promsnmp.discovery.scan.rate import SharedRate
from promsnmp.discovery.scan.target_syntax import read_networks, read_scope
from promsnmp.discovery.search import SearchContext, SearchRun
from promsnmp.discovery.search_log import DurableSearches, unix_time
from promsnmp.discovery.seeds import SavedSeeds
from promsnmp.discovery.serialize import detailed_document, job_document
from promsnmp.errors import DiscoveryBusy, NotLeader, PromSnmpError
from promsnmp.inventory.model import Seed, UnfinishedSearch
from promsnmp.inventory.modules import KnownModules
from promsnmp.observe.counts import DiscoveryCounts

log = logging.getLogger(__name__)

MAX_RUNNING_JOBS = 4
"""Most jobs that run at the same time."""
MAX_WAITING_JOBS = 100
"""Most jobs that wait."""
RESULT_RETRIES = (1.0, 5.0, 30.0, 120.0)
"""Seconds between the attempts to write the result of a job."""


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
        new_device_defaults=NewDeviceDefaults(labels=seed.labels, modules=seed.modules, overrides=seed.overrides),
        neighbours=neighbours,
        remove_lost=remove_lost,
        seed_id=seed.id if saved else "",
        who=who,
        seed=seed,
        problems=tuple(problems),
    )


class Discovery:
    """The saved ``seeds``, and jobs. ``neighbours`` and ``remove_lost`` are the defaults from the settings.

    With ``durable_jobs``, jobs are kept in the inventory, and go on at the next leader or in the next process.
    """

    def __init__(
        self,
        context: SearchContext,
        counts: DiscoveryCounts,
        *,
        neighbours: Addresses | None = None,
        remove_lost: bool = False,
        leads: Callable[[], bool] = lambda: True,
        durable_jobs: bool = False,
        finished_at: float = 0.0,
        known_modules: KnownModules | None = None,
    ) -> None:
        self.seeds = SavedSeeds(context.inventory, context.update, known_modules)
        self.durable = DurableSearches(context.inventory, context.update, context.clock)
        self._durable_jobs = durable_jobs
        self._closed = asyncio.Event()
        self._saves: dict[str, asyncio.Task[None]] = {}
        """What writes results now, by the id of the job."""
        self._context = context
        self._counts = counts
        self._neighbours = neighbours or Addresses()
        self._remove_lost = remove_lost
        self._leads = leads
        self._shared_rate = SharedRate(context.scan_limits.packets_per_second)
        self._history = JobHistory()
        self._waiting: list[Job] = []
        self._running: dict[str, asyncio.Task[None]] = {}
        self.finished_at = finished_at
        """Unix time at which a job last finished without being stopped; 0: never."""

    @property
    def jobs(self) -> Iterable[Job]:
        """The newest first."""
        return iter(self._history)

    def job(self, job_id: str) -> Job | None:
        return self._history.get(job_id)

    def documents(self, now: float) -> list[dict[str, Any]]:
        """All jobs, the newest first: those of this process, then those that ended at earlier leaders."""
        own = {job.id: job_document(job, now) for job in self._history}
        return [*own.values(), *(result for job_id, result in self.durable.ended.items() if job_id not in own)]

    def document(self, job_id: str, now: float) -> dict[str, Any] | None:
        """One job with its devices; those of a job that ended at an earlier leader are not known any more."""
        job = self._history.get(job_id)
        if job is not None:
            return detailed_document(job, now)
        result = self.durable.ended.get(job_id)
        return None if result is None else result | {"devices": [], "devicesOmitted": True}

    def plan(self, seed: Seed, *, who: str, remove_lost: bool = False, saved: bool = False) -> SearchPlan:
        """``plan_for_seed`` with the defaults of the settings."""
        return plan_for_seed(seed, self._neighbours, who=who, remove_lost=remove_lost or self._remove_lost, saved=saved)

    def estimate(self, addresses: int, *, communities: int, users: int) -> float:
        """Seconds that a search takes that has the whole rate, if most addresses do not answer."""
        limits = self._context.scan_limits
        packets = addresses * packets_to_silent(communities, users, limits.retries)
        return packets / limits.packets_per_second + limits.timeout * (limits.retries + 1)

    @property
    def packets_per_second(self) -> float:
        """The rate of all searches together."""
        return self._context.scan_limits.packets_per_second

    def check_queue(self) -> None:
        """Raises DiscoveryBusy when too many searches are waiting."""
        if len(self._waiting) >= MAX_WAITING_JOBS:
            raise DiscoveryBusy(f"{MAX_WAITING_JOBS} searches are waiting already; retry later")

    def start(self, plan: SearchPlan) -> Job:
        """Starts a search, or queues it. Raises DiscoveryBusy when too many are waiting."""
        self.check_queue()
        return self._queue(Job(plan, self._context.clock()))

    async def start_durably(self, plan: SearchPlan, *, request_id: str = "") -> Job:
        """Like ``start``; when it returns, the search survives this process. Raises InventoryError, too, and then there
        is no search. ``request_id`` as for ``InventoryStore.update``."""
        job = self.start(plan)
        if self._durable_jobs:
            try:
                await self.durable.save(job, request_id=request_id)
            except Exception:  # whatever it is, the caller gets it
                self.stop_job(job)
                raise
        return job

    def resume(self) -> None:
        """Goes on with the searches that an earlier leader, or process, has not ended."""
        if not self._durable_jobs or self._closed.is_set() or not self._leads():
            return
        for one in self.durable.unfinished:
            job = self._history.get(one.id)
            if job is not None and job.state in ENDED_STATES:
                self._record_result(job)
            elif job is None and one.id not in self._running:
                self._resume(one)

    def _resume(self, search: UnfinishedSearch) -> None:
        plan = self.plan(search.seed, who=search.who, remove_lost=search.remove_lost, saved=search.is_saved)
        now, size = self._context.clock(), plan.scope.addresses.size
        job = Job(plan, unix_time(search.created_at), search.id, resumed=now)
        job.started = unix_time(search.started_at) if search.started_at else 0.0
        job.done_before = job.progress.probed = search.done if search.size == size else 0
        log.info("discovery job %s goes on: %d of %d addresses are done", job.id, job.done_before, size)
        self._queue(job)

    def _queue(self, job: Job) -> Job:
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

    def suspend(self) -> None:
        """Stops all jobs here: another replica, or the next process, goes on with those that are kept."""
        for job in list(self._history):
            if job.state not in ENDED_STATES:
                self.suspend_job(job)

    def suspend_job(self, job: Job) -> None:
        """Stops a job here; if it is kept, it goes on elsewhere."""
        job.is_suspended = self._is_durable(job)
        self.stop_job(job)

    def _is_durable(self, job: Job) -> bool:
        return self._durable_jobs and job.plan.seed is not None

    async def close(self) -> None:
        """Suspends all jobs and waits until their results are written."""
        self._closed.set()
        self.suspend()
        if running := [*self._running.values(), *self._saves.values()]:
            await asyncio.wait(running)

    def figures(self) -> tuple[int, int, int]:
        """Addresses in flight, the limit of them, and addresses that wait."""
        jobs = [job for job in self._history if job.state not in ENDED_STATES]
        active = sum(job.in_flight for job in jobs)
        left = sum(job.progress.addresses - job.progress.probed if job.started else job.plan.scope.size for job in jobs)
        return active, self._context.scan_limits.in_flight, max(left - active, 0)

    def _begin_waiting(self) -> None:
        while self._waiting and len(self._running) < MAX_RUNNING_JOBS:
            job = self._waiting.pop(0)
            job.state, job.started = JobState.RUNNING, job.started or self._context.clock()
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
            job.is_suspended = job.is_suspended or (isinstance(error, NotLeader) and self._is_durable(job))
            self._end(job, JobState.FAILED, str(error))
        except Exception:  # a mistake here ends this search only
            log.exception("unexpected error in discovery job %s", job.id)
            self._end(job, JobState.FAILED, "unexpected error in PromSNMP; see its log")
        else:
            self._end(job, JobState.CANCELLED if job.stop_requested else JobState.FINISHED)
        finally:
            share.close()
            del self._running[job.id]
            self._begin_waiting()
            if job.is_suspended:
                self.resume()

    def _end(self, job: Job, state: JobState, error: str = "") -> None:
        now = self._context.clock()
        job.in_flight = 0
        job.end(state, now, error)
        if job.is_suspended:
            self._history.remove(job)
            log.info("discovery job %s stops here; the next leader goes on with it", job.id)
            return
        if state is JobState.FINISHED:
            self.finished_at = now
        self._history.trim()
        self._count(job)
        self._record_result(job)

    def _count(self, job: Job) -> None:
        self._counts.record(
            job.state.value,
            seconds=job.ended - job.started if job.started else None,
            findings=job.change_counts,
            lost=len(job.missed_devices.lost),
            removed=len(job.missed_devices.removed),
            addresses=job.progress.probed - job.done_before,
            packets=job.progress.packets,
            errors=job.progress.errors,
        )
        log.info(
            "discovery job %s is %s: asked %d addresses, %d devices (%d new), %d lost%s",
            job.id, job.state.value, job.progress.probed, len(job.discovered_devices), job.change_counts["added"],
            len(job.missed_devices.lost),
            f": {job.error}" if job.error else "",
        )  # fmt: skip

    def _record_result(self, job: Job) -> None:
        """Writes the result of a job that is kept, in the background, and repeats that until it succeeds."""
        if self._is_durable(job) and job.id not in self._saves:
            task = asyncio.get_running_loop().create_task(self._write_result(job), name=f"result of job {job.id}")
            self._saves[job.id] = task
            task.add_done_callback(lambda _: self._saves.pop(job.id, None))

    async def _write_result(self, job: Job) -> None:
        for seconds in RESULT_RETRIES:
            try:
                await self.durable.end(job, job_document(job, job.ended))
            except Exception as error:  # noqa: BLE001  # tried again, as long as this replica leads
                log.warning("cannot write the result of discovery job %s: %s", job.id, error)
            else:
                return
            if not self._leads() or self._closed.is_set():
                return
            with suppress(TimeoutError):
                await asyncio.wait_for(self._closed.wait(), seconds)
