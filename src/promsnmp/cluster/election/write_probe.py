"""Tries again and again whether this replica can write the volume: another replica should lead while it cannot.

Each try writes and removes a small file beside the inventory file, in a thread. A volume that hangs keeps one thread
busy, and counts as one that cannot be written after ``silence`` seconds.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from promsnmp.cluster.election.rules import Clock, lease_clock
from promsnmp.errors import InventoryError

log = logging.getLogger(__name__)


class WriteProbe:
    """The result of the last try. ``try_writing`` raises InventoryError when the volume cannot be written."""

    def __init__(
        self, try_writing: Callable[[], object], *, interval: float, silence: float, clock: Clock = lease_clock
    ) -> None:
        """``interval``: seconds between two tries."""
        self._try_writing = try_writing
        self._interval = interval
        self._silence = silence
        self._clock = clock
        self._answered_at = clock()
        self._error = ""

    @property
    def problem(self) -> str:
        """Why the volume cannot be written; empty when it can."""
        if self._clock() - self._answered_at > self._silence:
            return "the volume of the inventory file does not answer"
        return self._error

    async def run(self) -> None:
        """Tries until it is cancelled. Raises nothing."""
        while True:
            await self.refresh()
            await asyncio.sleep(self._interval)

    async def refresh(self) -> None:
        """One try."""
        try:
            await asyncio.to_thread(self._try_writing)
            self._error = ""
        except InventoryError as error:
            self._error = str(error)
        except Exception as error:  # a replica with a mistake here is no better leader
            log.exception("unexpected error while trying to write the volume")
            self._error = f"{type(error).__name__}: {error}"
        self._answered_at = self._clock()
