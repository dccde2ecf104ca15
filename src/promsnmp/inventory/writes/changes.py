"""What became different between two inventories: what the index must learn, and what the audit log tells.

A change of one device among thousands must not cost the work of thousands, so what both have in common at their
beginning and their end is passed over by identity before anything is compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Generic, TypeVar

from promsnmp.inventory.model import Device, Inventory, Seed
from promsnmp.inventory.per_device_cache import differing_parts
from promsnmp.observe.audit import audit

T = TypeVar("T", bound=Device | Seed)

_DOCUMENT_NAMES = {"primary": "primaryAgent", "identifiers": "marks"}


OBSERVED = frozenset({"lastSeen", "missedSince", "marks"})
"""What discovery notes of a device each time that it looks for it."""


@dataclass(frozen=True, slots=True)
class ItemChanges(Generic[T]):
    """Devices, or seeds, that came, changed (before and after) and went."""

    added: tuple[T, ...] = ()
    changed: tuple[tuple[T, T], ...] = ()
    removed: tuple[T, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)

    @property
    def old_values(self) -> Iterator[T]:
        """Values that are no longer there."""
        yield from self.removed
        yield from (before for before, _ in self.changed)

    @property
    def new_values(self) -> Iterator[T]:
        """Values that were not there."""
        yield from (after for _, after in self.changed)
        yield from self.added

    def __str__(self) -> str:
        return f"{len(self.added)} added, {len(self.changed)} changed, {len(self.removed)} removed"


@dataclass(frozen=True, slots=True)
class InventoryChanges:
    """The edits of devices and of seeds."""

    devices: ItemChanges[Device]
    seeds: ItemChanges[Seed]


def compare(old: Inventory, new: Inventory) -> tuple[Inventory, InventoryChanges]:
    """``new`` with the very values of ``old`` wherever they are equal, and what differs.

    Values that stay the same objects are known everywhere: what was rendered of them is used again.
    """
    devices, of_devices = _compare(old.devices, new.devices)
    seeds, of_seeds = _compare(old.seeds, new.seeds)
    return replace(new, devices=devices, seeds=seeds), InventoryChanges(of_devices, of_seeds)


def _compare(old: Sequence[T], new: Sequence[T]) -> tuple[tuple[T, ...], ItemChanges[T]]:
    place, new_place = differing_parts(old, new)
    before = {item.id: item for item in old[place]}
    added: list[T] = []
    changed: list[tuple[T, T]] = []
    middle: list[T] = []
    for item in new[new_place]:
        earlier = before.pop(item.id, None)
        if earlier is None:
            added.append(item)
        elif earlier != item:
            changed.append((earlier, item))
        else:
            item = earlier
        middle.append(item)
    kept = (*new[: new_place.start], *middle, *new[new_place.stop :])
    return kept, ItemChanges(tuple(added), tuple(changed), tuple(before.values()))


def audit_changes(changes: InventoryChanges, *, who: str, revision: int) -> None:
    """One audit line for each device and seed that changed; of a changed one, which keys, never their values.

    That discovery saw a device again, or did not, changes nothing that anybody decided: it gets no line.
    """
    for kind, item_changes in (("device", changes.devices), ("seed", changes.seeds)):
        for what, items in (("added", item_changes.added), ("removed", item_changes.removed)):
            for item in items:
                audit(f"{kind} {what}", who=who, **_identity(item), revision=revision)
        for before, after in item_changes.changed:
            keys = _different(before, after)
            if not OBSERVED.issuperset(keys):
                audit(f"{kind} changed", who=who, **_identity(after), revision=revision, fields=",".join(keys))


def _identity(item: Device | Seed) -> dict[str, object]:
    if isinstance(item, Seed):
        return {"seed": " ".join(item.potential_targets), "id": item.id}
    address = str(item.primary.endpoint) if item.primary else ""
    return {"device": item.sys_name, "id": item.id, "address": address}


def _different(before: Device | Seed, after: Device | Seed) -> list[str]:
    """The document's names of the fields that differ; ``primary`` is told only where the agents are the same."""
    names = [one.name for one in fields(before) if getattr(before, one.name) != getattr(after, one.name)]
    if "agents" in names and "primary" in names:
        names.remove("primary")
    return [_DOCUMENT_NAMES.get(name) or _camel(name) for name in names]


def _camel(name: str) -> str:
    """``sys_name`` as the document has it: ``sysName``."""
    first, *others = name.split("_")
    return first + "".join(part.capitalize() for part in others)
