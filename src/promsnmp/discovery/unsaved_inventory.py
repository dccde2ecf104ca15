"""An inventory in memory only, for searches whose results are not saved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from promsnmp.inventory.model import Inventory


class UnsavedInventory:
    """Changes an inventory like the store, but without a file."""

    def __init__(self, inventory: Inventory | None = None) -> None:
        self.current = inventory or Inventory()

    async def update(
        self, change: Callable[[Inventory], Inventory], *, who: str = "", request_id: str = ""
    ) -> Inventory:
        """Applies ``change``; nothing records ``who`` and ``request_id``."""
        changed = change(self.current)
        if changed is not self.current:
            self.current = replace(changed, revision=self.current.revision + 1)
        return self.current
