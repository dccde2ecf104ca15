"""JSON document -> inventory, with every problem of the document found in one go.

The document is the original PromSNMP's: unknown keys are no error, null means absent.
"""

from __future__ import annotations

from collections.abc import Mapping

from promsnmp.errors import InventoryInvalid
from promsnmp.inventory.document.fields import Fields, kind_of
from promsnmp.inventory.document.previous import PreviousValues
from promsnmp.inventory.document.read_device import device_from
from promsnmp.inventory.document.seeds import read_seed
from promsnmp.inventory.index import collisions
from promsnmp.inventory.model import Inventory, Seed
from promsnmp.support.memory import gc_paused


def from_document(document: object, *, previous: Inventory | None = None) -> Inventory:
    """The inventory that a JSON document describes.

    ``previous`` is the inventory that it replaces: masked secrets and missing ids are taken from there.
    Raises InventoryInvalid with all problems. ``devices`` is required, even if empty, so that a document of another
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
    read = [device_from(item, f"devices[{i}]", problems, values) for i, item in enumerate(top.items("devices"))]
    devices = [device for device in read if device is not None]
    if len(devices) == len(read):  # otherwise the positions in the messages would be wrong
        problems += collisions(devices)
    seeds = [
        read_seed(item, f"discoverySeeds[{i}]", problems, values) for i, item in enumerate(top.items("discoverySeeds"))
    ]
    problems += _repeated_seeds(seeds)
    revision = top.integer("revision", default=0, low=0, high=2**62)
    fencing_token = top.integer("term", default=0, low=0, high=2**62)
    request_ids = top.texts("lastWrites")
    if problems:
        raise InventoryInvalid(problems)
    return Inventory(tuple(devices), tuple(seed for seed in seeds if seed), revision, fencing_token, request_ids)


def _given_ids(value: object) -> set[object]:
    """Every ``id`` of devices and agents in a document, valid or not."""
    if isinstance(value, list):
        return set().union(*map(_given_ids, value))
    if not isinstance(value, dict | Mapping):
        return set()
    given = value.get("id")
    own: set[object] = {given.lower()} if isinstance(given, str) else set()
    return own | _given_ids(value.get("devices")) | _given_ids(value.get("agents"))


def _repeated_seeds(seeds: list[Seed | None]) -> list[str]:
    first: dict[str, int] = {}
    problems = []
    for number, seed in enumerate(seeds):
        if seed is not None and first.setdefault(seed.id, number) != number:
            problems.append(f"discoverySeeds[{number}].id: is also that of discoverySeeds[{first[seed.id]}]")
    return problems
