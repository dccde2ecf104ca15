"""Writes the claim of an elected candidate into the inventory file: until it is there, the candidate does not lead.

A volume that cannot be written, or a lock that somebody holds, delays that for as long as it lasts. The candidate keeps
its lease meanwhile, and the health says why nobody leads.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial

from promsnmp.cluster.election.rules import Candidate, WantedClaim
from promsnmp.errors import InventoryError, NotLeader, OutcomeUnknown
from promsnmp.support.claim import Claim

log = logging.getLogger(__name__)

RETRY_INTERVAL = 2.0
"""Seconds between two attempts to write a claim."""

WriteClaim = Callable[[WantedClaim, Callable[[], None]], Awaitable[Claim]]
"""Writes a claim into the inventory file, and returns the claim that the file has then. The second argument is a check,
called in any thread before the file is replaced, that raises NotLeader when the claim is void. Raises InventoryError
when the file cannot be read or written, and OutcomeUnknown while it is not certain that the claim lasts."""


class ClaimWriter:
    """Writes each claim that ``candidate`` wants; ``on_change`` is called when one was written or refused."""

    def __init__(self, candidate: Candidate, write: WriteClaim, *, on_change: Callable[[], object]) -> None:
        self.problem = ""
        """Why the claim cannot be written; empty when it can, or when none is wanted."""
        self._candidate = candidate
        self._write = write
        self._on_change = on_change
        self._task: asyncio.Task[None] | None = None

    def start_if_wanted(self) -> None:
        """Starts to write the claim that the candidate wants, if that has not begun yet."""
        is_running = self._task is not None and not self._task.done()
        if self._candidate.wanted_claim is not None and not is_running:
            self._task = asyncio.create_task(self._run(), name="claim of the leader")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        while (wanted := self._candidate.wanted_claim) is not None:
            try:
                found = await self._write(wanted, partial(self._candidate.check_elected, wanted.claim))
            except NotLeader:
                continue  # its lease has ended
            except (InventoryError, OutcomeUnknown) as error:
                self._note(wanted, str(error))
                await asyncio.sleep(RETRY_INTERVAL)
            except Exception as error:  # a mistake must not end the attempts while the lease is held
                log.exception("unexpected error while writing a claim")
                self._note(wanted, f"{type(error).__name__}: {error}")
                await asyncio.sleep(RETRY_INTERVAL)
            else:
                self._finish(wanted, found)
        self.problem = ""

    def _note(self, wanted: WantedClaim, problem: str) -> None:
        if problem != self.problem:
            text = "this replica is elected in term %d, but does not lead, its claim cannot be written; retrying: %s"
            log.warning(text, wanted.claim.term, problem)
        self.problem = problem

    def _finish(self, wanted: WantedClaim, found: Claim) -> None:
        self.problem = ""
        if found == wanted.claim:
            self._candidate.on_claimed(found)
        else:
            log.warning(
                "this replica was elected in term %d, but does not lead: another one has claimed term %d",
                wanted.claim.term,
                found.term,
            )
            self._candidate.on_claim_refused(found)
        self._on_change()
