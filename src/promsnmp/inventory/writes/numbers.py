"""The numbers of an inventory, its term and revision: which of two is newer, and that numbers never fall back.

Each write has a higher revision than the one before, and no lower term; so of two versions that replicas wrote, the one
with the larger (term, revision) is the newer. A file can also come from elsewhere:

- without numbers, from another program or a person;
- with the same numbers and another content, from a change to a backup, or from a writer that was alone;
- with lower numbers, from a backup. Nobody knows whether that was a mistake, so it does not count, unless an operator
  says that it does, by ``promsnmp inventory import``: then it has a later time of import.

What counts gets numbers that continue those of the inventory in use, and the next write of a replica puts them into the
file. Otherwise every replica would take the writes that follow for old ones. The leader's process belongs to the term:
a backup does not bring back the claim of an earlier leader.
"""

from __future__ import annotations

import time
from dataclasses import replace

from promsnmp.errors import InventoryUnavailable
from promsnmp.inventory.model import Inventory
from promsnmp.support.claim import MAX_NUMBER


def is_numbered(inventory: Inventory) -> bool:
    return bool(inventory.revision or inventory.fencing_token)


def numbered(in_file: Inventory, *, time_ms: int) -> Inventory:
    """A file at the start. One without numbers counts as imported at the Unix time ``time_ms``, in milliseconds."""
    return in_file if is_numbered(in_file) else replace(in_file, imported_at=max(in_file.imported_at, time_ms))


def continued(in_file: Inventory, known: Inventory) -> Inventory | None:
    """What to use after ``in_file`` was read from the file while ``known`` was in use: with numbers that are not lower;
    None when ``in_file`` is older and does not count."""
    numbers, known_numbers = (in_file.fencing_token, in_file.revision), (known.fencing_token, known.revision)
    imported_at = max(in_file.imported_at, known.imported_at)
    is_same = numbers == known_numbers and _contents(in_file) == _contents(known)
    if numbers > known_numbers or is_same:
        return replace(in_file, imported_at=imported_at)
    if numbers < known_numbers and is_numbered(in_file) and in_file.imported_at <= known.imported_at:
        return None
    claim = in_file.claim if in_file.fencing_token > known.fencing_token else known.claim
    return replace(
        in_file,
        revision=max(in_file.revision, known.revision) + 1,
        fencing_token=claim.term,
        leader_instance=claim.instance,
        imported_at=imported_at,
    )


def _contents(inventory: Inventory) -> tuple[object, ...]:
    return inventory.devices, inventory.seeds, inventory.named_credentials


def imported(wanted: Inventory, old: Inventory, *, time_ms: int) -> Inventory:
    """``wanted`` as an operator imports it in place of ``old``, at the Unix time ``time_ms``, in milliseconds."""
    return replace(wanted, imported_at=max(time_ms, old.imported_at + 1))


def carried(numbers: Inventory) -> Inventory:
    """An empty inventory with the numbers of a document that a person may have written: absurd ones do not count."""
    if max(numbers.revision, numbers.fencing_token, numbers.imported_at) > MAX_NUMBER // 2:
        return Inventory()
    return replace(numbers, request_ids=())


def next_numbers(old: Inventory, fencing_token: int | None) -> tuple[int, int]:
    """Revision and term of the write that follows ``old``. Raises InventoryUnavailable when nobody could read them."""
    revision = old.revision + 1
    term = old.fencing_token if fencing_token is None else fencing_token
    for name, number in (("revision", revision), ("term", term)):
        if not 0 <= number <= MAX_NUMBER:
            raise InventoryUnavailable(
                f"not written: the {name} would be out of range, so nobody could read the file; if it is the file's, "
                "export the inventory, delete the file, import it, and start every replica again"
            )
    return revision, term


def now_ms() -> int:
    """Unix time in milliseconds."""
    return time.time_ns() // 1_000_000
