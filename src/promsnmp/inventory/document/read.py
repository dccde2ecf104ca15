"""JSON document -> inventory, with the problems of the document found in one go: all, or the first MAX_PROBLEMS.

The document is the original PromSNMP's: unknown keys are no error, null means absent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TypeVar

from promsnmp.errors import MAX_PROBLEMS, InventoryInvalid
from promsnmp.inventory.document.fields import Fields, kind_of
from promsnmp.inventory.document.previous import PreviousValues
from promsnmp.inventory.document.read_device import device_from
from promsnmp.inventory.document.searches import read_searches
from promsnmp.inventory.document.seeds import read_seed
from promsnmp.inventory.index import collisions
from promsnmp.inventory.model import Inventory, Seed
from promsnmp.inventory.named_credentials.document import KEY as NAMED_KEY
from promsnmp.inventory.named_credentials.document import by_name, read_all_named
from promsnmp.inventory.writes.fencing import MAX_REQUEST_IDS
from promsnmp.support.claim import MAX_NUMBER
from promsnmp.support.memory import gc_paused

T = TypeVar("T")


def from_document(document: object, *, previous: Inventory | None = None) -> Inventory:
    """The inventory that a JSON document describes.

    ``previous`` is the inventory that it replaces: masked secrets, missing ids and all searches are taken from there.
    Raises InventoryInvalid with the problems. ``devices`` is required, even if empty, so that a document of another
    kind cannot empty the inventory.
    """
    with gc_paused():
        return _inventory(document, previous)


def _inventory(document: object, previous: Inventory | None) -> Inventory:
    problems: list[str] = []
    if not isinstance(document, Mapping):
        raise InventoryInvalid([f"the document must be an object with the key devices, not {kind_of(document)}"])
    top = Fields(document, "", problems)
    if document.get("devices") is None:
        top.problem("devices", "is missing; an empty list means no devices")
    values = PreviousValues(previous, claimed=_given_ids(document) if previous else frozenset())
    named = previous.named_credentials if previous else ()
    if document.get(NAMED_KEY) is not None:
        named = read_all_named(top, values.named)
        values.named = by_name(named)
    read = _each(top, "devices", lambda item, place: device_from(item, place, problems, values))
    devices = [device for device in read if device is not None]
    if len(devices) == len(read):  # otherwise the positions in the messages would be wrong
        problems += collisions(devices)
    seeds = _each(top, "discoverySeeds", lambda item, place: read_seed(item, place, problems, values))
    problems += _repeated_seeds(seeds)
    numbers = read_numbers(top)
    if problems:
        raise InventoryInvalid(problems)
    searches = read_searches(document.get("searches")) if previous is None else previous.searches
    return replace(
        numbers,
        devices=tuple(devices),
        seeds=tuple(seed for seed in seeds if seed),
        searches=searches,
        named_credentials=named,
    )


def _each(top: Fields, key: str, read: Callable[[object, str], T]) -> list[T]:
    """``read`` of each item under ``key``. Raises InventoryInvalid as soon as there are MAX_PROBLEMS."""
    items = top.items(key)
    result = []
    for number, item in enumerate(items):
        result.append(read(item, f"{key}[{number}]"))
        if len(top.problems) >= MAX_PROBLEMS:
            left = len(items) - number - 1
            raise InventoryInvalid(top.problems, unchecked=f"{key}[{number + 1}:] was not checked" if left else "")
    return result


def numbers_in(document: object) -> Inventory:
    """What numbers a document; 0 for what is missing or wrong."""
    return read_numbers(Fields(document, "", []))


def read_numbers(top: Fields) -> Inventory:
    """What numbers a document: an inventory without devices and seeds."""
    revision, fencing_token, imported_at = (
        top.integer(key, default=0, low=0, high=MAX_NUMBER) for key in ("revision", "term", "importedAt")
    )
    request_ids, leader_instance = top.texts("lastWrites")[-MAX_REQUEST_IDS:], top.text("leaderInstance")
    return Inventory((), (), revision, fencing_token, request_ids, imported_at, leader_instance)


def _given_ids(document: Mapping[str, object]) -> set[str]:
    """Every ``id`` of devices and their agents in a document, valid or not."""
    ids: set[str] = set()
    for device in _objects(document.get("devices")):
        for item in (device, *_objects(device.get("agents"))):
            if isinstance(given := item.get("id"), str):
                ids.add(given.lower())
    return ids


def _objects(value: object) -> Iterator[Mapping[str, object]]:
    return (item for item in value if isinstance(item, dict)) if isinstance(value, list) else iter(())


def _repeated_seeds(seeds: list[Seed | None]) -> list[str]:
    first: dict[str, int] = {}
    problems = []
    for number, seed in enumerate(seeds):
        if seed is not None and first.setdefault(seed.id, number) != number:
            problems.append(f"discoverySeeds[{number}].id: is also that of discoverySeeds[{first[seed.id]}]")
    return problems
