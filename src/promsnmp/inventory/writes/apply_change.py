"""One change of the inventory: what it makes of the one before, and the number, term and answer that it gets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

from promsnmp.errors import InventoryConflict, InventoryUnavailable
from promsnmp.inventory.index import Snapshot
from promsnmp.inventory.model import Inventory
from promsnmp.inventory.writes.changes import Changes, compare
from promsnmp.inventory.writes.fencing import KEPT

Change = Callable[[Inventory], Inventory]


@dataclass(slots=True)
class Request:
    """A change that waits for its turn, and how it ended."""

    change: Change
    term: int | None
    who: str
    number: str
    answer: asyncio.Future[Inventory]
    result: Inventory | Exception | None = None
    changes: Changes | None = None


def is_older(found: Inventory, known: Inventory) -> bool:
    """Whether a file is one of the past; those of other programs have no numbers that would tell."""
    is_numbered = bool(found.term or found.revision)
    return is_numbered and (found.term, found.revision) < (known.term, known.revision)


def step(now: Snapshot, request: Request, term: int | None) -> Snapshot:
    """The inventory after one more change, made in ``term``; unchanged when that failed."""
    try:
        after, request.changes = _changed(now, request, term)
    except Exception as error:  # noqa: BLE001  # raised where the change was asked for
        request.result = error
        return now
    request.result = after.inventory
    return after


def _changed(now: Snapshot, request: Request, term: int | None) -> tuple[Snapshot, Changes | None]:
    old, term = now.inventory, term if request.term is None else request.term
    if term is not None and term < old.term:
        raise InventoryUnavailable(
            f"not written: a leader of term {old.term} has written the inventory, term {term} is over"
        )
    wanted = request.change(old)
    if wanted is old:
        return now, None
    new, changes = compare(old, wanted)
    index = now.index.after(changes.devices.gone, changes.devices.come)
    if index.clashes:
        raise InventoryConflict(index.clashes)
    writes = (*old.writes, request.number)[-KEPT:] if request.number else old.writes
    new = replace(new, revision=old.revision + 1, term=old.term if term is None else term, writes=writes)
    return Snapshot(new, index), changes
