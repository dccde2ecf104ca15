"""Compares two inventories: the changes for the index and for the audit log.

A change of one device must not cost the work of thousands, so the objects that both inventories share at the beginning
and at the end are skipped before anything is compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Generic, TypeVar

from promsnmp.inventory.model import Device, Inventory, PollOverrides, Seed
from promsnmp.inventory.per_device_cache import differing_parts
from promsnmp.observe.audit import audit

T = TypeVar("T", bound=Device | Seed)

_DOCUMENT_NAMES = {"primary": "primaryAgent", "identifiers": "marks"}


OBSERVED = frozenset({"lastSeen", "missedSince", "marks"})
"""Fields that discovery updates each time that it looks for a device."""


@dataclass(frozen=True, slots=True)
class ItemChanges(Generic[T]):
    """Devices, or seeds, that were added, changed (before and after) and removed."""

    added: tuple[T, ...] = ()
    changed: tuple[tuple[T, T], ...] = ()
    removed: tuple[T, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)

    @property
    def old_values(self) -> Iterator[T]:
        """The removed values, and the changed ones as they were."""
        yield from self.removed
        yield from (before for before, _ in self.changed)

    @property
    def new_values(self) -> Iterator[T]:
        """The added values, and the changed ones as they are now."""
        yield from (after for _, after in self.changed)
        yield from self.added

    def __str__(self) -> str:
        return f"{len(self.added)} added, {len(self.changed)} changed, {len(self.removed)} removed"


@dataclass(frozen=True, slots=True)
class InventoryChanges:
    """The changes of devices and of seeds."""

    devices: ItemChanges[Device]
    seeds: ItemChanges[Seed]
    credentials: tuple[tuple[str, str], ...] = ()
    """What became of named credentials (``added``, ``changed``, ``removed``), and their names."""


def compare(old: Inventory, new: Inventory) -> tuple[Inventory, InventoryChanges]:
    """``new`` with the objects of ``old`` wherever they are equal, and the changes.

    Objects that stay the same need not be rendered again.
    """
    devices, of_devices = _compare(old.devices, new.devices)
    seeds, of_seeds = _compare(old.seeds, new.seeds)
    return replace(new, devices=devices, seeds=seeds), InventoryChanges(of_devices, of_seeds, _credentials(old, new))


def _credentials(old: Inventory, new: Inventory) -> tuple[tuple[str, str], ...]:
    if old.named_credentials is new.named_credentials:
        return ()
    before, after = ({one.name: one.credentials for one in each.named_credentials} for each in (old, new))
    return (
        *(("added", name) for name in after.keys() - before.keys()),
        *(("changed", name) for name in after.keys() & before.keys() if after[name] != before[name]),
        *(("removed", name) for name in before.keys() - after.keys()),
    )


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
    merged = (*new[: new_place.start], *middle, *new[new_place.stop :])
    return merged, ItemChanges(tuple(added), tuple(changed), tuple(before.values()))


def audit_changes(changes: InventoryChanges, *, who: str, revision: int) -> None:
    """One audit line for each changed device and seed, with the names of the changed keys, never their values.

    Discovery seeing or missing a device again is no line: nobody decided anything.
    """
    for what, name in sorted(changes.credentials):
        audit(f"credentials {what}", who=who, credentials=name, revision=revision)
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
    """The document's names of the fields that differ; ``primary`` only when the agents are the same."""
    names = _field_names(before, after)
    if "agents" in names and "primary" in names:
        names.remove("primary")
    if "overrides" in names:
        names.remove("overrides")
        names += _field_names(before.overrides, after.overrides)
    return [_DOCUMENT_NAMES.get(name) or _camel(name) for name in names]


def _field_names(before: Device | Seed | PollOverrides, after: Device | Seed | PollOverrides) -> list[str]:
    """The names of the fields that differ."""
    return [one.name for one in fields(before) if getattr(before, one.name) != getattr(after, one.name)]


def _camel(name: str) -> str:
    """``sys_name`` -> ``sysName``, as in the document."""
    first, *others = name.split("_")
    return first + "".join(part.capitalize() for part in others)
