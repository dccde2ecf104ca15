"""Applies one change to the inventory: new revision, term and request ID, or the error of the change."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

from promsnmp.errors import InventoryConflict, InventoryUnavailable
from promsnmp.inventory.index import Snapshot
from promsnmp.inventory.model import Inventory
from promsnmp.inventory.named_credentials.names import with_right_names
from promsnmp.inventory.writes.changes import InventoryChanges, compare
from promsnmp.inventory.writes.fencing import MAX_REQUEST_IDS
from promsnmp.inventory.writes.numbers import next_numbers
from promsnmp.support.claim import Claim

Change = Callable[[Inventory], Inventory]


@dataclass(slots=True)
class PendingChange:
    """A change that waits for the next write, and its result."""

    change: Change
    who: str
    request_id: str
    """ID of the forwarded request that asked for it; empty for any other change."""
    future: asyncio.Future[Inventory]
    result: Inventory | Exception | None = None
    changes: InventoryChanges | None = None

    def answer(self, failure: Exception | None) -> None:
        """Ends the wait of the caller: with the error of this change, else with ``failure`` of the whole write, else
        with the inventory after this change."""
        if self.future.done():
            return
        error = self.result if isinstance(self.result, Exception) else failure
        if error is not None:
            self.future.set_exception(error)
        elif isinstance(self.result, Inventory):
            self.future.set_result(self.result)


def apply_change(now: Snapshot, pending: PendingChange, claim: Claim | None) -> Snapshot:
    """The snapshot after one more change by the leader with ``claim``; ``now`` when the change fails."""
    try:
        after, pending.changes = _apply(now, pending, claim)
    except Exception as error:  # noqa: BLE001  # raised in the caller of InventoryStore.update
        pending.result = error
        return now
    pending.result = after.inventory
    return after


def _apply(now: Snapshot, pending: PendingChange, claim: Claim | None) -> tuple[Snapshot, InventoryChanges | None]:
    old = now.inventory
    if claim is not None and old.claim.is_later_than(claim):
        raise InventoryUnavailable(
            f"not written: term {claim.term} is over, a leader of term {old.fencing_token} has written the inventory"
        )
    wanted = pending.change(old)
    if wanted is old:
        return now, None
    new, changes = compare(old, with_right_names(old, wanted))
    index = now.index.updated(changes.devices.old_values, changes.devices.new_values)
    if index.conflicts:
        raise InventoryConflict(index.conflicts)
    revision, term = next_numbers(old, None if claim is None else claim.term)
    new = replace(
        new,
        revision=revision,
        fencing_token=term,
        leader_instance=old.leader_instance if claim is None else claim.instance,
        request_ids=_request_ids(old, pending.request_id),
    )
    return Snapshot(new, index), changes


def _request_ids(old: Inventory, request_id: str) -> tuple[str, ...]:
    if not request_id:
        return old.request_ids
    return (*(known for known in old.request_ids if known != request_id), request_id)[-MAX_REQUEST_IDS:]
