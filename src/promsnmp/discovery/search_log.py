"""Keeps searches in the inventory, so that the next leader goes on with them, and their ids stay valid.

A search is written when it is accepted, its progress every now and then together with what it found, and its result in
the end. Everything is bounded: a search whose targets take too much room, and those beyond MAX_OCTETS, run without
being kept.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from promsnmp.discovery.jobs import Job
from promsnmp.discovery.reconcile.batch_writer import UpdateInventory
from promsnmp.inventory.model import EndedSearch, Inventory, ScheduledRun, SearchLog, Seed, UnfinishedSearch

log = logging.getLogger(__name__)

MAX_OCTETS = 1 << 20
"""Octets of all unfinished searches, about: they are written with each change of the inventory."""
MAX_ENDED = 10
"""Ended searches whose result is kept."""
MAX_LISTED = 100
"""Entries of a list in a result that is kept."""
RESUME_SECONDS = 86_400.0
"""Age of the last progress up to which a search goes on; older ones come from a backup, or nobody waits for them."""
SCHEDULE_ACTOR = "discovery schedule"
"""The author of scheduled searches in the audit log."""


class DurableSearches:
    """The searches in an inventory; ``clock`` returns Unix time. Changes raise InventoryError."""

    def __init__(self, inventory: Callable[[], Inventory], update: UpdateInventory, clock: Callable[[], float]) -> None:
        self._inventory = inventory
        self._update = update
        self._clock = clock

    @property
    def _log(self) -> SearchLog:
        return self._inventory().searches

    @property
    def unfinished(self) -> Iterable[UnfinishedSearch]:
        """Those to go on with, the oldest first."""
        now = self._clock()
        return sorted((one for one in self._log.unfinished if _goes_on(one, now)), key=lambda one: one.created_at)

    @property
    def ended(self) -> Mapping[str, dict[str, Any]]:
        """The results of ended searches by id, the newest first."""
        return {one.id: json.loads(one.summary) for one in reversed(self._log.ended)}

    async def save(self, job: Job, *, request_id: str = "") -> None:
        """Keeps a search that has just been accepted."""

        def change(inventory: Inventory) -> Inventory:
            return with_progress(inventory, job, done=0, now=self._clock(), add=True)

        await self._update(change, who=job.plan.who, request_id=request_id)

    async def end(self, job: Job, result: Mapping[str, Any]) -> None:
        """Replaces an unfinished search by its result."""

        def change(inventory: Inventory) -> Inventory:
            searches = inventory.searches
            unfinished = tuple(one for one in searches.unfinished if one.id != job.id)
            if len(unfinished) == len(searches.unfinished):
                return inventory
            ended = (*searches.ended, EndedSearch(job.id, json.dumps(_shortened(result))))[-MAX_ENDED:]
            return replace(inventory, searches=replace(searches, unfinished=unfinished, ended=ended))

        await self._update(change, who=job.plan.who)

    # ------------------------------------------------------------------------------------------------ scheduled runs

    @property
    def run(self) -> ScheduledRun | None:
        """The last search of all saved seeds."""
        return self._log.run

    async def begin_run(self, schedule: str, due_at: float, seeds: Iterable[Seed]) -> None:
        """Notes that all saved seeds are searched, before it begins."""
        run = ScheduledRun(schedule, iso_time(due_at), seeds_left=tuple(seed.id for seed in seeds))
        await self._set_run(lambda _: run)

    async def end_seed(self, seed_id: str) -> None:
        """Notes that a seed of the run is done; with the last one, the run is."""
        ended_at = iso_time(self._clock())

        def change(run: ScheduledRun | None) -> ScheduledRun | None:
            if run is None or seed_id not in run.seeds_left:
                return run
            left = tuple(one for one in run.seeds_left if one != seed_id)
            return replace(run, seeds_left=left, ended_at=None if left else ended_at)

        await self._set_run(change)

    async def _set_run(self, change: Callable[[ScheduledRun | None], ScheduledRun | None]) -> None:
        def change_inventory(inventory: Inventory) -> Inventory:
            run = change(inventory.searches.run)
            if run == inventory.searches.run:
                return inventory
            return replace(inventory, searches=replace(inventory.searches, run=run))

        await self._update(change_inventory, who=SCHEDULE_ACTOR)


def with_progress(inventory: Inventory, job: Job, *, done: int, now: float, add: bool = False) -> Inventory:
    """The inventory with the progress of a search: ``done`` addresses. ``add``: although it is not kept yet."""
    seed, plan, searches = job.plan.seed, job.plan, inventory.searches
    if seed is None or not (add or any(one.id == job.id for one in searches.unfinished)):
        return inventory
    others = tuple(one for one in searches.unfinished if one.id != job.id and _goes_on(one, now))
    if sum(_octets(one) for one in (seed, *(other.seed for other in others))) > MAX_OCTETS:
        log.warning("discovery job %s has too many targets to continue after a change of the leader", job.id)
        return inventory
    search = UnfinishedSearch(
        id=job.id,
        seed=seed,
        created_at=iso_time(job.created),
        saved_at=iso_time(now),
        started_at=iso_time(job.started) if job.started else None,
        who=plan.who,
        is_saved=bool(plan.seed_id),
        remove_lost=plan.remove_lost,
        done=done,
        size=plan.scope.addresses.size,
    )
    return replace(inventory, searches=replace(searches, unfinished=(*others, search)))


def _goes_on(search: UnfinishedSearch, now: float) -> bool:
    """Whether a search made progress lately enough to go on."""
    return abs(now - unix_time(search.saved_at)) < RESUME_SECONDS


def _octets(seed: Seed) -> int:
    """The octets that a seed takes in the file, about."""
    texts = (*seed.potential_targets, *seed.exclude, *(seed.neighbours or ()))
    return sum(len(one) + 3 for one in texts) + 500 * len(seed.credentials) + 500


def _shortened(result: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value[:MAX_LISTED] if isinstance(value, list) else value for key, value in result.items()}


def iso_time(seconds: float) -> str:
    """Unix time as ISO 8601 in UTC, with milliseconds."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def unix_time(text: str) -> float:
    """The reverse of ``iso_time``."""
    return datetime.fromisoformat(text).timestamp()
