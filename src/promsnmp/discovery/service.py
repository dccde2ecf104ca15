"""Discovery as the rest of the program sees it: seeds that are kept, and jobs that search.

Several jobs run side by side and share the pace, so that asking one address does not wait for a large network.
Searching all seeds is one run, and there is never a second one at the same time.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable

from promsnmp.discovery.jobs import ENDED, History, Job, Plan, State
from promsnmp.discovery.reconcile.merge import Newcomers
from promsnmp.discovery.scan.addresses import Addresses
from promsnmp.discovery.scan.rate import Allowance
from promsnmp.discovery.scan.target_syntax import read_networks, read_scope
from promsnmp.discovery.search import Search, Setup
from promsnmp.discovery.seeds import SeedBook
from promsnmp.errors import DiscoveryBusy, PromSnmpError
from promsnmp.inventory.model import Seed
from promsnmp.observe.counts import DiscoveryCounts

log = logging.getLogger(__name__)

SIDE_BY_SIDE = 4
"""Jobs that run at once."""
MOST_WAITING = 100
"""Jobs that wait for their turn."""
SCHEDULE = "discovery schedule"
"""Who asks for searches of all seeds, for the audit log."""


def plan_of(seed: Seed, neighbours: Addresses, *, who: str, remove_lost: bool, saved: bool) -> Plan:
    """The plan for a seed. Targets that are wrong are among its problems, and left out.

    ``neighbours`` is used where the seed says nothing about them. ``saved``: the seed is in the inventory.
    """
    scope, problems = read_scope(seed.potential_targets, seed.exclude, force=seed.force)
    if seed.neighbours is not None:
        neighbours, more = read_networks(seed.neighbours, "neighbours")
        problems += more
    return Plan(
        targets=seed.potential_targets,
        scope=scope,
        credentials=seed.credentials,
        port=seed.port,
        newcomers=Newcomers(labels=seed.labels, modules=seed.modules),
        neighbours=neighbours,
        remove_lost=remove_lost,
        seed_id=seed.id if saved else "",
        who=who,
        problems=tuple(problems),
    )


class Discovery:
    """The saved ``seeds``, and jobs. ``neighbours`` are the networks of the settings, ``remove_lost`` theirs, too."""

    def __init__(
        self,
        setup: Setup,
        counts: DiscoveryCounts,
        *,
        neighbours: Addresses | None = None,
        remove_lost: bool = False,
        leads: Callable[[], bool] = lambda: True,
        finished_at: float = 0.0,
    ) -> None:
        self.seeds = SeedBook(setup.inventory, setup.update)
        self._setup = setup
        self._counts = counts
        self._neighbours = neighbours or Addresses()
        self._remove_lost = remove_lost
        self._leads = leads
        self._allowance = Allowance(setup.pace.packets_per_second)
        self._history = History()
        self._waiting: list[Job] = []
        self._running: dict[str, asyncio.Task[None]] = {}
        self._runs_all = False
        self.finished_at = finished_at
        """Unix time at which a job last came to its end by itself; 0: none has."""

    @property
    def jobs(self) -> Iterable[Job]:
        """The newest first."""
        return iter(self._history)

    def job(self, job_id: str) -> Job | None:
        return self._history.get(job_id)

    def plan(self, seed: Seed, *, who: str, remove_lost: bool = False, saved: bool = False) -> Plan:
        """As ``plan_of``, with what the settings say where the seed says nothing."""
        return plan_of(seed, self._neighbours, who=who, remove_lost=remove_lost or self._remove_lost, saved=saved)

    def start(self, plan: Plan) -> Job:
        """Begins a search, or puts it behind those that wait. Raises DiscoveryBusy when too many do."""
        if len(self._waiting) >= MOST_WAITING:
            raise DiscoveryBusy(f"{MOST_WAITING} searches are waiting already: try again when some of them are over")
        job = Job(plan, self._setup.clock())
        self._history.add(job)
        self._waiting.append(job)
        self._begin_waiting()
        return job

    def stop_job(self, job: Job) -> None:
        """Ends a job early; what it found stays in the inventory."""
        job.stopping = True
        if job in self._waiting:
            self._waiting.remove(job)
            self._end(job, State.CANCELLED)

    async def run_seeds(self) -> list[Job]:
        """Searches all saved seeds and returns when that is over; nothing when they are being searched already.

        Being cancelled stops the searches.
        """
        if self._runs_all:
            log.warning("the saved seeds are being searched already: this run is left out")
            return []
        self._runs_all = True
        jobs: list[Job] = []
        try:
            for seed in self.seeds.seeds:
                if not self._leads():
                    break
                plan = self.plan(seed, who=SCHEDULE, saved=True)
                job = self.start(plan)
                jobs.append(job)
                await job.over.wait()
        finally:
            self._runs_all = False
            for job in jobs:
                if job.state not in ENDED:
                    self.stop_job(job)
        return jobs

    def stop_all(self) -> None:
        """Ends all jobs early."""
        for job in list(self._waiting):
            self.stop_job(job)
        for job in self._history:
            job.stopping = True

    async def close(self) -> None:
        """Stops all jobs; what they found is written."""
        self.stop_all()
        if self._running:
            await asyncio.wait(self._running.values())

    def figures(self) -> tuple[int, int, int]:
        """Addresses that are being asked, that may be at once, and that wait to be."""
        jobs = [job for job in self._history if job.state not in ENDED]
        active = sum(job.in_flight for job in jobs)
        left = sum(job.progress.addresses - job.progress.probed if job.started else job.plan.scope.size for job in jobs)
        return active, self._setup.pace.in_flight, max(left - active, 0)

    def _begin_waiting(self) -> None:
        while self._waiting and len(self._running) < SIDE_BY_SIDE:
            job = self._waiting.pop(0)
            job.state, job.started = State.RUNNING, self._setup.clock()
            task = asyncio.get_running_loop().create_task(self._run(job), name=f"discovery job {job.id}")
            self._running[job.id] = task

    async def _run(self, job: Job) -> None:
        share = self._allowance.share()
        log.info(
            "discovery job %s begins: %d addresses of %s", job.id, job.plan.scope.size, ", ".join(job.plan.targets)
        )
        try:
            await Search(job, self._setup, share).run()
        except PromSnmpError as error:
            self._end(job, State.FAILED, str(error))
        except Exception:
            log.exception("discovery job %s failed by a fault of PromSNMP's", job.id)
            self._end(job, State.FAILED, "a fault in PromSNMP; its log has the details")
        else:
            self._end(job, State.CANCELLED if job.stopping else State.FINISHED)
        finally:
            share.close()
            del self._running[job.id]
            self._begin_waiting()

    def _end(self, job: Job, state: State, error: str = "") -> None:
        now = self._setup.clock()
        job.in_flight = 0
        job.end(state, now, error)
        if state is State.FINISHED:
            self.finished_at = now
        self._history.trim()
        self._counts.ended(
            state.value,
            seconds=now - job.started if job.started else None,
            findings=job.counted,
            lost=len(job.missed.lost),
            removed=len(job.missed.removed),
            addresses=job.progress.probed,
            packets=job.progress.packets,
            errors=job.progress.errors,
        )
        log.info(
            "discovery job %s is %s: asked %d addresses, %d devices (%d new), %d lost%s",
            job.id, state.value, job.progress.probed, len(job.findings), job.counted["added"], len(job.missed.lost),
            f": {error}" if error else "",
        )  # fmt: skip
