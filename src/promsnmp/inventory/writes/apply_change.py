"""One change of the inventory: what it makes of the one before, and the number, term and answer that it gets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

from promsnmp.errors import InventoryConflict, InventoryUnavailable
from promsnmp.inventory.index import Snapshot
from promsnmp.inventory.model import Inventory
from promsnmp.inventory.writes.changes import InventoryChanges, compare
from promsnmp.inventory.writes.fencing import MAX_REQUEST_IDS

Change = Callable[[Inventory], Inventory]


@dataclass(slots=True)
class PendingChange:
    """A change that waits for its turn, and how it ended."""

    change: Change
    who: str
    request_id: str
    """Of the forwarded request that asked for it; empty for any other change."""
    future: asyncio.Future[Inventory]
    result: Inventory | Exception | None = None
    changes: InventoryChanges | None = None


def is_older(found: Inventory, known: Inventory) -> bool:
    """Whether a file is one of the past; those of other programs have no numbers that would tell."""
    is_numbered = bool(found.fencing_token or found.revision)
    return is_numbered and (found.fencing_token, found.revision) < (known.fencing_token, known.revision)


def apply_change(now: Snapshot, pending: PendingChange, fencing_token: int | None) -> Snapshot:
    """The inventory after one more change, made in ``fencing_token``; unchanged when that failed."""
    try:
        after, pending.changes = _apply(now, pending, fencing_token)
    except Exception as error:  # noqa: BLE001  # raised where the change was asked for
        pending.result = error
        return now
    pending.result = after.inventory
    return after


def _apply(
    now: Snapshot, pending: PendingChange, fencing_token: int | None
) -> tuple[Snapshot, InventoryChanges | None]:
    old = now.inventory
    if fencing_token is not None and fencing_token < old.fencing_token:
        raise InventoryUnavailable(
            f"not written: a leader of term {old.fencing_token} has written the inventory, term {fencing_token} is over"
        )
    wanted = pending.change(old)
    if wanted is old:
        return now, None
    new, changes = compare(old, wanted)
    index = now.index.updated(changes.devices.old_values, changes.devices.new_values)
    if index.conflicts:
        raise InventoryConflict(index.conflicts)
    request_ids = (*old.request_ids, pending.request_id)[-MAX_REQUEST_IDS:] if pending.request_id else old.request_ids
    new = replace(
        new,
        revision=old.revision + 1,
        fencing_token=old.fencing_token if fencing_token is None else fencing_token,
        request_ids=request_ids,
    )
    return Snapshot(new, index), changes
