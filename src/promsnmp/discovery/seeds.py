"""Finds, saves and deletes the seeds in the inventory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from promsnmp.discovery.reconcile.batch_writer import UpdateInventory
from promsnmp.discovery.scan.target_syntax import read_networks, read_scope
from promsnmp.inventory.model import Inventory, Seed
from promsnmp.inventory.modules import KnownModules, unknown_modules


class SavedSeeds:
    """Seeds of an inventory; changes raise InventoryError. ``known_modules``: those that a seed may name; None: any."""

    def __init__(
        self,
        inventory: Callable[[], Inventory],
        update: UpdateInventory,
        known_modules: KnownModules | None = None,
    ) -> None:
        self._known_modules = known_modules
        self._inventory = inventory
        self._update = update

    @property
    def seeds(self) -> Sequence[Seed]:
        return self._inventory().seeds

    def get(self, seed_id: str) -> Seed | None:
        """The seed with this id."""
        return next((seed for seed in self.seeds if seed.id == seed_id), None)

    def deduplicate(self, seed: Seed) -> Seed:
        """An equal saved seed, if there is one, else ``seed``: the same request twice saves one seed."""
        return next((one for one in self.seeds if replace(one, id=seed.id) == seed), seed)

    def problems_of(self, seed: Seed) -> list[str]:
        """The problems of a seed's addresses and modules."""
        scope, problems = read_scope(seed.potential_targets, seed.exclude, force=seed.force)
        problems += read_networks(seed.neighbours or (), "neighbours")[1]
        if self._known_modules is not None:
            problems += unknown_modules(seed.modules, self._known_modules)
        if not problems and not scope.size:
            return ["potentialTargets: exclude leaves nothing of them"]
        return problems

    async def save(self, seed: Seed, *, who: str, request_id: str = "") -> None:
        """Saves a seed; replaces one with the same id."""

        def change(inventory: Inventory) -> Inventory:
            seeds = {one.id: one for one in inventory.seeds}
            if seeds.get(seed.id) == seed:
                return inventory
            return replace(inventory, seeds=tuple((seeds | {seed.id: seed}).values()))

        await self._update(change, who=who, request_id=request_id)

    async def delete(self, seed_id: str | None = None, *, who: str, request_id: str = "") -> int:
        """Deletes the seed with this id, or all seeds; returns how many were deleted."""
        deleted = 0

        def change(inventory: Inventory) -> Inventory:
            nonlocal deleted
            remaining = tuple(seed for seed in inventory.seeds if seed_id not in (None, seed.id))
            deleted = len(inventory.seeds) - len(remaining)
            return replace(inventory, seeds=remaining) if deleted else inventory

        await self._update(change, who=who, request_id=request_id)
        return deleted
