"""An inventory in memory that applies changes as the inventory's store does."""

from __future__ import annotations

from collections.abc import Callable

from promsnmp.inventory.model import Inventory


class MemoryStore:
    """``fails`` is what ``update`` raises, if anything; ``writes`` counts changes that changed something."""

    def __init__(self, inventory: Inventory) -> None:
        self.current = inventory
        self.writes = 0
        self.fails: Exception | None = None

    async def update(self, change: Callable[[Inventory], Inventory]) -> Inventory:
        if self.fails is not None:
            raise self.fails
        after = change(self.current)
        self.writes += after is not self.current
        self.current = after
        return after
