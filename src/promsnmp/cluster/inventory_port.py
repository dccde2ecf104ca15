"""What the cluster needs of the inventory: its term and revision, and which forwarded writes the file contains.

The cluster and the inventory do not import each other; ``app.py`` connects them by an ``InventoryPort``.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from promsnmp.cluster.peers.forward_write import CommitStatus, ForwardedWrite
from promsnmp.errors import InventoryError, OutcomeUnknown

log = logging.getLogger(__name__)

CLAIM_INTERVAL = 2.0
"""Seconds between two attempts of a new leader to write its term into the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InventoryPort:
    """Functions of the inventory, called whenever their value is needed."""

    fencing_token: Callable[[], int]
    revision: Callable[[], int]
    request_ids: Callable[[], Sequence[str]]
    """The IDs of the last forwarded requests that wrote, the newest last; ``max_request_ids`` of them at most."""
    max_request_ids: int
    reload: Callable[[], Awaitable[object]]
    """Reads the file again if it has changed."""
    claim: Callable[[], Awaitable[object]]
    """Writes the current term into the file; raises InventoryError, and OutcomeUnknown while it is not
    certain that it lasts."""


class ForwardedWriteCheck:
    """Says from the inventory file whether a forwarded write was made, after the leader failed to answer."""

    def __init__(self, inventory: InventoryPort) -> None:
        self._inventory = inventory
        self._reloading: asyncio.Future[object] | None = None

    def last_known(self) -> str:
        """The ID of the last forwarded write that is known here; empty for none."""
        return next(reversed(self._inventory.request_ids()), "")

    async def commit_status(self, sent: ForwardedWrite) -> CommitStatus:
        """Whether the file contains the write, never will, or may still get it."""
        if self._reloading is None or self._reloading.done():  # one reload for all who ask
            self._reloading = asyncio.ensure_future(self._inventory.reload())
        await asyncio.shield(self._reloading)
        request_ids = self._inventory.request_ids()
        if sent.request_id in request_ids:
            return CommitStatus.COMMITTED
        has_all = len(request_ids) < self._inventory.max_request_ids or sent.last_known_write in request_ids
        is_over = self._inventory.fencing_token() > sent.fencing_token
        return CommitStatus.NOT_COMMITTED if has_all and is_over else CommitStatus.PENDING


async def claim_term(inventory: InventoryPort, *, while_leading: Callable[[], bool]) -> None:
    """Writes a new leader's term into the inventory file, as soon as the file can be written."""
    reason = ""
    while while_leading():
        try:
            await inventory.claim()
        except (InventoryError, OutcomeUnknown) as error:
            if str(error) != reason:
                reason = str(error)
                log.warning("cannot write this leader's term into the inventory file, retrying: %s", reason)
            await asyncio.sleep(CLAIM_INTERVAL)
        else:
            return
