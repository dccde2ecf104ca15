"""Seeds are saved, changed and deleted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from promsnmp.discovery.seeds import SavedSeeds
from promsnmp.discovery.unsaved_inventory import UnsavedInventory
from promsnmp.inventory.model import Inventory, Seed
from promsnmp.snmp.credentials import Community, Version

FIRST = Seed("6a3c1d5e-0000-4000-8000-000000000001", ("192.0.2.1",), (Community(),))
SECOND = Seed("6a3c1d5e-0000-4000-8000-000000000002", ("192.0.2.2",), (Community(),))


class Recorded(UnsavedInventory):
    """Records who made the change."""

    def __init__(self) -> None:
        super().__init__()
        self.by: list[str] = []

    async def update(
        self, change: Callable[[Inventory], Inventory], *, who: str = "", request_id: str = ""
    ) -> Inventory:
        self.by.append(who)
        return await super().update(change, who=who, request_id=request_id)


async def test_seeds_are_kept_replaced_and_deleted() -> None:
    memory = Recorded()
    book = SavedSeeds(lambda: memory.current, memory.update)
    await book.save(FIRST, who="me")
    await book.save(SECOND, who="me")
    changed = replace(FIRST, credentials=(Community(Version.V1, "other"),))
    await book.save(changed, who="you")
    assert list(book.seeds) == [changed, SECOND]
    assert memory.by == ["me", "me", "you"]
    assert (book.get(FIRST.id), book.get("x")) == (changed, None)
    revision = memory.current.revision
    await book.save(changed, who="you")
    assert memory.current.revision == revision  # nothing to write
    assert await book.delete(FIRST.id, who="me") == 1
    assert await book.delete(FIRST.id, who="me") == 0
    assert await book.delete(who="me") == 1
    assert book.seeds == ()


async def test_an_equal_seed_is_not_saved_twice() -> None:
    memory = UnsavedInventory(Inventory(seeds=(FIRST,)))
    book = SavedSeeds(lambda: memory.current, memory.update)
    assert book.deduplicate(replace(FIRST, id=SECOND.id)) is FIRST
    assert book.deduplicate(SECOND) is SECOND


def test_problems_of_addresses_have_a_place() -> None:
    seed = replace(FIRST, potential_targets=("10.0.0.0/8", "192.0.2.1"), exclude=("x",), neighbours=("y z",))
    memory = UnsavedInventory()
    book = SavedSeeds(lambda: memory.current, memory.update, lambda: ("if_mib",))
    places = [problem.partition(":")[0] for problem in book.problems_of(seed)]
    assert places == ["potentialTargets[0]", "exclude[0]", "neighbours[0]"]
    assert book.problems_of(replace(seed, force=True, exclude=(), neighbours=None, modules=("if_mib", "auto"))) == []
    (unknown,) = book.problems_of(replace(FIRST, modules=("if_mibb",)))
    assert "if_mib'?" in unknown
    (nothing,) = book.problems_of(replace(FIRST, exclude=("192.0.2.0/24",)))
    assert "leaves nothing" in nothing
