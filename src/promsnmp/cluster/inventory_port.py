"""What the cluster needs of the inventory: its claim and revision, and which forwarded writes the file contains.

The cluster and the inventory do not import each other; ``app.py`` connects them by an ``InventoryPort``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from promsnmp.cluster.election.claim_writer import WriteClaim
from promsnmp.cluster.peers.forward_write import CommitStatus, ForwardedWrite
from promsnmp.observe.tasks import SharedTask
from promsnmp.support.claim import Claim


@dataclass(frozen=True, slots=True, kw_only=True)
class InventoryPort:
    """Functions of the inventory, called whenever their value is needed."""

    claim_in_file: Callable[[], Claim]
    """The claim that the file had when it was last read or written here."""
    revision: Callable[[], int]
    request_ids: Callable[[], Sequence[str]]
    """The IDs of the last forwarded requests that wrote, the newest last; ``max_request_ids`` of them at most."""
    max_request_ids: int
    reload: Callable[[], Awaitable[object]]
    """Reads the file again if it has changed."""
    write_claim: WriteClaim
    """Writes a new leader's claim into the file."""
    volume_problem: Callable[[float], str]
    """Why the volume of the file cannot be written, or that it did not answer for so many seconds; empty when it can be
    written."""
    installation: str = ""
    """The same for all replicas that share the file; empty when unknown."""


class ForwardedWriteCheck:
    """Says from the inventory file whether a forwarded write was made, after the leader failed to answer."""

    def __init__(self, inventory: InventoryPort) -> None:
        self._inventory = inventory
        self._reloading = SharedTask[object]("reload of the inventory")

    def last_known(self) -> str:
        """The ID of the last forwarded write that is known here; empty for none."""
        return next(reversed(self._inventory.request_ids()), "")

    async def commit_status(self, sent: ForwardedWrite) -> CommitStatus:
        """Whether the file contains the write, never will, or may still get it."""
        await self._reloading.result(self._inventory.reload)
        request_ids = self._inventory.request_ids()
        if sent.request_id in request_ids:
            return CommitStatus.COMMITTED
        has_all = len(request_ids) < self._inventory.max_request_ids or sent.last_known_write in request_ids
        is_over = self._inventory.claim_in_file().term > sent.fencing_token
        return CommitStatus.NOT_COMMITTED if has_all and is_over else CommitStatus.PENDING
