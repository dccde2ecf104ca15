"""Writes the devices that a search finds to the inventory in batches, instead of one write per device."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from promsnmp.discovery.jobs import Job
from promsnmp.discovery.reconcile.identity import Facts
from promsnmp.discovery.reconcile.merge import MergeOutcome, merge
from promsnmp.inventory.model import Inventory

log = logging.getLogger(__name__)

BATCH_SECONDS, BATCH_SIZE = 5.0, 500
"""A batch is written after so many seconds, or when it has so many facts."""
PROGRESS_SECONDS = 30.0
"""The progress of a search is written with each batch, and without one after so many seconds."""
Change = Callable[[Inventory], Inventory]


class UpdateInventory(Protocol):
    """Changes the inventory durably, on behalf of ``who``; see ``InventoryStore.update``. Raises InventoryError and
    OutcomeUnknown."""

    def __call__(
        self, change: Callable[[Inventory], Inventory], /, *, who: str, request_id: str = ""
    ) -> Awaitable[object]: ...


class BatchWriter:
    """Collects facts, writes them, and records the outcomes in ``job``.

    ``progress`` returns the change that notes which addresses are done, as of all facts that were added up to then.
    """

    def __init__(
        self, job: Job, update: UpdateInventory, *, progress: Callable[[], Change] = lambda: lambda inventory: inventory
    ) -> None:
        self.aliases: Mapping[str, str] = {}
        """Host names in the inventory, by their current addresses."""
        self._job = job
        self._update = update
        self._progress = progress
        self._loop = asyncio.get_running_loop()
        self._facts: list[Facts] = []
        self._writing: asyncio.Task[None] | None = None
        self._wrote = self._loop.time()

    def add(self, facts: Facts) -> None:
        """Adds facts to the next batch."""
        self._facts.append(facts)

    def write_if_due(self) -> None:
        """Starts writing a batch, or the progress, in the background, if it is due."""
        now = self._loop.time()
        wait = BATCH_SECONDS if self._facts else PROGRESS_SECONDS
        is_due = len(self._facts) >= BATCH_SIZE or now - self._wrote >= wait
        if is_due and (self._writing is None or self._writing.done()):
            self._wrote = now
            self._writing = asyncio.ensure_future(self._try())

    async def write_all(self) -> None:
        """Writes the remaining facts. Raises InventoryError and OutcomeUnknown."""
        if self._writing is not None:
            await self._writing
        if self._facts:
            await self._write()

    async def _try(self) -> None:
        try:
            await self._write()
        except Exception as error:  # noqa: BLE001  # retried with the next batch, and at the end
            log.warning("cannot write the discovered devices, retrying later: %s", error)

    async def _write(self) -> None:
        facts, self._facts = self._facts, []
        note_progress = self._progress()
        outcomes: list[MergeOutcome] = []

        def change(inventory: Inventory) -> Inventory:
            if not facts:
                return note_progress(inventory)
            changed, merged = merge(
                inventory, facts, new_device_defaults=self._job.plan.new_device_defaults, aliases=self.aliases
            )
            outcomes[:] = merged
            return note_progress(changed)

        try:
            await self._update(change, who=self._job.plan.who)
        except BaseException:  # also when the outcome is unknown: merging the same facts again does no harm
            self._facts = facts + self._facts
            raise
        for outcome in outcomes:
            self._job.record_outcome(outcome)
